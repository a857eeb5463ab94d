/** A reader-writer lock for code that waits by promises (struct rw_semaphore): first come, first served. */

interface Waiter {
  readonly isWriter: boolean
  /** Runs with the lock held. */
  readonly run: () => void
}

export class ReadWriteLock {
  #readers = 0
  #isWritten = false
  #isServing = false
  readonly #queue: Waiter[] = []

  /** Whether a reader would wait. */
  get isContended(): boolean {
    return this.#isWritten || this.#queue.length > 0
  }

  /** Whether a writer would wait. */
  get isHeld(): boolean {
    return this.isContended || this.#readers > 0
  }

  /** Takes the lock for a reader who is inside already. */
  enter(): void {
    this.#readers++
  }

  leave(): void {
    this.#readers--
    this.#serve()
  }

  /** Takes the lock, which nobody holds, for a writer. */
  enterWrite(): void {
    this.#isWritten = true
  }

  leaveWrite(): void {
    this.#isWritten = false
    this.#serve()
  }

  /** Resolves when the lock is held for reading. */
  read(): Promise<void> {
    return new Promise((run) => this.#queue.push({ isWriter: false, run }))
  }

  /** Resolves when the lock is held for writing. */
  write(): Promise<void> {
    return new Promise((run) => this.#queue.push({ isWriter: true, run }))
  }

  /** Does `change`, which waits for nothing, with the lock held for writing. */
  queueChange(change: () => void): void {
    this.#queue.push({
      isWriter: true,
      run: () => {
        this.#isWritten = false
        change()
      },
    })
  }

  #serve(): void {
    if (this.#isServing) return
    this.#isServing = true
    let served = 0
    for (; served < this.#queue.length && !this.#isWritten; served++) {
      const { isWriter, run } = this.#queue[served] as Waiter
      if (isWriter && this.#readers > 0) break
      if (isWriter) this.#isWritten = true
      else this.#readers++
      run()
    }
    this.#queue.splice(0, served)
    this.#isServing = false
  }
}
