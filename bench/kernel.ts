/**
 * A kernel in this process beside the live one, which is asked by C programs: the same request
 * (CTRL_CMD_GETFAMILY), and multicasts to 8 receivers. Each on one CPU, turn by turn, and measured in
 * CPU time, which a busy machine does not change much: nobody waits in any of it.
 *
 * `node build/bench/kernel.js`; `--json` for machines. Needs cc, taskset and the right to join groups
 * (root).
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'nlkit'
import { nlctrl } from 'nlkit/families/nlctrl'
import { Kernel } from 'nlkit/kernel'
import {
  HOST_LE,
  NETLINK_GENERIC,
  NETLINK_USERSOCK,
  NLM_F_REQUEST,
  viewOf,
  Writer,
} from 'nlkit/wire'

const REQUESTS = 20_000
const RUNS = 10
const TURNS = 3
const RECEIVERS = 8
const BYTES = 64
/** As in bench/peers/multicast.c. */
const BURST = 64
const ROUNDS = 300
const GROUP = 3
const GENL_ID_CTRL = 16
const CTRL_CMD_GETFAMILY = 3
const IN_FLIGHT = 64

const self = fileURLToPath(import.meta.url)
const build = join(self, '../..')
const op = nlctrl.ops.getFamily.do

type Rates = Record<'typed' | 'awaited' | 'flight' | 'multicast', number>

/** The best run's `count` a second of CPU time. */
async function rateOf(count: number, work: () => unknown): Promise<number> {
  let best = 0
  for (let run = 0; run < RUNS; run++) {
    const start = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(start)
    best = Math.max(best, (1e6 * count) / (user + system))
  }
  return best
}

/** A request from a value, and its reply as one, through the seam. */
async function typedRequests(kernel: Kernel): Promise<number> {
  const socket = await kernel.transport().open({ protocol: NETLINK_GENERIC, kernelOnly: true })
  const buffer = new Uint8Array(32768)
  const reply = viewOf(buffer)
  const w = new Writer()
  const parts: Uint8Array[] = []
  let sent = 0
  const rate = await rateOf(REQUESTS, () => {
    for (let seq = 1; seq <= REQUESTS; seq++) {
      w.trim(0)
      const mark = w.messageStart(GENL_ID_CTRL, NLM_F_REQUEST, seq, 0)
      w.u8(CTRL_CMD_GETFAMILY)
      w.u8(nlctrl.version)
      w.u16(0)
      op.request.encode(w, { familyName: 'nlctrl' })
      w.messageEnd(mark)
      if (sent !== w.length) {
        sent = w.length
        parts[0] = w.peek()
      }
      const length = socket.exchange!(parts, buffer)
      assert.ok(length > 0 && reply.getUint32(8, HOST_LE) === seq)
      const { familyId } = op.reply.decode(reply, 20, length)
      assert.ok(familyId === GENL_ID_CTRL)
    }
  })
  socket.close()
  return rate
}

async function clientRequests(kernel: Kernel, inFlight: number): Promise<number> {
  await using nl = await open({ kernel })
  const client = await nl.family(nlctrl)
  return await rateOf(REQUESTS, async () => {
    for (let i = 0; i < REQUESTS; i += inFlight) {
      if (inFlight === 1) await client.do('getFamily', { familyName: 'nlctrl' })
      else
        await Promise.all(
          Array.from({ length: inFlight }, () => client.do('getFamily', { familyName: 'nlctrl' })),
        )
    }
  })
}

async function multicasts(kernel: Kernel): Promise<number> {
  const transport = kernel.transport()
  const sender = await transport.open({ protocol: NETLINK_USERSOCK })
  const receivers = await Promise.all(
    Array.from({ length: RECEIVERS }, () =>
      transport.open({ protocol: NETLINK_USERSOCK, groups: [GROUP] }),
    ),
  )
  const parts = [new Uint8Array(BYTES)]
  const to = { group: GROUP }
  const buffer = new Uint8Array(8192)
  const rate = await rateOf(ROUNDS * BURST * RECEIVERS, () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < BURST; i++) sender.send(parts, to)
      for (const receiver of receivers)
        for (let i = 0; i < BURST; i++) assert.ok(receiver.receive(buffer) === BYTES)
    }
  })
  for (const socket of [sender, ...receivers]) socket.close()
  return rate
}

async function measure(): Promise<Rates> {
  await using kernel = new Kernel()
  return {
    typed: await typedRequests(kernel),
    awaited: await clientRequests(kernel, 1),
    flight: await clientRequests(kernel, IN_FLIGHT),
    multicast: await multicasts(kernel),
  }
}

/** Output of a program that has one CPU for itself and all its threads. */
function pinned(command: string, ...args: string[]): string {
  return execFileSync('taskset', ['-c', '0', command, ...args], { encoding: 'utf8' })
}

function peer(name: string): string {
  const program = join(build, 'peers', name)
  mkdirSync(join(build, 'peers'), { recursive: true })
  execFileSync('cc', ['-O2', '-o', program, join(build, `../bench/peers/${name}.c`)])
  return program
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

function compare(): void {
  const [getfamily, multicast] = [peer('getfamily'), peer('multicast')]
  const rows = new Map<string, { rates: number[]; ratios: number[] }>()
  const add = (name: string, rate: number, limit: number): void => {
    const row = rows.get(name) ?? { rates: [], ratios: [] }
    row.rates.push(rate)
    row.ratios.push(rate / limit)
    rows.set(name, row)
  }
  for (let turn = 0; turn < TURNS; turn++) {
    const live = Number(pinned(getfamily, `${REQUESTS}`, `${RUNS}`, 'cpu'))
    const rates: Rates = JSON.parse(pinned(process.execPath, self, 'measure'))
    const args = [`${RECEIVERS}`, `${BYTES}`, `${ROUNDS}`, `${RUNS}`]
    const told = Number(pinned('unshare', '-n', multicast, ...args))
    add('request: Linux, from C', live, live)
    add('request: typed, in process', rates.typed, live)
    add('request: client, one by one', rates.awaited, live)
    add(`request: client, ${IN_FLIGHT} in flight`, rates.flight, live)
    add(`multicast to ${RECEIVERS}: Linux, from C`, told, told)
    add(`multicast to ${RECEIVERS}: in process`, rates.multicast, told)
  }
  for (const [name, { rates, ratios }] of rows) {
    const [rate, ratio] = [median(rates), median(ratios)]
    if (process.argv.includes('--json')) console.log(JSON.stringify({ name, rate, ratio }))
    else console.log(`${name.padEnd(32)} ${rate.toFixed(0).padStart(9)}/s  ${ratio.toFixed(2)}`)
  }
}

if (process.argv[2] === 'measure') console.log(JSON.stringify(await measure()))
else compare()
