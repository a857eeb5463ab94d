/**
 * Cases that a program does not come to because an earlier one of its own ends it.
 *
 * GLib 2.74's gapplication leaves a timer behind, in a case that has ended, which fires at an object
 * that is gone: at random within a second, so that the program ends well only where each of the next
 * daemons starts in a few milliseconds. That is shown, not believed: only when dbus-daemon itself,
 * started as late as nlkit's bus, ends the program in the same way, the cases are run one by one.
 */
import type { Failure, Judgement } from './compare.ts'
import { WHOLE } from './compare.ts'
import { type Run, runOn, startSeconds } from './run.ts'
import type { Program, Suite } from './suites.ts'

/** Whether the program ends early is a matter of chance. */
const TRIES = 5

/** The reference's run that ends as ours did, when it starts as late. */
async function endsSoToo(
  suite: Suite,
  program: Program,
  limit: number,
  { end }: Run,
): Promise<number | undefined> {
  const seconds = await startSeconds()
  for (let tries = TRIES; tries > 0; tries--)
    if ((await runOn(seconds, suite, program, limit)).end === end) return seconds
  return undefined
}

/** The judgement with such cases run alone; undefined where it stands as it is. */
export async function withCasesAlone(
  suite: Suite,
  program: Program,
  limit: number,
  ours: Run,
  judgement: Judgement,
): Promise<Judgement | undefined> {
  const { lineOf } = program
  const isEarly = judgement.failures.some(({ name }) => name === WHOLE)
  const left = judgement.failures.filter(({ what }) => what === 'not reached')
  const others = judgement.failures.filter((one) => one.name !== WHOLE && !left.includes(one))
  if (lineOf === undefined || !isEarly || left.length === 0) return undefined
  const seconds = await endsSoToo(suite, program, limit, ours)
  if (seconds === undefined) return undefined
  const failures: Failure[] = [...others]
  for (const { name } of left) {
    const { cases, end } = await runOn('nlkit', suite, { ...program, line: lineOf(name) }, limit)
    const what = cases.get(name) ?? end
    if (what !== 'ok' || end !== 'status 0') failures.push({ name, what: `alone: ${what}, ${end}` })
  }
  const late = `${Math.round(seconds * 1000)} ms late`
  return {
    ...judgement,
    passed: judgement.passing - failures.length,
    failures,
    alone: `${ours.end}, as on dbus-daemon when it starts ${late}; ${left.length} cases run alone`,
  }
}
