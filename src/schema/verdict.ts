/**
 * Types that exist for what a kernel side says of an attribute: that it is refused, or judged by a
 * function; a set from a number on judged strictly, whatever the rest is.
 *
 * Kernel: include/net/netlink.h NLA_REJECT, NLA_POLICY_VALIDATE_FN(), NLA_MSECS,
 * NLA_POLICY_EXACT_LEN_WARN(), struct nla_policy.strict_start_type (Linux 6.12).
 */
import { EncodeError } from '../errors.ts'
import type { AttrType } from './attrs.ts'
import { u64 } from './integer.ts'
import { type BinaryType, binary } from './payload.ts'
import type { Type } from './type.ts'

/** NLA_REJECT: an attribute that only the kernel sends. `message` says so in the extack. */
export function rejected(message?: string): Type<undefined, never> {
  return {
    shape: message === undefined ? { kind: 'reject' } : { kind: 'reject', message },
    size: undefined,
    flags: 0,
    get: () => undefined,
    put() {
      throw new EncodeError(message ?? 'the kernel takes no such attribute')
    },
  }
}

/**
 * NLA_POLICY_VALIDATE_FN(): `judge` is asked when all else about the attribute is well; what it
 * throws refuses the request. The extack points to the attribute unless the error has one.
 */
export function judgedBy<T extends Type<any, any>>(
  type: T,
  judge: (view: DataView, at: number, end: number) => void,
): T {
  return { ...type, judge }
}

/** NLA_MSECS: milliseconds, 8 bytes at least. */
export const msecs: Type<bigint, bigint | number> = {
  shape: { ...u64.shape, isDuration: true },
  size: 8,
  flags: 0,
  get: u64.get,
  put: u64.put,
}

/** NLA_POLICY_EXACT_LEN_WARN(): so many bytes; a lenient parse takes more, and only logs it. */
export function exactOrMore(bytes: number): BinaryType {
  const exact = binary.exact(bytes)
  return { ...exact, shape: { kind: 'binary', min: bytes, max: bytes, warnsTooLong: true } }
}

/** strict_start_type: attributes from number `id` on are judged strictly in a lenient parse too. */
export function strictFrom<T extends AttrType<any, any>>(set: T, id: number): T {
  const table = { ...set.shape.table, strictStart: id }
  return { ...set, shape: { ...set.shape, table }, selection: { ...set.selection, table } }
}
