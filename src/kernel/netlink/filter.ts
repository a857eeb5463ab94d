/**
 * Socket filters: a classic BPF program decides how much of each datagram its socket gets.
 *
 *   sock.attachFilter([
 *     { code: BPF_LD | BPF_H | BPF_ABS, k: 4 },             // nlmsg_type, as big-endian
 *     { code: BPF_JMP | BPF_JEQ | BPF_K, k: htons(16), jt: 0, jf: 1 },
 *     { code: BPF_RET | BPF_K, k: 0xffffffff },             // all of it
 *     { code: BPF_RET | BPF_K, k: 0 },                      // nothing
 *   ])
 *
 * Kernel: net/core/filter.c sk_filter_trim_cap(), bpf_convert_filter() (Linux 6.12).
 */
import { align4 } from '../../wire/align.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { type Instruction, isProgram } from './filter-check.ts'
import {
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_DIV,
  BPF_H,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
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
  BPF_TXA,
  BPF_W,
  BPF_X,
  SKF_AD_ALU_XOR_X,
  SKF_AD_HATYPE,
  SKF_AD_IFINDEX,
  SKF_AD_NLATTR,
  SKF_AD_NLATTR_NEST,
  SKF_AD_OFF,
  SKF_AD_RANDOM,
  SKF_NET_OFF,
  SOCK_FILTER_SIZE,
  type SockFilter,
} from './filter-code.ts'

/** What a load outside of the datagram answers: the program ends, and nothing is taken. */
const OUTSIDE = -1

export class SocketFilter {
  readonly #program: readonly Instruction[]
  readonly #random: () => number
  readonly #memory = new Uint32Array(BPF_MEMWORDS)
  #a = 0
  #x = 0

  private constructor(program: readonly Instruction[], random: () => number) {
    this.#program = program
    this.#random = random
  }
  /**
   * Checks a program. `random` gives numbers from 0 to below 1.
   * @returns undefined for one that Linux refuses (EINVAL).
   */
  static from(program: readonly SockFilter[], random: () => number): SocketFilter | undefined {
    const whole = program.map(({ code, jt = 0, jf = 0, k = 0 }) => ({ code, jt, jf, k: k >>> 0 }))
    return isProgram(whole) ? new SocketFilter(whole, random) : undefined
  }
  get length(): number {
    return this.#program.length
  }
  /** SO_GET_FILTER: the program as an array of struct sock_filter. */
  toBytes(): Uint8Array {
    const program = this.#program
    const bytes = new Uint8Array(program.length * SOCK_FILTER_SIZE)
    const view = new DataView(bytes.buffer)
    for (const [i, { code, jt, jf, k }] of program.entries()) {
      view.setUint16(i * SOCK_FILTER_SIZE, code, HOST_LE)
      view.setUint8(i * SOCK_FILTER_SIZE + 2, jt)
      view.setUint8(i * SOCK_FILTER_SIZE + 3, jf)
      view.setUint32(i * SOCK_FILTER_SIZE + 4, k, HOST_LE)
    }
    return bytes
  }
  /** How many bytes of the datagram that `view` begins with are taken; 0: none of it. */
  run(view: DataView, length: number): number {
    this.#a = 0
    this.#x = 0
    for (let at = 0; ; at++) {
      const step = this.#program[at] as Instruction
      const { code, k } = step
      switch (code & 7) {
        case BPF_RET:
          return code === (BPF_RET | BPF_K) ? k : this.#a
        case BPF_JMP:
          at += this.#jump(step)
          break
        case BPF_LD:
          if (!this.#load(code, k, view, length)) return 0
          break
        case BPF_LDX:
          if (!this.#loadIndex(code, k, view, length)) return 0
          break
        case BPF_ST:
          this.#memory[k] = this.#a
          break
        case BPF_STX:
          this.#memory[k] = this.#x
          break
        case BPF_ALU:
          if (!this.#compute(code, k)) return 0
          break
        case BPF_MISC:
          if (code === (BPF_MISC | BPF_TXA)) this.#a = this.#x
          else this.#x = this.#a
      }
    }
  }

  /** How many instructions are skipped. */
  #jump({ code, jt, jf, k }: Instruction): number {
    const operand = code & BPF_X ? this.#x : k
    switch (code & 0xf0) {
      case BPF_JA:
        return k
      case BPF_JEQ:
        return this.#a === operand ? jt : jf
      case BPF_JGT:
        return this.#a > operand ? jt : jf
      case BPF_JGE:
        return this.#a >= operand ? jt : jf
      default:
        return (this.#a & operand) !== 0 ? jt : jf
    }
  }
  /** @returns whether the program goes on. */
  #load(code: number, k: number, view: DataView, length: number): boolean {
    switch (code & 0xe0) {
      case BPF_ABS: {
        const beside = (k | 0) - SKF_AD_OFF
        if (beside >= 0 && (k | 0) < 0) return this.#loadBeside(beside, view, length)
        return this.#loadPacket(code, k | 0, view, length)
      }
      case BPF_IND:
        return this.#loadPacket(code, (this.#x + k) | 0, view, length)
      case BPF_LEN:
        this.#a = length
        return true
      case BPF_MEM:
        this.#a = this.#memory[k] as number
        return true
      default:
        this.#a = k
        return true
    }
  }
  #loadIndex(code: number, k: number, view: DataView, length: number): boolean {
    switch (code & 0xe0) {
      case BPF_MSH: {
        const value = packetByte(view, length, k | 0)
        if (value === OUTSIDE) return false
        this.#x = (value & 0xf) << 2
        return true
      }
      case BPF_LEN:
        this.#x = length
        return true
      case BPF_MEM:
        this.#x = this.#memory[k] as number
        return true
      default:
        this.#x = k
        return true
    }
  }
  #loadPacket(code: number, offset: number, view: DataView, length: number): boolean {
    const bits = code & 0x18
    const size = bits === BPF_W ? 4 : bits === BPF_H ? 2 : 1
    const at = packetOffset(offset)
    if (at < 0 || at + size > length) return false
    this.#a = size === 4 ? view.getUint32(at) : size === 2 ? view.getUint16(at) : view.getUint8(at)
    return true
  }
  /** What a netlink datagram has beside its bytes: nearly nothing. */
  #loadBeside(what: number, view: DataView, length: number): boolean {
    switch (what) {
      case SKF_AD_IFINDEX:
      case SKF_AD_HATYPE:
        return false
      case SKF_AD_NLATTR:
        this.#a = attributeAt(view, length, this.#a, this.#x, false)
        return true
      case SKF_AD_NLATTR_NEST:
        this.#a = attributeAt(view, length, this.#a, this.#x, true)
        return true
      case SKF_AD_ALU_XOR_X:
        this.#a = (this.#a ^ this.#x) >>> 0
        return true
      case SKF_AD_RANDOM:
        this.#a = Math.floor(this.#random() * 0x1_0000_0000) >>> 0
        return true
      default:
        this.#a = 0
        return true
    }
  }
  /** @returns false for a division by an index register that is 0. */
  #compute(code: number, k: number): boolean {
    const operand = code & BPF_X ? this.#x : k
    const a = this.#a
    switch (code & 0xf0) {
      case BPF_ADD:
        this.#a = (a + operand) >>> 0
        break
      case BPF_SUB:
        this.#a = (a - operand) >>> 0
        break
      case BPF_MUL:
        this.#a = Math.imul(a, operand) >>> 0
        break
      case BPF_DIV:
        if (operand === 0) return false
        this.#a = Math.floor(a / operand)
        break
      case BPF_MOD:
        if (operand === 0) return false
        this.#a = a % operand
        break
      case BPF_OR:
        this.#a = (a | operand) >>> 0
        break
      case BPF_AND:
        this.#a = (a & operand) >>> 0
        break
      case BPF_LSH:
        this.#a = (a << operand) >>> 0
        break
      case BPF_RSH:
        this.#a = a >>> operand
        break
      case BPF_NEG:
        this.#a = -a >>> 0
        break
      default:
        this.#a = (a ^ operand) >>> 0
    }
    return true
  }
}

