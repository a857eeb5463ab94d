/** What a full Linux answered, recorded once, for scenarios that this machine's kernel cannot do. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import type { Outcome } from './driver.ts'
import { normalise } from './normalise.ts'
import { digest, type Scenario } from './scenario.ts'
import { runOnLinux } from './sides.ts'

/** One file: a Linux release, and its answers by a scenario's id, with what was asked. */
interface Recording {
  readonly release: string
  readonly answers: Readonly<Record<string, { readonly digest: string; readonly outcome: Outcome }>>
}

export interface Golden {
  /** @throws Error when nothing was recorded, or something else under that name */
  answer(scenario: Scenario): Outcome
}

export function readGolden(folder: URL): Golden {
  const recordings = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Recording)
  return {
    answer(scenario) {
      const found = recordings
        .map(({ answers }) => answers[scenario.id])
        .find((answer) => answer?.digest === digest(scenario))
      if (!found) throw new Error('Linux`s answer is not recorded')
      return found.outcome
    },
  }
}

/** How many times its own time a scenario may take where it is recorded: machines are emulated there. */
const PATIENCE = 4

/**
 * Runs them on this machine, one after another; one that does not come to its end is not recorded.
 * `keep` gets what a file of recordings holds, each time that there is more of it.
 */
export async function record(
  scenarios: readonly Scenario[],
  keep: (text: string) => void,
): Promise<{ recorded: number; failed: number }> {
  const answers: Record<string, { digest: string; outcome: Outcome }> = {}
  let failed = 0
  for (const scenario of scenarios) {
    const start = performance.now()
    const took = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`
    try {
      const outcome = normalise(await runOnLinux(scenario, PATIENCE), scenario.steps.join('\n'))
      answers[scenario.id] = { digest: digest(scenario), outcome }
      keep(`${JSON.stringify({ release: release(), answers }, undefined, 2)}\n`)
      console.log(`recorded ${scenario.id} (${took()})`)
    } catch (error) {
      failed++
      console.log(`not recorded: ${scenario.id}: ${(error as Error).message} (${took()})`)
    }
  }
  return { recorded: Object.keys(answers).length, failed }
}
