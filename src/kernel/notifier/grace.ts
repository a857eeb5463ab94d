/** Sleepable read-copy-update: who waits for the readers that began before, and for no others. */

/** The readers that began between two waits. */
interface Epoch {
  readers: number
  readonly waiting: (() => void)[]
}

/** struct srcu_struct. */
export class GracePeriods {
  /** Oldest first; the last is the one that new readers join. */
  readonly #epochs: Epoch[] = [{ readers: 0, waiting: [] }]

  /** srcu_read_lock(). */
  enter(): Epoch {
    const epoch = this.#epochs.at(-1) as Epoch
    epoch.readers++
    return epoch
  }

  /** srcu_read_unlock(). */
  leave(epoch: Epoch): void {
    epoch.readers--
    while (this.#epochs.length > 1 && this.#epochs[0]?.readers === 0) {
      for (const resume of (this.#epochs.shift() as Epoch).waiting) resume()
    }
  }

  /** synchronize_srcu(): resolves when every reader that is inside now has left. */
  synchronize(): Promise<void> {
    const epoch = this.#epochs.at(-1) as Epoch
    if (this.#epochs.length === 1 && epoch.readers === 0) return Promise.resolve()
    return new Promise((resume) => {
      const last = epoch.readers === 0 ? (this.#epochs.at(-2) as Epoch) : epoch
      last.waiting.push(resume)
      if (last === epoch) this.#epochs.push({ readers: 0, waiting: [] })
    })
  }
}
