/**
 * A chain as straight-line code: one call a block, each followed by one test.
 *
 * Functions of 16 calls, each ending in a static call of the next: the engine inlines callbacks up
 * to a budget for each function, and a loop over callbacks inlines none.
 */
import { NOTIFY_STOP_MASK } from './constants.ts'

/** A chain is compiled after so many calls without a change: compiling costs as much as some. */
export const DISPATCHES_TO_COMPILE = 1000

/** Blocks that one function calls. */
export const CHUNK = 16

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
  let next: unknown
  let walk: Walk
  try {
    walk = makeWalk()
    for (let at = Math.floor((targets.length - 1) / CHUNK) * CHUNK; at >= 0; at -= CHUNK) {
      next = unrollChunk(targets.slice(at, at + CHUNK), at, next, walk, resume)
    }
  } catch {
    mayCompile = false
    return undefined
  }
  return Object.assign(next as (event: unknown, data: unknown) => unknown, {
    end: walk.end,
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

/** A chain's call(), and what it does. */
export interface Entry {
  readonly call: Call
  /** Whether it calls its targets itself; never again once they are not the chain's. */
  open(isOpen: boolean): void
  /** What it runs when it is not open: the walk compiled anew behind a change. */
  take(fast: Dispatch | undefined): void
  /** Walks under way go on behind their present block by `resume`. */
  end(): void
}

/** Part of the entries' names: another copy of this file makes other ones. */
const copy = Math.floor(Math.random() * 0x7fffffff).toString(36)

/**
 * A chain's own call(). While it is open, it calls `targets` itself: they are constants of its
 * code, which the engine inlines. Behind a change it goes into what it took where there is
 * something, otherwise, and with a limit or a counter, to `slow`.
 *
 * Made once for each chain, as the engine learns by the function whom it calls. Its name is like
 * no other's: so it is found on the stack, and a call writes nothing. The gate's member has a name
 * of its own, too: as long as it was never written, the engine takes it for a constant.
 * Undefined where code may not be made from text.
 */
export function makeEntry(
  slow: SlowCall,
  targets: readonly Target[],
  resume: Resume,
): Entry | undefined {
  if (!mayCompile) return undefined
  try {
    return compileEntry(slow, targets, resume, makeWalk())
  } catch {
    mayCompile = false
    return undefined
  }
}

function compileEntry(
  slow: SlowCall,
  targets: readonly Target[],
  resume: Resume,
  walk: Walk,
): Entry {
  const open = `open${++sources}`
  // not strict: some engines drop the frame of a strict function's last call
  const source = `const gate = { ${open}: ${targets.length > 0}, fast: undefined }
  return {
    call: function notifierCallChain_${copy}_${sources}(e, d, n, c) {
      if (!gate.${open} || n !== undefined || c !== undefined) {
        const fast = gate.fast
        if (fast === undefined || n !== undefined || c !== undefined) return slow(e, d, n, c, true)
        return fast(e, d)
      }
      let r
      ${unrollCalls(targets, 0, true, walk.stop)}
      return r
    },
    open(isOpen) {
      if (isOpen !== gate.${open}) gate.${open} = isOpen
    },
    take(fast) {
      if (fast !== gate.fast) gate.fast = fast
    }
  }`
  const names = targets.map((_, i) => `b${i}`)
  const make = new Function('slow', 'state', 'resume', ...names, source)
  return { ...make(slow, walk.state, resume, ...targets), end: walk.end }
}

/** What tells walks under way that the list has changed. */
interface Walk {
  readonly state: object
  /** The member of `state` that gets the stop bit then; its name is its own, as the gate's. */
  readonly stop: string
  readonly end: () => void
}

/** @throws EvalError where code may not be made from text. */
function makeWalk(): Walk {
  const stop = `stop${++sources}`
  const source = `const state = { ${stop}: 0 }
  return { state, end() { state.${stop} = ${NOTIFY_STOP_MASK} } }`
  return { ...new Function(source)(), stop }
}

/** Calls of `targets`, the first of which is number `first`. */
function unrollCalls(
  targets: readonly Target[],
  first: number,
  isEnd: boolean,
  stop: string,
): string {
  const calls = targets.map((_, i) => {
    // behind the last one nothing is left to stop, nor was anything there when it was called
    const isLast = isEnd && i === targets.length - 1
    const stops = isLast ? '' : ` || ((r | state.${stop}) & ${NOTIFY_STOP_MASK}) !== 0`
    return `r = b${i}.call(e, d)
    if (typeof r !== 'number'${stops}) return resume(${first + i}, r, e, d)`
  })
  return calls.join('\n    ')
}

function unrollChunk(
  targets: readonly Target[],
  first: number,
  next: unknown,
  walk: Walk,
  resume: Resume,
): unknown {
  const names = targets.map((_, i) => `b${i}`)
  const source = `'use strict'
  return function notifierCallChain${++sources}(e, d) {
    let r
    ${unrollCalls(targets, first, !next, walk.stop)}
    return ${next ? 'next(e, d)' : 'r'}
  }`
  return new Function('state', 'resume', 'next', ...names, source)(
    walk.state,
    resume,
    next,
    ...targets,
  )
}
