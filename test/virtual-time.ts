/**
 * Time that stands still until a test moves it: `performance.now()`, `setTimeout()` and
 * `clearTimeout()` of this thread. What would wait for a timer then costs no time, and two runs
 * of the same are the same.
 */

interface Timer {
  readonly at: number
  readonly run: () => void
}

export class VirtualTime {
  #now = 1_000_000
  #timers = new Map<number, Timer>()
  #last = 0
  readonly #undo: () => void

  constructor() {
    const { setTimeout, clearTimeout } = globalThis
    const now = Object.getOwnPropertyDescriptor(performance, 'now')
    Object.defineProperty(performance, 'now', { value: () => this.#now, configurable: true })
    const set = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): number => {
      this.#timers.set(++this.#last, { at: this.#now + Math.max(1, ms), run: () => run(...args) })
      return this.#last
    }
    Object.assign(globalThis, {
      setTimeout: set,
      clearTimeout: (id: unknown) => void this.#timers.delete(id as number),
    })
    this.#undo = () => {
      Object.assign(globalThis, { setTimeout, clearTimeout })
      if (now) Object.defineProperty(performance, 'now', now)
      else delete (performance as { now?: unknown }).now
    }
  }
  /** Goes on to the next timer, and runs it. @returns whether there was one. */
  advance(): boolean {
    let first: [number, Timer] | undefined
    for (const entry of this.#timers) if (!first || entry[1].at < first[1].at) first = entry
    if (!first) return false
    const [id, timer] = first
    this.#timers.delete(id)
    this.#now = Math.max(this.#now, timer.at)
    timer.run()
    return true
  }
  /** Forgets what waits; whose it was is gone. */
  forget(): void {
    this.#timers.clear()
  }
  /** Gives the real time back. */
  end(): void {
    this.#undo()
  }
}
