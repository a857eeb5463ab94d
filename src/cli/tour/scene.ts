/** What a scene of the tour is, and the stage on which it shows something and checks it. */
import { isDeepStrictEqual } from 'node:util'
import { toJson } from '../json.ts'
import type { Output } from '../output.ts'
import { type Column, formatTable } from '../table.ts'
import type { Side } from './sides.ts'

/** One scene. Each has a file; scenes.ts has their order. */
export interface Scene {
  /** Its number, by which it is spoken of. */
  readonly number: string
  readonly title: string
  /** @throws SceneFailure when something is not as it should be. */
  run(stage: Stage): Promise<void>
}

/** Something was not as a scene expected it. */
export class SceneFailure extends Error {}

export class Stage {
  readonly out: Output
  /** This machine's kernel and nlkit's, each in a namespace of its own for the whole scene. */
  readonly sides: readonly Side[]
  /** Ctrl-C, and the scene's time running out. */
  readonly signal: AbortSignal

  constructor(out: Output, sides: readonly Side[], signal: AbortSignal) {
    this.out = out
    this.sides = sides
    this.signal = signal
  }

  say(...lines: readonly string[]): void {
    this.out.lines(lines.map((line) => `  ${line}`.trimEnd()))
  }

  /** The lines of TypeScript that are about to run. */
  code(...lines: readonly string[]): void {
    this.say(...lines.map((line) => this.out.style('cyan', line)), '')
  }

  /** Columns that belong together, one for each kernel. */
  columns(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    const columns: Column[] = headings.map((heading) => ({
      heading: this.out.style('bold', heading),
    }))
    this.say(...formatTable(columns, rows), '')
  }

  /** @throws SceneFailure that shows both, unless they are equal. */
  equal(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return
    throw new SceneFailure(`${what}: expected ${toJson(expected)}, got ${toJson(actual)}`)
  }

  /** @throws SceneFailure that shows the first difference, unless the lists are equal. */
  equalLists(what: string, actual: readonly unknown[], expected: readonly unknown[]): void {
    for (let at = 0; at < Math.max(actual.length, expected.length); at++)
      this.equal(`${what}, number ${at + 1}`, actual[at], expected[at])
  }

  /** What has just been checked. */
  held(what: string): void {
    this.say(`${this.out.style('green', '✓')} ${what}`)
  }
}
