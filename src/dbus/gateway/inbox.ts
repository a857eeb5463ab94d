/** Cuts a stream of bytes into messages, of both byte orders. */
import { messageLength } from '../message/index.ts'

/** What a message that is not all there yet takes at first. */
const FIRST_BYTES = 64 * 1024
const FIXED_BYTES = 16

/** Takes a message: `length` bytes at `at`, lent until it returns if `isLent`. */
export type Take = (bytes: Uint8Array, at: number, length: number, isLent: boolean) => void

export class Inbox {
  readonly #limit: () => number
  #partial: Uint8Array | undefined
  #filled = 0
  /** Bytes of the message that `#partial` begins; 0 when that is not known. */
  #length = 0

  /** `limit`: bytes that a message may have. */
  constructor(limit: () => number) {
    this.#limit = limit
  }

  /** Whether the rest of a long message is to be received at once into `room`. */
  get hasRoom(): boolean {
    return this.#partial !== undefined && this.#length - this.#filled >= FIRST_BYTES
  }

  /** Where the rest of a long message may be received at once; undefined if there is none. */
  get room(): Uint8Array | undefined {
    if (!this.hasRoom) return undefined
    return this.#reserve(this.#filled + 1).subarray(this.#filled, this.#length)
  }

  /** So many bytes were received into `room`; the message, if it is all there. */
  filled(count: number): Uint8Array | undefined {
    this.#filled += count
    return this.#filled === this.#length ? this.#complete() : undefined
  }

  /**
   * Takes in what is from `start` to `end`; a message that is all there is lent, one that was begun
   * before is not.
   * @throws DecodeError when no message can begin so; those before it were taken.
   */
  feed(bytes: Uint8Array, start: number, end: number, take: Take): void {
    let at = this.#partial === undefined ? start : this.#continue(bytes, start, end, take)
    while (at < end) {
      const length = messageLength(bytes, at, end, this.#limit())
      if (length === 0 || at + length > end) {
        this.#begin(bytes, at, end, length)
        return
      }
      take(bytes, at, length, true)
      at += length
    }
  }

  #begin(bytes: Uint8Array, at: number, end: number, length: number): void {
    const count = end - at
    this.#partial = new Uint8Array(Math.max(count, Math.min(length, FIRST_BYTES), FIXED_BYTES))
    this.#partial.set(bytes.subarray(at, end))
    this.#filled = count
    this.#length = length
  }

  /** Completes what was begun; returns where in `bytes` that ends. */
  #continue(bytes: Uint8Array, start: number, end: number, take: Take): number {
    let at = start
    if (this.#length === 0) {
      at += this.#append(bytes, at, end, FIXED_BYTES)
      if (this.#filled < FIXED_BYTES) return at
      this.#length = messageLength(this.#partial!, 0, FIXED_BYTES, this.#limit())
    }
    at += this.#append(bytes, at, end, this.#length)
    if (this.#filled === this.#length) {
      const message = this.#complete()
      take(message, 0, message.length, false)
    }
    return at
  }

  /** Appends until `goal` bytes are there; how many that took. */
  #append(bytes: Uint8Array, at: number, end: number, goal: number): number {
    const count = Math.min(goal - this.#filled, end - at)
    this.#reserve(this.#filled + count).set(bytes.subarray(at, at + count), this.#filled)
    this.#filled += count
    return count
  }

  /** Room for `count` bytes: it grows as they arrive, so that an announcement alone costs nothing. */
  #reserve(count: number): Uint8Array {
    const partial = this.#partial!
    if (count <= partial.length) return partial
    const most = Math.max(this.#length, FIXED_BYTES)
    const grown = new Uint8Array(Math.min(Math.max(2 * partial.length, FIRST_BYTES, count), most))
    grown.set(partial.subarray(0, this.#filled))
    this.#partial = grown
    return grown
  }

  #complete(): Uint8Array {
    const message = this.#partial!.subarray(0, this.#length)
    this.#partial = undefined
    this.#filled = this.#length = 0
    return message
  }
}
