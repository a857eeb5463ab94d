/** `nlkit call --spec FILE`: a family by its spec, as Linux's own tool (tools/net/ynl) is called. */
import type { FamilyClient } from '../client/family.ts'
import { didYouMean } from '../client/nearest.ts'
import type { ExchangeKind, Family } from '../schema/index.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../wire/index.ts'
import type { SpecFamily } from '../ynl/index.ts'
import type { Call } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { withSpec } from './spec-file.ts'

type Surroundings = Pick<Call, 'out' | 'err' | 'options' | 'open' | 'asking' | 'signal'>

/** What the command line says. */
export interface SpecCall {
  readonly file: string
  /** Operations and requests, in any order: a request begins with a brace. */
  readonly words: readonly string[]
  readonly kind: ExchangeKind | undefined
  /** Several operations in one datagram: an operation and its request, again and again. */
  readonly isMulti: boolean
  /** The group to listen to. */
  readonly group: string | undefined
  /** Milliseconds to listen for. */
  readonly duration: number | undefined
  /** Names of NLM_F_* beside those of the kind. */
  readonly flags: readonly (keyof typeof FLAGS)[]
}

const FLAGS = {
  create: NLM_F_CREATE,
  excl: NLM_F_EXCL,
  replace: NLM_F_REPLACE,
  append: NLM_F_APPEND,
} as const

/** One operation that is asked, with its request. */
interface Asked {
  readonly word: string
  readonly json: string | undefined
}

function pairs(words: readonly string[], isMulti: boolean): Asked[] {
  const isJson = (word: string): boolean => /^\s*[[{]/.test(word)
  const operations = words.filter((word) => !isJson(word))
  const requests = words.filter(isJson)
  if (!isMulti && (operations.length > 1 || requests.length > 1))
    throw new UsageError(`unexpected word "${words[2] ?? words[1]}"`, 'several go with --multi')
  if (isMulti && operations.length !== requests.length)
    throw new UsageError('--multi needs an operation and its request in JSON, each time')
  return operations.map((word, i) => ({ word, json: requests[i] }))
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '{}')
  } catch (error) {
    throw new UsageError(`the request is no JSON: ${(error as Error).message}`)
  }
}

/** The operation that a word names: as in the spec, or as in nlkit. */
function find(loaded: SpecFamily, word: string) {
  const found = loaded.operations.find(
    ({ key, operation }) => operation.name === word || key === word,
  )
  if (found) return found
  const names = loaded.operations.map(({ operation }) => operation.name)
  throw new UsageError(
    `${loaded.family.name} has no operation "${word}"`,
    didYouMean(word, names) ?? `there are ${names.join(', ')}`,
  )
}

class SpecCaller {
  readonly #call: Surroundings
  readonly #loaded: SpecFamily
  readonly #ynl: typeof import('../ynl/index.ts')
  readonly #flags: number

  constructor(
    call: Surroundings,
    loaded: SpecFamily,
    ynl: typeof import('../ynl/index.ts'),
    flags: number,
  ) {
    this.#call = call
    this.#loaded = loaded
    this.#ynl = ynl
    this.#flags = flags
  }

  async client(): Promise<FamilyClient<Family>> {
    const nl = await this.#call.open()
    return (await nl.family<Family>(this.#loaded.family)) as FamilyClient<Family>
  }

  print(value: unknown): void {
    const { out, options } = this.#call
    if (options.json) out.json(value)
    else out.indented(value)
  }

  /** The operation and the value to send; nothing is opened for a request that does not fit. */
  prepare({ word, json }: Asked, asked: ExchangeKind | undefined) {
    const { key, operation } = find(this.#loaded, word)
    const definition = this.#loaded.family.ops[key]
    const kind = asked ?? (definition?.do ? 'do' : 'dump')
    const exchange = definition?.[kind]
    if (!exchange) throw new UsageError(`${operation.name} cannot be asked as a ${kind}`)
    const reader = new this.#ynl.JsonRequest(this.#loaded.spelling)
    const value = reader.message(exchange.request, parse(json))
    return { key, kind, value, reply: exchange.reply }
  }

  async ask(asked: readonly Asked[], kind: ExchangeKind | undefined): Promise<void> {
    const prepared = asked.map((each) => this.prepare(each, kind))
    const shown = new this.#ynl.JsonReply(this.#loaded.spelling)
    const client = await this.client()
    const options = { flags: this.#flags, signal: this.#call.signal }
    const [first] = prepared
    this.#call.asking(first?.value)
    if (first?.kind === 'dump') {
      const dump = client.dump(first.key as never, first.value as never, options)
      for await (const item of dump) if (first.reply) this.print(shown.message(first.reply, item))
      return
    }
    // requests of one turn leave in one datagram; an operation may have nothing to answer, as
    // RTM_GETQDISC of a link without one: then the acknowledgement ends it
    const acknowledged = { ...options, ack: true }
    const replies = await Promise.all(
      prepared.map(({ key, value }) => client.do(key as never, value as never, acknowledged)),
    )
    replies.forEach((value, i) => {
      const reply = prepared[i]?.reply
      if (reply && value !== undefined) this.print(shown.message(reply, value))
    })
  }

  /** The group as the spec calls it, or as nlkit does. */
  #group(word: string): string {
    const groups = this.#loaded.family.groups ?? []
    const known = Array.isArray(groups) ? groups : Object.keys(groups)
    const at = this.#loaded.spec.groups.findIndex(({ name }) => name === word)
    return known.includes(word) ? word : (known[at] ?? word)
  }

  async listen(group: string, duration: number | undefined): Promise<number> {
    const shown = new this.#ynl.JsonReply(this.#loaded.spelling)
    const client = await this.client()
    const { signal, err } = this.#call
    const events = client.listen([this.#group(group)] as never, { signal })
    const timer = duration === undefined ? undefined : setTimeout(() => events.close(), duration)
    let isLost = false
    try {
      await events.ready
      for (;;) {
        const { done, value: event } = await events.next()
        if (done) break
        if (event.name === 'overrun') {
          isLost = true
          err.line('some events were lost')
          continue
        }
        const { name: key, value } = event as { name: string; value: unknown }
        const body = this.#loaded.family.notifications?.[key]?.body
        const placed = this.#loaded.notifications.find((each) => each.key === key)
        const name = placed?.operation.name ?? key
        this.print({ name, msg: body ? shown.message(body, value) : value })
      }
    } finally {
      clearTimeout(timer)
      events.close()
    }
    return isLost && duration !== undefined ? EXIT.lost : EXIT.ok
  }
}

/**
 * Asks, or listens, and prints what comes, in the spec's words.
 * @throws UsageError for a spec that cannot be used, an operation that it does not have; EncodeError
 * with the path of what does not fit in a request.
 */
export async function callSpec(call: Surroundings, asked: SpecCall): Promise<number> {
  const { file, words, kind, isMulti, group, duration, flags } = asked
  const ynl = await import('../ynl/index.ts')
  const loaded = await withSpec(file, (text, { importSpec }) => importSpec(text))
  const bits = flags.reduce((all, flag) => all | FLAGS[flag], 0)
  const caller = new SpecCaller(call, loaded, ynl, bits)
  const operations = pairs(words, isMulti)
  if (operations.length === 0 && group === undefined) {
    const names = loaded.operations.map(({ operation }) => operation.name)
    throw new UsageError('an operation is needed', `${loaded.family.name} has ${names.join(', ')}`)
  }
  if (operations.length > 0) await caller.ask(operations, isMulti ? 'do' : kind)
  return group === undefined ? EXIT.ok : caller.listen(group, duration)
}
