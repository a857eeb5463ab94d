/** Judges a program's run on nlkit by the one on dbus-daemon. */
import type { Run } from './run.ts'

export interface Failure {
  /** The case, or the program as a whole. */
  readonly name: string
  readonly what: string
}

export interface Judgement {
  /** Cases that pass on dbus-daemon, and how many of them pass here. */
  readonly passing: number
  readonly passed: number
  /** Cases that are skipped on both. */
  readonly skipped: number
  /** Cases that fail on dbus-daemon: they say nothing of nlkit. */
  readonly broken: readonly string[]
  readonly failures: readonly Failure[]
  /** Why cases were run alone, where they were. */
  readonly alone?: string
}

export const WHOLE = '(program)'

export function compare(baseline: Run, ours: Run): Judgement {
  const failures: Failure[] = []
  const broken: string[] = []
  let [passing, passed, skipped] = [0, 0, 0]
  for (const [name, verdict] of baseline.cases) {
    const here = ours.cases.get(name)
    if (verdict === 'not ok') broken.push(name)
    if (verdict === 'skip' && here !== 'not ok') skipped++
    if (verdict !== 'ok' && here !== 'not ok') continue
    if (verdict === 'not ok') continue
    passing++
    if (here === 'ok') passed++
    else failures.push({ name, what: here ?? 'not reached' })
  }
  for (const [name, verdict] of ours.cases)
    if (verdict === 'not ok' && !baseline.cases.has(name)) failures.push({ name, what: verdict })
  if (ours.end !== baseline.end)
    failures.push({ name: WHOLE, what: `${ours.end}; on dbus-daemon ${baseline.end}` })
  return { passing, passed, skipped, broken, failures }
}
