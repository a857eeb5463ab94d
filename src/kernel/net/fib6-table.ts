/**
 * One IPv6 routing table: routes by prefix, longest prefix first.
 *
 * Kernel: net/ipv6/ip6_fib.c. Linux keeps a radix tree; here each prefix length has a map from the
 * prefix to its routes, by ascending metric.
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, prefix6 } from './address.ts'
import type { Origin } from './chains.ts'
import { AF_INET6, RTN_MAX } from './constants.ts'
import type { Metrics } from './fib4-info.ts'
import type { Nexthop6, Nexthop6Request } from './fib6-nexthop.ts'
import type { Nexthop } from './nexthop.ts'

/** A route that is asked for, or how one to be deleted is described (struct fib6_config). */
export interface Fib6Config extends Nexthop6Request {
  readonly dst: Ipv6
  readonly dstLen: number
  /** 0 or absent: any, or the default for what is added. */
  readonly metric?: number | undefined
  readonly protocol?: number | undefined
  readonly type?: number | undefined
  readonly prefsrc?: Ipv6 | undefined
  readonly metrics?: Metrics | undefined
  /** Seconds from now. */
  readonly expires?: number | undefined
  /** ICMPV6_ROUTER_PREF_*: 0 medium, 1 high, 3 low. */
  readonly pref?: number | undefined
  readonly multipath?: readonly Nexthop6Request[] | undefined
  /** The id of a nexthop object, in place of ways of its own. */
  readonly nhId?: number | undefined
  readonly origin?: Origin
}

/** A route with one nexthop (struct fib6_info); those of a multipath route are siblings. */
export class Fib6Route {
  readonly family = AF_INET6
  readonly table: number
  readonly dst: Ipv6
  readonly dstLen: number
  readonly metric: number
  readonly protocol: number
  readonly type: number
  prefsrc: Ipv6 | undefined
  readonly metrics: Metrics | undefined
  readonly pref: number
  readonly nh: Nexthop | undefined
  readonly #nexthop: Nexthop6
  /** Whether it rejects, as all routes through lo do that are not local. */
  readonly isReject: boolean
  /** The routes that are one to the outside, this one included. */
  siblings: readonly Fib6Route[] = [this]
  /** Milliseconds since boot. */
  expires: number | undefined
  cancelTimer: (() => void) | undefined
  /** Whether it is in its table. */
  isLinked = false

  /** A route that rejects keeps neither a preference nor an end. */
  constructor(
    table: number,
    config: Fib6Config,
    nexthop: Nexthop6,
    isReject: boolean,
    nh?: Nexthop,
  ) {
    const { expires } = config
    this.table = table
    this.dst = prefix6(config.dst, config.dstLen)
    this.dstLen = config.dstLen
    this.metric = config.metric ?? 0
    this.protocol = config.protocol || 3
    this.type = config.type || 1
    this.prefsrc = config.prefsrc || undefined
    this.metrics = config.metrics?.size ? config.metrics : undefined
    this.pref = isReject ? 0 : (config.pref ?? 0)
    if (expires !== undefined && !isReject) this.expires = nexthop.dev.stack.now() + expires * 1000
    this.#nexthop = nexthop
    this.nh = nh
    this.isReject = isReject
  }

  /** Its way out, or the first of its nexthop object's. */
  get nexthop(): Nexthop6 {
    return this.nh?.ways6[0] ?? this.#nexthop
  }

  /** rt6_qualify_for_ecmp(): whether it can have siblings. */
  get canHaveSiblings(): boolean {
    return !this.nh && this.nexthop.gateway !== undefined
  }
}

/** fib6_config_validate(). @throws NetlinkError EINVAL */
export function checkConfig6({ type = 0, dstLen }: Fib6Config): void {
  if (type > RTN_MAX) throw new NetlinkError('EINVAL', 'Invalid route type')
  if (dstLen > 128) throw new NetlinkError('EINVAL', 'Invalid prefix length')
}

/** rt6_duplicate_nexthop(). */
export function isSameNexthop6(a: Fib6Route, b: Fib6Route): boolean {
  if (a.nh || b.nh) return a.nh === b.nh
  return a.nexthop.dev === b.nexthop.dev && a.nexthop.gateway === b.nexthop.gateway
}

/** A table. */
export class Fib6Table {
  readonly id: number
  readonly #byLength: (Map<Ipv6, Fib6Route[]> | undefined)[] = []
  #sorted: readonly Fib6Route[] | undefined

  constructor(id: number) {
    this.id = id
  }

  /** The routes to exactly this prefix, by ascending metric. */
  at(dst: Ipv6, length: number): readonly Fib6Route[] {
    return this.#byLength[length]?.get(prefix6(dst, length)) ?? []
  }

  /** The routes of the prefix of `length` in which `address` lies. */
  covering(address: Ipv6, length: number): readonly Fib6Route[] | undefined {
    return this.#byLength[length]?.get(prefix6(address, length))
  }

  /**
   * Whether Linux's tree has a node for this prefix: where routes are, at its root, and where the
   * ways to longer prefixes part.
   */
  hasNode(dst: Ipv6, length: number): boolean {
    if (length === 0 || this.at(dst, length).length > 0) return true
    const prefix = prefix6(dst, length)
    const halves = new Set<boolean>()
    for (const route of this.sorted()) {
      if (route.dstLen <= length || prefix6(route.dst, length) !== prefix) continue
      halves.add(prefix6(route.dst, length + 1) === prefix)
    }
    return halves.size === 2
  }

  /** Puts `route` in at a place among those of its prefix, over `replaced` of them. */
  insert(route: Fib6Route, at: number, replaced = 0): void {
    let map = this.#byLength[route.dstLen]
    if (!map) {
      map = new Map()
      this.#byLength[route.dstLen] = map
    }
    const routes = map.get(route.dst) ?? []
    for (const old of routes.splice(at, replaced, route)) old.isLinked = false
    map.set(route.dst, routes)
    route.isLinked = true
    this.#sorted = undefined
  }

  remove(route: Fib6Route): void {
    const map = this.#byLength[route.dstLen]
    const routes = map?.get(route.dst)
    const at = routes?.indexOf(route) ?? -1
    if (!map || !routes || at < 0) return
    routes.splice(at, 1)
    if (routes.length === 0) map.delete(route.dst)
    route.isLinked = false
    this.#sorted = undefined
  }

  /**
   * All routes as Linux walks its tree: what lies inside a prefix before the prefix itself. The
   * list is kept until the table changes and must not be changed.
   */
  sorted(): readonly Fib6Route[] {
    if (this.#sorted) return this.#sorted
    const prefixes: Fib6Route[][] = []
    for (const map of this.#byLength)
      for (const routes of map?.values() ?? []) prefixes.push(routes)
    prefixes.sort(([a], [b]) => compare(a as Fib6Route, b as Fib6Route))
    this.#sorted = prefixes.flat()
    return this.#sorted
  }
}

function compare(a: Fib6Route, b: Fib6Route): number {
  const length = Math.min(a.dstLen, b.dstLen)
  const left = prefix6(a.dst, length)
  const right = prefix6(b.dst, length)
  if (left === right) return b.dstLen - a.dstLen
  return left < right ? -1 : 1
}
