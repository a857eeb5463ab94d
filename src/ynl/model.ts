/** A spec, read: what Linux's YAML leaves out for brevity is filled in, numbers above all. */
import type { Locatable } from './problem.ts'

/** Names that the specs have for payloads of attributes; members of structs have some of them. */
export const ATTRIBUTE_TYPES = [
  'unused',
  'pad',
  'flag',
  'binary',
  'bitfield32',
  'uint',
  'sint',
  'u8',
  'u16',
  'u32',
  'u64',
  's8',
  's16',
  's32',
  's64',
  'string',
  'nest',
  'indexed-array',
  'nest-type-value',
  'sub-message',
] as const
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number]

/** Text, or a number, or the name of a constant, with its place. */
export interface Ref extends Locatable {
  readonly text: string
}

export interface Constant extends Locatable {
  readonly kind: 'const'
  readonly name: string
  readonly doc: string | undefined
  /** Undefined for text. */
  readonly value: number | bigint | undefined
  readonly prefix: string | undefined
  readonly header: string | undefined
}

export interface EnumEntry extends Locatable {
  readonly name: string
  readonly doc: string | undefined
  /** As enumerated; of flags the bit's number. */
  readonly value: number
}

export interface Enumeration extends Locatable {
  readonly kind: 'enum' | 'flags'
  readonly name: string
  readonly doc: string | undefined
  readonly prefix: string | undefined
  readonly header: string | undefined
  readonly entries: readonly EnumEntry[]
}

/** What attributes and struct members say of their payload. */
export interface Payload extends Locatable {
  readonly name: string
  readonly doc: string | undefined
  readonly type: AttributeType
  /** Undefined for the host's own. */
  readonly order: 'little-endian' | 'big-endian' | undefined
  readonly enum: Ref | undefined
  readonly enumAsFlags: boolean
  readonly hint: string | undefined
  readonly struct: Ref | undefined
  /** A number, a constant's name, or one less than that. */
  readonly len: Ref | undefined
}

export interface StructDefinition extends Locatable {
  readonly kind: 'struct'
  readonly name: string
  readonly doc: string | undefined
  readonly members: readonly Payload[]
}

export type Definition = Constant | Enumeration | StructDefinition

/** Limits, each a number or the name of one. */
export interface Checks {
  readonly min?: Ref
  readonly max?: Ref
  readonly 'min-len'?: Ref
  readonly 'max-len'?: Ref
  readonly 'exact-len'?: Ref
  readonly 'flags-mask'?: Ref
  readonly unterminatedOk: boolean
}

export interface Attribute extends Payload {
  /** nla_type. */
  readonly id: number
  readonly prefix: string | undefined
  readonly isMulti: boolean
  readonly nested: Ref | undefined
  readonly subType: AttributeType | undefined
  readonly typeValue: readonly string[] | undefined
  readonly subMessage: Ref | undefined
  readonly selector: Ref | undefined
  readonly checks: Checks
}

export interface AttributeSet extends Locatable {
  readonly name: string
  readonly doc: string | undefined
  readonly prefix: string | undefined
  /** The set that this one is a part of. */
  readonly subsetOf: string | undefined
  /** Whether a part says more of an attribute than the whole does. */
  readonly isOwn: boolean
  readonly attributes: readonly Attribute[]
  readonly byName: ReadonlyMap<string, Attribute>
}

export interface Format extends Locatable {
  readonly value: string
  readonly fixedHeader: Ref | undefined
  readonly set: Ref | undefined
}

export interface SubMessage extends Locatable {
  readonly name: string
  readonly formats: readonly Format[]
}

/** A message's attributes; undefined where the spec has no list. */
export interface Listing extends Locatable {
  readonly attributes: readonly Ref[] | undefined
}

export interface Exchange {
  readonly request: Listing | undefined
  readonly reply: Listing | undefined
}

export interface Operation extends Locatable {
  readonly name: string
  readonly doc: string | undefined
  readonly flags: readonly string[]
  readonly set: Ref | undefined
  readonly fixedHeader: Ref | undefined
  /** The number of requests; undefined for what only the kernel sends. */
  readonly requestId: number | undefined
  /** The number of replies and notifications. */
  readonly replyId: number | undefined
  readonly do: Exchange | undefined
  readonly dump: Exchange | undefined
  /** The operation whose reply this notification has. */
  readonly notify: Ref | undefined
  readonly event: Listing | undefined
  readonly group: Ref | undefined
}

export interface Group extends Locatable {
  readonly name: string
  /** Of families of a protocol of their own. */
  readonly id: number | undefined
}

export type Protocol = 'genetlink' | 'genetlink-c' | 'genetlink-legacy' | 'netlink-raw'

export interface Spec extends Locatable {
  readonly name: string
  readonly doc: string | undefined
  readonly protocol: Protocol
  /** The netlink protocol, of netlink-raw. */
  readonly protonum: number
  readonly version: number
  /** Such as `linux/netdev.h`; undefined where it is not said and does not follow from the name. */
  readonly uapiHeader: string | undefined
  readonly definitions: ReadonlyMap<string, Definition>
  readonly sets: ReadonlyMap<string, AttributeSet>
  readonly subMessages: ReadonlyMap<string, SubMessage>
  readonly operations: ReadonlyMap<string, Operation>
  /** What the names of commands begin with in C, if the spec says it. */
  readonly commandPrefix: string | undefined
  readonly isDirectional: boolean
  readonly groups: readonly Group[]
}
