/** What is asked again: requests whose answers did not fit, or were lost. */
import { HOST_LE, type MessageWalker, NLMSG_HDRLEN, viewOf } from '../wire/index.ts'
import type { Flight } from './flight.ts'
import { MOST_REPEATS } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { lost, type Pending } from './pending.ts'

export class Repeats {
  readonly #flight: Flight
  readonly #outbox: Outbox
  readonly #nextSeq: () => number

  constructor(flight: Flight, outbox: Outbox, nextSeq: () => number) {
    this.#flight = flight
    this.#outbox = outbox
    this.#nextSeq = nextSeq
  }

  /** The buffer was too small for the message before which `m` stopped. */
  afterCut(m: MessageWalker, size: number): void {
    const hasHeader = m.leftover >= NLMSG_HDRLEN
    const seq = hasHeader ? m.view.getUint32(m.size - m.leftover + 8, HOST_LE) : 0
    for (const pending of this.#flight.all()) {
      if (!hasHeader || pending.exchange.seq === seq)
        this.#again(pending, `an answer of ${size} bytes did not fit`)
    }
  }

  /** What is unanswered stays so. */
  afterLoss(): void {
    this.#flight.narrow()
    for (const pending of this.#flight.all())
      this.#again(pending, 'the kernel had no room for the answer')
  }

  /** Asks again what may be asked again, under a number of its own. */
  #again(pending: Pending, why: string): void {
    this.#flight.release(pending)
    if (!pending.call.read || pending.repeats++ >= MOST_REPEATS) {
      pending.reject(lost(pending.call.name, why))
      return
    }
    pending.keep(this.#outbox.writer.bytes)
    const seq = this.#nextSeq()
    viewOf(pending.bytes as Uint8Array).setUint32(8, seq, HOST_LE)
    pending.exchange.restart(seq)
    pending.value = undefined
    this.#outbox.putFirst([pending])
  }
}
