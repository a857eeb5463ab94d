/** What a type of the description language is: one payload, both ways, described. */
import { DecodeError, EncodeError } from '../errors.ts'
import type { Writer } from '../wire/writer.ts'
import type { Message } from './message.ts'
import type { AttrTable } from './table.ts'

/** What a type says of itself: for policies, formatters, documentation, fuzzers. */
export type Shape =
  | {
      readonly kind: 'integer'
      /** 1, 2, 4 or 8; `uint` and `sint` take 4 or 8. */
      readonly bytes: 1 | 2 | 4 | 8 | 'variable'
      readonly signed: boolean
      readonly bigEndian: boolean
      readonly littleEndian?: true
      readonly min?: bigint
      readonly max?: bigint
      readonly mask?: bigint
      /** Names of what it decodes to (`values`), of numbers that stay numbers, or of bits. */
      readonly names?: Readonly<Record<string, number>>
      readonly namesAre?: 'values' | 'constants' | 'bits'
      /** NLA_MSECS: more bytes are no fault, and its policy is that of NLA_UINT. */
      readonly isDuration?: boolean
    }
  /** NLA_REJECT. */
  | { readonly kind: 'reject'; readonly message?: string }
  | { readonly kind: 'flag' }
  | {
      readonly kind: 'string'
      readonly max?: number
      readonly nul: boolean
      /** Bytes that it always takes, NULs behind it (`char name[16]`). */
      readonly fixed?: number
    }
  | {
      readonly kind: 'binary'
      readonly min?: number
      readonly max?: number
      /** NLA_VALIDATE_RANGE_WARN_TOO_LONG: a lenient parse takes more than `max`. */
      readonly warnsTooLong?: boolean
    }
  | {
      readonly kind: 'address'
      readonly family: 'any' | 'ether' | 'ip' | 'ipv4' | 'ipv6' | 'mac' | 'mpls'
    }
  | {
      readonly kind: 'bitfield32'
      readonly mask: number
      /** Names of bits. */
      readonly names?: Readonly<Record<string, number>>
    }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly StructField[] }
  | {
      readonly kind: 'followed'
      readonly head: Type<any, any>
      readonly name: string
      readonly rest: Type<any, any>
    }
  | { readonly kind: 'message'; readonly of: Message<any, any> }
  | { readonly kind: 'records'; readonly of: Message<any, any> }
  | {
      readonly kind: 'nest'
      readonly table: AttrTable
      /** NLA_NESTED without a policy: validation leaves alone what is inside. */
      readonly isOpaque?: boolean
    }
  | { readonly kind: 'array'; readonly of: Type<any, any> }
  | { readonly kind: 'keyed'; readonly of: Type<any, any> }
  | { readonly kind: 'multi'; readonly of: Type<any, any> }
  | { readonly kind: 'list'; readonly of: Type<any, any> }
  | {
      readonly kind: 'selected'
      readonly selector: string
      readonly variants: Readonly<Record<string, Type<any, any>>>
      /** For values of the selector that are not among the variants. */
      readonly otherwise?: Type<any, any>
    }

/** One member of a C struct. */
export interface StructField {
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  readonly type: Type<any, any>
}

/**
 * How one payload becomes a JavaScript value (`Out`), and what is accepted in its place (`In`).
 * `emitGet` and the others say the same as `get` and `put` in source text; a type without them is
 * called. Who makes a type from another with a `get` or `put` of its own leaves them out.
 */
export interface Type<Out, In = Out> {
  readonly shape: Shape
  /** Bytes on the wire, for types that always have the same number. */
  readonly size: number | undefined
  /** Bits that go into nla_type beside the number: NLA_F_NESTED or none. */
  readonly flags: number
  /** @throws DecodeError when the payload, `at` to `end`, is not what the type says. */
  get(view: DataView, at: number, end: number): Out
  /** @throws EncodeError when the value is not what the type says. */
  put(w: Writer, value: In): void
  /** The kernel side's last word on a payload that is well otherwise. @throws NetlinkError */
  judge?(view: DataView, at: number, end: number): void
  /**
   * An expression that reads; `view` is in scope. Without `end` the payload is known to have the
   * type's size.
   */
  emitGet?(scope: Scope, at: string, end?: string): string
  /** Statements that write at the writer's end; `w` is in scope. */
  emitPut?(scope: Scope, value: string): string
  /** Statements that store into `v`, a DataView, where the bytes are reserved and zero. */
  emitSet?(scope: Scope, value: string, at: string): string
  /** Statements that write a whole attribute, where that is shorter than a payload between marks. */
  emitAttr?(scope: Scope, value: string, nlaType: number): string
  /** Where `offset` lies inside the payload: `.name` or `[2]`, further inward as far as possible. */
  pathAt?(view: DataView, at: number, end: number, offset: number): string
  /** Where the attribute at `path` starts, or undefined when it is not there. */
  offsetOf?(view: DataView, at: number, end: number, path: readonly string[]): number | undefined
}

/** A type of which nothing is known but that it is one. */
export type AnyType = Type<any, any>

/** What generated code refers to. */
export interface Scope {
  /** A name for `value` in the generated code. */
  ref(value: unknown): string
  /** A name for a function of its own in the generated code. */
  define(parameters: string, body: string): string
}

/** What decoding with a type gives. */
export type Infer<T> = T extends { get(view: DataView, at: number, end: number): infer Out }
  ? Out
  : never
/** What encoding with a type accepts. */
export type Input<T> = T extends { put(w: Writer, value: infer In): void } ? In : never

/** Flattens an intersection, for readable hovers; doc comments of members survive. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {}

/** Throws the DecodeError of a payload with fewer bytes than its type needs. */
export function short(at: number, end: number, size: number): never {
  throw new DecodeError(`${size} bytes expected, got ${Math.max(0, end - at)}`, at)
}

/** Puts `name` in front of an EncodeError's path; other errors pass. */
export function within(error: unknown, name: string): unknown {
  if (!(error instanceof EncodeError)) return error
  const rest = error.path
  return new EncodeError(
    error.reason,
    rest && !rest.startsWith('[') ? `${name}.${rest}` : name + rest,
  )
}

/** A short picture of a bad value for an error's sentence. */
export function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
