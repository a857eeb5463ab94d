/** Runs what undoes things, in order, whether it takes time or not. */
import type { Undo } from './definition.ts'

/** Something takes until it resolves, and never rejects; nothing: it is done. */
export type Ending = PromiseLike<void> | undefined

/**
 * Calls `undos` one after the other; each waits for the promise of the one before, and all run
 * whatever fails. At once, as long as none returns a promise.
 * @returns a promise when one was returned; it does not reject.
 */
export function runInOrder(undos: readonly Undo[], failed: (error: unknown) => void): Ending {
  for (const [i, undo] of undos.entries()) {
    try {
      const result = undo()
      if (result instanceof Promise) {
        return result.then(() => {}, failed).then(() => runInOrder(undos.slice(i + 1), failed))
      }
    } catch (error) {
      failed(error)
    }
  }
  return undefined
}

/** Does `then` behind `first`: at once when there is no promise. */
export function after(first: Ending, then: () => void): Ending {
  if (first !== undefined) return first.then(then)
  then()
  return undefined
}
