/** Asks one operation of any family value, the request given as JSON. */
import type { FamilyClient } from '../client/family.ts'
import { didYouMean } from '../client/nearest.ts'
import type { ExchangeKind, Family } from '../schema/index.ts'
import type { Call } from './command.ts'
import { UsageError } from './exit.ts'
import { requestFromJson } from './family-json.ts'

/** What is asked, and how. */
export interface Asked {
  readonly op: string
  /** JSON, `{}` unless given. */
  readonly request?: string | undefined
  /** As it was asked for; unless given it is what the operation has, a do where it has both. */
  readonly kind?: ExchangeKind | undefined
}

/** `if-get`, `if_get`, `ifGet` and the kernel's constant are one operation. */
function opOf(family: Family, word: string): string {
  const plain = (name: string) => name.replace(/[-_]/g, '').toLowerCase()
  for (const [name, { constant }] of Object.entries(family.ops))
    if (plain(name) === plain(word) || constant === word) return name
  const names = Object.keys(family.ops)
  throw new UsageError(
    `${family.name} has no operation "${word}"`,
    didYouMean(word, names) ?? `there are ${names.join(', ')}`,
  )
}

function kindOf(family: Family, op: string, kind: ExchangeKind | undefined): ExchangeKind {
  const definition = family.ops[op]
  if (kind === undefined) return definition?.do ? 'do' : 'dump'
  if (definition?.[kind]) return kind
  throw new UsageError(`${family.name}.${op} cannot be asked as a ${kind}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`the request is no JSON: ${(error as Error).message}`)
  }
}

/**
 * Asks, and prints what comes: one value of a do, one after the other of a dump; with `-j` one line
 * of JSON each, otherwise indented.
 * @throws UsageError, EncodeError with the path of what does not fit; what the kernel refuses.
 */
export async function callFamily<F extends Family>(
  call: Pick<Call, 'out' | 'options' | 'open' | 'asking' | 'signal'>,
  family: F,
  asked: Asked,
): Promise<void> {
  const op = opOf(family, asked.op)
  const kind = kindOf(family, op, asked.kind)
  const value = requestFromJson(family.ops[op]?.[kind]?.request, parse(asked.request ?? '{}'))
  const nl = await call.open()
  const client = (await nl.family<Family>(family)) as FamilyClient<Family>
  call.asking(value)
  if (kind === 'do') {
    const reply = await client.do(op as never, value as never)
    if (reply !== undefined) print(call, reply)
    return
  }
  const { signal } = call
  for await (const item of client.dump(op as never, value as never, { signal })) print(call, item)
}

function print({ out, options }: Pick<Call, 'out' | 'options'>, value: unknown): void {
  if (options.json) out.json(value)
  else out.indented(value)
}
