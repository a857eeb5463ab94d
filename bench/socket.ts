/**
 * Round trips on one AF_NETLINK socket (CTRL_CMD_GETFAMILY) against a C loop, both on one CPU,
 * turn by turn. `node build/bench/socket.js`; `--json` for machines. Needs cc and taskset.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afNetlink } from 'nlkit/transport'
import { HOST_LE, viewOf, Writer } from 'nlkit/wire'

const ROUND_TRIPS = 20_000
const RUNS = 10
const TURNS = 5
const ON_ONE_CPU = ['taskset', '-c', '0'] as const
const NETLINK_GENERIC = 16
const GENL_ID_CTRL = 16
const CTRL_CMD_GETFAMILY = 3
const CTRL_ATTR_FAMILY_NAME = 2

const self = fileURLToPath(import.meta.url)
const build = join(self, '../..')

/** Round trips a second: plainly called, and each behind an `await`. */
interface Rates {
  called: number
  awaited: number
}

async function measure(): Promise<Rates> {
  const socket = await afNetlink().open({ protocol: NETLINK_GENERIC, kernelOnly: true })
  const w = new Writer()
  const mark = w.messageStart(GENL_ID_CTRL, 1, 0, 0)
  w.u8(CTRL_CMD_GETFAMILY)
  w.u8(2)
  w.u16(0)
  w.attrString(CTRL_ATTR_FAMILY_NAME, 'nlctrl')
  w.messageEnd(mark)
  const parts = [w.finish()]
  const request = viewOf(parts[0]!)
  const buffer = new Uint8Array(32768)
  const reply = viewOf(buffer)
  const ask = (seq: number): void => {
    request.setUint32(8, seq, HOST_LE)
    const length = socket.exchange!(parts, buffer)
    assert.ok(length > 0 && reply.getUint32(8, HOST_LE) === seq)
  }
  const askLater = async (seq: number): Promise<void> => ask(seq)
  const rates = { called: 0, awaited: 0 }
  for (let run = 0; run < RUNS; run++) {
    let start = performance.now()
    for (let seq = 1; seq <= ROUND_TRIPS; seq++) ask(seq)
    rates.called = Math.max(rates.called, (1000 * ROUND_TRIPS) / (performance.now() - start))
    start = performance.now()
    for (let seq = 1; seq <= ROUND_TRIPS; seq++) await askLater(seq)
    rates.awaited = Math.max(rates.awaited, (1000 * ROUND_TRIPS) / (performance.now() - start))
  }
  socket.close()
  return rates
}

/** Output of a program that has one CPU for itself and all its threads. */
function pinned(command: string, ...args: string[]): string {
  const [taskset, ...first] = ON_ONE_CPU
  return execFileSync(taskset, [...first, command, ...args], { encoding: 'utf8' })
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

function compare(): void {
  const peer = join(build, 'peers/getfamily')
  mkdirSync(join(build, 'peers'), { recursive: true })
  execFileSync('cc', ['-O2', '-o', peer, join(build, '../bench/peers/getfamily.c')])
  const c: number[] = []
  const called: number[] = []
  const awaited: number[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    c.push(Number(pinned(peer, `${ROUND_TRIPS}`, `${RUNS}`)))
    const rates: Rates = JSON.parse(pinned(process.execPath, self, 'measure'))
    called.push(rates.called)
    awaited.push(rates.awaited)
  }
  const limit = median(c)
  for (const [name, rate] of [
    ['C send, recv', limit],
    ['exchange()', median(called)],
    ['await exchange()', median(awaited)],
  ] as const) {
    const ratio = rate / limit
    if (process.argv.includes('--json')) console.log(JSON.stringify({ name, rate, ratio }))
    else console.log(`${name.padEnd(18)} ${rate.toFixed(0).padStart(8)}/s  ${ratio.toFixed(2)}`)
  }
}

if (process.argv[2] === 'measure') console.log(JSON.stringify(await measure()))
else compare()
