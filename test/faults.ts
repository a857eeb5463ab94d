/**
 * A recorded storm, replayed against a kernel while its readers, three live tables, suffer faults:
 * a loss of events (ENOBUFS), an interrupted dump, a lost reply, a link's index used again.
 *
 * A point is a call of one of the readers' sockets. A loss is told with ENOBUFS, as Linux does it,
 * at the socket that joined groups or at one that lists; a lost reply is the rest of a listing that
 * never comes. Time is virtual: it goes on when nobody has anything to do.
 */
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Change, type Live, type Netlink, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import type { Socket, Transport } from 'nlkit/transport'
import { HOST_LE, NLM_F_DUMP_INTR, viewOf } from 'nlkit/wire'
import { VirtualTime } from './virtual-time.ts'

const NETLINK_ROUTE = 0
const EAGAIN = -11
const ENOBUFS = -105
/** Turns of the event loop after which a run counts as one that does not settle. */
const TURNS = 50_000
/** Milliseconds after which a reply counts as lost. */
const PATIENCE = 8

/** What goes wrong with one call of a socket. */
export type Fault = 'ENOBUFS' | 'DUMP_INTR' | 'lost reply' | 'index used again'
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
/** How many steps the whole storm has, without its last. */
export const STEPS = STORM.length
/** The index of `x` goes to another link. */
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

/**
 * When a step of the storm happens: at each call of any socket, at each call of one that lists, or
 * one a turn of the event loop. What is left of it when all are listed comes one a turn.
 */
export type Wind = 'calls' | 'listings' | 'turns'
export const WINDS: readonly Wind[] = ['calls', 'listings', 'turns']
/** The first call at which a step happens. */
const FIRST = 3

export interface Plan {
  readonly wind: Wind
  /** The first call at which a step happens; FIRST unless given. */
  readonly from?: number
  readonly faults: ReadonlyMap<number, Fault>
}

/** The kernel's side of one run: steps and faults happen when the reader calls. */
class Stage {
  readonly kernel = new Kernel()
  /** What came of each call: 'n'othing, an 'e'vent, a 'r'eply. */
  trace = ''
  readonly #plan: Plan
  readonly #steps: Uint8Array[][]
  readonly #reuse: readonly Uint8Array[][]
  #hand: Socket | undefined

