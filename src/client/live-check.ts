/** A request judged by the kernel's own policy before it is sent. */
import { NetlinkError } from '../errors.ts'
import { type AnyMessage, type AttrTable, NL_VALIDATE_STRICT } from '../schema/index.ts'
import { NLMSG_HDRLEN, viewOf, Writer } from '../wire/index.ts'
import { type Call, payloadOf, writeRequest } from './call.ts'
import type { Endpoint } from './endpoint.ts'
import { type LivePolicy, readLivePolicy } from './family-policy.ts'
import { policyMessage } from './policy-message.ts'

/** The policy of one operation, ready to judge; undefined where the kernel tells none. */
type Judge = { readonly policy: LivePolicy; readonly message: AnyMessage } | undefined

export class LiveCheck {
  readonly #endpoint: Endpoint
  /** The generic family's name; undefined for protocols that tell no policies. */
  readonly #family: string | undefined
  readonly #judges = new Map<string, Promise<Judge>>()

  constructor(endpoint: Endpoint, family: string | undefined) {
    this.#endpoint = endpoint
    this.#family = family
  }

  /**
   * @throws NetlinkError as the kernel would answer, with the path by the operation's description;
   * EncodeError for a value that cannot be sent.
   */
  async check(call: Call, value: unknown): Promise<void> {
    const w = new Writer()
    writeRequest(w, call, 0, 0, value)
    const judge = await this.#judge(call)
    if (!judge) return
    const bytes = w.finish()
    const view = viewOf(bytes)
    const from = payloadOf(call, NLMSG_HDRLEN)
    try {
      judge.message.validate(view, from, bytes.length, NL_VALIDATE_STRICT, 0)
    } catch (error) {
      if (!(error instanceof NetlinkError) || !error.extack) throw error
      const { offset } = error.extack
      const attribute =
        offset === undefined ? undefined : call.request?.pathAt(view, from, bytes.length, offset)
      throw new NetlinkError(error.code, {
        request: call.name,
        extack: { ...error.extack, ...(offset === undefined ? {} : { attribute }) },
      })
    }
  }

  /** Whether the live policy has the attribute at `path`; without policy, what is described. */
  async takes(call: Call, path: string): Promise<boolean> {
    const numbers = numbersOf(call.request?.attrs?.shape.table, path.split('.'))
    if (!numbers) return false
    const judge = await this.#judge(call)
    if (!judge) return true
    const { policies } = judge.policy
    let policy = policies.get(judge.policy.index)
    for (const [depth, number] of numbers.entries()) {
      const attribute = policy?.get(number)
      if (!attribute) return false
      const isLast = depth === numbers.length - 1
      if (!isLast && attribute.policyIdx === undefined) return true
      policy = policies.get(attribute.policyIdx ?? -1)
    }
    return true
  }

  #judge(call: Call): Promise<Judge> {
    const { genl, dump } = call
    if (!genl || this.#family === undefined) return Promise.resolve(undefined)
    const kind = dump ? 'dump' : 'do'
    const key = `${genl.cmd} ${kind}`
    let judge = this.#judges.get(key)
    if (!judge) {
      judge = readLivePolicy(this.#endpoint, this.#family, genl.cmd, kind).then(
        (policy) => policy && { policy, message: policyMessage(policy, call.request?.header) },
      )
      judge.catch(() => this.#judges.delete(key))
      this.#judges.set(key, judge)
    }
    return judge
  }
}

/** The numbers of a path's attributes, by the description. */
function numbersOf(table: AttrTable | undefined, path: readonly string[]): number[] | undefined {
  const numbers: number[] = []
  let here = table
  for (const name of path) {
    const entry = here?.byName.get(name)
    if (!entry) return undefined
    numbers.push(entry.id)
    let { shape } = entry.type
    while (shape.kind === 'multi' || shape.kind === 'array') shape = shape.of.shape
    here = shape.kind === 'nest' ? shape.table : undefined
  }
  return numbers
}
