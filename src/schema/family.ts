/** Families: one value that a client, a kernel side, a CLI and a document all read. */
import { NETLINK_GENERIC } from '../wire/constants.ts'
import type { Message } from './message.ts'
import type { Simplify } from './type.ts'

/** What one kind of request carries, and what answers it. */
export interface Exchange {
  readonly request?: Message<any, any>
  readonly reply?: Message<any, any>
}

/** One operation. */
export interface Op {
  /** The command of a generic family, the message type of a raw one. */
  readonly cmd: number
  /** What the reply says, where it is not `cmd`. */
  readonly replyCmd?: number
  /** The kernel's constant, such as `RTM_NEWLINK`, for errors and documents. */
  readonly constant?: string
  /** GENL_ADMIN_PERM and GENL_UNS_ADMIN_PERM, for generic families. */
  readonly flags?: number
  readonly do?: Exchange
  readonly dump?: Exchange
  /** Its handler may return a promise: the rest of its datagram waits behind it. */
  readonly async?: boolean
}

/** A message that the kernel sends unasked. */
export interface NotificationDefinition {
  readonly cmd: number
  /** The groups, by name, that carry it. */
  readonly group: string | readonly string[]
  readonly body: Message<any, any>
}

interface FamilyParts {
  readonly name: string
  readonly ops: Readonly<Record<string, Op>>
  readonly notifications?: Readonly<Record<string, NotificationDefinition>>
}

/** A generic netlink family: its id, and its groups' numbers, are found at run time by name. */
export interface GenlFamily extends FamilyParts {
  readonly kind: 'genl'
  readonly protocol: typeof NETLINK_GENERIC
  /** Only for the three families whose id is fixed. */
  readonly id?: number
  readonly version: number
  /**
   * One policy for all operations, up to this attribute (CTRL_ATTR_MAXATTR); absent where each has
   * its own.
   */
  readonly maxattr?: number
  /** Bytes of a user header between genlmsghdr and the attributes. */
  readonly headerSize?: number
  readonly groups?: readonly string[]
}

/** A family of a protocol of its own: message types and group numbers are fixed. */
export interface RawFamily extends FamilyParts {
  readonly kind: 'raw'
  readonly protocol: number
  readonly groups?: Readonly<Record<string, number>>
}

export type Family = GenlFamily | RawFamily

/** Checks a definition and returns it: its type is the API. */
export function genlFamily<const F extends Omit<GenlFamily, 'kind' | 'protocol'>>(
  family: F,
): F & { readonly kind: 'genl'; readonly protocol: typeof NETLINK_GENERIC } {
  if (family.name.length === 0 || family.name.length > 15) {
    throw new TypeError(`${family.name}: a family's name has 1 to 15 characters`)
  }
  checkNotifications(family, new Set(family.groups))
  return { ...family, kind: 'genl', protocol: NETLINK_GENERIC }
}

/** Checks a definition and returns it: its type is the API. */
export function rawFamily<const F extends Omit<RawFamily, 'kind'>>(
  family: F,
): F & { readonly kind: 'raw' } {
  checkNotifications(family, new Set(Object.keys(family.groups ?? {})))
  return { ...family, kind: 'raw' }
}

function checkNotifications(family: FamilyParts, groups: ReadonlySet<string>): void {
  for (const [name, { group }] of Object.entries(family.notifications ?? {})) {
    for (const each of typeof group === 'string' ? [group] : group) {
      if (!groups.has(each)) throw new TypeError(`${family.name}: ${name} names the group ${each}`)
    }
  }
}

/** How an operation is called in errors: the kernel's constant, or the family's and its own name. */
export function opName(family: Family, op: string): string {
  return family.ops[op]?.constant ?? `${family.name}.${op}`
}

export type ExchangeKind = 'do' | 'dump'
/** The operations of `F` that can be asked as `K`. */
export type OpsWith<F extends Family, K extends ExchangeKind> = {
  [N in keyof F['ops']]: F['ops'][N] extends { readonly [P in K]: Exchange } ? N : never
}[keyof F['ops']] &
  string
type ExchangeOf<F extends Family, N, K extends ExchangeKind> = N extends keyof F['ops']
  ? F['ops'][N] extends { readonly [P in K]: infer X }
    ? X
    : never
  : never

/** What a request decodes to, at the kernel side. */
export type Request<F extends Family, N, K extends ExchangeKind = 'do'> =
  ExchangeOf<F, N, K> extends { readonly request: Message<infer Out, any> }
    ? Out
    : Record<never, never>
/** What a client may send. */
export type RequestInput<F extends Family, N, K extends ExchangeKind = 'do'> =
  ExchangeOf<F, N, K> extends { readonly request: Message<any, infer In> }
    ? In
    : Record<never, never>
/** What a client receives; nothing but the acknowledgement for operations without a reply. */
export type Reply<F extends Family, N, K extends ExchangeKind = 'do'> =
  ExchangeOf<F, N, K> extends { readonly reply: Message<infer Out, any> } ? Out : undefined
/** What a handler may return. */
export type ReplyInput<F extends Family, N, K extends ExchangeKind = 'do'> =
  ExchangeOf<F, N, K> extends { readonly reply: Message<any, infer In> } ? In : undefined

/** What listening yields: `name` tells which one it is. */
export type Notification<F extends Family> =
  F['notifications'] extends Readonly<Record<string, NotificationDefinition>>
    ? {
        [N in keyof F['notifications'] & string]: F['notifications'][N] extends {
          readonly body: Message<infer Out, any>
        }
          ? Simplify<{ readonly name: N; readonly value: Out }>
          : never
      }[keyof F['notifications'] & string]
    : never
/** The groups of `F`, by name. */
export type GroupName<F extends Family> = F extends { readonly groups: readonly (infer G)[] }
  ? G & string
  : F extends { readonly groups: infer R }
    ? keyof R & string
    : never
