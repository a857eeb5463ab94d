/**
 * Types as rtnetlink's policies have them: addresses as the stack holds them, strings with or
 * without their NUL, nests that are looked into later.
 *
 * Kernel: include/net/netlink.h NLA_STRING, NLA_NESTED, NLA_UNSPEC.
 */
import { attrs, type Shape, string, type Type, u32 } from '../../schema/index.ts'
import type { Ipv4, Ipv6 } from '../net/address.ts'

/** NLA_STRING of at most `max` bytes: the NUL may be missing. Replies have it. */
export function nlaString(max: number): Type<string> {
  const type = string.max(max)
  return { ...type, shape: type.bare().shape }
}

/** NLA_BINARY of at most `max` bytes that hold text. */
export function textOf(max: number): Type<string> {
  return { ...string.max(max), shape: { kind: 'binary', max } }
}

/** NLA_U32 that holds an IPv4 address. */
export const inAddr: Type<Ipv4> = {
  shape: u32.shape,
  size: 4,
  flags: 0,
  get: (view, at) => view.getUint32(at),
  put: (w, value) => w.u32(value, false),
}

/**
 * NLA_UNSPEC of at least `size` bytes: what refuses it describes no policy, as of numbers in network
 * order.
 */
function unspec(size: number): Shape {
  return { kind: 'integer', bytes: size as 8, signed: false, bigEndian: true }
}

/** `type` as NLA_UNSPEC of at least its size: what refuses it describes no policy. */
export function unspecified<Out, In>(type: Type<Out, In>): Type<Out, In> {
  return { ...type, shape: unspec(type.size ?? 0) }
}

/** NLA_UNSPEC that holds an IPv6 address. */
export const in6Addr: Type<Ipv6> = {
  shape: unspec(16),
  size: 16,
  flags: 0,
  get: (view, at) => (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8),
  put(w, value) {
    w.u64(value >> 64n, false)
    w.u64(value & 0xffffffffffffffffn, false)
  },
}

/** NLA_UNSPEC of at least 4 bytes that holds an IPv4 address. */
export const in4Addr: Type<Ipv4> = { ...inAddr, shape: unspec(4) }

/** Where a nest's content is in the datagram. */
export interface Span {
  readonly at: number
  readonly end: number
}

const anything = attrs('', {})

/** NLA_NESTED without a policy of its own: what is inside is parsed when it is needed. */
export const nested: Type<Span, never> = {
  ...anything,
  shape: { kind: 'nest', table: anything.selection.table, isOpaque: true },
  get: (_view, at, end) => ({ at, end }),
} as Type<Span, never>

/** NLA_UNSPEC that holds at least `min` bytes, parsed when it is needed. */
export function spanOf(min: number): Type<Span, never> {
  return {
    shape: unspec(min),
    size: undefined,
    flags: 0,
    get: (_view, at, end) => ({ at, end }),
    put() {
      throw new TypeError('it is only read')
    },
  }
}

/** NLA_UNSPEC that holds an address of either family; undefined when it is of neither's size. */
export const fibAddress: Type<Ipv4 | Ipv6 | undefined> = {
  shape: unspec(0),
  size: undefined,
  flags: 0,
  get(view, at, end) {
    if (end - at === 4) return inAddr.get(view, at, end)
    return end - at === 16 ? in6Addr.get(view, at, end) : undefined
  },
  put(w, value) {
    if (typeof value === 'bigint') in6Addr.put(w, value)
    else if (value !== undefined) inAddr.put(w, value)
  },
}
