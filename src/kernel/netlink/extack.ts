/**
 * From what went wrong to what the wire says: an errno, and an extack whose names are offsets.
 *
 * Kernel: include/linux/netlink.h struct netlink_ext_ack, NL_REQ_ATTR_CHECK().
 */
import { DecodeError, type Extack, isNetlinkError, NetlinkError } from '../../errors.ts'
import type { AttrTable, AttrType, Message, ValidationLevel } from '../../schema/index.ts'
import { align4 } from '../../wire/align.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { NLA_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { EINVAL, EIO } from '../errno.ts'
import { KERN_ERR } from '../printk/log.ts'
import type { WireExtack } from './ack.ts'
import type { RequestContext } from './context.ts'

/** A refused request. */
export interface Refusal {
  /** Negative. */
  readonly errno: number
  readonly extack: WireExtack | undefined
}

/** Longest text that goes into an extack, characters. */
const MOST_TEXT = 1024

/**
 * What `error`, thrown by a handler, answers. Anything but a NetlinkError with an errno is the
 * handler's own fault: it is logged, and answered with EIO.
 */
export function refusalOf(ctx: RequestContext, error: unknown): Refusal {
  if (isNetlinkError(error)) {
    const { errno, extack } = error as NetlinkError
    if (errno !== undefined) return { errno, extack: resolve(ctx, extack ?? {}) }
  }
  if (error instanceof DecodeError) {
    return { errno: -EINVAL, extack: { message: error.reason, offset: error.offset - ctx.start } }
  }
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  ctx.kernel.printk(
    KERN_ERR,
    `netlink: protocol ${ctx.sock.protocol}, message type ${ctx.type}: its handler failed: ${text}`,
  )
  return { errno: -EIO, extack: { message: 'The handler failed; the kernel log says why' } }
}

/**
 * Names become numbers and offsets, where the request and its schema have them. A text that was
 * set before stays where the error has none: struct netlink_ext_ack is written over, not emptied.
 */
function resolve(ctx: RequestContext, extack: Extack): WireExtack {
  const { message = ctx.warning, cookie = ctx.cookie, policy, attribute, missing } = extack
  const { start, view, payload, end } = ctx
  let { offset, missingNest } = extack
  const schema = ctx.message
  if (offset === undefined && attribute !== undefined && schema) {
    const at = schema.offsetOf(view, payload, end, attribute)
    if (at !== undefined) offset = at - start
  }
  let missingType: number | undefined
  if (typeof missing === 'number') missingType = missing
  else if (missing !== undefined && schema) {
    const names = missing.split('.')
    missingType = idOf(schema.attrs?.shape.table, names)
    if (names.length > 1 && missingNest === undefined) {
      const at = schema.offsetOf(view, payload, end, names.slice(0, -1).join('.'))
      if (at !== undefined) missingNest = at - start
    }
  }
  return { message: message?.slice(0, MOST_TEXT), cookie, offset, policy, missingType, missingNest }
}

/** The number of the attribute that `path` ends in. */
function idOf(table: AttrTable | undefined, path: readonly string[]): number | undefined {
  const [name, ...rest] = path
  const entry = table?.byName.get(name ?? '')
  if (!entry || rest.length === 0) return entry?.id
  const { shape } = entry.type
  return shape.kind === 'nest' ? idOf(shape.table, rest) : undefined
}

/** Judges and decodes a request; see `RequestContext.decode`. */
export function decodeRequest<Out>(
  ctx: RequestContext,
  message: Message<Out, unknown>,
  level: ValidationLevel | undefined,
): Out {
  const { view, payload, end } = ctx
  if (level !== undefined) message.validate(view, payload, end, level, ctx.start)
  if (!message.attrs) return message.decode(view, payload, end)
  const at = payload + align4(message.header?.size ?? 0)
  const limit = at < end ? wholeAttrsEnd(view, at, end) : end
  if (limit < end && level !== undefined) ctx.warn('bytes leftover after parsing attributes')
  if (message.attrs.selection.required.length) checkRequired(message.attrs, view, at, limit)
  return message.decode(view, payload, limit)
}

/** Where the attributes end that are whole: __nla_parse() stops there, a liberal one in peace. */
function wholeAttrsEnd(view: DataView, from: number, end: number): number {
  let at = from
  while (end - at >= NLA_HDRLEN) {
    const length = view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > end - at) return at
    at += align4(length)
  }
  return Math.min(at, end)
}

/** GENL_REQ_ATTR_CHECK(): what must be there and is not goes out as NLMSGERR_ATTR_MISS_TYPE. */
function checkRequired(
  { selection: { required, table } }: AttrType<unknown, unknown>,
  view: DataView,
  at: number,
  end: number,
): void {
  const walker = new AttributeWalker(view, at, end)
  const seen = new Set<number>()
  while (walker.next()) seen.add(walker.type)
  for (const name of required) {
    const id = table.byName.get(name)?.id
    if (id !== undefined && !seen.has(id)) {
      throw new NetlinkError('EINVAL', { extack: { missing: id } })
    }
  }
}
