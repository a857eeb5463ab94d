/**
 * One IPv6 routing table, and the routes in it.
 *
 * Kernel: include/net/ip6_fib.h struct fib6_info, struct fib6_config; net/ipv6/ip6_fib.c.
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, prefix6 } from './address.ts'
import type { Origin } from './chains.ts'
import { AF_INET6, RTN_ANYCAST, RTN_LOCAL, RTN_MAX, RTPROT_KERNEL } from './constants.ts'
import type { Metrics } from './fib4-info.ts'
import type { Nexthop6, Nexthop6Request } from './fib6-nexthop.ts'
import { Fib6Tree } from './fib6-tree.ts'
import type { Nexthop } from './nexthop.ts'

/** A route that is asked for, or how one to be deleted is described (struct fib6_config). */
export interface Fib6Config extends Nexthop6Request {
  readonly dst: Ipv6
  readonly dstLen: number
  /** Where packets come from; 0 bits: anywhere. */
  readonly src?: Ipv6 | undefined
  readonly srcLen?: number | undefined
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
  readonly src: Ipv6
  readonly srcLen: number
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
    this.srcLen = config.srcLen ?? 0
    this.src = prefix6(config.src ?? 0n, this.srcLen)
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

  /** Whether packets stay here: local, or anycast of the kernel's own making (RTF_LOCAL, RTF_ANYCAST). */
  get isOwn(): boolean {
    const { type, protocol } = this
    return type === RTN_LOCAL || (type === RTN_ANYCAST && protocol === RTPROT_KERNEL)
  }

  /** rt6_qualify_for_ecmp(): whether it can have siblings. */
  get canHaveSiblings(): boolean {
    return !this.nh && this.nexthop.gateway !== undefined
  }
}

/** fib6_config_validate(). @throws NetlinkError EINVAL */
export function checkConfig6({ type = 0, dstLen, srcLen = 0 }: Fib6Config): void {
  if (type > RTN_MAX) throw new NetlinkError('EINVAL', 'Invalid route type')
  if (dstLen > 128) throw new NetlinkError('EINVAL', 'Invalid prefix length')
  if (srcLen > 128) throw new NetlinkError('EINVAL', 'Invalid source address length')
}

/** rt6_duplicate_nexthop(). */
export function isSameNexthop6(a: Fib6Route, b: Fib6Route): boolean {
  if (a.nh || b.nh) return a.nh === b.nh
  return a.nexthop.dev === b.nexthop.dev && a.nexthop.gateway === b.nexthop.gateway
}

/** Where a route is in its table. */
export interface Place6 {
  readonly dst: Ipv6
  readonly dstLen: number
  readonly src?: Ipv6 | undefined
  readonly srcLen?: number | undefined
}

/** A table. */
export class Fib6Table {
  readonly id: number
  readonly #tree = new Fib6Tree()
  #sorted: readonly Fib6Route[] | undefined

  constructor(id: number) {
    this.id = id
  }

  /** The routes to exactly this prefix, from exactly this one, by ascending metric. */
  at({ dst, dstLen, src, srcLen }: Place6): readonly Fib6Route[] {
    const node = this.#tree.at(dst, dstLen)
    return (srcLen ? node?.subtree?.at(src ?? 0n, srcLen) : node)?.routes ?? []
  }

  /** The first answer of `visit`, as a packet's way is looked for. */
  search<T>(
    address: Ipv6,
    source: Ipv6,
    visit: (routes: readonly Fib6Route[]) => T | undefined,
  ): T | undefined {
    return this.#tree.search(address, source, visit)
  }

  /** Whether Linux's tree has a node there. */
  hasNode({ dst, dstLen, src, srcLen }: Place6): boolean {
    if (!srcLen) return this.#tree.hasNode(dst, dstLen)
    return this.#tree.at(dst, dstLen)?.subtree?.hasNode(src ?? 0n, srcLen) ?? false
  }

  /** Puts `route` in at a place among those of its prefix, over `replaced` of them. */
  insert(route: Fib6Route, at: number, replaced = 0): void {
    let node = this.#tree.make(route.dst, route.dstLen)
    if (route.srcLen) {
      node.subtree ??= new Fib6Tree()
      node = node.subtree.make(route.src, route.srcLen)
    }
    for (const old of node.routes.splice(at, replaced, route)) old.isLinked = false
    route.isLinked = true
    this.#sorted = undefined
  }

  remove(route: Fib6Route): void {
    const node = this.#tree.at(route.dst, route.dstLen)
    const leaf = route.srcLen ? node?.subtree?.at(route.src, route.srcLen) : node
    const at = leaf?.routes.indexOf(route) ?? -1
    if (!node || !leaf || at < 0) return
    leaf.routes.splice(at, 1)
    if (leaf !== node) node.subtree?.prune(leaf)
    this.#tree.prune(node)
    route.isLinked = false
    this.#sorted = undefined
  }

  /**
   * All routes as Linux walks its tree. The list is kept until the table changes and must not be
   * changed.
   */
  sorted(): readonly Fib6Route[] {
    this.#sorted ??= this.#tree.walk()
    return this.#sorted
  }
}
