/** A scenario as a shell script that keeps what every step says, and what `ip monitor` hears. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scenario } from './scenario.ts'

/** What one command left. */
export interface Step {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

export interface Outcome {
  readonly steps: readonly Step[]
  /** What `ip monitor all` printed meanwhile. */
  readonly monitor: string
}

/** Polls, each of a hundredth of a second, until the monitor must have heard. */
const POLLS = 1000

const QUOTE = /'/g
const quote = (text: string): string => `'${text.replace(QUOTE, "'\\''")}'`

/**
 * A rule that comes and goes is the mark: it is told at once and leaves nothing. READY is said until
 * the monitor hears it, for nothing else tells that it listens; START and DONE stand around what the
 * steps cause.
 */
const READY = 31001
const START = 31002
const DONE = 31003

const BEFORE = `
say() { ip -6 rule add priority $1 table 250; ip -6 rule del priority $1; }
heard() { n=0; until grep -q "Deleted $1:" monitor; do
  n=$((n+1)); [ $n -gt ${POLLS} ] && { echo "the monitor does not hear $1" >&2; exit 99; }
  [ -n "$2" ] && say "$1"; sleep 0.01; done; }
ip monitor all >monitor 2>monitor.err &
M=$!
trap 'kill $M 2>/dev/null' EXIT
heard ${READY} again
say ${START}
heard ${START}
`
const AFTER = `
say ${DONE}
heard ${DONE}
`

/** The script, to be run by sh in a folder of its own. */
export function toScript({ steps, monitor = true }: Scenario, folder: string): string {
  const lines = steps.map(
    (step, n) => `( eval ${quote(step)} ) >${n}.out 2>${n}.err </dev/null; echo $? >${n}.code`,
  )
  const before = monitor ? BEFORE : ''
  const after = monitor ? AFTER : ''
  return `cd ${quote(folder)} || exit 98\n${before}\n${lines.join('\n')}\n${after}\nexit 0\n`
}

/** The monitor's lines between the marks. */
function cut(text: string): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.includes(`Deleted ${START}:`))
  const end = lines.findIndex((line) => line.includes(`${DONE}:`))
  return lines.slice(start + 1, end).join('\n')
}

/** What the script left in its folder. @throws Error when it did not come to its end */
export function readOutcome({ steps, monitor = true }: Scenario, folder: string): Outcome {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return {
    steps: steps.map((_, n) => ({
      stdout: read(`${n}.out`),
      stderr: read(`${n}.err`),
      code: Number(read(`${n}.code`)),
    })),
    monitor: monitor ? cut(read('monitor')) : '',
  }
}
