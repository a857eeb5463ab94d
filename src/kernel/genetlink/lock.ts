/**
 * genl_mutex, as far as it can be seen: while an asynchronous handler runs, others wait in order.
 *
 * Kernel: net/netlink/genetlink.c genl_lock(), genl_op_lock().
 */
import type { Handled } from '../netlink/rcv.ts'

type Result = Handled | Promise<Handled>

export class HandlerLock {
  #last: Promise<unknown> | undefined

  /** Calls `handle` now, or when those before it are done. What it throws passes. */
  run(handle: () => Result): Result {
    const result = this.#last === undefined ? handle() : this.#last.then(handle)
    return typeof result === 'number' ? result : this.hold(result)
  }
  /** Whether nothing is under way. */
  get isFree(): boolean {
    return this.#last === undefined
  }
  /** What comes next waits for `result`. */
  hold(result: Promise<Handled>): Promise<Handled> {
    const settled = result.then(nothing, nothing)
    this.#last = settled
    settled.then(() => {
      if (this.#last === settled) this.#last = undefined
    }, nothing)
    return result
  }
}

function nothing(): void {}
