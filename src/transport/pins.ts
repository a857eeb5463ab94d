/**
 * Pins: buffers that are used again and again, known to the addon by a number.
 *
 * Finding a typed array's memory costs the addon about 70 ns, a fortieth of a round trip. An array
 * that is used twice in a row is pinned. The pin keeps it alive; a detached or resized array has
 * another length, and is then forgotten.
 */
import type { Bytes, NativeSocket } from './native-socket.ts'

/** What was pinned for good: how many numbers `Pins` may use, and those that follow. */
export const PINS = 16
export const PIN_CLIENT_REQUEST = 16
export const PIN_CLIENT_PACKET = 17
export const PIN_SERVER_REQUEST = 18
export const PIN_SERVER_ANSWER = 19
export const PIN_TRIP = 20

export class Pins {
  readonly #native: NativeSocket
  readonly #first: number
  readonly #arrays: (Uint8Array | undefined)[]
  readonly #lengths: number[]
  #next = 0
  /** Where the last one was found. */
  #last = 0

  /** Uses the addon's numbers from `first` on, `count` of them. */
  constructor(native: NativeSocket, first: number, count: number) {
    this.#native = native
    this.#first = first
    this.#arrays = new Array<Uint8Array | undefined>(count).fill(undefined)
    this.#lengths = new Array<number>(count).fill(0)
  }

  /** The number that `bytes` is pinned under, or `bytes`; pins it when it is `last`, used before. */
  find(bytes: Uint8Array, last: Uint8Array | undefined): Bytes {
    let at = this.#last
    if (this.#arrays[at] !== bytes) at = this.#arrays.indexOf(bytes)
    if (at < 0) return bytes === last ? this.#pin(bytes) : bytes
    this.#last = at
    if (bytes.length === this.#lengths[at]) return this.#first + at
    this.forget(bytes)
    return bytes
  }

  #pin(bytes: Uint8Array): Bytes {
    if (bytes.length === 0) return bytes
    const at = this.#next
    this.#next = (at + 1) % this.#arrays.length
    this.#arrays[at] = bytes
    this.#lengths[at] = bytes.length
    return this.#native.pin(this.#first + at, bytes)
  }

  /** Lets go of `bytes`, if it is pinned. */
  forget(bytes: Uint8Array | undefined): void {
    const at = bytes === undefined ? -1 : this.#arrays.indexOf(bytes)
    if (at < 0) return
    this.#arrays[at] = undefined
    this.#native.pin(this.#first + at)
  }
}
