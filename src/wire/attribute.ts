/**
 * Attributes: type, length, value (struct nlattr).
 *
 *   +---------+---------+- - - - -+- - - - -+
 *   | u16 len | u16 type| payload | padding |      len counts header and payload
 *   +---------+---------+- - - - -+- - - - -+
 */
import { DecodeError } from '../errors.ts'
import { align4 } from './align.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from './constants.ts'
import { HOST_LE } from './order.ts'

/** Walks attributes without allocating: nla_for_each_attr(), with nla_ok() as an error. */
export class AttributeWalker {
  readonly view: DataView
  /** Where the current attribute's header and payload start, and where its payload ends. */
  start: number
  payload: number
  end: number
  /** nla_type with its flag bits, and without. */
  rawType = 0
  type = 0
  #next: number
  readonly #limit: number

  /** From `at` to `end`, both offsets in `view`. */
  constructor(view: DataView, at = 0, end: number = view.byteLength) {
    this.view = view
    this.start = this.payload = this.end = this.#next = at
    this.#limit = end
  }
  /**
   * Moves to the next attribute; false at the end, 1 to 3 spare bytes included.
   * @throws DecodeError when nla_len does not fit.
   */
  next(): boolean {
    const at = this.#next
    const left = this.#limit - at
    if (left < NLA_HDRLEN) return false
    const length = this.view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > left) badLength(length, left, at)
    this.start = at
    this.payload = at + NLA_HDRLEN
    this.end = at + length
    this.rawType = this.view.getUint16(at + 2, HOST_LE)
    this.type = this.rawType & NLA_TYPE_MASK
    this.#next = at + align4(length)
    return true
  }
  /** Bytes behind the last attribute: fewer than a header, or none. */
  get leftover(): number {
    return Math.max(0, this.#limit - this.#next)
  }
}

/** Throws the DecodeError of an nla_len that does not fit. */
export function badLength(length: number, left: number, at: number): never {
  throw new DecodeError(
    length < NLA_HDRLEN
      ? `nla_len ${length} is shorter than its header`
      : `nla_len ${length} where ${left} bytes are left`,
    at,
  )
}
