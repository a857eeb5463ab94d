/** The event loop: giving way to it, and waiting in it for a socket. */
import type { Socket } from '../transport/transport.ts'
import { onAbort } from './abort.ts'

/** Milliseconds of work after which the loop is given a turn. */
export const TURN = 8
/** Requests between two looks at the clock. */
const CLOCK_EVERY = 32

/**
 * How long we have kept the event loop from its turn. A kernel that answers at once lets awaited
 * requests follow each other without an end, and timers and sockets would wait for ever.
 */
export class Turn {
  #work = 0
  #until = 0

  /** Whether to give way, after work that weighs as much as `requests`. */
  isOver(requests: number): boolean {
    this.#work += requests
    if (this.#work < CLOCK_EVERY) return false
    this.#work = 0
    const now = performance.now()
    if (this.#until > 0) return now >= this.#until
    this.#until = now + TURN
    later(() => {
      this.#until = 0
    })
    return false
  }
}

/** Runs `work` in a later turn of the event loop. */
export function later(work: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (work: () => void) => unknown }
  if (setImmediate) setImmediate(work)
  else setTimeout(work, 0)
}

/** Waits for a later turn of the event loop. */
export function giveWay(): Promise<void> {
  return new Promise(later)
}

/** What bounds a wait. */
export interface Patience {
  readonly signal: AbortSignal | undefined
  /** Milliseconds. */
  readonly timeout: number
  /** The reason with which to reject when time is up. */
  expired(): unknown
}

/**
 * Waits for `start`, which is given a signal that tells it to give up.
 * @throws the signal's reason unchanged, `expired()`, or what `start` rejects with.
 */
export async function within<T>(
  patience: Patience,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeout } = patience
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = (): void => stop.abort(signal?.reason)
  const timer =
    timeout === Number.POSITIVE_INFINITY
      ? undefined
      : setTimeout(() => stop.abort(patience.expired()), timeout)
  const unlisten = signal && onAbort(signal, abort)
  try {
    return await Promise.race([start(stop.signal), aborted<T>(stop.signal)])
  } finally {
    clearTimeout(timer)
    unlisten?.()
  }
}

function aborted<T>(signal: AbortSignal): Promise<T> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Waits until `socket` has something to say. */
export function readable(socket: Socket, patience: Patience): Promise<void> {
  return within(patience, (signal) => socket.readable(signal))
}
