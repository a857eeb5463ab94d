/** Finds what differs between two outcomes, and the known reason for it. */
import { readFileSync } from 'node:fs'
import type { Outcome } from './driver.ts'
import type { Scenario } from './scenario.ts'

/** One line that differs: the first of a stream. */
export interface Difference {
  /** The command, or `ip monitor`. */
  readonly step: string
  readonly stream: 'stdout' | 'stderr' | 'exit code' | 'monitor' | 'skipped' | 'run'
  /** Absent where the text is at its end. */
  readonly linux: string | undefined
  readonly nlkit: string | undefined
}

/** Why something differs. Every pattern that is given must match. */
export interface Reason {
  readonly reason: string
  /** Patterns of what the first difference of a scenario has. */
  readonly id?: string
  readonly step?: string
  readonly stream?: string
  readonly linux?: string
  readonly nlkit?: string
}

function firstLine(a: string, b: string): [string | undefined, string | undefined] | undefined {
  if (a === b) return undefined
  const left = a.split('\n')
  const right = b.split('\n')
  let n = 0
  while (n < left.length && left[n] === right[n]) n++
  return [left[n], right[n]]
}

/** The first line of each stream that differs, in the order of the steps. */
export function compare({ steps }: Scenario, linux: Outcome, nlkit: Outcome): Difference[] {
  const differences: Difference[] = []
  const look = (step: string, stream: Difference['stream'], a: string, b: string): void => {
    const first = firstLine(a, b)
    if (first) differences.push({ step, stream, linux: first[0], nlkit: first[1] })
  }
  for (const [n, step] of steps.entries()) {
    const theirs = linux.steps[n]!
    const ours = nlkit.steps[n]!
    look(step, 'stdout', theirs.stdout, ours.stdout)
    look(step, 'stderr', theirs.stderr, ours.stderr)
    look(step, 'exit code', `${theirs.code}`, `${ours.code}`)
  }
  look('ip monitor', 'monitor', linux.monitor, nlkit.monitor)
  if (differences.length === 0) differences.push(...skips(steps, linux))
  return differences
}

/** A test that says that it skips something is not passed, though both say the same. */
const SKIPS = /^.*(?:\bSKIP\b|\bskipped\b|\bskipping\b).*$/m

function skips(steps: readonly string[], linux: Outcome): Difference[] {
  return steps.flatMap((step, n): Difference[] => {
    const { stdout, stderr } = linux.steps[n]!
    const line = SKIPS.exec(stdout)?.[0] ?? SKIPS.exec(stderr)?.[0]
    return line === undefined ? [] : [{ step, stream: 'skipped', linux: line, nlkit: line }]
  })
}

/** The reasons of the data file, in order. */
export function readReasons(file: URL): Reason[] {
  return JSON.parse(readFileSync(file, 'utf8')) as Reason[]
}

/** The first reason that fits a scenario's first difference, or undefined. */
export function explain(
  id: string,
  first: Difference,
  reasons: readonly Reason[],
): Reason | undefined {
  const fits = (pattern: string | undefined, text: string | undefined): boolean =>
    pattern === undefined || (text !== undefined && new RegExp(pattern).test(text))
  return reasons.find(
    (reason) =>
      fits(reason.id, id) &&
      fits(reason.step, first.step) &&
      fits(reason.stream, first.stream) &&
      fits(reason.linux, first.linux ?? '') &&
      fits(reason.nlkit, first.nlkit ?? ''),
  )
}
