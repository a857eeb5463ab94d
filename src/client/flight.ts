/** Requests that were sent and not yet answered, and what their answers may cost. */
import type { Pending } from './pending.ts'

export class Flight {
  /** The only one, which needs no map. */
  #only: Pending | undefined
  readonly #bySeq = new Map<number, Pending>()
  /** Bytes of the receive buffer. */
  #cost = 0
  #window = 0
  #limit = 0

  get size(): number {
    return this.#bySeq.size + (this.#only === undefined ? 0 : 1)
  }
  /** The most that the answers on their way may cost, bytes. */
  set limit(bytes: number) {
    this.#limit = this.#window = bytes
  }
  /** Adds a request while there is room for its answers; one is always let pass. */
  admit(pending: Pending): boolean {
    if (this.size === 0) this.#only = pending
    else if (this.#cost + pending.cost > this.#window) return false
    else this.#bySeq.set(pending.exchange.seq, pending)
    pending.charge = pending.cost
    this.#cost += pending.charge
    return true
  }
  get(seq: number): Pending | undefined {
    return this.#only?.exchange.seq === seq ? this.#only : this.#bySeq.get(seq)
  }
  release(pending: Pending): void {
    if (this.#only === pending) this.#only = undefined
    else if (!this.#bySeq.delete(pending.exchange.seq)) return
    this.#cost -= pending.charge
  }
  all(): Pending[] {
    const rest = [...this.#bySeq.values()]
    return this.#only === undefined ? rest : [this.#only, ...rest]
  }
  /**
   * Takes the quiet requests that were made before one that was answered, even refused: what fails
   * is told in order, so these are done.
   */
  takeCovered(acknowledged: Pending): Pending[] {
    const covered = this.all().filter(({ isQuiet, place }) => isQuiet && place < acknowledged.place)
    for (const pending of covered) this.release(pending)
    return covered
  }
  /** After an overrun: answers were longer than expected. */
  narrow(): void {
    this.#window /= 2
  }
  /** All were answered. */
  widen(): void {
    if (this.#window < this.#limit) this.#window = Math.min(this.#limit, this.#window * 2)
  }
}
