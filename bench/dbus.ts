/**
 * D-Bus: calls and signals through `nlkit dbus start`, dbus-daemon and dbus-broker, turn by turn.
 *
 * `node build/bench/dbus.js`; `--json` for machines, `--quick` for fewer and shorter turns,
 * `--only TEXT` for the points whose name has it. All processes share one CPU: then time is what
 * work costs, and not what waking another CPU does. Peers are built by `npm run bench:setup`;
 * dbus-broker needs root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median, peer } from './peers.ts'

const isQuick = process.argv.includes('--quick')
const TURNS = isQuick ? 3 : 5
const SECONDS = isQuick ? '0.4' : '0.8'
const RULES = 100_000
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'nlkit-dbus-bench-'))
const config = join(folder, 'bus.conf')
const DAEMON = 'dbus-daemon'
const BROKER = 'dbus-broker'
const OURS = 'nlkit'

/** One workload, and our promises of it: at least so many times the peer's rate. */
interface Point {
  readonly name: string
  readonly load: readonly string[]
  readonly daemon?: number
  readonly broker?: number
}

const call = (size: string, bytes: number, inFlight: number, broker?: number): Point => ({
  name: `calls of ${size}, ${inFlight} in flight`,
  load: ['call', String(bytes), String(inFlight)],
  daemon: 1,
  ...(broker !== undefined && { broker }),
})
const signal = (size: string, bytes: number, receivers: number, broker?: number): Point => ({
  name: `signals of ${size} to ${receivers}`,
  load: ['signal', String(bytes), String(receivers)],
  daemon: 1,
  ...(broker !== undefined && { broker }),
})

const points: readonly Point[] = [
  call('64 B', 64, 1, 0.8),
  call('64 B', 64, 8, 1),
  call('64 B', 64, 64, 1.2),
  call('16 KiB', 16_384, 1),
  call('16 KiB', 16_384, 8),
  call('16 KiB', 16_384, 64),
  call('1 MiB', 1 << 20, 1),
  call('1 MiB', 1 << 20, 8),
  call('1 MiB', 1 << 20, 64),
  signal('64 B', 64, 1),
  signal('64 B', 64, 8, 1),
  signal('64 B', 64, 64),
  signal('16 KiB', 16_384, 8),
  signal('1 MiB', 1 << 20, 8),
]
/** Measured once more among many rules that match nothing. */
const amongRules: readonly Point[] = [call('64 B', 64, 8), signal('64 B', 64, 8)]

/** What dbus-load prints. */
interface Sample {
  readonly perSecond: number
  readonly busUs: number
  readonly allUs: number
  readonly p50: number
  readonly p99: number
}

interface RunningBus {
  readonly name: string
  readonly path: string
  readonly pid: number
  readonly child: ChildProcess
}

const LIMITS = {
  max_incoming_bytes: 1_000_000_000,
  max_outgoing_bytes: 1_000_000_000,
  max_message_size: 134_217_728,
  max_replies_per_connection: 50_000,
  max_match_rules_per_connection: 50_000,
  max_completed_connections: 100_000,
  max_connections_per_user: 100_000,
}

function writeConfig(): void {
  const limits = Object.entries(LIMITS).map(
    ([name, most]) => `<limit name="${name}">${most}</limit>`,
  )
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${folder}/configured</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
${limits.join('\n')}</busconfig>\n`,
  )
}

function start(name: string, command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn('taskset', ['-c', '0', ...command], {
    stdio: ['ignore', 'ignore', process.env.NLKIT_BENCH_VERBOSE ? 'inherit' : 'ignore'],
    env,
  })
  child.on('exit', (status) => {
    if (!isOver) console.error(`${name} has ended: ${status}`)
  })
  return child
}

let isOver = false
const buses: RunningBus[] = []

/** Waits for a file or a process to be there. */
async function appears<T>(what: string, look: () => T | undefined): Promise<T> {
  for (let tries = 500; tries > 0; tries--) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${what} has not come up`)
}

async function startBus(
  name: string,
  command: readonly string[],
  pidOf: (child: ChildProcess) => number | undefined = (child) => child.pid,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const path = join(folder, name)
  const child = start(name, command, env)
  try {
    await appears(name, () => (existsSync(path) ? true : undefined))
    const pid = await appears(name, () => pidOf(child))
    buses.push({ name, path, pid, child })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** The process that dbus-broker-launch starts. */
function brokerOf({ pid }: ChildProcess): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const [, comm, parent] = /\((.*)\) \S (\d+)/.exec(stat) ?? []
      if (comm === BROKER && Number(parent) === pid) return Number(entry)
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined
}

async function startAll(): Promise<void> {
  writeConfig()
  const address = (name: string): string => `unix:path=${join(folder, name)}`
  const flags = [`--config-file=${config}`, '--nofork']
  await startBus(DAEMON, [DAEMON, ...flags, `--address=${address(DAEMON)}`])
  const node = [process.execPath, main, 'dbus', 'start']
  await startBus(OURS, [...node, ...flags, `--address=${address(OURS)}`])
  if (process.getuid?.() !== 0 || !existsSync(peer('dbus-broker-run'))) {
    console.log('dbus-broker is left out: it needs root and npm run bench:setup')
    return
  }
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: address(DAEMON) }
  const run = [peer('dbus-broker-run'), join(folder, BROKER), config]
  await startBus(BROKER, run, brokerOf, env)
}

