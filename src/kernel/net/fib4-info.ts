/**
 * What an IPv4 route says beside its destination: scope, nexthops, metrics. Routes that say the
 * same share it.
 *
 * Kernel: net/ipv4/fib_semantics.c struct fib_info, fib_create_info(), fib_nh_match().
 */
import type { ErrnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import type { Ipv4, Ipv6 } from './address.ts'
import type { Origin } from './chains.ts'
import {
  AF_INET,
  AF_INET6,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RTN_ANYCAST,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MAX,
  RTN_MULTICAST,
  RTN_NAT,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTN_UNSPEC,
  RTN_XRESOLVE,
  RTNH_F_DEAD,
  RTNH_F_LINKDOWN,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { type Encap, encapKey, isSameEncap } from './lwtunnel.ts'
import type { Nexthop } from './nexthop.ts'

/** RTAX_* of a route: number to value, a name for RTAX_CC_ALGO. */
export type Metrics = ReadonlyMap<number, number | string>

/** One way out, as it is asked for. */
export interface Nexthop4Request {
  readonly oif?: number | undefined
  readonly gateway?: Ipv4 | undefined
  /** RTA_VIA with an IPv6 gateway. */
  readonly gateway6?: Ipv6 | undefined
  /** RTNH_F_ONLINK, RTNH_F_PERVASIVE. */
  readonly flags?: number | undefined
  /** From 1. */
  readonly weight?: number | undefined
  readonly flow?: number | undefined
  readonly encap?: Encap | undefined
}

/** A route that is asked for, or how one to be deleted is described (struct fib_config). */
export interface Fib4Config extends Nexthop4Request {
  readonly dst: Ipv4
  readonly dstLen: number
  readonly dscp?: number | undefined
  /** 0 or absent: main. */
  readonly table?: number | undefined
  readonly protocol?: number | undefined
  readonly scope?: number | undefined
  readonly type?: number | undefined
  readonly priority?: number | undefined
  readonly prefsrc?: Ipv4 | undefined
  readonly metrics?: Metrics | undefined
  readonly multipath?: readonly Nexthop4Request[] | undefined
  /** The id of a nexthop object, in place of ways of its own. */
  readonly nhId?: number | undefined
  readonly origin?: Origin
}

/** One way out (struct fib_nh). */
export interface Nexthop4 {
  oif: number
  dev: NetDevice | undefined
  /** AF_INET, AF_INET6, or 0 without a gateway. */
  readonly gatewayFamily: number
  readonly gateway: Ipv4
  readonly gateway6: Ipv6
  flags: number
  scope: number
  readonly weight: number
  readonly flow: number
  readonly encap: Encap | undefined
}

/** What a route of each type answers, and the widest scope that it may have. */
const PROPS: readonly (readonly [error: ErrnoName | undefined, scope: number])[] = (() => {
  const props: [ErrnoName | undefined, number][] = []
  props[RTN_UNSPEC] = [undefined, RT_SCOPE_NOWHERE]
  props[RTN_UNICAST] = [undefined, RT_SCOPE_UNIVERSE]
  props[RTN_LOCAL] = [undefined, RT_SCOPE_HOST]
  props[RTN_BROADCAST] = [undefined, RT_SCOPE_LINK]
  props[RTN_ANYCAST] = [undefined, RT_SCOPE_LINK]
  props[RTN_MULTICAST] = [undefined, RT_SCOPE_UNIVERSE]
  props[RTN_BLACKHOLE] = ['EINVAL', RT_SCOPE_UNIVERSE]
  props[RTN_UNREACHABLE] = ['EHOSTUNREACH', RT_SCOPE_UNIVERSE]
  props[RTN_PROHIBIT] = ['EACCES', RT_SCOPE_UNIVERSE]
  props[RTN_THROW] = ['EAGAIN', RT_SCOPE_UNIVERSE]
  props[RTN_NAT] = ['EINVAL', RT_SCOPE_NOWHERE]
  props[RTN_XRESOLVE] = ['EINVAL', RT_SCOPE_NOWHERE]
  return props
})()

/** Flags that come and go (RTNH_COMPARE_MASK): routes that differ in them say the same. */
const MOMENTARY = RTNH_F_DEAD | RTNH_F_LINKDOWN

/** The error that a route of `type` is there to give, if any. */
export function routeTypeError(type: number): ErrnoName | undefined {
  return PROPS[type]?.[0]
}

/** struct fib_info. */
export class FibInfo {
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
  readonly priority: number
  /** 0: none. */
  readonly prefsrc: Ipv4
  readonly metrics: Metrics | undefined
  /** RTNH_F_DEAD and RTNH_F_LINKDOWN, when all nexthops are. */
  flags: number
  /** Those of its nexthop object, where it has one: they change with it. */
  nexthops: readonly Nexthop4[]
  readonly nh: Nexthop | undefined
  /** Whether it is dead because its source address is gone. */
  lostPrefsrc = false
  /** How many routes use it. */
  references = 0
  /** What it is found by; computed once its nexthops are checked. */
  key = ''

  /** @throws NetlinkError for what is wrong in itself, before any look-up. */
  constructor(config: Fib4Config, nh?: Nexthop) {
    const { type = RTN_UNSPEC, scope = RT_SCOPE_UNIVERSE, flags = 0 } = config
    if (type > RTN_MAX) throw new NetlinkError('EINVAL', 'Invalid route type')
    if ((PROPS[type] as readonly [unknown, number])[1] > scope) {
      throw new NetlinkError('EINVAL', 'Invalid scope')
    }
    if (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) {
      const message = 'Invalid rtm_flags - can not contain DEAD or LINKDOWN'
      throw new NetlinkError('EINVAL', message)
    }
    this.table = config.table as number
    this.protocol = config.protocol ?? 0
    this.scope = scope
    this.type = type
    this.priority = config.priority ?? 0
    this.prefsrc = config.prefsrc ?? 0
    this.metrics = config.metrics?.size ? config.metrics : undefined
    this.flags = flags
    this.nh = nh
    if (nh) this.nexthops = nh.ways4
    else if (config.multipath) this.nexthops = multipathOf(config, config.multipath)
    else this.nexthops = [nexthopOf(config)]
  }

  get isDead(): boolean {
    return (this.flags & RTNH_F_DEAD) !== 0
  }

  /** Whether both have one nexthop, no metrics, and say the same: a short way to what keys tell. */
  isPlainlySame(other: FibInfo): boolean {
    const [a, b] = [this.nexthops[0] as Nexthop4, other.nexthops[0] as Nexthop4]
    return (
      this.nh === other.nh &&
      this.nexthops.length === 1 &&
      other.nexthops.length === 1 &&
      isSameEncap(a.encap, b.encap) &&
      a.gatewayFamily === b.gatewayFamily &&
      a.gateway === b.gateway &&
      a.gateway6 === b.gateway6 &&
      a.oif === b.oif &&
      a.scope === b.scope &&
      a.weight === b.weight &&
      a.flow === b.flow &&
      ((a.flags ^ b.flags) & ~MOMENTARY) === 0 &&
      this.table === other.table &&
      this.protocol === other.protocol &&
      this.scope === other.scope &&
      this.type === other.type &&
      this.priority === other.priority &&
      this.prefsrc === other.prefsrc &&
      ((this.flags ^ other.flags) & ~MOMENTARY) === 0 &&
      !this.metrics &&
      !other.metrics
    )
  }

  /** Sets `key`: what fib_find_info() compares. */
  seal(): void {
    const ways = (this.nh ? [] : this.nexthops).map(
      (nh) =>
        `${nh.oif},${nh.gatewayFamily},${nh.gatewayFamily === AF_INET6 ? nh.gateway6 : nh.gateway},` +
        `${nh.scope},${nh.weight},${nh.flow},${nh.flags & ~MOMENTARY},${encapKey(nh.encap)}`,
    )
    const flags = this.flags & ~MOMENTARY
    const metrics = this.metrics ? [...this.metrics].sort(([a], [b]) => a - b).join() : ''
    this.key =
      `${this.table}|${this.protocol}|${this.scope}|${this.type}|${this.priority}|` +
      `${this.prefsrc}|${flags}|${metrics}|${this.nh?.id ?? ''}|${ways.join('|')}`
  }

  /** Whether it is what `config` describes for deletion (fib_nh_match(), fib_metrics_match()). */
  matches(config: Fib4Config): boolean {
    const { type, scope, prefsrc, protocol, priority } = config
    if (type && type !== this.type) return false
    if (scope !== undefined && scope !== RT_SCOPE_NOWHERE && scope !== this.scope) return false
    if (prefsrc && prefsrc !== this.prefsrc) return false
    if (protocol && protocol !== this.protocol) return false
    if (priority && priority !== this.priority) return false
    return this.#matchesNexthops(config) && this.#matchesMetrics(config.metrics)
  }

  #matchesNexthops(config: Fib4Config): boolean {
    if (config.nhId) return this.nh?.id === config.nhId
    if (this.nh) return !(config.oif || config.gateway || config.gateway6 || config.multipath)
    const first = this.nexthops[0] as Nexthop4
    if (config.oif || config.gateway || config.gateway6) {
      if (config.flow && config.flow !== first.flow) return false
      return matchesNexthop(config, first)
    }
    const { multipath } = config
    if (!multipath) return true
    return this.nexthops.every((nh, i) => {
      const wanted = multipath[i]
      if (!wanted || (wanted.flow && wanted.flow !== nh.flow)) return false
      return matchesNexthop(wanted, nh)
    })
  }

  #matchesMetrics(metrics: Metrics | undefined): boolean {
    for (const [name, value] of metrics ?? []) {
      if ((this.metrics?.get(name) ?? 0) !== value) return false
    }
    return true
  }
}

