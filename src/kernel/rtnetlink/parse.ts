/**
 * Parsing beyond `ctx.decode`: nests with policies of their own, and the strict checks of requests.
 *
 * Kernel: include/net/netlink.h nla_parse_nested_deprecated().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { type Message, NL_VALIDATE_LIBERAL, type ValidationLevel } from '../../schema/index.ts'
import { align4 } from '../../wire/align.ts'
import { NLA_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { Span } from './policy-types.ts'

/** Where the attributes between `at` and `end` cease to be whole. */
export function wholeEnd(view: DataView, from: number, end: number): number {
  let at = from
  while (end - at >= NLA_HDRLEN) {
    const length = view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > end - at) return at
    at += align4(length)
  }
  return Math.min(at, end)
}

/**
 * nla_parse_nested(): the content of a nest, judged at `level`. With `silent`, as where Linux gives
 * no extack, a refusal is a bare errno.
 * @throws NetlinkError EINVAL, ERANGE
 */
export function parseNested<Out>(
  ctx: RequestContext,
  { at, end }: Span,
  message: Message<Out, unknown>,
  {
    level = NL_VALIDATE_LIBERAL,
    silent = false,
  }: { level?: ValidationLevel; silent?: boolean } = {},
): Out {
  const { view, start } = ctx
  try {
    message.validate(view, at, end, level, start)
  } catch (error) {
    if (silent && isNetlinkError(error)) throw new NetlinkError(error.code)
    throw error
  }
  const behind = Math.min(end, at + align4(message.header?.size ?? 0))
  const whole = wholeEnd(view, behind, end)
  if (!silent && whole < end) ctx.warn('bytes leftover after parsing attributes')
  return message.decode(view, at, whole)
}

/** `value` as `message` writes it. */
export function bytesOf<In>(of: Message<unknown, In>, value: In): Uint8Array {
  const w = new Writer()
  of.encode(w, value)
  return w.finish()
}

/** Whether `value` has something under other names than `allowed`: what strict requests may not. */
export function hasOthers(value: object, allowed: readonly string[]): boolean {
  for (const [name, each] of Object.entries(value)) {
    if (each !== undefined && !allowed.includes(name)) return true
  }
  return false
}

/** Bytes of payload. */
export function payloadSize(ctx: RequestContext): number {
  return ctx.end - ctx.payload
}

/** Whether one of `size` bytes of the header, from `from`, is not 0; bytes that are not there are 0. */
export function hasHeaderValues(
  { view, payload, end }: RequestContext,
  from: number,
  size: number,
): boolean {
  const stop = Math.min(end, payload + from + size)
  for (let at = payload + from; at < stop; at++) if (view.getUint8(at) !== 0) return true
  return false
}

/** The request has another header, or other attributes, than it may have. */
export function invalid(text: string): never {
  throw new NetlinkError('EINVAL', text)
}
