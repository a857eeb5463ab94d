/**
 * Round trips to a kernel that another process serves, beside two C programs on a seqpacket socket:
 * all on one CPU, turn by turn. `node build/bench/served.js`; `--json` for machines. Needs cc and
 * taskset.
 *
 * `exchange()` sends a datagram to a kernel socket that sends it back, as the C programs do; the
 * typed request is NLKIT_CMD_GETSTATUS through the client, with all that belongs to it.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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
const TURNS = 5

const self = fileURLToPath(import.meta.url)
const build = join(self, '../..')
const main = join(build, '../dist/cli/main.js')
const { unixTransport } = (await import(
  new URL('../../dist/transport/unix.js', import.meta.url).href
)) as {
  unixTransport(path: string): Transport
}

/** Round trips a second. */
interface Rates {
  called: number
  awaited: number
  typed: number
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

async function rateOf(count: number, work: (count: number) => unknown): Promise<number> {
  const rates: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    await work(count)
    rates.push((1000 * count) / (performance.now() - start))
  }
  return median(rates)
}

async function measure(path: string): Promise<Rates> {
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
    called: await rateOf(ROUND_TRIPS, async (count) => {
      for (let i = 0; i < count; i++) {
        datagram[0] = i & 255
        let length = socket.exchange!(parts, buffer)
        if (length === EAGAIN) length = await later()
        assert.ok(length === BYTES && buffer[0] === (i & 255))
      }
    }),
    awaited: await rateOf(ROUND_TRIPS, async (count) => {
      for (let i = 0; i < count; i++) assert.equal(await ask(), BYTES)
    }),
    typed: await rateOf(ROUND_TRIPS / 4, async (count) => {
      for (let i = 0; i < count; i++) await control.do('getStatus')
    }),
  }
  socket.close()
  return rates
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
    const rows = new Map<string, { rate: number[]; ratio: number[] }>()
    const add = (name: string, rate: number, limit: number): void => {
      const row = rows.get(name) ?? { rate: [], ratio: [] }
      row.rate.push(rate)
      row.ratio.push(rate / limit)
      rows.set(name, row)
    }
    for (let turn = 0; turn < TURNS; turn++) {
      const before = Number(pinned(peer, `${BYTES}`, `${ROUND_TRIPS}`, `${RUNS}`))
      const rates: Rates = JSON.parse(pinned(process.execPath, self, 'measure', path))
      const after = Number(pinned(peer, `${BYTES}`, `${ROUND_TRIPS}`, `${RUNS}`))
      const limit = (before + after) / 2
      add('C seqpacket', limit, limit)
      add('exchange()', rates.called, limit)
      add('await exchange()', rates.awaited, limit)
      add('typed request', rates.typed, limit)
    }
    for (const [name, row] of rows) {
      const [rate, ratio] = [median(row.rate), median(row.ratio)]
      const [least, most] = [Math.min(...row.ratio), Math.max(...row.ratio)]
      if (process.argv.includes('--json'))
        console.log(JSON.stringify({ name, rate, ratio, least, most }))
      else {
        const range = `${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`
        console.log(`${name.padEnd(18)} ${rate.toFixed(0).padStart(8)}/s  ${range}`)
      }
    }
  } finally {
    kernel.kill('SIGTERM')
    if (kernel.exitCode === null) await once(kernel, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'measure') console.log(JSON.stringify(await measure(process.argv[3]!)))
else await compare()