function matchesNexthop(wanted: Nexthop4Request, nh: Nexthop4): boolean {
  if (wanted.oif && wanted.oif !== nh.oif) return false
  if (wanted.gateway) return nh.gatewayFamily === AF_INET && nh.gateway === wanted.gateway
  if (wanted.gateway6 !== undefined) {
    return nh.gatewayFamily === AF_INET6 && nh.gateway6 === wanted.gateway6
  }
  return true
}

function nexthopOf(request: Nexthop4Request): Nexthop4 {
  const family = request.gateway6 !== undefined ? AF_INET6 : request.gateway ? AF_INET : 0
  return {
    oif: request.oif ?? 0,
    dev: undefined,
    gatewayFamily: family,
    gateway: request.gateway ?? 0,
    gateway6: request.gateway6 ?? 0n,
    flags: request.flags ?? 0,
    scope: RT_SCOPE_UNIVERSE,
    weight: request.weight ?? 1,
    flow: request.flow ?? 0,
    encap: request.encap,
  }
}

/** fib_get_nhs(). */
function multipathOf(config: Fib4Config, ways: readonly Nexthop4Request[]): Nexthop4[] {
  if (ways.length === 0) throw new NetlinkError('EINVAL')
  for (const { flags = 0 } of ways) {
    if (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) {
      const message = 'Invalid flags for nexthop - can not contain DEAD or LINKDOWN'
      throw new NetlinkError('EINVAL', message)
    }
  }
  const nexthops = ways.map((way) => nexthopOf(way))
  const first = nexthops[0] as Nexthop4
  if (config.oif && first.oif !== config.oif) {
    throw new NetlinkError('EINVAL', 'Nexthop device index does not match RTA_OIF')
  }
  const { gateway, gateway6, flow } = config
  if ((gateway || gateway6 !== undefined) && !matchesNexthop({ gateway, gateway6 }, first)) {
    throw new NetlinkError('EINVAL', 'Nexthop gateway does not match RTA_GATEWAY or RTA_VIA')
  }
  if (flow && first.flow !== flow) {
    throw new NetlinkError('EINVAL', 'Nexthop class id does not match RTA_FLOW')
  }
  return nexthops
}
