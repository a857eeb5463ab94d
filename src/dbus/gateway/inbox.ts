/** Cuts a stream of bytes into messages, of both byte orders. */
import { messageLength } from '../message/index.ts'
import type { BufferPool } from './pool.ts'

/** What a message that is not all there yet takes at most, when little and when more of it has come. */
const FIRST_BYTES = 64 * 1024
const SECOND_BYTES = 4 << 20
/** Shorter messages have arrays of their own size. */
const SHORT = 4096
const FIXED_BYTES = 16

/** Takes a message: `length` bytes at `at`, lent until it returns. */
export type Take = (bytes: Uint8Array, at: number, length: number) => void

export class Inbox {
  readonly #limit: () => number
  readonly #pool: BufferPool
  /** Takes the messages that are not lent from what was fed: their array goes back to the pool. */
  readonly #takeWhole: Take
  #partial: Uint8Array | undefined
  #filled = 0
  /** Bytes of the message that `#partial` begins; 0 when that is not known. */
  #length = 0

  /** `limit`: bytes that a message may have. `takeWhole` is given an array of the pool, to keep. */
  constructor(limit: () => number, pool: BufferPool, takeWhole: Take) {
    this.#limit = limit
    this.#pool = pool
    this.#takeWhole = takeWhole
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

  /** So many bytes were received into `room`; the message is taken if it is all there. */
  filled(count: number): void {
    this.#filled += count
    if (this.#filled === this.#length) this.#complete()
  }

  /**
   * Takes in what is from `start` to `end`; a message that is all there is lent from it.
   * @throws DecodeError when no message can begin so; those before it were taken.
   */
  feed(bytes: Uint8Array, start: number, end: number, take: Take): void {
    let at = this.#partial === undefined ? start : this.#continue(bytes, start, end)
    while (at < end) {
      const length = messageLength(bytes, at, end, this.#limit())
      if (length === 0 || at + length > end) {
        this.#begin(bytes, at, end, length)
        return
      }
      take(bytes, at, length)
      at += length
    }
  }

  #begin(bytes: Uint8Array, at: number, end: number, length: number): void {
    const count = end - at
    const most = count < SHORT ? FIRST_BYTES : SECOND_BYTES
    this.#length = length
    this.#partial = this.#array(Math.max(count, Math.min(length, most), FIXED_BYTES))
    this.#filled = 0
    this.#append(bytes, at, end, count)
  }

  #array(size: number): Uint8Array {
    return size < SHORT ? new Uint8Array(size) : this.#pool.take(size)
  }

  /** Completes what was begun; returns where in `bytes` that ends. */
  #continue(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    if (this.#length === 0) {
      at += this.#append(bytes, at, end, FIXED_BYTES)
      if (this.#filled < FIXED_BYTES) return at
      this.#length = messageLength(this.#partial!, 0, FIXED_BYTES, this.#limit())
    }
    at += this.#append(bytes, at, end, this.#length)
    if (this.#filled === this.#length) this.#complete()
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
    const wanted = Math.max(8 * this.#filled, this.#filled < SHORT ? FIRST_BYTES : SECOND_BYTES)
    const grown = this.#array(Math.min(Math.max(wanted, count), most))
    grown.set(partial.subarray(0, this.#filled))
    this.#pool.give(partial)
    this.#partial = grown
    return grown
  }

  #complete(): void {
    const message = this.#partial!
    const length = this.#length
    this.#partial = undefined
    this.#filled = this.#length = 0
    this.#takeWhole(message, 0, length)
  }

  /** Nothing is expected any more. */
  clear(): void {
    if (this.#partial) this.#pool.give(this.#partial)
    this.#partial = undefined
    this.#filled = this.#length = 0
  }
}