/** bpf_internal_load_pointer_neg_helper(): where in the datagram an offset is; below 0: nowhere. */
function packetOffset(offset: number): number {
  if (offset >= 0) return offset
  return offset >= SKF_NET_OFF ? offset - SKF_NET_OFF : OUTSIDE
}

function packetByte(view: DataView, length: number, offset: number): number {
  const at = packetOffset(offset)
  return at < 0 || at >= length ? OUTSIDE : view.getUint8(at)
}

/**
 * bpf_skb_get_nlattr(), bpf_skb_get_nlattr_nest(): where the first attribute of `type` is, from
 * `at` on or inside the nest there; 0 for none.
 */
function attributeAt(
  view: DataView,
  length: number,
  at: number,
  type: number,
  isNest: boolean,
): number {
  if (length < NLA_HDRLEN || at > length - NLA_HDRLEN) return 0
  let from = at
  let end = length
  if (isNest) {
    const size = view.getUint16(at, HOST_LE)
    if (size > length - at) return 0
    from = at + NLA_HDRLEN
    end = at + size
  }
  while (end - from >= NLA_HDRLEN) {
    const size = view.getUint16(from, HOST_LE)
    if (size < NLA_HDRLEN || size > end - from) return 0
    if ((view.getUint16(from + 2, HOST_LE) & NLA_TYPE_MASK) === type) return from
    from += align4(size)
  }
  return 0
}

/** A program from an array of struct sock_filter; undefined when the length is not one's. */
export function filterProgram(bytes: Uint8Array): SockFilter[] | undefined {
  if (bytes.length % SOCK_FILTER_SIZE !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / SOCK_FILTER_SIZE }, (_, i) => ({
    code: view.getUint16(i * SOCK_FILTER_SIZE, HOST_LE),
    jt: view.getUint8(i * SOCK_FILTER_SIZE + 2),
    jf: view.getUint8(i * SOCK_FILTER_SIZE + 3),
    k: view.getUint32(i * SOCK_FILTER_SIZE + 4, HOST_LE),
  }))
}
