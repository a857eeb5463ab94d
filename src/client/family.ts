/** A family as its user sees it: three verbs, typed by the family's own description. */
import { NetlinkError } from '../errors.ts'
import type {
  Family,
  GenlFamily,
  GroupName,
  Notification,
  NotificationDefinition,
  OpsWith,
  Reply,
  RequestInput,
} from '../schema/index.ts'
import { opName } from '../schema/index.ts'
import {
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_HDRLEN,
  type MessageWalker,
} from '../wire/index.ts'
import { type Call, makeCall } from './call.ts'
import type { DumpOptions } from './cursor.ts'
import type { Dump } from './dump.ts'
import type { Endpoint } from './endpoint.ts'
import { type EventOptions, Events, type OverrunSource } from './events.ts'
import { didYouMean } from './nearest.ts'
import type { RequestOptions } from './options.ts'
import type { ResolvedFamily } from './resolve.ts'
import { closedError } from './session.ts'

/** What listening yields: the family's notifications, and losses. */
export type FamilyEvent<F extends Family> =
  | Notification<F>
  | { readonly name: 'overrun'; readonly value: { readonly source: OverrunSource } }

/** A request that needs nothing may be left out. */
type Arguments<Input, Options> =
  Record<never, never> extends Input
    ? [request?: Input, options?: Options]
    : [request: Input, options?: Options]

export interface FamilyDumpOptions extends DumpOptions {
  /** NLM_F_* beside NLM_F_DUMP. */
  readonly flags?: number | undefined
}

export class FamilyClient<F extends Family> {
  readonly family: F
  readonly #endpoint: Endpoint
  /** What the kernel says of a generic family. */
  readonly #resolved: ResolvedFamily | undefined
  readonly #dos = new Map<string, Call>()
  readonly #dumps = new Map<string, Call>()
  readonly #events = new Set<Events<FamilyEvent<F>>>()
  readonly #whenClosed: () => void
  #isClosed = false

  /** `whenClosed` is called by `close`. */
  constructor(
    family: F,
    endpoint: Endpoint,
    resolved: ResolvedFamily | undefined,
    whenClosed: () => void,
  ) {
    this.family = family
    this.#whenClosed = whenClosed
    this.#endpoint = endpoint
    this.#resolved = resolved
  }

