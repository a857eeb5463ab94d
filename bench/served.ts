/**
 * Round trips to a kernel that another process serves, beside two C programs on a seqpacket socket:
 * all on one CPU, turn by turn; a second, and a second of the CPU time of both processes, which are
 * the same where nobody else wants the CPU. `node build/bench/served.js`; `--json` for machines. Needs cc and
 * taskset.
 *
 * `exchange()` sends a datagram to a kernel socket that sends it back, as the C programs do; the
 * typed request is NLKIT_CMD_GETSTATUS through the client, with all that belongs to it.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'nlkit'
import { nlkit } from 'nlkit/families/nlkit'
import type { Transport } from 'nlkit/transport'
import { ECHO_PROTOCOL } from './echo-module.ts'

const EAGAIN = -11
const BYTES = 64
const ROUND_TRIPS = 5_000
const RUNS = 3
const WARM_UP = 15_000
const TURNS = 5

const self = fileURLToPath(import.meta.url)
const build = join(self, '../..')
const main = join(build, '../dist/cli/main.js')
const { unixTransport } = (await import(
  new URL('../../dist/transport/unix.js', import.meta.url).href
)) as {
  unixTransport(path: string): Transport
}

/** Round trips a second, and a second of CPU time. */
interface Rate {
  wall: number
  cpu: number
}
type Rates = Record<'called' | 'awaited' | 'typed', Rate>

/** Milliseconds of CPU time that all threads of a process have had. */
function cpuTime(pid: number): number {
  let nanoseconds = 0
  for (const task of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(
      readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0],
    )
  return nanoseconds / 1e6
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

async function rateOf(pid: number, count: number, work: (count: number) => unknown): Promise<Rate> {
  const [walls, cpus]: [number[], number[]] = [[], []]
  const spent = (): number => cpuTime(process.pid) + cpuTime(pid)
  // Until all of it is compiled, at both ends.
  await work(WARM_UP)
  for (let run = 0; run < RUNS; run++) {
    const [wall, cpu] = [performance.now(), spent()]
    await work(count)
    walls.push((1000 * count) / (performance.now() - wall))
    cpus.push((1000 * count) / (spent() - cpu))
  }
  return { wall: median(walls), cpu: median(cpus) }
}

async function measure(path: string, pid: number): Promise<Rates> {
  const socket = await unixTransport(path).open({ protocol: ECHO_PROTOCOL })
  const datagram = new Uint8Array(BYTES)
  const parts = [datagram]
  const buffer = new Uint8Array(8192)
  const later = async (): Promise<number> => {
    for (;;) {
      await socket.readable()
      const length = socket.receive(buffer)
      if (length !== EAGAIN) return length
    }
  }
  const ask = async (): Promise<number> => {
    const length = socket.exchange!(parts, buffer)
    return length === EAGAIN ? await later() : length
  }
  await using nl = await open({ kernel: `unix:${path}` })
  const control = await nl.family(nlkit)
  const rates = {
    called: await rateOf(pid, ROUND_TRIPS, async (count) => {
      for (let i = 0; i < count; i++) {
        datagram[0] = i & 255
        let length = socket.exchange!(parts, buffer)
        if (length === EAGAIN) length = await later()
        assert.ok(length === BYTES && buffer[0] === (i & 255))
      }
    }),
    awaited: await rateOf(pid, ROUND_TRIPS, async (count) => {
      for (let i = 0; i < count; i++) assert.equal(await ask(), BYTES)
    }),
    typed: await rateOf(pid, ROUND_TRIPS, async (count) => {
      for (let i = 0; i < count; i++) await control.do('getStatus')
    }),
  }
  socket.close()
  return rates
}

/** Milliseconds until a kernel is served, and those until Node has done nothing. */
async function startTimes(folder: string): Promise<{ served: number; node: number }> {
  const [served, node]: [number[], number[]] = [[], []]
  for (let i = 0; i < TURNS; i++) {
    let start = performance.now()
    execFileSync(process.execPath, ['-e', '0'])
    node.push(performance.now() - start)
    start = performance.now()
    const args = [main, 'kernel', 'start', '--listen', join(folder, `start-${i}.sock`)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    served.push(performance.now() - start)
    child.kill('SIGTERM')
    await closed
  }
  return { served: median(served), node: median(node) }
}

/** A program that has one CPU for itself and all its threads. */
const PINNED = ['-c', '0']

function pinned(command: string, ...args: string[]): string {
  return execFileSync('taskset', [...PINNED, command, ...args], { encoding: 'utf8' })
}

async function compare(): Promise<void> {
  const peer = join(build, 'peers/seqpacket')
  mkdirSync(join(build, 'peers'), { recursive: true })
  execFileSync('cc', ['-O2', '-o', peer, join(build, '../bench/peers/seqpacket.c')])
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-bench-'))
  const path = join(folder, 'kernel.sock')
  const start = [
    'kernel',
    'start',
    '--listen',
    path,
    '--module',
    join(build, 'bench/echo-module.js'),
  ]
  const kernel = spawn('taskset', [...PINNED, process.execPath, main, ...start], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const ended = once(kernel, 'close').then(() =>
      Promise.reject(new Error('the kernel has ended')),
    )
    await Promise.race([once(kernel.stdout, 'data'), ended])
    const rows = new Map<string, { rates: number[]; walls: number[]; cpus: number[] }>()
    const add = (name: string, rate: Rate, limit: Rate): void => {
      const row = rows.get(name) ?? { rates: [], walls: [], cpus: [] }
      row.rates.push(rate.wall)
      row.walls.push(rate.wall / limit.wall)
      row.cpus.push(rate.cpu / limit.cpu)
      rows.set(name, row)
    }
    const ask = (): Rate => {
      const said = pinned(peer, `${BYTES}`, `${ROUND_TRIPS}`, `${RUNS}`).split(' ')
      return { wall: Number(said[0]), cpu: Number(said[1]) }
    }
    for (let turn = 0; turn < TURNS; turn++) {
      const before = ask()
      const rates: Rates = JSON.parse(
        pinned(process.execPath, self, 'measure', path, `${kernel.pid}`),
      )
      const after = ask()
      const limit = { wall: (before.wall + after.wall) / 2, cpu: (before.cpu + after.cpu) / 2 }
      add('C seqpacket', limit, limit)
      add('exchange()', rates.called, limit)
      add('await exchange()', rates.awaited, limit)
      add('typed request', rates.typed, limit)
    }
    const start = await startTimes(folder)
    if (process.argv.includes('--json')) console.log(JSON.stringify({ name: 'start', ...start }))
    else {
      const bare = `${start.node.toFixed(0)} ms of them Node's own`
      console.log(`${'start'.padEnd(18)} ${start.served.toFixed(0).padStart(8)} ms ${bare}`)
    }
    for (const [name, { rates, walls, cpus }] of rows) {
      const [rate, ratio, cpuRatio] = [median(rates), median(walls), median(cpus)]
      if (process.argv.includes('--json'))
        console.log(JSON.stringify({ name, rate, ratio, cpuRatio }))
      else {
        const both = `${ratio.toFixed(2)}  by CPU time ${cpuRatio.toFixed(2)}`
        console.log(`${name.padEnd(18)} ${rate.toFixed(0).padStart(8)}/s  ${both}`)
      }
    }
  } finally {
    kernel.kill('SIGTERM')
    if (kernel.exitCode === null) await once(kernel, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'measure')
  console.log(JSON.stringify(await measure(process.argv[3]!, Number(process.argv[4]))))
else await compare()
