/**
 * A chain as straight-line code: one call a block, each followed by one test.
 *
 * Functions of 16 calls, each ending in a static call of the next: the engine inlines callbacks up
 * to a budget for each function, and a loop over callbacks inlines none.
 */
import { NOTIFY_STOP_MASK } from './constants.ts'

/** A chain is compiled after so many calls without a change: compiling costs as much as some. */
export const DISPATCHES_TO_COMPILE = 1000

const CHUNK = 16

/** Calls every block; `end()` makes a call under way go on behind its present block. */
export interface Dispatch {
  (event: unknown, data: unknown): unknown
  end(): void
}

/** Takes over a walk behind block number `at`, which answered `given`. */
export type Resume = (at: number, given: unknown, event: unknown, data: unknown) => unknown

interface Target {
  call(event: unknown, data: unknown): unknown
}

let mayCompile = true

/**
 * The walk over `targets`. `resume` gets it when a block answers no number or one with the stop
 * bit, and when end() was called meanwhile. Undefined where code may not be made from text, and
 * for no targets.
 */
export function unroll(targets: readonly Target[], resume: Resume): Dispatch | undefined {
  if (!mayCompile || targets.length === 0) return undefined
  const state = { stop: 0 }
  let next: unknown
  try {
    for (let at = Math.floor((targets.length - 1) / CHUNK) * CHUNK; at >= 0; at -= CHUNK) {
      next = unrollChunk(targets.slice(at, at + CHUNK), at, next, state, resume)
    }
  } catch {
    mayCompile = false
    return undefined
  }
  return Object.assign(next as (event: unknown, data: unknown) => unknown, {
    end: () => {
      state.stop = NOTIFY_STOP_MASK
    },
  })
}

type Call = (
  event: unknown,
  data: unknown,
  nrToCall?: number,
  counter?: { calls: number },
) => number

interface Entered {
  isInside: boolean
  readonly dispatch: Dispatch | undefined
}

/**
 * A chain's own call(): straight into its `dispatch` where it has one, otherwise, and with a limit
 * or a counter, to `slow`. Made anew for each chain, as the engine learns by the function whom it
 * calls. When `isTracked`, `chain.isInside` says so while callbacks are on the stack. Undefined
 * where code may not be made from text.
 */
export function makeEntry(chain: Entered, slow: Call, isTracked: boolean): Call | undefined {
  if (!mayCompile) return undefined
  const body = isTracked
    ? `if (chain.isInside) return slow(e, d)
    chain.isInside = true
    try {
      return dispatch(e, d)
    } finally {
      chain.isInside = false
    }`
    : 'return dispatch(e, d)'
  const source = `'use strict'
  return function call(e, d, n, c) {
    const dispatch = chain.dispatch
    if (dispatch === undefined || n !== undefined || c !== undefined) return slow(e, d, n, c)
    ${body}
  }`
  try {
    return new Function('chain', 'slow', source)(chain, slow)
  } catch {
    mayCompile = false
    return undefined
  }
}

function unrollChunk(
  targets: readonly Target[],
  first: number,
  next: unknown,
  state: { stop: number },
  resume: Resume,
): unknown {
  const calls = targets.map(
    (_, i) => `r = b${i}.call(e, d)
    if (typeof r !== 'number' || ((r | state.stop) & ${NOTIFY_STOP_MASK}) !== 0) return resume(${first + i}, r, e, d)`,
  )
  const names = targets.map((_, i) => `b${i}`)
  const source = `'use strict'
  return function notifierCallChain(e, d) {
    let r
    ${calls.join('\n    ')}
    return ${next ? 'next(e, d)' : 'r'}
  }`
  return new Function('state', 'resume', 'next', ...names, source)(state, resume, next, ...targets)
}
