/** Runs scenarios on both kernels, a few at a time, and says of each what differs and why. */
import { compare, type Difference, explain, type Reason } from './compare.ts'
import type { Golden } from './golden.ts'
import { normalise, withoutRelease } from './normalise.ts'
import type { Scenario } from './scenario.ts'
import { runOnLinux, runOnNlkit } from './sides.ts'

export interface Verdict {
  readonly scenario: Scenario
  /** None when the two are equal. */
  readonly differences: readonly Difference[]
  /** The known reason of the first of them. */
  readonly reason: Reason | undefined
}

export interface JudgeOptions {
  readonly golden: Golden
  readonly reasons: readonly Reason[]
  /** Scenarios that run at the same time. */
  readonly atOnce: number
  /** Compares Linux with itself. */
  readonly itself?: boolean
}

async function differencesOf(
  scenario: Scenario,
  { golden, itself = false }: JudgeOptions,
): Promise<Difference[]> {
  const script = scenario.steps.join('\n')
  try {
    const linux = normalise(
      scenario.recorded ? golden.answer(scenario) : await runOnLinux(scenario),
      script,
    )
    const nlkit = normalise(await (itself ? runOnLinux : runOnNlkit)(scenario), script)
    if (!scenario.recorded) return compare(scenario, linux, nlkit)
    return compare(scenario, withoutRelease(linux), withoutRelease(nlkit))
  } catch (error) {
    // A scenario that cannot be compared is one that is not equal.
    const { message } = error as Error
    return [{ step: 'the run', stream: 'run', linux: undefined, nlkit: message }]
  }
}

/** In the order of `scenarios`. */
export async function judge(
  scenarios: readonly Scenario[],
  options: JudgeOptions,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let n = next++; n < scenarios.length; n = next++) {
      const scenario = scenarios[n]!
      const differences = await differencesOf(scenario, options)
      const first = differences[0]
      const reason = first && explain(scenario.id, first, options.reasons)
      verdicts[n] = { scenario, differences, reason }
    }
  }
  await Promise.all(Array.from({ length: options.atOnce }, work))
  return verdicts
}
