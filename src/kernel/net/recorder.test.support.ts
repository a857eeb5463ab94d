/**
 * For tests: a stack whose clock stands still, and what it announces as lines of text. The lines
 * expected in the tests are what Linux 6.18 sent for the same changes, in this spelling.
 */
import assert from 'node:assert/strict'
import { isNetlinkError, type NetlinkError } from '../../errors.ts'
import { formatIpv4, formatIpv6, type Ipv4, type Ipv6 } from './address.ts'
import type { LinkNotice, NetdevEvent, RouteNotice } from './chains.ts'
import { AF_INET } from './constants.ts'
import type { NetDevice } from './device.ts'
import { changeFlags, combineFlags } from './device-flags.ts'
import type { FdbEntry } from './fdb.ts'
import { Fib4Route } from './fib4.ts'
import type { Fib6Route } from './fib6.ts'
import { createLink } from './link-create.ts'
import type { LinkRequest } from './link-kind.ts'
import type { Neighbour } from './neighbour.ts'
import { NetStack } from './stack.ts'

const TOLD: readonly NetdevEvent[] = [
  'NETDEV_CHANGEMTU',
  'NETDEV_CHANGEADDR',
  'NETDEV_CHANGENAME',
  'NETDEV_CHANGEUPPER',
  'NETDEV_CHANGE_TX_QUEUE_LEN',
  'NETDEV_FEAT_CHANGE',
]

/** Who asks for a change in tests: lines of what is due to it end in `by=me`. */
export const ME = { name: 'me' }

/** A clock that moves when it is told to. */
export class ManualClock {
  now = 0
  #timers: { at: number; run: () => void }[] = []

  monotonic(): number {
    return this.now
  }

  setTimer(run: () => void, ms: number): () => void {
    const timer = { at: this.now + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  /** Runs what is due within `ms`, in order; `settle` after each. */
  advance(ms: number, settle: () => void): void {
    const end = this.now + ms
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.now = Math.max(this.now, next.at)
      this.#timers = this.#timers.filter((each) => each !== next)
      next.run()
      settle()
    }
    this.now = end
  }

  get pending(): number {
    return this.#timers.length
  }
}

export class Recorder {
  readonly clock: ManualClock
  readonly stack: NetStack
  readonly #lines: string[] = []
  readonly #deferred: (() => void)[] = []
  #seed = 1

