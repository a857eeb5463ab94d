/** Runs random scripts on dbus-daemon and on nlkit, and shortens one whose transcripts differ. */
import { type Daemon, startDaemon } from './daemons.ts'
import { randomSteps } from './random-steps.ts'
import { describe, type Step, transcript } from './script.ts'

export interface Difference {
  readonly seed: number
  /** The shortest script that was found. */
  readonly steps: readonly string[]
  readonly reference: readonly string[]
  readonly ours: readonly string[]
}

export interface Report {
  readonly scripts: number
  readonly steps: number
  readonly lines: number
  readonly differences: readonly Difference[]
}

const STEPS = 40
const SERVICES = {
  'com.example.NoExec.service':
    '[D-BUS Service]\nName=com.example.NoExec\nExec=/nonexistent/program\n',
}
/** A script that differs is run so often again, to shorten it. */
const TRIES = 120
/** So many are shown; then it is known that something is wrong. */
const ENOUGH = 10

async function differs(
  [reference, ours]: readonly Daemon[],
  steps: readonly Step[],
): Promise<[string[], string[]] | undefined> {
  const there = await transcript(reference!, steps)
  const here = await transcript(ours!, steps)
  return there.join('\n') === here.join('\n') ? undefined : [there, here]
}

/** Leaves out steps, many at once and then one by one, as long as the two differ. */
async function shorten(daemons: readonly Daemon[], steps: Step[]): Promise<Step[]> {
  let tries = TRIES
  for (
    let size = Math.ceil(steps.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  )
    for (let at = 0; at < steps.length && tries > 0; ) {
      tries--
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)]
      if (await differs(daemons, fewer)) steps = fewer
      else at += size
    }
  return steps
}

export interface DifferOptions {
  readonly count: number
  readonly seed: number
  readonly onProgress?: (done: number) => void
}

export async function differ({ count, seed, onProgress }: DifferOptions): Promise<Report> {
  const daemons: Daemon[] = []
  const differences: Difference[] = []
  let [scripts, steps, lines] = [0, 0, 0]
  try {
    for (const side of ['dbus-daemon', 'nlkit'] as const)
      daemons.push(await startDaemon(side, { services: SERVICES }))
    for (; scripts < count && differences.length < ENOUGH; scripts++) {
      const script = randomSteps(seed + scripts, STEPS)
      const there = await transcript(daemons[0]!, script)
      const here = await transcript(daemons[1]!, script)
      steps += script.length
      lines += there.length
      onProgress?.(scripts + 1)
      if (there.join('\n') === here.join('\n')) continue
      const short = await shorten(daemons, script)
      const [reference, ours] = (await differs(daemons, short)) ?? [there, here]
      const shown = short.map((step) => `${step.who}: ${describe(step)}`)
      differences.push({ seed: seed + scripts, steps: shown, reference, ours })
    }
  } finally {
    for (const daemon of daemons) await daemon.stop()
  }
  return { scripts, steps, lines, differences }
}

/** The lines that only one of the two has, and a few before them. */
export function showDifference({ seed, reference, ours }: Difference): string {
  const first = reference.findIndex((text, i) => text !== ours[i])
  const at = first < 0 ? reference.length : first
  const shown = (lines: readonly string[]): string => lines.slice(at, at + 6).join('\n    ')
  return [
    `seed ${seed}:`,
    ...reference.slice(0, at).map((text) => `  ${text}`),
    `  dbus-daemon:\n    ${shown(reference)}`,
    `  nlkit:\n    ${shown(ours)}`,
  ].join('\n')
}
