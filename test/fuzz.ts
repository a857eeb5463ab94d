/**
 * `npm run fuzz -- --count 100000`, `-- --minutes 5`, `-- --seed 7`: spoilt datagrams through every
 * decoder, half of them compiled, half as closures. `npm run fuzz -- dbus --count 1000000`: spoilt
 * D-Bus messages, nine of ten to a bus in this process, the others through the socket of another.
 *
 * Each form runs in a child process; one that says nothing for a minute hangs, and is ended. What
 * was found can be found again: the same seed gives the same datagrams.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type BusCounts, fuzzBus } from './dbus/fuzz-bus.ts'
import { fuzzGateway, type GatewayCounts } from './dbus/fuzz-gateway.ts'
import { type Counts, fuzz, randomFrom } from './fuzz-run.ts'

/** A child that is silent for so long hangs; a busy machine needs some of it for its first samples. */
const SILENCE_MS = 60_000

/** `npm run fuzz` is the first; `npm run fuzz -- dbus` the second. */
const FORMS = {
  netlink: [
    { name: 'compiled', share: 0.5, flags: [] },
    { name: 'closures', share: 0.5, flags: ['--disallow-code-generation-from-strings'] },
  ],
  dbus: [
    { name: 'bus', share: 0.9, flags: [] },
    { name: 'gateway', share: 0.1, flags: [] },
  ],
} as const

type FormName = (typeof FORMS)[keyof typeof FORMS][number]['name']
type AnyCounts = Counts | BusCounts | GatewayCounts

interface Plan {
  readonly form: FormName
  readonly seed: number
  readonly count: number
  readonly minutes: number
}

function readPlan(): Omit<Plan, 'form'> & { readonly what: keyof typeof FORMS } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
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
  const [what = 'netlink'] = positionals
  if (what !== 'netlink' && what !== 'dbus')
    throw new Error(`"${what}" is none of ${Object.keys(FORMS).join(', ')}`)
  return { what, seed, count, minutes }
}

/** Runs one form in a child; rejects with what it found. */
function runForm(plan: Plan, flags: readonly string[]): Promise<AnyCounts> {
  const { form, seed } = plan
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ['--enable-source-maps', ...flags],
    env: { ...process.env, NLKIT_FUZZ_PLAN: JSON.stringify(plan) },
  })
  return new Promise((resolve, reject) => {
    let last: AnyCounts | undefined
    let done = false
    const hang = (): void => {
      child.kill('SIGKILL')
      reject(new Error(`${form}: hangs behind number ${last?.executed ?? 0} of seed ${seed}`))
    }
    let watchdog = setTimeout(hang, SILENCE_MS)
    child.on('message', (message: { counts: AnyCounts; done: boolean }) => {
      clearTimeout(watchdog)
      watchdog = setTimeout(hang, SILENCE_MS)
      last = message.counts
      done = message.done
    })
    child.on('exit', (code) => {
      clearTimeout(watchdog)
      if (done && code === 0 && last) resolve(last)
      else reject(new Error(`${form}: ended with ${code} behind number ${last?.executed ?? 0}`))
    })
  })
}

function describe(form: FormName, counts: AnyCounts, seconds: number): string {
  const time = `in ${seconds.toFixed(1)} s`
  if ('sessions' in counts)
    return `${form}: ${counts.executed} messages ${time}, of ${counts.sessions} clients`
  if ('taken' in counts)
    return (
      `${form}: ${counts.executed} messages ${time}: ${counts.taken} taken, ` +
      `${counts.refused} refused, ${counts.unframed} not whole; ${counts.delivered} went out; ` +
      `slowest ${counts.slowest.toFixed(1)} ms`
    )
  return (
    `${form}: ${counts.executed} datagrams ${time}, messages: ${counts.valid} valid, ` +
    `${counts.decodeErrors} DecodeErrors; ${counts.unframed} without a message; ` +
    `slowest ${counts.slowest.toFixed(1)} ms`
  )
}

async function parent(): Promise<void> {
  const { what, seed, count, minutes } = readPlan()
  for (const { name, share, flags } of FORMS[what]) {
    const start = performance.now()
    const plan = {
      form: name,
      seed,
      count: Math.ceil(count * share),
      minutes: minutes / FORMS[what].length,
    }
    const counts = await runForm(plan, flags)
    console.log(describe(name, counts, (performance.now() - start) / 1000))
  }
}

async function child({ form, seed, count, minutes }: Plan): Promise<void> {
  const tell = (counts: AnyCounts, done = false): void => {
    process.send?.({ counts, done })
  }
  const until = Date.now() + minutes * 60_000
  if (form === 'gateway') tell(await fuzzGateway(randomFrom(seed), count, until, tell), true)
  else if (form === 'bus') tell(fuzzBus(randomFrom(seed), count, until, tell), true)
  else tell(fuzz(seed, count, until, tell), true)
  process.disconnect()
}

const plan = process.env.NLKIT_FUZZ_PLAN
if (plan === undefined) await parent()
else await child(JSON.parse(plan) as Plan)
