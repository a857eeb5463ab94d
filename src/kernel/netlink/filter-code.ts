/**
 * Classic BPF: the codes of its instructions, and where what is not in the packet is loaded from.
 *
 * Kernel: include/uapi/linux/bpf_common.h, include/uapi/linux/filter.h (Linux 6.12).
 */

/** Instruction classes. */
export const BPF_LD = 0x00
export const BPF_LDX = 0x01
export const BPF_ST = 0x02
export const BPF_STX = 0x03
export const BPF_ALU = 0x04
export const BPF_JMP = 0x05
export const BPF_RET = 0x06
export const BPF_MISC = 0x07

/** Sizes of loads: 4, 2 and 1 bytes, in network order. */
export const BPF_W = 0x00
export const BPF_H = 0x08
export const BPF_B = 0x10

/** Modes of loads. */
export const BPF_IMM = 0x00
export const BPF_ABS = 0x20
export const BPF_IND = 0x40
export const BPF_MEM = 0x60
export const BPF_LEN = 0x80
export const BPF_MSH = 0xa0

/** Arithmetic. */
export const BPF_ADD = 0x00
export const BPF_SUB = 0x10
export const BPF_MUL = 0x20
export const BPF_DIV = 0x30
export const BPF_OR = 0x40
export const BPF_AND = 0x50
export const BPF_LSH = 0x60
export const BPF_RSH = 0x70
export const BPF_NEG = 0x80
export const BPF_MOD = 0x90
export const BPF_XOR = 0xa0

/** Jumps. */
export const BPF_JA = 0x00
export const BPF_JEQ = 0x10
export const BPF_JGT = 0x20
export const BPF_JGE = 0x30
export const BPF_JSET = 0x40

/** Operands: the constant, the index register; of returns also the accumulator. */
export const BPF_K = 0x00
export const BPF_X = 0x08
export const BPF_A = 0x10

export const BPF_TAX = 0x00
export const BPF_TXA = 0x80

/** Instructions of a program at most, and words of its memory. */
export const BPF_MAXINSNS = 4096
export const BPF_MEMWORDS = 16

/** From here on an absolute load reads what is beside the packet, as a signed offset. */
export const SKF_AD_OFF = -0x1000
export const SKF_AD_IFINDEX = 8
export const SKF_AD_NLATTR = 12
export const SKF_AD_NLATTR_NEST = 16
export const SKF_AD_HATYPE = 28
export const SKF_AD_ALU_XOR_X = 40
export const SKF_AD_RANDOM = 56
export const SKF_AD_MAX = 64
/** Offsets from the network header, which of a netlink datagram is its beginning. */
export const SKF_NET_OFF = -0x100000

/** Bytes of struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
export const SOCK_FILTER_SIZE = 8

/** One instruction (struct sock_filter). */
export interface SockFilter {
  readonly code: number
  /** Instructions to skip when the condition holds, and when it does not. */
  readonly jt?: number
  readonly jf?: number
  /** An unsigned number; offsets below 0 may be given as they are. */
  readonly k?: number
}
