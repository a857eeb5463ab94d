/**
 * Acknowledgements: struct nlmsgerr, and the extended acknowledgement's attributes behind it.
 *
 *   +----------+-----------+----------------------+- - - - - - -+
 *   | nlmsghdr | int error | nlmsghdr (+ payload) | extack attrs |
 *   +----------+-----------+----------------------+- - - - - - -+
 *                            no payload with NLM_F_CAPPED; attributes with NLM_F_ACK_TLVS
 *
 * NLMSG_DONE has an int alone, then the attributes. The attributes' start is known only from the
 * copied header, so that this file describes the parts and their readers join them.
 * Kernel: include/uapi/linux/netlink.h; net/netlink/af_netlink.c netlink_ack() (Linux 6.18).
 */
import {
  attrs,
  binary,
  enumeration,
  message,
  nest,
  s32,
  s64,
  string,
  struct,
  u16,
  u32,
  u64,
} from '../schema/index.ts'

/** NL_ATTR_TYPE_*: how a policy describes the type of an attribute. */
export const policyType = enumeration(u32, {
  invalid: 0,
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
})

const policyTypeDefinitions = {
  type: [1, policyType],
  minValueS: [2, s64],
  maxValueS: [3, s64],
  minValueU: [4, u64],
  maxValueU: [5, u64],
  /** Bytes, for strings and binaries. */
  minLength: [6, u32],
  maxLength: [7, u32],
  /** Of a nest: the number of its policy in the dump, and the largest attribute in that. */
  policyIdx: [8, u32],
  policyMaxtype: [9, u32],
  bitfield32Mask: [10, u32],
  pad: [11, binary],
  /** Bits that may be set. */
  mask: [12, u64],
} as const
export interface PolicyTypeDefinitions extends Readonly<typeof policyTypeDefinitions> {}
/** What a policy accepts (enum netlink_policy_type_attr): in extacks and in CTRL_CMD_GETPOLICY. */
export const policyTypeAttrs = attrs(
  'NL_POLICY_TYPE_ATTR_',
  policyTypeDefinitions as PolicyTypeDefinitions,
)

/** The extended acknowledgement (enum nlmsgerr_attrs). */
export const nlmsgerrAttrs = attrs('NLMSGERR_ATTR_', {
  /** The kernel's words; a warning when the request succeeded. */
  msg: [1, string],
  /** Bytes from the request's nlmsghdr to the attribute at fault. */
  offs: [2, u32],
  /** Opaque, at most 20 bytes. */
  cookie: [3, binary],
  /** What would have been accepted. */
  policy: [4, nest(policyTypeAttrs)],
  /** The attribute that is required and absent. */
  missType: [5, u32],
  /** Bytes from the request's nlmsghdr to the nest that lacks it. */
  missNest: [6, u32],
})

/** nlmsghdr as it is repeated inside an acknowledgement. */
export const nlmsghdr = struct('nlmsghdr', {
  /** Bytes of the request, header included. */
  len: u32,
  type: u16,
  flags: u16,
  seq: u32,
  /** nlmsg_pid of the request, as it was sent. */
  portid: u32,
})

/** NLMSG_ERROR: 0, or a negative errno, and the header of the request that it answers. */
export const nlmsgerr = struct('nlmsgerr', {
  error: s32,
  len: u32,
  type: u16,
  flags: u16,
  seq: u32,
  portid: u32,
})

/** NLMSG_ERROR whose copy of the request is its header alone (NLM_F_CAPPED, and all successes). */
export const errorMessage = message(nlmsgerr, nlmsgerrAttrs)
/** NLMSG_DONE: 0, or a negative errno. */
export const doneMessage = message(struct('int', { error: s32 }), nlmsgerrAttrs)
