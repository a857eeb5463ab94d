/**
 * `npm run fuzz -- --count 100000`, `-- --minutes 5`, `-- --seed 7`: spoilt datagrams through every
 * decoder, half of them compiled, half as closures.
 *
 * Each form runs in a child process; one that says nothing for a minute hangs, and is ended. What
 * was found can be found again: the same seed gives the same datagrams.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Counts, fuzz } from './fuzz-run.ts'

/** A child that is silent for so long hangs; a busy machine needs some of it for its first samples. */
const SILENCE_MS = 60_000

const FORMS = [
  { name: 'compiled', flags: [] },
  { name: 'closures', flags: ['--disallow-code-generation-from-strings'] },
]

interface Plan {
  readonly seed: number
  readonly count: number
  readonly minutes: number
}

function readPlan(): Plan {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string' },
      minutes: { type: 'string' },
    },
  })
  const minutes = values.minutes === undefined ? 60 : Number(values.minutes)
  const most = values.minutes === undefined ? 20_000 : Number.MAX_SAFE_INTEGER
  const count = values.count === undefined ? most : Number(values.count)
  const seed = Number(values.seed)
  if (![minutes, count, seed].every((number) => Number.isFinite(number) && number > 0)) {
    throw new Error('--count, --minutes and --seed take numbers above 0')
  }
  return { seed, count, minutes }
}

/** Runs one form in a child; rejects with what it found. */
function runForm(name: string, flags: readonly string[], plan: Plan): Promise<Counts> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ['--enable-source-maps', ...flags],
    env: { ...process.env, NLKIT_FUZZ_PLAN: JSON.stringify(plan) },
  })
  return new Promise((resolve, reject) => {
    let last: Counts | undefined
    let done = false
    const hang = (): void => {
      child.kill('SIGKILL')
      reject(
        new Error(`${name}: hangs behind datagram ${last?.executed ?? 0} of seed ${plan.seed}`),
      )
    }
    let watchdog = setTimeout(hang, SILENCE_MS)
    child.on('message', (message: { counts: Counts; done: boolean }) => {
      clearTimeout(watchdog)
      watchdog = setTimeout(hang, SILENCE_MS)
      last = message.counts
      done = message.done
    })
    child.on('exit', (code) => {
      clearTimeout(watchdog)
      if (done && code === 0 && last) resolve(last)
      else reject(new Error(`${name}: ended with ${code} behind datagram ${last?.executed ?? 0}`))
    })
  })
}

async function parent(): Promise<void> {
  const { seed, count, minutes } = readPlan()
  const half = { seed, count: Math.ceil(count / FORMS.length), minutes: minutes / FORMS.length }
  for (const { name, flags } of FORMS) {
    const start = performance.now()
    const counts = await runForm(name, flags, half)
    const seconds = (performance.now() - start) / 1000
    console.log(
      `${name}: ${counts.executed} datagrams in ${seconds.toFixed(1)} s, messages: ${counts.valid} valid, ` +
        `${counts.decodeErrors} DecodeErrors; ${counts.unframed} without a message; ` +
        `slowest ${counts.slowest.toFixed(1)} ms`,
    )
  }
}

function child(plan: Plan): void {
  const tell = (counts: Counts, done = false): void => {
    process.send?.({ counts, done })
  }
  const counts = fuzz(plan.seed, plan.count, Date.now() + plan.minutes * 60_000, tell)
  tell(counts, true)
  process.disconnect()
}

const plan = process.env.NLKIT_FUZZ_PLAN
if (plan === undefined) await parent()
else child(JSON.parse(plan) as Plan)
