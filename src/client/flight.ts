/** Requests that were sent and not yet answered, and what their answers may cost. */
import type { Pending } from './pending.ts'

export class Flight {
  readonly #bySeq = new Map<number, Pending>()
  /** Bytes of the receive buffer. */
  #cost = 0
  #window = 0
  #limit = 0

  get size(): number {
    return this.#bySeq.size
  }
  /** The most that the answers on their way may cost, bytes. */
  set limit(bytes: number) {
    this.#limit = this.#window = bytes
  }
  /** Adds a request while there is room for its answers; one is always let pass. */
  admit(pending: Pending): boolean {
    const { cost } = pending
    if (this.#bySeq.size > 0 && this.#cost + cost > this.#window) return false
    pending.charge = cost
    this.#cost += cost
    this.#bySeq.set(pending.exchange.seq, pending)
    return true
  }
  get(seq: number): Pending | undefined {
    return this.#bySeq.get(seq)
  }
  release(pending: Pending): void {
    if (this.#bySeq.delete(pending.exchange.seq)) this.#cost -= pending.charge
  }
  all(): Pending[] {
    return [...this.#bySeq.values()]
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