  constructor(plan: Plan, steps: readonly Uint8Array[][], reuse: readonly Uint8Array[][]) {
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
  point(isEvents: boolean): Fault | undefined {
    const at = this.trace.length
    const { wind, from = FIRST } = this.#plan
    if (at >= from && (wind === 'calls' || (wind === 'listings' && !isEvents))) this.step()
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
      const fault = this.point(isEvents)
      const size = receive(buffer)
      this.trace += size < 0 ? 'n' : isEvents ? 'e' : 'r'
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

/** Whether a fault at a point of which `trace` tells does anything. */
function hasEffect(fault: Fault, trace: string, at: number): boolean {
  const came = trace[at]
  if (fault === 'index used again') return true
  return fault === 'ENOBUFS' ? came !== 'n' : came === 'r'
}

/** The turns of the event loop, of which those without any call move the time on. */
class Turns {
  #left = TURNS
  readonly #stage: Stage
  readonly #time: VirtualTime

  constructor(stage: Stage, time: VirtualTime) {
    this.#stage = stage
    this.#time = time
  }
  async next(): Promise<void> {
    assert.ok(this.#left-- > 0, 'it does not settle')
    const before = this.#stage.trace.length
    await nextTurn()
    if (this.#stage.trace.length === before) this.#time.advance()
  }
  async until(isSo: () => boolean, each?: () => void): Promise<void> {
    while (!isSo()) {
      await this.next()
      each?.()
    }
  }
}

export interface Storm {
  readonly steps: readonly Uint8Array[][]
  readonly reuse: readonly Uint8Array[][]
}

let recorded: Promise<Uint8Array[][]> | undefined
/** The storm's first `length` steps, and the last one. */
export async function storm(length = STORM.length): Promise<Storm> {
  recorded ??= record([...STORM, ...REUSE, END])
  const all = await recorded
  const steps = [...all.slice(0, Math.min(length, STORM.length)), ...all.slice(-1)]
  return { steps, reuse: all.slice(STORM.length, -1) }
}

async function compare(kernel: Kernel, lives: readonly Live<unknown>[], told: unknown[][]) {
  await using other = await open({ kernel })
  const truth: readonly unknown[][] = await Promise.all([
    other.links.list().toArray(),
    other.addresses.list().toArray(),
    other.routes.list().toArray(),
  ])
  for (const [i, live] of lives.entries()) {
    const items = truth[i] as unknown[]
    assert.deepEqual(differences(live.values(), items), [], 'what is known')
    assert.deepEqual(differences(told[i] as unknown[], items), [], 'what was told')
  }
}

/**
 * One storm; what the readers know and were told is the truth at its end.
 * @returns what came of each call: its length is the number of points.
 */
async function play(plan: Plan, { steps, reuse }: Storm, time: VirtualTime): Promise<string> {
  const stage = new Stage(plan, steps, reuse)
  await using kernel = stage.kernel
  await stage.begin()
  await using nl = await open({ kernel: stage })
  const options = { timeout: PATIENCE }
  const lives = [
    nl.links.live({}, options),
    nl.addresses.live({}, options),
    nl.routes.live({}, options),
  ] as Live<unknown>[]
  const told: unknown[][] = lives.map(() => [])
  const followed = lives.map((live, i) => follow(live, told[i] as unknown[]))
  for (const each of followed) each.catch(() => {})
  const turns = new Turns(stage, time)
  let isReady = false
  const ready = Promise.all(lives.map((live) => live.ready)).finally(() => {
    isReady = true
  })
  ready.catch(() => {})
  await turns.until(() => isReady)
  await ready
  const isEnd = (): boolean =>
    stage.isOver &&
    lives.every((live) => live.isCertain) &&
    (lives[0] as Live<{ ifname: string }>).find(({ ifname }) => ifname === LAST) !== undefined
  await turns.until(isEnd, () => stage.step())
  await turns.next()
  await turns.next()
  await compare(kernel, lives, told)
  for (const live of lives) live.close()
  await Promise.all(followed)
  return stage.trace
}

export async function run(plan: Plan, what: Storm): Promise<string> {
  const time = new VirtualTime()
  try {
    return await play(plan, what, time)
  } finally {
    time.end()
  }
}

/** A run with one fault, and what came of its calls. */
export interface FirstFault {
  readonly wind: Wind
  readonly what: Storm
  readonly at: number
  readonly fault: Fault
  readonly trace: string
}

/**
 * One fault at every point of a storm where it does something.
 * @param isOurs by the number of the run: whether it is to be made at all.
 * @throws AssertionError of the first run whose readers are wrong, with its plan.
 */
export async function* firstFaults(
  wind: Wind,
  what: Storm,
  isOurs: (nth: number) => boolean = () => true,
): AsyncGenerator<FirstFault> {
  const base = await run({ wind, faults: new Map() }, what)
  let nth = 0
  for (let at = 0; at < base.length; at++) {
    for (const fault of FAULTS) {
      if (!hasEffect(fault, base, at) || !isOurs(nth++)) continue
      const trace = await again({ wind, faults: new Map([[at, fault]]) }, what, base, at)
      yield { wind, what, at, fault, trace }
    }
  }
}

/** What may go wrong besides: another fault, at every later point of that run where it does something. */
export function* secondFaults(first: FirstFault): Generator<{ run(): Promise<void> }> {
  const { wind, what, trace } = first
  for (let at = first.at + 1; at < trace.length; at++) {
    for (const fault of FAULTS) {
      if (!hasEffect(fault, trace, at)) continue
      const faults = new Map([
        [first.at, first.fault],
        [at, fault],
      ])
      yield {
        run: async () => {
          await again({ wind, faults }, what, trace, at)
        },
      }
    }
  }
}

/** A run that is like another until `at`. */
async function again(plan: Plan, what: Storm, like: string, at: number): Promise<string> {
  const told = `${plan.wind}, ${[...plan.faults].map(([n, fault]) => `${fault} at ${n}`)}`
  const trace = await run(plan, what).catch((error) => {
    throw new assert.AssertionError({ message: `${told}: ${error?.message}` })
  })
  assert.equal(trace.slice(0, at), like.slice(0, at), `${told}: it began otherwise`)
  return trace
}
