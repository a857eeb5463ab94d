/**
 * Dispatch: from a message of NETLINK_GENERIC to the handler of its command.
 *
 * Kernel: net/netlink/genetlink.c genl_rcv_msg(), genl_family_rcv_msg(), genl_header_check()
 * (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { align4 } from '../../wire/align.ts'
import {
  GENL_ADMIN_PERM,
  GENL_HDRLEN,
  GENL_UNS_ADMIN_PERM,
  NLA_F_NESTED,
  NLA_HDRLEN,
  NLA_TYPE_MASK,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_ECHO,
  NLM_F_REQUEST,
} from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { RequestContext } from '../netlink/context.ts'
import { handleDo, handleDump } from '../netlink/handler.ts'
import type { Handled } from '../netlink/rcv.ts'
import type { RegisteredOp } from './family.ts'
import type { FamilyEntry } from './registered-family.ts'

const KNOWN_FLAGS = NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO

/**
 * Checks a request in Linux's order and calls its handler.
 * @throws NetlinkError ENOENT, EINVAL, EOPNOTSUPP, EPERM, and what the handler throws.
 */
export function genlRcvMsg(
  ctx: RequestContext,
  family: FamilyEntry | undefined,
): Handled | Promise<Handled> {
  const { kernel } = ctx
  if (!family || (!family.netnsok && ctx.net !== kernel.initNet)) throw new NetlinkError('ENOENT')
  const { view, payload: at } = ctx
  if (ctx.end - at < GENL_HDRLEN + family.headerSize) throw new NetlinkError('EINVAL')
  const cmd = view.getUint8(at)
  ctx.payload = at + GENL_HDRLEN
  if (cmd >= family.resvStartOp) checkHeader(ctx.flags, view.getUint16(at + 2, HOST_LE))
  const op = family.ops.get(cmd)
  const isDump = (ctx.flags & NLM_F_DUMP) === NLM_F_DUMP
  if (!op || !(isDump ? op.dumpHandler : op.doHandler)) throw new NetlinkError('EOPNOTSUPP')
  checkPermission(ctx, op)
  const policy = isDump ? op.dumpPolicy : op.doPolicy
  if (policy && !policy.selection && !family.options.splitOps)
    rejectAttributes(ctx, family.headerSize)
  const { doCodec, doHandler, dumpCodec, dumpHandler } = op
  if (isDump && dumpCodec && dumpHandler)
    return handleDump(ctx, dumpCodec, dumpHandler, family.options.module)
  if (doCodec && doHandler) return handleDo(ctx, doCodec, doHandler)
  throw new NetlinkError('EOPNOTSUPP')
}

/** genl_header_check(): newer commands take nothing that means nothing. */
function checkHeader(flags: number, reserved: number): void {
  if (reserved !== 0) throw new NetlinkError('EINVAL', 'genlmsghdr.reserved field is not 0')
  const rest = (flags & NLM_F_DUMP) === NLM_F_DUMP ? flags & ~NLM_F_DUMP : flags
  if (rest & ~KNOWN_FLAGS) {
    throw new NetlinkError('EINVAL', 'ambiguous or reserved bits set in nlmsg_flags')
  }
}

function checkPermission(ctx: RequestContext, { permission }: RegisteredOp): void {
  const { initUserNs } = ctx.kernel
  if (permission & GENL_ADMIN_PERM && !ctx.capable('CAP_NET_ADMIN', initUserNs)) {
    throw new NetlinkError('EPERM')
  }
  if (permission & GENL_UNS_ADMIN_PERM && !ctx.capable('CAP_NET_ADMIN')) {
    throw new NetlinkError('EPERM')
  }
}

/** The policy of a command that describes no request: it has room for one attribute, a refused one. */
function rejectAttributes(ctx: RequestContext, headerSize: number): void {
  const { view, start, end } = ctx
  const at = ctx.payload + align4(headerSize)
  if (at >= end) return
  const length = end - at < NLA_HDRLEN ? 0 : view.getUint16(at, HOST_LE)
  if (length < NLA_HDRLEN || length > end - at) {
    throw new NetlinkError('EINVAL', 'bytes leftover after parsing attributes')
  }
  const type = view.getUint16(at + 2, HOST_LE)
  const refused =
    type & NLA_F_NESTED ? 'NLA_F_NESTED not expected' : 'Attribute failed policy validation'
  const message = (type & NLA_TYPE_MASK) === 1 ? refused : 'Unknown attribute type'
  throw new NetlinkError('EINVAL', { extack: { message, offset: at - start } })
}
