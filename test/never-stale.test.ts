/**
 * Live tables under faults: a recorded storm is replayed against a kernel while its reader suffers,
 * at every single point where it could, a loss of events, an interrupted dump, a lost reply, or
 * a link's index that is used again. What the reader ends with is the truth, each time.
 *
 * A point is a call of one of the reader's sockets. A loss is told with ENOBUFS, as Linux does it,
 * at the socket that joined groups or at one that lists; a lost reply is the rest of a listing that
 * never comes. NLKIT_LONG=1 takes every point where the short form takes one of some, and two
 * faults at every pair of points.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Change, type Live, type Netlink, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import type { Socket, Transport } from 'nlkit/transport'
import { HOST_LE, NLM_F_DUMP_INTR, viewOf } from 'nlkit/wire'

const NETLINK_ROUTE = 0
const EAGAIN = -11
const ENOBUFS = -105
const DEADLINE = 10_000
/** Milliseconds after which a reply counts as lost. */
const PATIENCE = 8

/** What goes wrong with one call of a socket. */
type Fault = 'ENOBUFS' | 'DUMP_INTR' | 'lost reply' | 'index used again'
const FAULTS: readonly Fault[] = ['ENOBUFS', 'DUMP_INTR', 'lost reply', 'index used again']

/** What happens to the network, each step a request or two. */
const STORM: readonly ((nl: Netlink) => Promise<unknown>)[] = [
  (nl) => nl.links.add({ ifname: 'a', kind: 'dummy', up: true }),
  (nl) => nl.addresses.add({ link: 'a', address: '10.0.0.1/24' }),
  (nl) => nl.routes.add({ destination: '10.1.0.0/24', gateway: '10.0.0.2' }),
  (nl) => nl.routes.add({ destination: 'default', gateway: '10.0.0.2' }),
  (nl) => nl.routes.append({ destination: '10.1.0.0/24', gateway: '10.0.0.3' }),
  (nl) => nl.routes.replace({ destination: 'default', gateway: '10.0.0.9' }),
  (nl) => nl.links.set('a', { up: false }),
  (nl) => nl.links.set('a', { up: true }),
  (nl) => nl.routes.add({ destination: 'default', gateway: '10.0.0.2' }),
  (nl) => nl.links.add({ ifname: 'b', kind: 'bridge', ifindex: 20, up: true }),
  (nl) => nl.links.set('a', { master: 'b' }),
  (nl) => nl.addresses.add({ link: 'b', address: '10.2.0.1/24' }),
  (nl) => nl.routes.add({ destination: '10.3.0.0/24', gateway: '10.2.0.2', prefsrc: '10.0.0.1' }),
  (nl) => nl.addresses.delete({ link: 'a', address: '10.0.0.1/24' }),
  (nl) => nl.links.delete('b'),
  (nl) => nl.links.add({ ifname: 'b', kind: 'dummy', ifindex: 20 }),
]
/** The index of `b` goes to another link. */
const REUSE: readonly ((nl: Netlink) => Promise<unknown>)[] = [
  (nl) => nl.links.add({ ifname: 'x', kind: 'dummy', ifindex: 30, up: true }),
  (nl) => nl.addresses.add({ link: 'x', address: '10.9.0.1/24' }),
  (nl) => nl.links.delete('x'),
  (nl) => nl.links.add({ ifname: 'y', kind: 'bridge', ifindex: 30 }),
]
const LAST = 'last'
const END = (nl: Netlink): Promise<unknown> => nl.links.add({ ifname: LAST, kind: 'dummy' })

/** The requests that steps make, recorded on a kernel of their own. */
async function record(
  steps: readonly ((nl: Netlink) => Promise<unknown>)[],
): Promise<Uint8Array[][]> {
  await using kernel = new Kernel()
  const inner = kernel.transport()
  let sent: Uint8Array[] = []
  const recording: Transport = {
    async open(init) {
      const socket = await inner.open(init)
      const { send } = socket
      socket.send = (parts, to) => {
        sent.push(Uint8Array.from(parts.flatMap((part) => [...part])))
        return send.call(socket, parts, to)
      }
      delete (socket as { exchange?: unknown }).exchange
      Object.defineProperty(socket, 'exchange', { value: undefined })
      return socket
    },
  }
  await using nl = await open({ kernel: { transport: () => recording } })
  const all: Uint8Array[][] = []
  for (const step of steps) {
    sent = []
    await step(nl)
    all.push(sent)
  }
  return all
}