function measure({ path, pid }: RunningBus, { load }: Point): Sample {
  const args = ['-c', '0', peer('dbus-load'), path, String(pid), SECONDS, ...load]
  return JSON.parse(execFileSync('taskset', args, { encoding: 'utf8', timeout: 60_000 })) as Sample
}

function medians(samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample): number => median(samples.map((sample) => sample[key]))
  return {
    perSecond: of('perSecond'),
    busUs: of('busUs'),
    allUs: of('allUs'),
    p50: of('p50'),
    p99: of('p99'),
  }
}

/** Ratios of one turn each, so that a machine's moods hit both. */
interface Ratio {
  readonly rate: number
  /** Of the CPU time of bus and clients together, and of the bus alone: theirs to ours. */
  readonly all: number
  readonly bus: number
}

function ratioOf(ours: readonly Sample[], theirs: readonly Sample[]): Ratio {
  const of = (ratio: (our: Sample, their: Sample) => number): number =>
    median(ours.map((our, turn) => ratio(our, theirs[turn]!)))
  return {
    rate: of((our, their) => our.perSecond / their.perSecond),
    all: of((our, their) => their.allUs / our.allUs),
    bus: of((our, their) => their.busUs / our.busUs),
  }
}

function take(point: Point): Map<string, Sample[]> {
  const samples = new Map<string, Sample[]>(buses.map(({ name }) => [name, []]))
  for (let turn = 0; turn < TURNS; turn++)
    for (const bus of buses) samples.get(bus.name)!.push(measure(bus, point))
  return samples
}

function report(point: Point, samples: ReadonlyMap<string, readonly Sample[]>): void {
  const results = Object.fromEntries([...samples].map(([name, all]) => [name, medians(all)]))
  const ours = samples.get(OURS)!
  const ratios = Object.fromEntries(
    [...samples].filter(([name]) => name !== OURS).map(([name, all]) => [name, ratioOf(ours, all)]),
  )
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ point: point.name, results, ratios }))
    return
  }
  console.log(point.name)
  for (const [name, sample] of Object.entries(results)) {
    const ratio = ratios[name]
    const bar = name === DAEMON ? point.daemon : name === BROKER ? point.broker : undefined
    const times = ratio
      ? `${ratio.rate.toFixed(2).padStart(8)} ${ratio.all.toFixed(2).padStart(6)} ${ratio.bus.toFixed(2).padStart(6)}`
      : ''
    console.log(
      `  ${name.padEnd(12)} ${sample.perSecond.toFixed(0).padStart(8)}/s ${sample.busUs.toFixed(2).padStart(9)} us ${sample.allUs.toFixed(2).padStart(9)} us ${times}${bar === undefined ? '' : `  at least ${bar}`}`,
    )
  }
}

/** Adds rules that match nothing to every bus; what is returned takes them away. */
async function addRules(): Promise<() => void> {
  const holders: ChildProcess[] = []
  for (const { path, pid } of buses) {
    const holder = spawn(peer('dbus-load'), [path, String(pid), '0', 'rules', String(RULES)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    holders.push(holder)
    await once(holder.stdout!, 'data', { signal: AbortSignal.timeout(120_000) })
  }
  return () => {
    for (const holder of holders) holder.kill('SIGKILL')
  }
}

const only = process.argv[process.argv.indexOf('--only') + 1]
const isWanted = ({ name }: Point): boolean =>
  !process.argv.includes('--only') || name.includes(only ?? '')

try {
  if (!existsSync(peer('dbus-load'))) throw new Error('not built: npm run bench:setup')
  await startAll()
  if (!process.argv.includes('--json'))
    console.log(
      'a call or a delivery: rate, CPU time of the bus, and of bus and clients; then how many times the peer nlkit is: rate, CPU of all, CPU of the bus',
    )
  for (const point of points.filter(isWanted)) report(point, take(point))
  const again = amongRules.filter(isWanted)
  if (again.length > 0) {
    const takeAway = await addRules()
    for (const point of again)
      report({ ...point, name: `${point.name}, among ${RULES} other rules` }, take(point))
    takeAway()
  }
} finally {
  isOver = true
  for (const { child } of buses) child.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
