/**
 * What waits for a peer, by whom it is from: of a receiver's room each user gets a fair share, so
 * that nobody can fill it at another's expense (dbus-broker, src/util/user.c user_charge_check()).
 *
 * With n foreign users, one more of them always finds room: each gets between 1/n and 1/n² of it.
 * The receiver's own user, and the bus itself, may use all that is left.
 */

/** Resources of a peer's queue. */
export interface Resources {
  readonly bytes: number
  readonly fds: number
}

interface Share {
  bytes: number
  fds: number
}

/** What is next in the queue: of one user's. */
interface Run extends Share {
  /** Undefined: the receiver's own. */
  readonly uid: number | undefined
}

export class Quota {
  /** Of foreign users that have something in the queue. */
  readonly #shares = new Map<number, Share>()
  /** The queue from its beginning, as soon as there is anything foreign in it. */
  #runs: Run[] = []
  #first = 0

  /**
   * Whether `uid` may add `more` to a queue that has `queued` and may have `most`; undefined is the
   * receiver's own user.
   */
  allows(uid: number | undefined, more: Resources, queued: Resources, most: Resources): boolean {
    if (more.bytes > most.bytes - queued.bytes || more.fds > most.fds - queued.fds) return false
    if (uid === undefined) return true
    const share = this.#shares.get(uid)
    const users = share ? this.#shares.size : this.#shares.size + 1
    const isFair = (charge: number, has: number, left: number): boolean =>
      charge === 0 || (users + 1) * (charge + has) - has <= left
    return (
      isFair(more.bytes, share?.bytes ?? 0, most.bytes - queued.bytes) &&
      isFair(more.fds, share?.fds ?? 0, most.fds - queued.fds)
    )
  }

  /** `more` of `uid`'s has been added behind `queued`. */
  add(uid: number | undefined, more: Resources, queued: Resources): void {
    if (this.#first === this.#runs.length) {
      if (uid === undefined) return
      if (queued.bytes > 0) this.#runs.push({ uid: undefined, ...queued })
    }
    const last = this.#runs.at(-1)
    if (last !== undefined && last.uid === uid && last.fds === 0 && more.fds === 0)
      last.bytes += more.bytes
    else this.#runs.push({ uid, bytes: more.bytes, fds: more.fds })
    if (uid === undefined) return
    const share = this.#shares.get(uid)
    if (share) {
      share.bytes += more.bytes
      share.fds += more.fds
    } else this.#shares.set(uid, { bytes: more.bytes, fds: more.fds })
  }

  /** The first `bytes` of the queue are gone. */
  take(bytes: number): void {
    let left = bytes
    while (left > 0 && this.#first < this.#runs.length) {
      const run = this.#runs[this.#first]!
      const count = Math.min(left, run.bytes)
      left -= count
      run.bytes -= count
      this.#release(run, count)
      if (run.bytes > 0) return
      this.#first++
    }
    if (this.#first === this.#runs.length && this.#first > 0) {
      this.#runs = []
      this.#first = 0
    } else if (this.#first > 64) {
      this.#runs.splice(0, this.#first)
      this.#first = 0
    }
  }

  #release(run: Run, bytes: number): void {
    if (run.uid === undefined) return
    const share = this.#shares.get(run.uid)!
    share.bytes -= bytes
    if (run.bytes > 0) return
    share.fds -= run.fds
    if (share.bytes === 0) this.#shares.delete(run.uid)
  }

  /** Nothing is in the queue any more. */
  clear(): void {
    this.#shares.clear()
    this.#runs = []
    this.#first = 0
  }
}
