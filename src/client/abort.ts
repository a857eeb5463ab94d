/** One listener a signal, however many calls share it: a thousand would make the runtime warn of a leak. */

/** Who waits on a signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** Calls `run` once `signal` is aborted; what is returned takes that back. Harmless when repeated. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const all = waiting.get(signal) ?? listen(signal)
  all.add(run)
  return () => {
    if (all.delete(run) && all.size === 0) forget(signal)
  }
}

function listen(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>()
  waiting.set(signal, all)
  signal.addEventListener('abort', abort, { once: true })
  return all
}

function forget(signal: AbortSignal): void {
  waiting.delete(signal)
  signal.removeEventListener('abort', abort)
}

function abort(this: AbortSignal): void {
  const all = waiting.get(this) ?? []
  waiting.delete(this)
  for (const run of all) run()
}
