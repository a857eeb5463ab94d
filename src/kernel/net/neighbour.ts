/**
 * Neighbours: which link-layer address a host on a link has. Nothing is resolved here, as no
 * packets flow: entries are what user space sets, and age as in Linux.
 *
 * Kernel: net/core/neighbour.c neigh_add(), neigh_delete(), __neigh_update(), neigh_flush_dev();
 * net/ipv4/arp.c, net/ipv6/ndisc.c.
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv4, type Ipv6, isMulticast6 } from './address.ts'
import type { Origin } from './chains.ts'
import {
  AF_INET,
  IFF_LOOPBACK,
  IFF_NOARP,
  IFF_POINTOPOINT,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NTF_EXT_LEARNED,
  NTF_MANAGED,
  NTF_PROXY,
  NTF_ROUTER,
  NTF_USE,
  NUD_CONNECTED,
  NUD_DELAY,
  NUD_FAILED,
  NUD_INCOMPLETE,
  NUD_NOARP,
  NUD_NONE,
  NUD_PERMANENT,
  NUD_PROBE,
  NUD_REACHABLE,
  NUD_STALE,
  NUD_VALID,
  RTN_BROADCAST,
  RTN_MULTICAST,
  RTN_UNICAST,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { NeighParms, NeighTableParms } from './neigh-parms.ts'
import type { NetStack } from './stack.ts'

/** How long an entry stays in a state that a timer ends, in milliseconds, and what follows. */
const AGEING: ReadonlyMap<number, readonly [ms: number, next: number]> = new Map([
  [NUD_REACHABLE, [30_000, NUD_STALE]],
  [NUD_DELAY, [5000, NUD_PROBE]],
  [NUD_PROBE, [3000, NUD_FAILED]],
  [NUD_INCOMPLETE, [3000, NUD_FAILED]],
])

/** An entry that is asked for. */
export interface NeighbourRequest {
  readonly ifindex: number
  readonly dst?: Ipv4 | Ipv6 | undefined
  readonly lladdr?: Uint8Array | undefined
  /** NUD_*. */
  readonly state?: number | undefined
  /** NTF_*, the extended ones shifted above the old. */
  readonly flags?: number | undefined
  readonly protocol?: number | undefined
}

/** struct neighbour; `isProxy` makes it a struct pneigh_entry. */
export class Neighbour {
  readonly family: number
  readonly dst: Ipv4 | Ipv6
  /** Undefined only for a proxy entry of all devices. */
  readonly dev: NetDevice | undefined
  readonly isProxy: boolean
  lladdr: Uint8Array
  /** NUD_*. */
  state = NUD_NONE
  /** NTF_*. */
  flags = 0
  /** RTN_*. */
  type = RTN_UNICAST
  protocol = 0
  probes = 0
  isGone = false
  /** Milliseconds since boot. */
  used: number
  confirmed: number
  updated: number
  cancelTimer: (() => void) | undefined
  /** Whether the request that asked for it still holds it. */
  isHeld = false

  constructor(family: number, dst: Ipv4 | Ipv6, dev: NetDevice | undefined, now: number) {
    this.family = family
    this.dst = dst
    this.dev = dev
    this.isProxy = dev === undefined
    this.lladdr = new Uint8Array(dev?.address.length ?? 0)
    this.used = now
    this.confirmed = now
    this.updated = now
  }

  /** How many hold it, besides its table: a timer, a request (ndm_refcnt). */
  get references(): number {
    return (this.cancelTimer ? 1 : 0) + (this.isHeld ? 1 : 0)
  }

  get isValid(): boolean {
    return (this.state & NUD_VALID) !== 0
  }
}

/** The neighbours of one address family (struct neigh_table). */
export class NeighbourTable {
  readonly #stack: NetStack
  readonly #family: number
  readonly #entries = new Map<string, Neighbour>()
  readonly #proxies = new Map<string, Neighbour>()
  /** Sizes and timers of all. */
  readonly parms: NeighTableParms
  /** Those of devices, in the order in which they came. */
  readonly #deviceParms = new Map<NetDevice, NeighParms>()