  /**
   * Asks one operation and resolves with its reply; undefined where the kernel only acknowledges.
   * @throws EncodeError (as a rejection) for a value that does not fit; nothing was sent.
   */
  do<const N extends OpsWith<F, 'do'>>(
    op: N,
    ...rest: Arguments<RequestInput<F, N, 'do'>, RequestOptions>
  ): Promise<Reply<F, N, 'do'>>
  do(op: string, request?: unknown, options?: RequestOptions): Promise<unknown> {
    try {
      const call = this.#dos.get(op) ?? this.#call(op, 'do')
      if (this.#isClosed) throw closedError()
      return this.#endpoint.request(call, request, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Lists; nothing is asked before it is read, and what is wrong is thrown there. */
  dump<const N extends OpsWith<F, 'dump'>>(
    op: N,
    ...rest: Arguments<RequestInput<F, N, 'dump'>, FamilyDumpOptions>
  ): Dump<Reply<F, N, 'dump'>>
  dump(op: string, request?: unknown, options?: FamilyDumpOptions): Dump<unknown> {
    return this.#endpoint.dump(() => this.#call(op, 'dump'), { value: () => request }, options)
  }

  /** Joins groups, all of the family's unless some are named, on a socket of its own. */
  listen(groups?: readonly GroupName<F>[], options: EventOptions = {}): Events<FamilyEvent<F>> {
    if (this.#isClosed) throw closedError()
    const names = groups ?? this.#groupNames()
    const notifications = new Map<number, readonly [string, NotificationDefinition]>()
    for (const [name, definition] of Object.entries(this.family.notifications ?? {}))
      notifications.set(definition.cmd, [name, definition])
    const events: Events<FamilyEvent<F>> = new Events(
      this.#endpoint.session,
      {
        protocol: this.family.protocol,
        groups: async () => names.map((name) => this.#groupNumber(name)),
        decode: (m) => this.#decode(m, notifications) as FamilyEvent<F> | undefined,
        overrun: (source) => ({ name: 'overrun', value: { source } }),
      },
      options,
      () => this.#events.delete(events),
    )
    this.#events.add(events)
    return events
  }

  /**
   * Whether the kernel has an operation: for generic families what it says itself, for others what
   * the description has.
   */
  supports(op: keyof F['ops'] & string): boolean {
    const definition = this.family.ops[op]
    if (definition === undefined) return false
    if (!this.#resolved) return true
    const flags = this.#resolved.ops.get(definition.cmd) ?? 0
    const needed = definition.do ? GENL_CMD_CAP_DO : GENL_CMD_CAP_DUMP
    return (flags & needed) !== 0
  }

  /** Ends what listens; the client it came from stays open. Harmless when repeated. */
  close(reason: unknown = closedError()): void {
    this.#isClosed = true
    this.#whenClosed()
    for (const events of [...this.#events]) events.fail(reason)
  }

  #call(op: string, kind: 'do' | 'dump'): Call {
    if (this.#isClosed) throw closedError()
    const calls = kind === 'do' ? this.#dos : this.#dumps
    let call = calls.get(op)
    if (call) return call
    if (this.family.ops[op]?.[kind] === undefined) throw this.#noSuch(op, kind)
    call = makeCall(this.family, op, kind, this.#resolved?.id)
    calls.set(op, call)
    return call
  }

  #noSuch(op: string, kind: 'do' | 'dump'): NetlinkError {
    const { name, ops } = this.family
    const known = Object.keys(ops).filter((each) => ops[each]?.[kind])
    return new NetlinkError('NETLINK_INVALID', {
      message: `${ops[op] ? opName(this.family, op) : `${name}.${op}`} cannot be asked as a ${kind}`,
      hint: didYouMean(op, known) ?? `${name} has these: ${known.join(', ')}`,
    })
  }

  #groupNames(): readonly string[] {
    const groups = this.family.groups ?? {}
    return Array.isArray(groups) ? (groups as readonly string[]) : Object.keys(groups)
  }
  #groupNumber(name: string): number {
    const { family } = this
    const numbers: ReadonlyMap<string, number> =
      this.#resolved?.groups ?? new Map(Object.entries((family.groups ?? {}) as object))
    const number = numbers.get(name)
    if (number !== undefined) return number
    throw new NetlinkError('NETLINK_FAMILY', {
      message: `${family.name} has no group named ${name}`,
      hint: didYouMean(name, numbers.keys()) ?? `it has these: ${[...numbers.keys()].join(', ')}`,
    })
  }

  #decode(
    m: MessageWalker,
    notifications: ReadonlyMap<number, readonly [string, NotificationDefinition]>,
  ): unknown {
    const isGeneric = this.#resolved !== undefined
    if (isGeneric && (m.type !== this.#resolved?.id || m.end - m.payload < GENL_HDRLEN))
      return undefined
    const found = notifications.get(isGeneric ? m.view.getUint8(m.payload) : m.type)
    if (!found) return undefined
    const [name, { body }] = found
    const payload = isGeneric ? m.payload + GENL_HDRLEN : m.payload
    return { name, value: body.decode(m.view, payload, m.end) }
  }
}

/** @throws NetlinkError NETLINK_FAMILY when the kernel's family has another header than described. */
export function checkHeader(family: GenlFamily, { hdrsize }: ResolvedFamily): void {
  if (hdrsize === (family.headerSize ?? 0)) return
  throw new NetlinkError('NETLINK_FAMILY', {
    message: `this kernel's ${family.name} has a header of ${hdrsize} bytes, its description one of ${family.headerSize ?? 0}`,
  })
}
