/**
 * The rest of a walk whose blocks answer promises, as straight-line code: one call a block, awaited.
 *
 * The counterpart of compile.ts for chains that wait: a loop would call every block through one
 * place, from which the engine inlines none.
 */
import { NOTIFY_DONE, NOTIFY_STOP_MASK } from './constants.ts'
import type { ReadSide } from './skin.ts'

/** Walks that wait before their rest is compiled: compiling costs as much as some. */
export const WAITS_TO_COMPILE = 100

/** A longer chain is walked by a loop. */
const MOST_BLOCKS = 256

interface Target {
  call(event: unknown, data: unknown): unknown
}

/** What a compiled rest needs of its chain. */
export interface TailHost {
  /** Tells whether a callback of the chain is on the stack. */
  readonly list: { isInside: boolean }
  /** What block number `at` answered as a number. @throws NetlinkError for what is none. */
  settle(given: unknown, at: number): number
  /** Goes on behind block number `at`, which answered `answer`: the list is another one now. */
  goOn(at: number, answer: number, event: unknown, data: unknown): Promise<number>
}

/** Awaits what block number `at` answered, and calls those behind it. */
export interface Tail {
  (at: number, given: unknown, event: unknown, data: unknown): Promise<number>
  /** Walks under way go on behind their present block by `goOn`. */
  end(): void
}

let mayCompile = true

/** The rest of a walk over `targets`; undefined where code may not be made from text. */
export function makeTail(
  targets: readonly Target[],
  host: TailHost,
  readSide: ReadSide<unknown>,
): Tail | undefined {
  if (!mayCompile || targets.length > MOST_BLOCKS) return undefined
  const source = `'use strict'
  const state = { isOver: false }
  const { list } = host
  const tail = async (at, r, e, d) => {
    const token = readSide.enter()
    try {
      switch (at) {
        ${targets.map((_, i) => step(i, i === targets.length - 1)).join('\n        ')}
      }
    } catch (error) {
      list.isInside = false
      readSide.leave(token)
      throw error
    }
    readSide.leave(token)
    return r
  }
  tail.end = () => { state.isOver = true }
  return tail`
  const names = targets.map((_, i) => `b${i}`)
  try {
    return new Function('host', 'readSide', ...names, source)(host, readSide, ...targets)
  } catch {
    mayCompile = false
    return undefined
  }
}

/** Entered with block `i`'s answer in `r`, left with that of the next one. */
function step(i: number, isLast: boolean): string {
  const settle = `if (typeof r !== 'number') {
          r = await r
          if (r === undefined) r = ${NOTIFY_DONE}
          else if (typeof r !== 'number') r = host.settle(r, ${i})
        }`
  if (isLast) return `case ${i}: ${settle}`
  return `case ${i}: ${settle}
        if (r & ${NOTIFY_STOP_MASK}) break
        if (state.isOver) {
          r = await host.goOn(${i}, r, e, d)
          break
        }
        list.isInside = true
        r = b${i + 1}.call(e, d)
        list.isInside = false`
}
