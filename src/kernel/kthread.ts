/**
 * Kernel threads: asynchronous functions that sleep, are woken, and end when they are told to.
 *
 * Kernel: include/linux/kthread.h, kernel/kthread.c (Linux 6.12).
 */

/** What a kernel thread does, until it returns or is told to stop. */
export type ThreadFunction = (thread: Kthread) => Promise<void>

export class Kthread {
  readonly name: string
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  /** kthread_run(): starts at once, up to its first `await`. `onEnd` is called once, at the end. */
  constructor(
    name: string,
    run: ThreadFunction,
    onEnd: (thread: Kthread, error?: unknown) => void,
  ) {
    this.name = name
    this.#ended = (async () => run(this))().then(
      () => onEnd(this),
      (error) => onEnd(this, this.isInterrupted(error) ? undefined : error),
    )
  }
  /** kthread_should_stop(). */
  get shouldStop(): boolean {
    return this.#stop.signal.aborted
  }
  /** Aborted by `stop`: sleeps that take it end then. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }
  /** kthread_stop(): tells it to end, wakes it, and resolves when it has. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stop.abort()
    return this.#ended
  }
  /** Whether `error` is what its own signal threw, because it is to end. */
  isInterrupted(error: unknown): boolean {
    return this.shouldStop && error === this.#stop.signal.reason
  }
}
