/**
 * One large table of IPv4 routes in a kernel in this process, beside the live one: routes put in, looked
 * up, dumped, and what they weigh. `node build/bench/fib.js`, `--json` for machines; peers are built
 * by `npm run bench:setup`.
 *
 * Ratios are rates, to the live kernel's in the same run: `ip -batch` puts routes in there, C programs
 * dump and look up. Ours are requests as bytes through the seam, and `ip -batch` itself through
 * `nlkit run`.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import { HOST_LE, NETLINK_ROUTE, viewOf, Writer } from 'nlkit/wire'
import { hostRoutes, ipBatch, makeLink } from './network.ts'
import { type Figure, median, once, peer, present } from './peers.ts'

const ROUTES = Number(process.env.NLKIT_BENCH_ROUTES ?? 1_000_000)
/** Through sockets and two processes: fewer will do. */
const SERVED = Math.min(ROUTES, 100_000)
const LOOKUPS = 200_000
const RUNS = 5
const FIRST_ADDRESS = 0x1000_0000
const GATEWAY = 0xc0a8_4d02

const RTM_NEWROUTE = 24
const RTM_GETROUTE = 26
const REQUEST = 1
const ACK = 4
const DUMP = 0x300
const CREATE_EXCL = 0x600
const NLMSG_ERROR = 2
const NLMSG_DONE = 3

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Figures of one kind: a second, and a second of CPU time. */
interface Rate {
  readonly rate: number
  /** Unknown of other processes. */
  readonly cpuRate?: number
}

function measure(count: number, work: () => void): Rate {
  const used = process.cpuUsage()
  const start = performance.now()
  work()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(used)
  return { rate: (1000 * count) / ms, cpuRate: (1e6 * count) / (user + system) }
}

function best(rates: readonly Rate[]): Rate {
  const of = (key: keyof Rate): number => median(rates.map((each) => each[key] ?? 0))
  return { rate: of('rate'), cpuRate: of('cpuRate') }
}

function rtmsg(w: Writer, dstLen: number, isNew: boolean): void {
  for (const byte of [2, dstLen, 0, 0, isNew ? 254 : 0, isNew ? 200 : 0, 0, isNew ? 1 : 0])
    w.u8(byte)
  w.u32(isNew || dstLen === 0 ? 0 : 0x1000)
}

function putAddress(w: Writer, type: number, address: number): void {
  const mark = w.attrStart(type)
  w.u32(address, false)
  w.attrEnd(mark)
}

/** Our kernel with the same link and the same routes. */
async function ours(): Promise<{ insert: Rate; dumps: Rate[]; lookup: Rate; bytes: number }> {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
  await nl.addresses.add({ link: 'v0', address: '192.168.77.1/24' })
  const { ifindex } = await nl.links.get('v0')
  const socket = await kernel.transport().open({ protocol: NETLINK_ROUTE, kernelOnly: true })
  const buffer = new Uint8Array(32_768)
  const reply = viewOf(buffer)
  const w = new Writer()
  const send = (type: number, flags: number, put: () => void): number => {
    w.trim(0)
    const mark = w.messageStart(type, flags, 1, 0)
    put()
    w.messageEnd(mark)
    return socket.exchange!([w.peek()], buffer)
  }
  collect()
  const before = process.memoryUsage()
  const insert = measure(ROUTES, () => {
    for (let i = 0; i < ROUTES; i++) {
      send(RTM_NEWROUTE, REQUEST | ACK | CREATE_EXCL, () => {
        rtmsg(w, 32, true)
        putAddress(w, 1, FIRST_ADDRESS + 4 * i)
        putAddress(w, 5, GATEWAY)
        w.attrU32(4, ifindex)
        w.attrU32(6, 10)
      })
      assert.ok(reply.getUint16(4, HOST_LE) === NLMSG_ERROR && reply.getInt32(16, HOST_LE) === 0)
    }
  })
  collect()
  const after = process.memoryUsage()
  const grown = after.heapUsed + after.external - before.heapUsed - before.external
  const dumps: Rate[] = []
  for (let run = 0; run < RUNS; run++) {
    dumps.push(
      measure(ROUTES, () => {
        let length = send(RTM_GETROUTE, REQUEST | DUMP, () => rtmsg(w, 0, false))
        let bytes = 0
        while (reply.getUint16(4, HOST_LE) !== NLMSG_DONE) {
          bytes += length
          length = socket.receive(buffer) ?? 0
        }
        assert.ok(bytes > ROUTES * 60)
      }),
    )
  }
  const lookup = measure(LOOKUPS, () => {
    for (let i = 0; i < LOOKUPS; i++) {
      send(RTM_GETROUTE, REQUEST, () => {
        rtmsg(w, 32, false)
        putAddress(w, 1, FIRST_ADDRESS + 4 * ((i * 7919) % ROUTES))
      })
      assert.equal(reply.getUint16(4, HOST_LE), RTM_NEWROUTE)
    }
  })
  socket.close()
  return { insert, dumps, lookup, bytes: grown / ROUTES }
}