interface Plan {
  /**
   * From which point on a step of the storm happens at each; none: one a turn of the event loop,
   * after the first listing.
   */
  readonly start: number | undefined
  readonly faults: ReadonlyMap<number, Fault>
}

/** The kernel's side of one run: steps and faults happen when the reader calls. */
class Stage {
  readonly kernel = new Kernel()
  points = 0
  readonly #plan: Plan
  readonly #steps: Uint8Array[][]
  readonly #reuse: Uint8Array[][]
  #hand: Socket | undefined

  constructor(plan: Plan, steps: Uint8Array[][], reuse: Uint8Array[][]) {
    this.#plan = plan
    this.#steps = [...steps]
    this.#reuse = reuse
  }
  async begin(): Promise<void> {
    this.#hand = await this.kernel.transport().open({ protocol: NETLINK_ROUTE })
  }
  get isOver(): boolean {
    return this.#steps.length === 0
  }
  /** Sends requests, and throws the answers away. */
  do(requests: readonly Uint8Array[]): void {
    const buffer = new Uint8Array(65536)
    for (const request of requests) {
      this.#hand?.send([request])
      while ((this.#hand?.receive(buffer) ?? -1) >= 0);
    }
  }
  step(): void {
    const next = this.#steps.shift()
    if (next) this.do(next)
  }
  /** A call of the reader's: something may happen before it, and to it. */
  point(): Fault | undefined {
    const at = this.points++
    if (at >= (this.#plan.start ?? Number.POSITIVE_INFINITY)) this.step()
    const fault = this.#plan.faults.get(at)
    if (fault === 'index used again') for (const requests of this.#reuse) this.do(requests)
    return fault
  }

  transport(): Transport {
    const inner = this.kernel.transport()
    return {
      open: async (init) => this.#faulty(await inner.open(init), (init.groups ?? []).length > 0),
    }
  }

  #faulty(socket: Socket, isEvents: boolean): Socket {
    const receive = socket.receive.bind(socket)
    const send = socket.send.bind(socket)
    let isMute = false
    socket.send = (parts, to) => {
      isMute = false
      return send(parts, to)
    }
    socket.receive = (buffer) => {
      const fault = this.point()
      const size = receive(buffer)
      if (size < 0) return size
      if (fault === 'ENOBUFS') return ENOBUFS
      if (fault === 'lost reply' && !isEvents) isMute = true
      if (isMute) return EAGAIN
      if (fault === 'DUMP_INTR' && !isEvents) {
        const view = viewOf(buffer)
        view.setUint16(6, view.getUint16(6, HOST_LE) | NLM_F_DUMP_INTR, HOST_LE)
      }
      return size
    }
    Object.defineProperty(socket, 'exchange', { value: undefined })
    return socket
  }
}

const RESTLESS = new Set([
  'change',
  'cacheinfo',
  'stats',
  'stats64',
  'xstats',
  'afSpec',
  'promiscuity',
  'allmulti',
  'messageAgeTimer',
  'forwardDelayTimer',
  'holdTimer',
])
const text = (item: unknown): string =>
  JSON.stringify(item, (key, value: unknown) => {
    if (RESTLESS.has(key)) return undefined
    return typeof value === 'bigint' ? `${value}` : value
  })

/** What only one of both has. */
function differences(ours: readonly unknown[], truth: readonly unknown[]): string[] {
  const [a, b] = [ours.map(text), truth.map(text)]
  const only = (x: string[], y: string[], who: string): string[] =>
    x.filter((item) => !y.includes(item)).map((item) => `${who}: ${item.slice(0, 160)}`)
  const count = a.length === b.length ? [] : [`${a.length} instead of ${b.length}`]
  return [...count, ...only(a, b, 'ours'), ...only(b, a, 'truth')]
}

/** What a reader of changes believes. */
async function follow(live: Live<unknown>, told: unknown[]): Promise<void> {
  for await (const { before, after } of live as Live<unknown> & AsyncIterable<Change<unknown>>) {
    if (before !== undefined) {
      const at = told.findIndex((item) => text(item) === text(before))
      assert.ok(at >= 0, `never told: ${text(before)}`)
      told.splice(at, 1)
    }
    if (after !== undefined) told.push(after)
  }
}

/** One storm. @returns the number of points. */
async function run(plan: Plan, steps: Uint8Array[][], reuse: Uint8Array[][]): Promise<number> {
  const stage = new Stage(plan, steps, reuse)
  await using kernel = stage.kernel
  await stage.begin()
  await using nl = await open({ kernel: stage })
  const options = { timeout: PATIENCE }
  const lives = [
    nl.links.live({}, options),
    nl.addresses.live({}, options),
    nl.routes.live({}, options),
  ]
  const told: unknown[][] = lives.map(() => [])
  const followed = lives.map((live, i) => follow(live as Live<unknown>, told[i] as unknown[]))
  for (const each of followed) each.catch(() => {})
  await Promise.all(lives.map((live) => live.ready))
  const until = performance.now() + DEADLINE
  const isEnd = (): boolean =>
    stage.isOver &&
    lives.every((live) => live.isCertain) &&
    (lives[0] as Live<{ ifname: string }>).find(({ ifname }) => ifname === LAST) !== undefined
  while (!isEnd()) {
    assert.ok(performance.now() < until, 'it does not settle')
    await nextTurn()
    stage.step()
  }
  await nextTurn()
  await nextTurn()
  await using other = await open({ kernel })
  const truth = await Promise.all([
    other.links.list().toArray(),
    other.addresses.list().toArray(),
    other.routes.list().toArray(),
  ])
  for (const [i, live] of lives.entries()) {
    assert.deepEqual(differences(live.values(), truth[i] as unknown[]), [], 'what is known')
    assert.deepEqual(differences(told[i] as unknown[], truth[i] as unknown[]), [], 'what was told')
    live.close()
  }
  await Promise.all(followed)
  return stage.points
}

const isLong = process.env.NLKIT_LONG === '1'
/** Points from one fault to the next. */
const STRIDE = isLong ? 1 : 4

const recorded = record([...STORM, ...REUSE, END])
async function storm(): Promise<{ steps: Uint8Array[][]; reuse: Uint8Array[][] }> {
  const all = await recorded
  const steps = [...all.slice(0, STORM.length), ...all.slice(-1)]
  return { steps, reuse: all.slice(STORM.length, -1) }
}

test('a storm without faults, whenever it begins', async () => {
  const { steps, reuse } = await storm()
  const points = await run({ start: undefined, faults: new Map() }, steps, reuse)
  assert.ok(points > 40, `${points} points`)
  await run({ start: 0, faults: new Map() }, steps, reuse)
  for (let start = 1; start < 12; start += STRIDE)
    await run({ start, faults: new Map() }, steps, reuse)
})

for (const fault of FAULTS) {
  for (const start of [3, undefined]) {
    const when = start === undefined ? 'after the first listing' : 'during it'
    test(`a storm ${when}, with ${fault} at every point`, async () => {
      const { steps, reuse } = await storm()
      let points = 1
      for (let at = 0; at < points; at += STRIDE) {
        const plan = { start, faults: new Map([[at, fault]]) }
        points = Math.max(points, await run(plan, steps, reuse))
      }
    })
  }
}

test('a storm with two faults, at every pair of points', {
  skip: isLong ? false : 'some minutes: NLKIT_LONG=1',
}, async () => {
  const { steps, reuse } = await storm()
  const points = await run({ start: 3, faults: new Map() }, steps, reuse)
  for (const first of FAULTS)
    for (const second of FAULTS)
      for (let a = 0; a < points; a++)
        for (let b = a + 1; b < points; b++) {
          const faults = new Map([[a, first] as const, [b, second] as const])
          await run({ start: 3, faults }, steps, reuse)
        }
})
