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
/** In every source: functions of one text would share what the engine learns of whom they call. */
let sources = 0

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
    end: () => endWalks(state),
  })
}

interface Counter {
  calls: number
}
type Call = (event: unknown, data: unknown, nrToCall?: number, counter?: Counter) => number
/** `isEntered`: it comes through the entry, which is on the stack itself. */
type SlowCall = (
  event: unknown,
  data: unknown,
  nrToCall?: number,
  counter?: Counter,
  isEntered?: boolean,
) => number

/**
 * What of a chain decides how it is called: an object of its own, of which the engine need not
 * check at each call that it is still made as it was.
 */
export interface Gate {
  /** Another number after each change, and while the chain has to wait. */
  number: number
  /** The walk compiled anew behind a change. */
  fast: Dispatch | undefined
}

/** Part of the entries' names: another copy of this file makes other ones. */
const copy = Math.floor(Math.random() * 0x7fffffff).toString(36)

/**
 * A chain's own call(). As long as `gate.number` is what it is now, it calls `targets` itself: they
 * are constants of its code, which the engine inlines. Behind a change it goes into `gate.fast`
 * where there is one, otherwise, and with a limit or a counter, to `slow`.
 *
 * Made once for each chain, as the engine learns by the function whom it calls. Its name is like
 * no other's: so it is found on the stack, and a call writes nothing. Undefined where code may not
 * be made from text.
 */
export function makeEntry(
  gate: Gate,
  slow: SlowCall,
  targets: readonly Target[],
  resume: Resume,
): { readonly call: Call; end(): void } | undefined {
  if (!mayCompile) return undefined
  const state = { stop: 0 }
  const own = targets.length > CHUNK ? [] : targets
  const number = own.length > 0 ? gate.number : -1
  // not strict: some engines drop the frame of a strict function's last call
  const source = `return function notifierCallChain_${copy}_${++sources}(e, d, n, c) {
    if (gate.number !== ${number} || n !== undefined || c !== undefined) {
      const fast = gate.fast
      if (fast === undefined || n !== undefined || c !== undefined) return slow(e, d, n, c, true)
      return fast(e, d)
    }
    let r
    ${unrollCalls(own, 0, true)}
    return r
  }`
  const names = own.map((_, i) => `b${i}`)
  try {
    const make = new Function('gate', 'slow', 'state', 'resume', ...names, source)
    return { call: make(gate, slow, state, resume, ...own), end: () => endWalks(state) }
  } catch {
    mayCompile = false
    return undefined
  }
}

interface WalkState {
  stop: number
}

/** Walks under way go on behind their present block by `resume`. */
function endWalks(state: WalkState): void {
  state.stop = NOTIFY_STOP_MASK
}

/** Calls of `targets`, the first of which is number `first`. */
function unrollCalls(targets: readonly Target[], first: number, isEnd: boolean): string {
  const calls = targets.map((_, i) => {
    // behind the last one nothing is left to stop, nor was anything there when it was called
    const isLast = isEnd && i === targets.length - 1
    const stops = isLast ? '' : ` || ((r | state.stop) & ${NOTIFY_STOP_MASK}) !== 0`
    return `r = b${i}.call(e, d)
    if (typeof r !== 'number'${stops}) return resume(${first + i}, r, e, d)`
  })
  return calls.join('\n    ')
}

function unrollChunk(
  targets: readonly Target[],
  first: number,
  next: unknown,
  state: WalkState,
  resume: Resume,
): unknown {
  const names = targets.map((_, i) => `b${i}`)
  const source = `'use strict'
  return function notifierCallChain${++sources}(e, d) {
    let r
    ${unrollCalls(targets, first, !next)}
    return ${next ? 'next(e, d)' : 'r'}
  }`
  return new Function('state', 'resume', 'next', ...names, source)(state, resume, next, ...targets)
}