  constructor(stack: NetStack, family: number) {
    this.#stack = stack
    this.#family = family
    this.parms = new NeighTableParms(family, () => stack.chance())
  }

  get size(): number {
    return this.#entries.size
  }

  /** Sizes and timers of each device that has the family, the newest first. */
  deviceParms(): [NetDevice, NeighParms][] {
    return [...this.#deviceParms].filter(([dev]) => this.#isUsedBy(dev)).reverse()
  }

  parmsByIndex(ifindex: number): NeighParms | undefined {
    const dev = this.#stack.devices.byIndex(ifindex)
    return dev && this.#isUsedBy(dev) ? this.#deviceParms.get(dev) : undefined
  }

  /** neigh_parms_alloc(), neigh_parms_release(). */
  watchDevice(dev: NetDevice, isThere: boolean): void {
    if (!isThere) this.#deviceParms.delete(dev)
    else {
      const parms = new NeighParms(this.parms.own.settings, () => this.#stack.chance())
      this.#deviceParms.set(dev, parms)
    }
  }

  #isUsedBy(dev: NetDevice): boolean {
    return (this.#family === AF_INET ? dev.inet : dev.inet6) !== undefined
  }

  list(): Iterable<Neighbour> {
    return this.#entries.values()
  }

  proxies(): Iterable<Neighbour> {
    return this.#proxies.values()
  }

  find(dst: Ipv4 | Ipv6, dev: NetDevice): Neighbour | undefined {
    return this.#entries.get(keyOf(dst, dev))
  }

  findProxy(dst: Ipv4 | Ipv6, dev: NetDevice | undefined): Neighbour | undefined {
    return this.#proxies.get(keyOf(dst, dev))
  }

  /**
   * neigh_add(). `how`: NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE. When an address is wanting, the
   * entry remains, without a state.
   * @throws NetlinkError EINVAL, ENODEV, ENOENT, EEXIST
   */
  add(request: NeighbourRequest, how: number, origin?: Origin): void {
    const { dst, lladdr, state = NUD_NONE, flags = 0, protocol = 0 } = request
    if (dst === undefined) throw new NetlinkError('EINVAL', 'Network address not specified')
    const dev = this.#deviceOf(request.ifindex)
    if (dev && lladdr && lladdr.length < dev.address.length) {
      throw new NetlinkError('EINVAL', 'Invalid link address')
    }
    if (flags & NTF_PROXY) {
      this.#addProxy(dst, dev, request)
      return
    }
    if (!dev) throw new NetlinkError('EINVAL', 'Device not specified')
    if (this.#family !== AF_INET && (!dev.inet6 || dev.inet6.isDisabled)) {
      throw new NetlinkError('EINVAL', 'IPv6 is disabled on this device')
    }
    let neigh = this.find(dst, dev)
    const isOverride = !neigh || (how & NLM_F_REPLACE) !== 0
    if (!neigh) {
      if (!(how & NLM_F_CREATE)) throw new NetlinkError('ENOENT')
      if (state & NUD_PERMANENT && flags & NTF_MANAGED) {
        throw new NetlinkError('EINVAL', 'Invalid NTF_* flag for permanent entry')
      }
      neigh = this.#create(dst, dev)
    } else if (how & NLM_F_EXCL) {
      throw new NetlinkError('EEXIST')
    }
    if (protocol) neigh.protocol = protocol
    neigh.isHeld = true
    try {
      this.#update(neigh, { lladdr, state, flags, isOverride }, origin)
    } finally {
      neigh.isHeld = false
    }
  }

  /**
   * neigh_delete(): first it has failed, then it is gone.
   * @throws NetlinkError EINVAL, ENODEV, ENOENT
   */
  delete(request: NeighbourRequest, origin?: Origin): void {
    const { dst, flags = 0 } = request
    if (dst === undefined) throw new NetlinkError('EINVAL', 'Network address not specified')
    const dev = this.#deviceOf(request.ifindex)
    if (flags & NTF_PROXY) {
      if (!this.#proxies.delete(keyOf(dst, dev))) throw new NetlinkError('ENOENT')
      return
    }
    if (!dev) throw new NetlinkError('EINVAL')
    const neigh = this.find(dst, dev)
    if (!neigh) throw new NetlinkError('ENOENT')
    const wasValid = neigh.isValid
    this.#setState(neigh, NUD_FAILED)
    neigh.isHeld = true
    if (wasValid) this.#announce(neigh, origin)
    neigh.isHeld = false
    this.#remove(neigh)
  }

  /** What sending a packet to `dst` leaves behind: nobody is told of an entry made so. */
  touch(dst: Ipv4 | Ipv6, dev: NetDevice): void {
    const known = this.find(dst, dev)
    if (known) known.used = this.#stack.now()
    else if (this.#family !== AF_INET || dev.inet) this.#create(dst, dev)
  }

  /** neigh_flush_dev(): all of a device, the newest first; permanent ones stay when only the carrier is lost. */
  flush(dev: NetDevice, keepPermanent = false): void {
    for (const neigh of [...this.#entries.values()].reverse()) {
      if (neigh.dev !== dev || (keepPermanent && neigh.state & NUD_PERMANENT)) continue
      this.#remove(neigh)
    }
    if (keepPermanent) return
    for (const [key, proxy] of this.#proxies) if (proxy.dev === dev) this.#proxies.delete(key)
  }

  #deviceOf(ifindex: number): NetDevice | undefined {
    if (ifindex === 0) return undefined
    const dev = this.#stack.devices.byIndex(ifindex)
    if (!dev) throw new NetlinkError('ENODEV')
    return dev
  }

  #addProxy(dst: Ipv4 | Ipv6, dev: NetDevice | undefined, request: NeighbourRequest): void {
    const { flags = 0, protocol } = request
    if (flags & NTF_MANAGED) throw new NetlinkError('EINVAL', 'Invalid NTF_* flag combination')
    const key = keyOf(dst, dev)
    const known = this.#proxies.get(key)
    const proxy = known ?? new Neighbour(this.#family, dst, dev, this.#stack.now())
    Object.assign(proxy, { isProxy: true, flags })
    if (protocol) proxy.protocol = protocol
    this.#proxies.set(key, proxy)
  }

  /**
   * ___neigh_create() with arp_constructor() or ndisc_constructor(). Where there is one host only,
   * IPv4 has one entry for all addresses.
   */
  #create(dst: Ipv4 | Ipv6, dev: NetDevice): Neighbour {
    const isAny = this.#family === AF_INET && dev.flags & (IFF_LOOPBACK | IFF_POINTOPOINT)
    const key = isAny ? 0 : dst
    const known = isAny ? this.find(key, dev) : undefined
    if (known) return known
    const neigh = new Neighbour(this.#family, key, dev, this.#stack.now())
    if (this.#family === AF_INET) {
      if (!dev.inet) throw new NetlinkError('EINVAL')
      neigh.type = this.#stack.fib4.addressType(key as Ipv4)
    } else if (isMulticast6(dst as Ipv6)) {
      neigh.type = RTN_MULTICAST
    }
    if (neigh.type === RTN_MULTICAST) {
      neigh.state = NUD_NOARP
      neigh.lladdr = multicastAddress(this.#family, dst)
    } else if (dev.flags & (IFF_NOARP | IFF_LOOPBACK)) {
      neigh.state = NUD_NOARP
      neigh.lladdr = dev.address.slice()
    } else if (neigh.type === RTN_BROADCAST) {
      neigh.state = NUD_NOARP
      neigh.lladdr = dev.broadcast.slice()
    }
    this.#entries.set(keyOf(key, dev), neigh)
    this.parms.allocs++
    return neigh
  }

  /** __neigh_update() as an administrator. */
  #update(
    neigh: Neighbour,
    wanted: { lladdr: Uint8Array | undefined; state: number; flags: number; isOverride: boolean },
    origin: Origin,
  ): void {
    const old = neigh.state
    const { flags } = wanted
    let isNew = applyFlags(neigh, flags)
    if (flags & (NTF_USE | NTF_MANAGED)) {
      this.#setState(neigh, old & ~NUD_PERMANENT)
      if (!neigh.isValid) this.#setState(neigh, NUD_INCOMPLETE)
    } else if (!(wanted.state & NUD_VALID)) {
      this.#setState(neigh, wanted.state)
      const hasFailed = old & (NUD_INCOMPLETE | NUD_PROBE) && wanted.state & NUD_FAILED
      isNew = (old & NUD_VALID) !== 0 || Boolean(hasFailed)
    } else {
      isNew = this.#updateValid(neigh, wanted) || isNew
    }
    if (isNew) this.#announce(neigh, origin)
  }

  /** Whether something changed. */
  #updateValid(
    neigh: Neighbour,
    wanted: { lladdr: Uint8Array | undefined; state: number; isOverride: boolean },
  ): boolean {
    const { state: old } = neigh
    const now = this.#stack.now()
    if (!wanted.lladdr && !(old & NUD_VALID)) {
      throw new NetlinkError('EINVAL', 'No link layer address given')
    }
    const lladdr = wanted.lladdr?.slice(0, neigh.lladdr.length) ?? neigh.lladdr
    const isSame = lladdr.every((byte, i) => byte === neigh.lladdr[i])
    const keepsAddress = isSame && (old & NUD_VALID) !== 0
    if (wanted.state & NUD_CONNECTED) neigh.confirmed = now
    if (old & NUD_VALID && !isSame && !wanted.isOverride) return false
    if (wanted.state === old && keepsAddress) return false
    neigh.updated = now
    neigh.lladdr = lladdr
    if (wanted.state !== old) this.#setState(neigh, wanted.state)
    return true
  }

  #setState(neigh: Neighbour, state: number): void {
    neigh.cancelTimer?.()
    neigh.cancelTimer = undefined
    neigh.state = state
    if (state & NUD_PROBE) neigh.probes = 0
    const ageing = AGEING.get(state)
    if (!ageing) return
    const [ms, next] = ageing
    neigh.cancelTimer = this.#stack.setTimer(() => {
      neigh.updated = this.#stack.now()
      this.#setState(neigh, next)
      this.#announce(neigh)
    }, ms)
  }

  #remove(neigh: Neighbour): void {
    neigh.cancelTimer?.()
    neigh.cancelTimer = undefined
    neigh.isGone = true
    this.parms.destroys++
    this.#entries.delete(keyOf(neigh.dst, neigh.dev))
    this.#stack.chains.neigh.call('DELNEIGH', { neigh })
  }

  #announce(neigh: Neighbour, origin?: Origin): void {
    this.#stack.chains.neigh.call('NEWNEIGH', { neigh, origin })
  }
}

function keyOf(dst: Ipv4 | Ipv6, dev: NetDevice | undefined): string {
  return `${dev?.ifindex ?? 0}|${dst}`
}

/** neigh_update_flags(): whether one changed. */
function applyFlags(neigh: Neighbour, flags: number): boolean {
  const kept = NTF_ROUTER | NTF_EXT_LEARNED | NTF_MANAGED
  const next = (neigh.flags & ~kept) | (flags & kept)
  const isNew = next !== neigh.flags
  neigh.flags = next
  return isNew
}

/** ip_eth_mc_map(), ipv6_eth_mc_map(). */
export function multicastAddress(family: number, dst: Ipv4 | Ipv6): Uint8Array {
  const low = Number(BigInt(dst) & 0xffffffffn)
  const bytes = [low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255] as const
  return family === AF_INET
    ? Uint8Array.of(0x01, 0x00, 0x5e, bytes[1] & 0x7f, bytes[2], bytes[3])
    : Uint8Array.of(0x33, 0x33, ...bytes)
}
