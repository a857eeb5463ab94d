/**
 * Wait queues: who sleeps until something happens, and is woken by whom it happens to.
 *
 * Kernel: include/linux/wait.h, kernel/sched/wait.c (Linux 6.12).
 */

/** A wait queue head: tasks that sleep on it, in the order in which they went to sleep. */
export class WaitQueue {
  readonly #sleepers = new Set<() => void>()

  /** waitqueue_active(): whether somebody sleeps. */
  get isActive(): boolean {
    return this.#sleepers.size > 0
  }
  /**
   * prepare_to_wait(): `wake` is called once, at the next wake-up.
   * @returns finish_wait(): takes it back; harmless when repeated or late.
   */
  add(wake: () => void): () => void {
    const sleeper = (): void => wake()
    this.#sleepers.add(sleeper)
    return () => this.#sleepers.delete(sleeper)
  }
  /** wake_up_interruptible_all(): wakes those who sleep now; who sleeps again sleeps on. */
  wakeUp(): void {
    if (this.#sleepers.size === 0) return
    const sleepers = [...this.#sleepers]
    this.#sleepers.clear()
    for (const wake of sleepers) wake()
  }
  /**
   * wait_event_interruptible(): sleeps until `condition` holds, which is asked at once and at each
   * wake-up. A condition that throws rejects.
   * @returns true; false when the signal came first (-ERESTARTSYS).
   */
  waitEvent(condition: () => boolean, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let leave = (): void => {}
      const settle = (holds: boolean): void => {
        leave()
        signal?.removeEventListener('abort', interrupt)
        resolve(holds)
      }
      const interrupt = (): void => settle(false)
      const look = (): void => {
        try {
          if (condition()) settle(true)
          else if (signal?.aborted) settle(false)
          else leave = this.add(look)
        } catch (error) {
          signal?.removeEventListener('abort', interrupt)
          reject(error)
        }
      }
      signal?.addEventListener('abort', interrupt, { once: true })
      look()
    })
  }
}
