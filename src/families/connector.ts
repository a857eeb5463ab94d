/**
 * The connector: one netlink protocol for many small ones, told apart by a pair of numbers.
 *
 *   +------------------------+-----+-----+-----+-----+---------+-------+------+
 *   | nlmsghdr, NLMSG_DONE   | idx | val | seq | ack | u16 len | flags | data |
 *   +------------------------+-----+-----+-----+-----+---------+-------+------+
 *
 * Kernel: include/uapi/linux/connector.h, include/linux/connector.h (Linux 6.12).
 */
import { binary, followed, struct, u16, u32 } from '../schema/index.ts'

/** struct cb_id: who speaks (idx), and of what (val). */
export interface CbId {
  readonly idx: number
  readonly val: number
}

export const CN_IDX_PROC = 0x1
export const CN_VAL_PROC = 0x1
export const CN_IDX_CIFS = 0x2
export const CN_VAL_CIFS = 0x1
export const CN_W1_IDX = 0x3
export const CN_W1_VAL = 0x1
export const CN_IDX_V86D = 0x4
export const CN_VAL_V86D_UVESAFB = 0x1
export const CN_IDX_BB = 0x5
export const CN_DST_IDX = 0x6
export const CN_DST_VAL = 0x1
export const CN_IDX_DM = 0x7
export const CN_VAL_DM_USERSPACE_LOG = 0x1
export const CN_IDX_DRBD = 0x8
export const CN_VAL_DRBD = 0x1
export const CN_KVP_IDX = 0x9
export const CN_KVP_VAL = 0x1
export const CN_VSS_IDX = 0xa
export const CN_VSS_VAL = 0x1
/** Highest idx and one: the protocol has 15 groups more than that, and at least 32. */
export const CN_NETLINK_USERS = 11
/** Bytes of a cn_msg with its data. */
export const CONNECTOR_MAX_MSG_SIZE = 16384
/** Bytes of a cn_msg without data. */
export const CN_MSG_SIZE = 20

/** struct cn_msg, without its data. */
export const cnMsg = struct('cn_msg', {
  idx: u32,
  val: u32,
  /** A reply has that of its request. */
  seq: u32,
  /** A reply has that of its request and one; 0 in what is no reply. */
  ack: u32,
  /** Bytes of data. */
  len: u16,
  flags: u16,
})

/** A cn_msg and what follows it: `len` bytes of data, perhaps more messages. */
export const cnMessage = followed(cnMsg, 'data', binary)
