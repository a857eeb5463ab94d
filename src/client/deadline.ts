/** One timer for many deadlines, all in milliseconds of performance.now(). */

export class DeadlineTimer {
  /** Ends what is over at `now`; returns the next deadline, or Infinity. */
  readonly #expire: (now: number) => number
  #timer: ReturnType<typeof setTimeout> | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(expire: (now: number) => number) {
    this.#expire = expire
  }
  /** Sees to it that `expire` runs at `deadline` at the latest. */
  set(deadline: number): void {
    if (deadline >= this.#at) return
    clearTimeout(this.#timer)
    this.#at = deadline
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.max(1, Math.ceil(deadline - performance.now())),
    )
  }
  clear(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#at = Number.POSITIVE_INFINITY
  }
  #fire(): void {
    this.clear()
    this.set(this.#expire(performance.now()))
  }
}
