/** Cuts a stream of bytes into messages, of both byte orders. */
import { messageLength } from '../message/index.ts'

/** What a message that is not all there yet takes at first. */
const FIRST_BYTES = 64 * 1024
const FIXED_BYTES = 16

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

  /** Where the rest of a long message may be received at once; undefined if there is none. */
  get room(): Uint8Array | undefined {
    const partial = this.#partial
    if (partial === undefined || this.#length - this.#filled < FIRST_BYTES) return undefined
    return this.#reserve(this.#filled + 1).subarray(this.#filled, this.#length)
  }

  /** So many bytes were received into `room`; the message, if it is all there. */
  filled(count: number): Uint8Array | undefined {
    this.#filled += count
    return this.#filled === this.#length ? this.#complete() : undefined
  }

  /**
   * Takes in `chunk`, which stays as it is; the messages that it completes are views of it.
   * @throws DecodeError when no message can begin so; those before it were taken.
   */
  feed(chunk: Uint8Array, take: (message: Uint8Array) => void): void {
    let at = this.#partial === undefined ? 0 : this.#continue(chunk, take)
    while (at < chunk.length) {
      const length = messageLength(chunk, at, chunk.length, this.#limit())
      if (length === 0 || at + length > chunk.length) {
        this.#begin(chunk.subarray(at), length)
        return
      }
      take(chunk.subarray(at, at + length))
      at += length
    }
  }

  #begin(rest: Uint8Array, length: number): void {
    const size = Math.max(rest.length, Math.min(length, FIRST_BYTES), FIXED_BYTES)
    this.#partial = new Uint8Array(size)
    this.#partial.set(rest)
    this.#filled = rest.length
    this.#length = length
  }

  /** Completes what was begun; returns how much of `chunk` that took. */
  #continue(chunk: Uint8Array, take: (message: Uint8Array) => void): number {
    let at = 0
    if (this.#length === 0) {
      at = this.#append(chunk, 0, FIXED_BYTES)
      if (this.#filled < FIXED_BYTES) return at
      this.#length = messageLength(this.#partial!, 0, FIXED_BYTES, this.#limit())
    }
    at += this.#append(chunk, at, this.#length)
    if (this.#filled === this.#length) take(this.#complete())
    return at
  }

  /** Appends until `goal` bytes are there. */
  #append(chunk: Uint8Array, at: number, goal: number): number {
    const count = Math.min(goal - this.#filled, chunk.length - at)
    this.#reserve(this.#filled + count).set(chunk.subarray(at, at + count), this.#filled)
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
