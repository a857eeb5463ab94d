/** Classic BPF programs for tests, and the numbers that they are made of. */

/** One instruction: code, jt, jf, k. */
export type Step = readonly [code: number, jt: number, jf: number, k: number]

export const LD_W_ABS = 0x20
export const LD_H_ABS = 0x28
export const LD_B_ABS = 0x30
export const LD_B_IND = 0x50
export const LD_H_IND = 0x48
export const LD_LEN = 0x80
export const LD_IMM = 0x00
export const LD_MEM = 0x60
export const LDX_IMM = 0x01
export const LDX_LEN = 0x81
export const LDX_MSH = 0xb1
export const LDX_MEM = 0x61
export const ST = 0x02
export const STX = 0x03
export const TAX = 0x07
export const TXA = 0x87
export const RET_K = 0x06
export const RET_A = 0x16
export const JA = 0x05
export const ALU = { add: 0x04, sub: 0x14, mul: 0x24, div: 0x34, or: 0x44, and: 0x54, lsh: 0x64 }
export const MORE_ALU = { rsh: 0x74, neg: 0x84, mod: 0x94, xor: 0xa4 }
/** Conditional jumps; `| X` compares with the index register. */
export const JUMP = { eq: 0x15, gt: 0x25, ge: 0x35, set: 0x45 }
export const X = 0x08
export const AD = 0xfffff000

/** An array of struct sock_filter. */
export function program(...steps: readonly Step[]): Uint8Array {
  const bytes = new Uint8Array(steps.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, [code, jt, jf, k]] of steps.entries()) {
    view.setUint16(8 * i, code, true)
    view.setUint8(8 * i + 2, jt)
    view.setUint8(8 * i + 3, jf)
    view.setUint32(8 * i + 4, k >>> 0, true)
  }
  return bytes
}

/** A program that takes everything, or nothing. */
export const ALL = program([RET_K, 0, 0, 0xffffffff])
export const NOTHING = program([RET_K, 0, 0, 0])
