/**
 * Which classic BPF programs a socket takes: those that end, and read no memory never written.
 *
 * Kernel: net/core/filter.c bpf_check_basics_ok(), bpf_check_classic(), chk_code_allowed(),
 * check_load_and_stores() (Linux 6.12).
 */
import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MAXINSNS,
  BPF_MEM,
  BPF_MEMWORDS,
  BPF_MISC,
  BPF_MOD,
  BPF_MSH,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_TXA,
  BPF_W,
  BPF_X,
  BPF_XOR,
  SKF_AD_MAX,
  SKF_AD_OFF,
} from './filter-code.ts'

/** An instruction as it is kept: every member there, `k` from 0 to 2^32 - 1. */
export interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

const operations = [
  BPF_ADD,
  BPF_SUB,
  BPF_MUL,
  BPF_DIV,
  BPF_MOD,
  BPF_AND,
  BPF_OR,
  BPF_XOR,
  BPF_LSH,
  BPF_RSH,
]
const sizes = [BPF_W, BPF_H, BPF_B]
const conditions = [BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET]

const allowed = new Set<number>([
  ...operations.flatMap((op) => [BPF_ALU | op | BPF_K, BPF_ALU | op | BPF_X]),
  BPF_ALU | BPF_NEG,
  ...sizes.flatMap((size) => [BPF_LD | size | BPF_ABS, BPF_LD | size | BPF_IND]),
  BPF_LD | BPF_W | BPF_LEN,
  BPF_LD | BPF_IMM,
  BPF_LD | BPF_MEM,
  BPF_LDX | BPF_W | BPF_LEN,
  BPF_LDX | BPF_B | BPF_MSH,
  BPF_LDX | BPF_IMM,
  BPF_LDX | BPF_MEM,
  BPF_ST,
  BPF_STX,
  BPF_MISC | BPF_TAX,
  BPF_MISC | BPF_TXA,
  BPF_RET | BPF_K,
  BPF_RET | BPF_A,
  BPF_JMP | BPF_JA,
  ...conditions.flatMap((on) => [BPF_JMP | on | BPF_K, BPF_JMP | on | BPF_X]),
])

const isMemory = (code: number): boolean =>
  code === BPF_ST || code === BPF_STX || code === (BPF_LD | BPF_MEM) || code === (BPF_LDX | BPF_MEM)

/** Whether an absolute load at `k` is of the packet, or of something that is known beside it. */
function isLoadable(k: number): boolean {
  const beside = k - (SKF_AD_OFF >>> 0)
  return beside < 0 || (beside < SKF_AD_MAX && beside % 4 === 0)
}

function isSound({ code, jt, jf, k }: Instruction, at: number, count: number): boolean {
  if (!allowed.has(code)) return false
  if (isMemory(code)) return k < BPF_MEMWORDS
  switch (code) {
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_K:
      return k !== 0
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return k < 32
    case BPF_JMP | BPF_JA:
      return k < count - at - 1
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
      return isLoadable(k)
  }
  return (code & 7) !== BPF_JMP || (at + jt + 1 < count && at + jf + 1 < count)
}

const EVERY_WORD = 0xffff

/** Whether each word of memory that is read was written on every way there. */
function readsWhatItWrote(program: readonly Instruction[]): boolean {
  const masks = new Uint16Array(program.length).fill(EVERY_WORD)
  const meet = (at: number, mask: number): void => {
    masks[at] = (masks[at] as number) & mask
  }
  let valid = 0
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    valid &= masks[at] as number
    if (code === BPF_ST || code === BPF_STX) valid |= 1 << k
    else if (isMemory(code)) {
      if ((valid & (1 << k)) === 0) return false
    } else if ((code & 7) === BPF_JMP) {
      if (code === (BPF_JMP | BPF_JA)) meet(at + 1 + k, valid)
      else {
        meet(at + 1 + jt, valid)
        meet(at + 1 + jf, valid)
      }
      valid = EVERY_WORD
    }
  }
  return true
}

/** bpf_check_classic(): whether a socket takes `program`. */
export function isProgram(program: readonly Instruction[]): boolean {
  const count = program.length
  if (count === 0 || count > BPF_MAXINSNS) return false
  if (!program.every((each, at) => isSound(each, at, count))) return false
  const last = program[count - 1]?.code
  if (last !== (BPF_RET | BPF_K) && last !== (BPF_RET | BPF_A)) return false
  return readsWhatItWrote(program)
}
