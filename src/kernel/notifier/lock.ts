/** A reader-writer lock for code that waits by promises (struct rw_semaphore): first come, first served. */

interface Waiter {
  readonly isWriter: boolean
  /** Runs with the lock held. */
  readonly run: () => void
}

export class ReadWriteLock {
  readonly #tell: (isContended: boolean) => void
  #readers = 0
  #isWritten = false
  #isServing = false
  #wasContended = false
  readonly #queue: Waiter[] = []

  /** `tell` hears when readers have to wait from now on, and when no longer. */
  constructor(tell: (isContended: boolean) => void) {
    this.#tell = tell
  }

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
    if (this.#queue.length > 0) this.#serve()
  }

  /** Takes the lock, which nobody holds, for a writer. */
  enterWrite(): void {
    this.#isWritten = true
    this.#changed()
  }

  leaveWrite(): void {
    this.#isWritten = false
    this.#serve()
  }

  /** Resolves when the lock is held for reading. */
  read(): Promise<void> {
    return new Promise((run) => this.#wait({ isWriter: false, run }))
  }

  /** Resolves when the lock is held for writing. */
  write(): Promise<void> {
    return new Promise((run) => this.#wait({ isWriter: true, run }))
  }

  /** Does `change`, which waits for nothing, with the lock held for writing. */
  queueChange(change: () => void): void {
    this.#wait({
      isWriter: true,
      run: () => {
        this.#isWritten = false
        change()
      },
    })
  }

  #wait(waiter: Waiter): void {
    this.#queue.push(waiter)
    this.#changed()
  }

  #changed(): void {
    const { isContended } = this
    if (isContended === this.#wasContended) return
    this.#wasContended = isContended
    this.#tell(isContended)
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
    this.#changed()
  }
}
