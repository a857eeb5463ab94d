/**
 * Memory for messages that are not all there yet, and for those that wait: used again while it is
 * warm, and given back when nobody has wanted it for a while.
 */

/** Sizes are multiples of this. */
export const PAGE = 64 * 1024
/** Bytes that are kept at most, of which one array may have an eighth. */
const MOST_KEPT = 64 << 20
/** Milliseconds after which what nobody has wanted is let go. */
const IDLE = 2000

export class BufferPool {
  #free: Uint8Array[] = []
  #kept = 0
  #wasWanted = false
  #timer: NodeJS.Timeout | undefined

  /** An array of at least `size` bytes, whatever is in them. */
  take(size: number): Uint8Array {
    this.#wasWanted = true
    const wanted = Math.ceil(size / PAGE) * PAGE
    for (let at = this.#free.length - 1; at >= 0; at--) {
      const found = this.#free[at]!
      if (found.length < wanted || found.length > 2 * wanted) continue
      this.#free[at] = this.#free.at(-1)!
      this.#free.pop()
      this.#kept -= found.length
      return found
    }
    return new Uint8Array(wanted)
  }

  /** Nobody uses `bytes` any more; an array that is none of ours is let be. */
  give(bytes: Uint8Array): void {
    const { length } = bytes
    if (length === 0 || length % PAGE !== 0 || length > MOST_KEPT / 8) return
    if (this.#kept + length > MOST_KEPT) return
    this.#free.push(bytes)
    this.#kept += length
    this.#timer ??= setInterval(() => this.#tidy(), IDLE).unref()
  }

  #tidy(): void {
    if (this.#wasWanted) {
      this.#wasWanted = false
      return
    }
    this.#free = []
    this.#kept = 0
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** An array of the pool that several use; it goes back when none does. */
export class Lease {
  readonly bytes: Uint8Array
  readonly #pool: BufferPool
  #holders = 1

  constructor(pool: BufferPool, bytes: Uint8Array) {
    this.#pool = pool
    this.bytes = bytes
  }

  hold(): void {
    this.#holders++
  }

  release(): void {
    if (--this.#holders === 0) this.#pool.give(this.bytes)
  }
}