/** What the live kernel has of slabs for routes, bytes. */
function slabs(): number | undefined {
  try {
    let bytes = 0
    for (const line of readFileSync('/proc/slabinfo', 'utf8').split('\n')) {
      const [name, active, , size] = line.split(/\s+/)
      if (name === 'ip_fib_alias' || name === 'ip_fib_trie') bytes += Number(active) * Number(size)
    }
    return bytes
  } catch {
    return undefined
  }
}

/** A C program that prints its rates; `dump` prints milliseconds. */
function live(name: string, args: readonly string[], count: number): Rate | undefined {
  const result = once({ name, command: ['taskset', '-c', '0', peer(name), ...args] })
  if (typeof result === 'string') return undefined
  const { rate, cpuRate, ms, cpuMs } = result
  if (rate !== undefined) return { rate, cpuRate: cpuRate ?? rate }
  if (!ms) return undefined
  return { rate: (1000 * count) / ms, cpuRate: (1000 * count) / (cpuMs ?? ms) }
}

/** `ip -batch` on a kernel of ours that it has for itself. */
function served(): Rate | undefined {
  const file = join(tmpdir(), `nlkit-bench-fib-${process.pid}`)
  const setup =
    'link set lo up\nlink add v0 type veth peer name v1\nlink set v0 up\nlink set v1 up\n'
  const lines = [...hostRoutes(SERVED)].join('\n')
  writeFileSync(file, `${setup}address add 192.168.77.1/24 dev v0\n${lines}\n`)
  try {
    const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const command = [process.execPath, cli, 'run', '--', 'ip', '-batch', file]
    const result = once({ name: 'ip -batch', command, isTimed: true })
    if (typeof result === 'string') return undefined
    return { rate: (1000 * SERVED) / (result.ms as number) }
  } finally {
    rmSync(file)
  }
}

function figure(name: string, mine: Rate | undefined, theirs?: Rate, bar?: string): Figure {
  if (!mine) return { name, note: 'not built or not here: npm run bench:setup' }
  const ratio = theirs && mine.rate / theirs.rate
  const cpuRatio = mine.cpuRate && theirs?.cpuRate ? mine.cpuRate / theirs.cpuRate : undefined
  return { name, value: mine.rate, unit: '/s', ratio, cpuRatio, bar }
}

await present(
  import.meta.url,
  `${ROUTES.toLocaleString('en')} IPv4 routes; rates, ratio to the live kernel`,
  async () => {
    makeLink()
    const empty = slabs()
    const batch = measure(ROUTES, () => ipBatch(hostRoutes(ROUTES)))
    const full = slabs()
    const turns = Array.from({ length: RUNS }, () => live('route-dump', ['2'], ROUTES))
    const dumps = turns.filter((each) => each !== undefined)
    const lookup = live('route-get', [`${LOOKUPS}`, `${ROUTES}`], LOOKUPS)
    const mine = await ours()
    const through = served()
    const dump = dumps.length > 0 ? best(dumps) : undefined
    const inserted = { rate: batch.rate }
    const weight = full !== undefined && empty !== undefined ? (full - empty) / ROUTES : undefined
    return [
      figure('live: ip -batch', inserted),
      figure('nlkit, requests as bytes', mine.insert, inserted, 'at least 0.33'),
      figure('nlkit run -- ip -batch', through, inserted, 'at least 0.33'),
      figure('live: a dump, in C', dump),
      figure('nlkit, the first dump', mine.dumps[0], dump),
      figure('nlkit, a dump', best(mine.dumps), dump, 'at least 1'),
      figure('live: route get, in C', lookup),
      figure('nlkit, route get', mine.lookup, lookup, 'above 1'),
      { name: 'live: slabs', value: weight, unit: 'bytes a route' },
      { name: 'nlkit: heap', value: mine.bytes, unit: 'bytes a route' },
    ]
  },
)
