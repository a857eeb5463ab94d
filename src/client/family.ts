/** A family as its user sees it: three verbs, typed by the family's own description. */
import { isNetlinkError, NetlinkError } from '../errors.ts'
import type {
  Deferred,
  ExchangeKind,
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
import { NLCTRL_GROUP, readNews } from './family-news.ts'
import { LiveCheck } from './live-check.ts'
import { didYouMean } from './nearest.ts'
import type { RequestOptions } from './options.ts'
import { describe, type ResolvedFamily, type Resolver } from './resolve.ts'
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

export interface FamilyRequestOptions extends RequestOptions {
  /** Whether it is judged by the kernel's own policy first; a refusal is the kernel's, unsent. */
  readonly check?: boolean | undefined
}

/** What the kernel says of a generic family, and who knows when that changes. */
interface Generic {
  readonly resolver: Resolver
  readonly resolved: ResolvedFamily
}

export class FamilyClient<F extends Family> {
  readonly family: F
  readonly #endpoint: Endpoint
  readonly #resolver: Resolver | undefined
  #resolved: ResolvedFamily | undefined
  #check: LiveCheck | undefined
  readonly #dos = new Map<string, Call>()
  readonly #dumps = new Map<string, Call>()
  readonly #events = new Set<Events<FamilyEvent<F>>>()
  readonly #whenClosed: () => void
  #isClosed = false

  /** `whenClosed` is called by `close`. */
  constructor(family: F, endpoint: Endpoint, generic: Generic | undefined, whenClosed: () => void) {
    this.family = family
    this.#whenClosed = whenClosed
    this.#endpoint = endpoint
    this.#resolver = generic?.resolver
    this.#resolved = generic?.resolved
  }

  /**
   * Asks one operation and resolves with its reply; undefined where the kernel only acknowledges.
   * A request that meets a number which the family no longer has is sent again, once, to the one
   * that it has now.
   * @throws EncodeError (as a rejection) for a value that does not fit; nothing was sent.
   * NETLINK_FAMILY when the family is gone.
   */
  do<const N extends OpsWith<F, 'do'>>(
    op: N,
    ...rest: Arguments<RequestInput<F, N, 'do'>, FamilyRequestOptions>
  ): Promise<Reply<F, N, 'do'>>
  do(op: string, request?: unknown, options?: FamilyRequestOptions): Promise<unknown> {
    try {
      if (this.#isClosed) throw closedError()
      if (options?.check) return this.#checked(op, request, options)
      if (!this.#isCurrent()) return this.#renew().then(() => this.#ask(op, request, options))
      return this.#ask(op, request, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Lists; nothing is asked before it is read, and what is wrong is thrown there. Items are
   * instances of a class: integers are read at once, the rest when it is asked for. `toJSON()` gives
   * the whole as a plain object.
   */
  dump<const N extends OpsWith<F, 'dump'>>(
    op: N,
    ...rest: Arguments<RequestInput<F, N, 'dump'>, FamilyDumpOptions>
  ): Dump<Deferred<Reply<F, N, 'dump'>>>
  dump(op: string, request?: unknown, options?: FamilyDumpOptions): Dump<unknown> {
    let stale: { readonly error: unknown } | undefined
    const value = async (): Promise<unknown> => {
      if (stale) await this.#renewAfter(stale.error)
      else if (!this.#isClosed && !this.#isCurrent()) await this.#renew()
      stale = undefined
      return request
    }
    const isStale = (error: unknown): boolean => {
      if (this.#isClosed || !this.#mayBeStale(error)) return false
      stale = { error }
      return true
    }
    return this.#endpoint.dump(
      () => this.#call(op, 'dump'),
      { value, isStale, isDeferred: true },
      options,
    )
  }

  /**
   * What the kernel would say of a request's attributes, without asking it to do anything: judged
   * by its own policy, which is read once for each operation. Where a kernel tells no policy there
   * is nothing to refuse.
   * @throws NetlinkError EINVAL or ERANGE with the extack that the kernel would answer, EncodeError
   * for a value that cannot be sent.
   */
  async check<const N extends keyof F['ops'] & string>(
    op: N,
    request: unknown,
    kind: ExchangeKind = this.family.ops[op]?.do ? 'do' : 'dump',
  ): Promise<void> {
    if (!this.#isCurrent()) await this.#renew()
    await this.#live().check(this.#call(op, kind), request)
  }

  /** Joins groups, all of the family's unless some are named, on a socket of its own. */
  listen(groups?: readonly GroupName<F>[], options: EventOptions = {}): Events<FamilyEvent<F>> {
    if (this.#isClosed) throw closedError()
    const names = groups ?? this.#groupNames()
    const notifications = new Map<number, readonly [string, NotificationDefinition]>()
    for (const [name, definition] of Object.entries(this.family.notifications ?? {}))
      notifications.set(definition.cmd, [name, definition])
    const isGeneric = this.#resolver !== undefined
    const events: Events<FamilyEvent<F>> = new Events(
      this.#endpoint.session,
      {
        protocol: this.family.protocol,
        groups: async () => {
          if (!this.#isCurrent()) await this.#renew()
          const numbers = names.map((name) => this.#groupNumber(name))
          return isGeneric ? [...new Set([...numbers, NLCTRL_GROUP])] : numbers
        },
        decode: (m) => {
          if (isGeneric) this.#follow(m, names, events)
          return this.#decode(m, notifications) as FamilyEvent<F> | undefined
        },
        overrun: (source) => ({ name: 'overrun', value: { source } }),
      },
      options,
      () => this.#events.delete(events),
    )
    this.#events.add(events)
    return events
  }

  /**
   * Whether the kernel has an operation, or takes an attribute of one (by its path, such as
   * `header.devIndex`): for generic families what it says itself, for others what the description
   * has. An attribute is looked up in the operation's live policy.
   */
  supports(op: keyof F['ops'] & string): boolean
  supports(op: keyof F['ops'] & string, attribute: string, kind?: ExchangeKind): Promise<boolean>
  supports(
    op: keyof F['ops'] & string,
    attribute?: string,
    kind?: ExchangeKind,
  ): boolean | Promise<boolean> {
    return attribute === undefined ? this.#hasOp(op) : this.#takes(op, attribute, kind)
  }

  async #takes(op: string, attribute: string, kind?: ExchangeKind): Promise<boolean> {
    if (!this.#isCurrent()) await this.#renew()
    if (!this.#hasOp(op)) return false
    return this.#live().takes(
      this.#call(op, kind ?? (this.family.ops[op]?.do ? 'do' : 'dump')),
      attribute,
    )
  }

  #hasOp(op: string): boolean {
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

  /** nlctrl is where it is. */
  #isFixed(): boolean {
    return this.family.kind === 'genl' && this.family.id !== undefined
  }

  #live(): LiveCheck {
    this.#check ??= new LiveCheck(this.#endpoint, this.#resolved && this.family.name)
    return this.#check
  }

  async #checked(op: string, request: unknown, options: FamilyRequestOptions): Promise<unknown> {
    if (!this.#isCurrent()) await this.#renew()
    await this.#live().check(this.#call(op, 'do'), request)
    return this.#ask(op, request, options)
  }

  #ask(op: string, request: unknown, options?: RequestOptions): Promise<unknown> {
    const call = this.#dos.get(op) ?? this.#call(op, 'do')
    if (this.#resolver === undefined || this.#isFixed())
      return this.#endpoint.request(call, request, options)
    return this.#endpoint.request(call, request, options, (error) =>
      this.#again(error, op, request, options),
    )
  }

  /** Whether the numbers that we use are those of the family, as far as the kernel has told. */
  #isCurrent(): boolean {
    if (this.#resolver === undefined || this.#isFixed()) return true
    return this.#resolver.current(this.family.name) === this.#resolved
  }

  /** Takes the family's numbers of now. @throws NetlinkError NETLINK_FAMILY when it is gone. */
  async #renew(resolve?: Promise<ResolvedFamily>): Promise<void> {
    const { family } = this
    const found = await (resolve ?? this.#resolver?.find(family.name))
    if (found) this.#adopt(found)
  }
  #adopt(found: ResolvedFamily): void {
    if (this.family.kind === 'genl') checkHeader(this.family, found)
    if (found.id !== this.#resolved?.id) {
      this.#dos.clear()
      this.#dumps.clear()
    }
    this.#check = undefined
    this.#resolved = found
  }

  /** A bare ENOENT may mean a number that nobody has any more, or be the handler's own. */
  #mayBeStale(error: unknown): boolean {
    const isBare = isNetlinkError(error, 'ENOENT') && error.extack === undefined
    return isBare && this.#resolver !== undefined && !this.#isFixed()
  }
  /** @throws `error` unless the family has another number now, NETLINK_FAMILY when it is gone. */
  async #renewAfter(error: unknown): Promise<void> {
    const before = this.#resolved?.id
    await this.#renew(this.#resolver?.ask(this.family.name))
    if (this.#resolved?.id === before) throw error
  }
  async #again(
    error: unknown,
    op: string,
    request: unknown,
    options?: RequestOptions,
  ): Promise<unknown> {
    if (!this.#mayBeStale(error)) throw error
    await this.#renewAfter(error)
    return this.#endpoint.request(this.#call(op, 'do'), request, options)
  }

  #call(op: string, kind: ExchangeKind): Call {
    if (this.#isClosed) throw closedError()
    const calls = kind === 'do' ? this.#dos : this.#dumps
    let call = calls.get(op)
    if (call) return call
    if (this.family.ops[op]?.[kind] === undefined) throw this.#noSuch(op, kind)
    call = makeCall(this.family, op, kind, this.#resolved?.id)
    calls.set(op, call)
    return call
  }

  #noSuch(op: string, kind: ExchangeKind): NetlinkError {
    const { name, ops } = this.family
    const known = Object.keys(ops).filter((each) => ops[each]?.[kind])
    return new NetlinkError('NETLINK_INVALID', {
      message: `${ops[op] ? opName(this.family, op) : `${name}.${op}`} cannot be asked as a ${kind}`,
      hint: didYouMean(op, known) ?? `${name} has these: ${known.join(', ')}`,
    })
  }

  /** The family came anew: its groups have other numbers, or other members, and are joined again. */
  #follow(m: MessageWalker, names: readonly string[], events: Events<FamilyEvent<F>>): void {
    readNews(m, {
      went: () => {},
      came: (family) => {
        if (family.familyName !== this.family.name) return
        this.#adopt(describe(family))
        events.rejoin(names.map((name) => this.#groupNumber(name)))
      },
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
