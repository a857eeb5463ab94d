/**
 * Acknowledgements: the outcome of a request as NLMSG_ERROR.
 *
 *   +----------+-----------+-----------------+- - - - - - - - - - -+- - - - - - -+
 *   | nlmsghdr | s32 errno | request's header| request's payload   | extack TLVs |
 *   +----------+-----------+-----------------+- - - - - - - - - - -+- - - - - - -+
 *                                              left out on success, and with NETLINK_CAP_ACK
 *
 * Kernel: net/netlink/af_netlink.c netlink_ack(), netlink_ack_tlv_fill(); net/netlink/policy.c
 * __netlink_policy_dump_write_attr() (Linux 6.12).
 */
import type { PolicyDescription } from '../../errors.ts'
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_ERROR, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from './context.ts'

/** An extack as the wire has it: offsets count from the request's nlmsghdr. */
export interface WireExtack {
  readonly message?: string | undefined
  readonly cookie?: Uint8Array | undefined
  readonly offset?: number | undefined
  readonly policy?: PolicyDescription | undefined
  readonly missingType?: number | undefined
  readonly missingNest?: number | undefined
}

const NLMSGERR_ATTR_MSG = 1
const NLMSGERR_ATTR_OFFS = 2
const NLMSGERR_ATTR_COOKIE = 3
const NLMSGERR_ATTR_POLICY = 4
const NLMSGERR_ATTR_MISS_TYPE = 5
const NLMSGERR_ATTR_MISS_NEST = 6
const NETLINK_MAX_COOKIE_LEN = 20

const NL_POLICY_TYPE_ATTR_TYPE = 1
const NL_POLICY_TYPE_ATTR_MIN_VALUE_S = 2
const NL_POLICY_TYPE_ATTR_MAX_VALUE_S = 3
const NL_POLICY_TYPE_ATTR_MIN_VALUE_U = 4
const NL_POLICY_TYPE_ATTR_MAX_VALUE_U = 5
const NL_POLICY_TYPE_ATTR_MIN_LENGTH = 6
const NL_POLICY_TYPE_ATTR_MAX_LENGTH = 7
const NL_POLICY_TYPE_ATTR_BITFIELD32_MASK = 10
const NL_POLICY_TYPE_ATTR_MASK = 12

/** enum netlink_attribute_type. */
const NL_ATTR_TYPE: Readonly<Record<string, number>> = {
  flag: 1,
  u8: 2,
  u16: 3,
  u32: 4,
  u64: 5,
  s8: 6,
  s16: 7,
  s32: 8,
  s64: 9,
  binary: 10,
  string: 11,
  'nul-string': 12,
  nested: 13,
  'nested-array': 14,
  bitfield32: 15,
  sint: 16,
  uint: 17,
}

/** Sends the requester NLMSG_ERROR; `errno` is 0 or negative. It may be lost as an overrun. */
export function netlinkAck(
  ctx: RequestContext,
  errno: number,
  extack: WireExtack | undefined,
): void {
  const { sock, view, start, sender } = ctx
  const capped = errno === 0 || sender.capAck
  const tlvs = sender.extAck && hasTlvs(extack, errno)
  const skb = sock.netlink.pool.alloc(ctx.end - start)
  const flags = (capped ? NLM_F_CAPPED : 0) | (tlvs ? NLM_F_ACK_TLVS : 0)
  const mark = skb.messageStart(NLMSG_ERROR, flags, ctx.seq, ctx.portid)
  skb.u32(errno)
  for (let at = start; at < start + NLMSG_HDRLEN; at += 4) skb.u32(view.getUint32(at, HOST_LE))
  if (!capped) {
    skb.put(ctx.skb.bytes.subarray(start + NLMSG_HDRLEN, ctx.end))
    skb.pad()
  }
  if (tlvs && extack) putExtack(skb, extack, errno, ctx.end - start)
  skb.messageEnd(mark)
  sock.unicast(skb, ctx.portid)
}

/** netlink_ack_tlv_len(): whether there is anything to say. */
export function hasTlvs(extack: WireExtack | undefined, errno: number): extack is WireExtack {
  if (!extack) return false
  if (extack.message !== undefined || extack.cookie) return true
  return (
    errno !== 0 &&
    (extack.offset !== undefined ||
      extack.policy !== undefined ||
      extack.missingType !== undefined ||
      extack.missingNest !== undefined)
  )
}

/** netlink_ack_tlv_fill(); offsets outside the request, of `length` bytes, are left out. */
export function putExtack(w: Writer, extack: WireExtack, errno: number, length: number): void {
  const { message, cookie, offset, policy, missingType, missingNest } = extack
  if (message !== undefined) w.attrString(NLMSGERR_ATTR_MSG, message)
  if (cookie) w.attrBytes(NLMSGERR_ATTR_COOKIE, cookie.subarray(0, NETLINK_MAX_COOKIE_LEN))
  if (errno === 0) return
  const isInside = (at: number): boolean => at >= NLMSG_HDRLEN && at < length
  if (offset !== undefined && isInside(offset)) w.attrU32(NLMSGERR_ATTR_OFFS, offset)
  if (policy) putPolicy(w, policy)
  if (missingType !== undefined) w.attrU32(NLMSGERR_ATTR_MISS_TYPE, missingType)
  if (missingNest !== undefined && isInside(missingNest)) {
    w.attrU32(NLMSGERR_ATTR_MISS_NEST, missingNest)
  }
}

function putPolicy(w: Writer, policy: PolicyDescription): void {
  const type = NL_ATTR_TYPE[policy.type]
  if (type === undefined) return
  const nest = w.nestStart(NLMSGERR_ATTR_POLICY)
  const { min, max, mask, minLength, maxLength } = policy
  const isSigned = /^s(8|16|32|64|int)$/.test(policy.type)
  if (policy.type === 'bitfield32') {
    w.attrU32(NL_POLICY_TYPE_ATTR_BITFIELD32_MASK, Number(mask ?? 0n))
  } else if (mask !== undefined) putU64(w, NL_POLICY_TYPE_ATTR_MASK, mask)
  if (min !== undefined) {
    putU64(w, isSigned ? NL_POLICY_TYPE_ATTR_MIN_VALUE_S : NL_POLICY_TYPE_ATTR_MIN_VALUE_U, min)
  }
  if (max !== undefined) {
    putU64(w, isSigned ? NL_POLICY_TYPE_ATTR_MAX_VALUE_S : NL_POLICY_TYPE_ATTR_MAX_VALUE_U, max)
  }
  if (minLength !== undefined) w.attrU32(NL_POLICY_TYPE_ATTR_MIN_LENGTH, minLength)
  if (maxLength !== undefined) w.attrU32(NL_POLICY_TYPE_ATTR_MAX_LENGTH, maxLength)
  w.attrU32(NL_POLICY_TYPE_ATTR_TYPE, type)
  w.attrEnd(nest)
}

function putU64(w: Writer, type: number, value: bigint): void {
  const mark = w.attrStart(type)
  w.u64(value)
  w.attrEnd(mark)
}
