/** Requests that were sent and not yet answered, and what their answers may cost. */
import type { Pending } from './pending.ts'

/** Bytes of a request that an error may repeat, where answers are to be short. */
const SHORT = 2048

/** Places of the table at first, and at most. */
const FEWEST = 64
const MOST = 4096

export class Flight {
  /**
   * By the low bits of their numbers, which are given one after another. No Map: one whose entries
   * come and go makes a new table every so often, and each old table keeps the next one alive.
   */
  #table = new Array<Pending | undefined>(FEWEST).fill(undefined)
  /** Those whose place was taken. */
  readonly #others = new Map<number, Pending>()
  #size = 0
  /** Bytes of the receive buffer. */
  #cost = 0
  #window = 0
  #limit = 0
  /** Whether no answer was ever expected that is long, or that cannot be asked for again. */
  isShort = true

  get size(): number {
    return this.#size
  }
  /** The most that the answers on their way may cost, bytes. */
  set limit(bytes: number) {
    this.#limit = this.#window = bytes
  }
  /** Adds a request while there is room for its answers; one is always let pass. */
  admit(pending: Pending): boolean {
    const { cost, call } = pending
    if (this.#size > 0 && this.#cost + cost > this.#window) return false
    if (pending.length > SHORT || (!call.read && call.reply !== undefined)) this.isShort = false
    pending.charge = cost
    this.#cost += cost
    this.#size++
    this.#put(pending)
    return true
  }
  get(seq: number): Pending | undefined {
    const found = this.#table[seq & (this.#table.length - 1)]
    if (found !== undefined && found.exchange.seq === seq) return found
    return this.#others.size === 0 ? undefined : this.#others.get(seq)
  }
  release(pending: Pending): void {
    const { seq } = pending.exchange
    const at = seq & (this.#table.length - 1)
    if (this.#table[at] === pending) this.#table[at] = undefined
    else if (this.#others.get(seq) !== pending) return
    else this.#others.delete(seq)
    this.#size--
    this.#cost -= pending.charge
  }
  /** In the order in which they were sent. */
  all(): Pending[] {
    if (this.#size === 0) return []
    const all = this.#table.filter((pending) => pending !== undefined)
    return [...all, ...this.#others.values()].sort((a, b) => (a.exchange.seq - b.exchange.seq) | 0)
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

  #put(pending: Pending): void {
    const { seq } = pending.exchange
    while (this.#table[seq & (this.#table.length - 1)] !== undefined) {
      if (this.#table.length < MOST) this.#grow()
      else {
        this.#others.set(seq, pending)
        return
      }
    }
    this.#table[seq & (this.#table.length - 1)] = pending
  }

  #grow(): void {
    const before = this.#table
    const table = new Array<Pending | undefined>(2 * before.length).fill(undefined)
    for (const pending of before)
      if (pending) table[pending.exchange.seq & (table.length - 1)] = pending
    this.#table = table
  }
}
