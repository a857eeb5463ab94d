/** A scenario as a shell script that keeps what every step says, and when the monitor must have heard. */
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

/** Descriptors of the script: the monitor writes to the one, what it was heard to say comes by the other. */
export const MONITOR_FD = 3
export const HEARD_FD = 4

/** Seconds that a mark may take to come back, and how often the first one is said until it does. */
const PATIENCE = 20
const ATTEMPTS = 200

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
const MARK = /^.*Deleted (3100[123]):.*$/gm

/** The marks that a monitor's text ends with: those that stand behind `from` in whole lines. */
export function marksIn(text: string, from: number): { marks: string[]; end: number } {
  const end = text.lastIndexOf('\n') + 1
  if (end <= from) return { marks: [], end: from }
  return { marks: [...text.slice(from, end).matchAll(MARK)].map(([, mark]) => mark!), end }
}

const BEFORE = `
say() { ip -6 rule add priority $1 table 250; ip -6 rule del priority $1; }
heard() { while IFS= read -r -t $2 -u ${HEARD_FD} n; do [ "$n" = "$1" ] && return 0; done; return 1; }
wait_for() { heard $1 ${PATIENCE} || { echo "the monitor does not hear $1" >&2; exit 99; }; }
ip monitor all >&${MONITOR_FD} 2>monitor.err ${HEARD_FD}<&- &
M=$!
trap 'kill $M 2>/dev/null' EXIT
tries=0
until say ${READY}; heard ${READY} 0.1; do
  ((++tries > ${ATTEMPTS})) && { echo "the monitor does not listen" >&2; exit 99; }
done
say ${START}
wait_for ${START}
`
const AFTER = `
say ${DONE}
wait_for ${DONE}
`

/** The script, to be run by bash in a folder of its own. */
export function toScript({ steps, monitor = true }: Scenario, folder: string): string {
  const apart = `</dev/null ${MONITOR_FD}>&- ${HEARD_FD}<&-`
  const lines = steps.map(
    (step, n) => `( eval ${quote(step)} ) >${n}.out 2>${n}.err ${apart}; echo $? >${n}.code`,
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

/**
 * What the script left in its folder, and its monitor said.
 * @throws Error when it did not come to its end
 */
export function readOutcome({ steps }: Scenario, folder: string, monitor: string): Outcome {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return {
    steps: steps.map((_, n) => ({
      stdout: read(`${n}.out`),
      stderr: read(`${n}.err`),
      code: Number(read(`${n}.code`)),
    })),
    monitor: cut(monitor),
  }
}
