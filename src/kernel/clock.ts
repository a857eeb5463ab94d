/** Time as a kernel sees it: given from outside, so that a test can hold it still. */

/** Cancels a timer. Harmless when repeated or late. */
export type CancelTimer = () => void

/** Where a kernel takes its time from. */
export interface Clock {
  /** Milliseconds since boot, monotonic, with fractions. */
  monotonic(): number
  /** Milliseconds since the epoch. */
  realtime(): number
  /** Calls `run` once, `ms` from now. A pending timer does not keep the process alive. */
  setTimer(run: () => void, ms: number): CancelTimer
}

/** The machine's own clock; its boot is now. */
export function systemClock(): Clock {
  const boot = performance.now()
  return {
    monotonic: () => performance.now() - boot,
    realtime: () => Date.now(),
    setTimer(run, ms) {
      const timer: unknown = setTimeout(run, ms)
      if (typeof timer === 'object' && timer !== null && 'unref' in timer) {
        ;(timer as { unref(): void }).unref()
      }
      return () => clearTimeout(timer as number)
    },
  }
}