  constructor(clock = new ManualClock()) {
    this.clock = clock
    this.stack = new NetStack({
      clock,
      random: (n) => Uint8Array.from({ length: n }, () => this.#random()),
      defer: (run) => this.#deferred.push(run),
      hasBridgeVlans: false,
    })
    this.#listen()
  }

  /** What was announced since the last call, without what is deferred. */
  taken(): string[] {
    return this.#lines.splice(0)
  }

  /** Makes the deferred happen, and lets `ms` pass; what was announced since the last call. */
  settled(ms = 0): string[] {
    this.settle()
    this.clock.advance(ms, () => this.settle())
    return this.taken()
  }

  settle(): void {
    for (let run = this.#deferred.shift(); run; run = this.#deferred.shift()) run()
  }

  /** `ip link add`. */
  add(kind: string, name: string, request: LinkRequest = {}): NetDevice {
    const found = this.stack.kinds.get(kind)
    if (!found) throw new TypeError(`no kind ${kind}`)
    return createLink(this.stack, found, { name, ...request })
  }

  /** Two ends, without link-local addresses, up and settled unless `down`. */
  veth(a: string, b: string, down = false): [NetDevice, NetDevice] {
    const one = this.add('veth', a, { data: { peer: { name: b } } })
    const other = this.dev(b)
    for (const dev of [one, other]) {
      if (dev.inet6) dev.inet6.conf.set('addrGenMode', 1)
      if (!down) up(dev)
    }
    this.settled()
    return [one, other]
  }

  dev(name: string): NetDevice {
    const dev = this.stack.devices.byName(name)
    if (!dev) throw new TypeError(`no device ${name}`)
    return dev
  }

  /** `ip route show table all`, shortened. */
  routes(): string[] {
    const { fib4, fib6 } = this.stack
    const v4 = fib4.tables().flatMap((table) => table.sorted().map((route) => route4(route)))
    const v6 = fib6
      .tables()
      .flatMap((table) => table.sorted().filter(({ siblings }, i, all) => siblings[0] === all[i]))
    return [...v4, ...v6.map((route) => route6(route))]
  }

  #random(): number {
    this.#seed = (this.#seed * 1103515245 + 12345) & 0x7fffffff
    return (this.#seed >> 16) & 255
  }

  #listen(): void {
    const { chains } = this.stack
    const by = (origin: object | undefined): string => (origin === ME ? ' by=me' : '')
    const note = (line: string): number => this.#lines.push(line) && 0
    chains.netdev.register({
      priority: 1000,
      call: (event, { dev }) =>
        TOLD.includes(event) && dev.regState === 'registered' && dev.isAnnounced
          ? note(
              link('NEWLINK', { dev, change: 0 }) +
                (event === 'NETDEV_FEAT_CHANGE' ? ' EVENT=2' : ''),
            )
          : 0,
    })
    chains.link.register({ call: (event, notice) => note(link(event, notice) + by(notice.origin)) })
    chains.addr.register({
      call: (event, { ifa, origin }) => {
        const address =
          ifa.family === AF_INET
            ? `${formatIpv4(ifa.local)}/${ifa.prefixlen} label=${ifa.label}` +
              (ifa.broadcast ? ` brd=${formatIpv4(ifa.broadcast)}` : '')
            : `${formatIpv6(ifa.address)}/${ifa.prefixlen}`
        const flags = hex(ifa.flags & 0xff)
        return note(
          `${event} ${ifa.dev.name} ${address} scope=${ifa.scope} flags=${flags}${by(origin)}`,
        )
      },
    })
    chains.route.register({
      call: (event, notice) => note(`${event} ${route(notice)}${by(notice.origin)}`),
    })
    chains.neigh.register({
      call: (event, { neigh, origin }) => note(`${event} ${neighbour(neigh)}${by(origin)}`),
    })
    chains.rule.register({
      call: (event, { rule, origin }) =>
        note(`${event} ${rule.priority} table=${rule.table}${by(origin)}`),
    })
  }
}

/** The code and the extack's message of what `run` throws. */
export function refusal(run: () => void): string {
  let text = 'nothing was thrown'
  assert.throws(run, (error) => {
    const { code, extack } = error as NetlinkError
    text = extack?.message ? `${code} ${extack.message}` : code
    return isNetlinkError(error)
  })
  return text
}

/** `ip link set DEV up`. */
export function up(dev: NetDevice): void {
  changeFlags(dev, combineFlags(dev, 1, 1))
}

/** `ip link set DEV down`. */
export function down(dev: NetDevice): void {
  changeFlags(dev, combineFlags(dev, 0, 1))
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

function link(event: string, { dev, change, family = 0 }: LinkNotice): string {
  let line = `${event} ${dev.name}`
  if (family) line += ` fam=${family}`
  line += ` flags=${hex(dev.reportedFlags)} change=${hex(change)} oper=${dev.reportedOperstate}`
  if (!family) line += ` carrier=${dev.hasCarrier ? 1 : 0}`
  return dev.master && family !== 10 ? `${line} master=${dev.master.name}` : line
}

function route({ route, flags }: RouteNotice): string {
  const text = route instanceof Fib4Route ? route4(route) : route6(route as Fib6Route)
  return flags ? `${text} fl=${hex(flags)}` : text
}

function prefix(text: string, length: number): string {
  return length === 0 ? 'default' : `${text}/${length}`
}

function route4({ dst, dstLen, table, info }: Fib4Route): string {
  const [nh] = info.nexthops
  let line = `${prefix(formatIpv4(dst), dstLen)} table=${table} proto=${info.protocol}`
  line += ` scope=${info.scope} type=${info.type}`
  if (info.nexthops.length > 1) return `${line} multipath=${info.nexthops.length}`
  if (nh?.flags) line += ` rflags=${hex(nh.flags)}`
  if (nh?.gateway) line += ` gw=${formatIpv4(nh.gateway)}`
  if (info.prefsrc) line += ` src=${formatIpv4(info.prefsrc)}`
  if (info.priority) line += ` metric=${info.priority}`
  return nh?.dev ? `${line} dev=${nh.dev.name}` : line
}

function route6(route: Fib6Route): string {
  const { nexthop } = route
  let line = `${prefix(formatIpv6(route.dst), route.dstLen)} table=${route.table}`
  line += ` proto=${route.protocol} type=${route.type}`
  if (route.siblings.length > 1) return `${line} multipath=${route.siblings.length}`
  if (nexthop.flags) line += ` rflags=${hex(nexthop.flags)}`
  if (nexthop.gateway !== undefined) line += ` gw=${formatIpv6(nexthop.gateway)}`
  return `${line} metric=${route.metric} dev=${nexthop.dev.name}`
}

function neighbour(neigh: Neighbour | FdbEntry): string {
  if (!('dst' in neigh)) {
    const where = neigh.port?.name ?? neigh.bridge.name
    return `fam=7 ${where} ${mac(neigh.address)} state=${hex(neigh.state)}`
  }
  const dst =
    neigh.family === AF_INET ? formatIpv4(neigh.dst as Ipv4) : formatIpv6(neigh.dst as Ipv6)
  const line = `${dst} dev=${neigh.dev?.name} state=${hex(neigh.state)}`
  return neigh.isValid ? `${line} lladdr=${mac(neigh.lladdr)}` : line
}

/** `02:00:00:00:00:01` as bytes. */
export function macOf(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}

function mac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
