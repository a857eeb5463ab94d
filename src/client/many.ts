/**
 * Many answers in one call of the socket, while many requests are in flight.
 *
 * Each datagram has a slot, which is short: only where nothing longer is expected, or where what is
 * longer can be asked for again, one by one.
 */
import type { Socket } from '../transport/transport.ts'
import { MessageWalker } from '../wire/index.ts'
import type { Flight } from './flight.ts'

/** Bytes of a slot, and how many there are. */
const SLOT = 4096
const SLOTS = 64
/** Requests in flight from which on it pays. */
const FEW = 4

/** Looks at a datagram; `cutFrom` is its length where it did not fit, else 0. */
type Look = (walker: MessageWalker, cutFrom: number) => void

export class ManyAnswers {
  #buffer: Uint8Array | undefined
  #views: DataView[] = []
  readonly #lengths = new Uint32Array(4 * SLOTS)
  readonly #walker = new MessageWalker(new DataView(new ArrayBuffer(0)))
  /** Whether an answer was too long for a slot: from then on they are taken one by one. */
  #isLong = false

  /** Takes what there is. @returns how many; 0 where it is not for this; a negative errno. */
  take(socket: Socket, flight: Flight, look: Look): number {
    if (this.#isLong || !socket.receiveMany || flight.size < FEW || !flight.isShort) return 0
    const buffer = this.#buffer ?? this.#make()
    const count = socket.receiveMany(buffer, SLOT, this.#lengths)
    for (let i = 0; i < count; i++) {
      const length = this.#lengths[4 * i] as number
      if (length > SLOT) this.#isLong = true
      look(this.#walker.reset(this.#views[i] as DataView, length), length > SLOT ? length : 0)
    }
    return count
  }

  #make(): Uint8Array {
    const buffer = new Uint8Array(SLOT * SLOTS)
    for (let i = 0; i < SLOTS; i++) this.#views.push(new DataView(buffer.buffer, i * SLOT, SLOT))
    this.#buffer = buffer
    return buffer
  }
}
