/**
 * IPv6 routing: the tables, look-ups through the rules, and what devices do to routes.
 *
 * Kernel: net/ipv6/route.c ip6_route_add(), ip6_route_del(), fib6_ifdown(), fib6_ifup();
 * net/ipv6/ip6_fib.c fib6_add_rt2node(), fib6_del_route().
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, isLoopback6 } from './address.ts'
import type { Origin } from './chains.ts'
import {
  LOOPBACK_IFINDEX,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_BLACKHOLE,
  RTN_LOCAL,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNREACHABLE,
  RTNH_F_DEAD,
  RTNH_F_LINKDOWN,
  RTPROT_KERNEL,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { routeTypeError } from './fib4-info.ts'
import { addMultipath, singleConfigs } from './fib6-multipath.ts'
import { checkNexthop6 } from './fib6-nexthop.ts'
import { type Choice6, selectRoute } from './fib6-select.ts'
import {
  checkConfig6,
  type Fib6Config,
  Fib6Route,
  Fib6Table,
  isSameNexthop6,
} from './fib6-table.ts'
import type { Nexthop } from './nexthop.ts'
import type { FlowKey } from './rules.ts'
import type { NetStack } from './stack.ts'

export { type Fib6Config, Fib6Route } from './fib6-table.ts'

/** Metric of a route whose request has none. */
const IP6_RT_PRIO_USER = 1024
const REJECTING = [RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_THROW]

/** What is looked for (struct flowi6). */
export interface Flow6 extends FlowKey, Choice6 {
  readonly daddr: Ipv6
  readonly saddr?: Ipv6 | undefined
  readonly oif?: number | undefined
}

/** What is found. */
export interface Fib6Result {
  readonly route: Fib6Route
}

/** All IPv6 routes of one stack. */
export class Fib6 {
  readonly #stack: NetStack
  readonly #tables = new Map<number, Fib6Table>()

  constructor(stack: NetStack) {
    this.#stack = stack
    this.newTable(RT_TABLE_MAIN)
    this.newTable(RT_TABLE_LOCAL)
  }

  table(id: number): Fib6Table | undefined {
    return this.#tables.get(id || RT_TABLE_MAIN)
  }

  newTable(id: number): Fib6Table {
    const number = id || RT_TABLE_MAIN
    const table = this.#tables.get(number) ?? new Fib6Table(number)
    this.#tables.set(number, table)
    return table
  }

  /** The tables in the order of a dump: by the low byte of the id, the newest first. */
  tables(): Fib6Table[] {
    const all = [...this.#tables.values()].reverse()
    return all.sort((a, b) => (a.id & 255) - (b.id & 255))
  }

  /**
   * inet6_rtm_newroute(). `flags` are NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_APPEND, as a
   * request has them.
   * @throws NetlinkError EEXIST, ENOENT, EINVAL, or what a nexthop is refused with.
   */
  add(wanted: Fib6Config, flags: number): void {
    const config = { ...wanted, metric: wanted.metric || IP6_RT_PRIO_USER }
    if (config.multipath) addMultipath(this, config, flags)
    else this.link(this.makeRoute(config), flags, config.origin)
  }

  /** ip6_route_info_create(): a route that is in no table yet. @throws NetlinkError */
  makeRoute(config: Fib6Config): Fib6Route {
    checkConfig6(config)
    const { type = 0, dst, prefsrc } = config
    const table = this.newTable(config.table ?? 0)
    const isLocal = type === RTN_LOCAL
    const isReject = REJECTING.includes(type)
    const nh = config.nhId ? this.#nexthopObject(config.nhId, Boolean(config.src)) : undefined
    const nexthop = nh?.ways6[0] ?? checkNexthop6(this.#stack, { ...config, isReject, isLocal })
    const leadsBack = !nh && nexthop.dev === this.#stack.loopback && !isLoopback6(dst) && !isLocal
    if (prefsrc && !this.#stack.inet6.hasAddress(prefsrc, nexthop.dev)) {
      throw new NetlinkError('EINVAL', 'Invalid source address')
    }
    return new Fib6Route(table.id, config, nexthop, isReject || leadsBack, nh)
  }

  #nexthopObject(id: number, hasSource: boolean): Nexthop {
    const nh = this.#stack.nexthops.find(id)
    if (!nh) throw new NetlinkError('EINVAL', 'Nexthop id does not exist')
    if (hasSource) {
      const message = 'IPv6 routes using source address can not use nexthop objects'
      throw new NetlinkError('EINVAL', message)
    }
    nh.check6()
    return nh
  }

  /** Lets a route of a table end in `seconds`; never when undefined. */
  expire(route: Fib6Route, seconds: number | undefined): void {
    route.expires = seconds === undefined ? undefined : this.#stack.now() + seconds * 1000
    this.#watch(route)
  }

  #watch(route: Fib6Route): void {
    route.cancelTimer?.()
    route.cancelTimer = undefined
    if (route.expires === undefined) return
    const delay = Math.min(route.expires - this.#stack.now(), 0x7fffffff)
    route.cancelTimer = this.#stack.setTimer(() => this.unlink(route), delay)
  }

  /**
   * fib6_add(): puts a route into its table, among those of its prefix.
   * @throws NetlinkError EEXIST, ENOENT
   */
  link(route: Fib6Route, flags: number, origin?: Origin, isSilent = false): void {
    const table = this.newTable(route.table)
    const routes = table.at(route)
    const onlyReplaces = (flags & (NLM_F_REPLACE | NLM_F_CREATE)) === NLM_F_REPLACE
    if (onlyReplaces && !table.hasNode(route)) {
      throw new NetlinkError('ENOENT', 'Can not replace route - no match found')
    }
    const same = routes.filter(({ metric }) => metric === route.metric)
    if (same.length > 0 && flags & NLM_F_EXCL) throw new NetlinkError('EEXIST')
    if (flags & NLM_F_REPLACE) {
      const { canHaveSiblings } = route
      const old = same.find((each) => each.canHaveSiblings === canHaveSiblings) ?? same[0]
      if (old) {
        this.#replace(table, old, route)
        if (!isSilent) this.announce('NEWROUTE', route, NLM_F_REPLACE, origin)
        return
      }
      if (onlyReplaces) throw new NetlinkError('ENOENT')
    }
    const twin = same.find((each) => isSameNexthop6(each, route))
    if (twin) {
      if (twin.expires !== undefined) {
        twin.expires = route.expires
        this.#watch(twin)
      }
      throw new NetlinkError('EEXIST')
    }
    const at = routes.findIndex(({ metric }) => metric > route.metric)
    table.insert(route, at < 0 ? routes.length : at)
    route.nh?.routes6.add(route)
    this.#watch(route)
    if (route.canHaveSiblings) joinSiblings(route, same)
    const announced = (same.length > 0 ? 0 : NLM_F_EXCL) | (flags & NLM_F_APPEND) | NLM_F_CREATE
    if (!isSilent) this.announce('NEWROUTE', route, announced, origin)
  }

  /** fib6_del(). */
  unlink(route: Fib6Route, origin?: Origin, isSilent = false): void {
    if (!route.isLinked) return
    this.newTable(route.table).remove(route)
    route.nh?.routes6.delete(route)
    route.cancelTimer?.()
    leaveSiblings(route)
    if (!isSilent) this.announce('DELROUTE', route, 0, origin)
  }

  /**
   * inet6_rtm_delroute(): the first route that is as described, with its siblings unless a gateway
   * is given.
   * @throws NetlinkError ESRCH
   */
  delete(config: Fib6Config): void {
    if (!config.multipath) {
      this.#deleteOne(config, true)
      return
    }
    let failure: unknown
    for (const single of singleConfigs(config)) {
      try {
        this.#deleteOne(single, false)
      } catch (error) {
        failure = error
      }
    }
    if (failure) throw failure
  }

  #deleteOne(config: Fib6Config, withSiblings: boolean): void {
    const table = this.table(config.table ?? 0)
    if (!table) throw new NetlinkError('ESRCH', 'FIB table does not exist')
    const { metric, protocol, oif, gateway, nhId } = config
    const route = table
      .at(config)
      .find(
        (each) =>
          (!metric || each.metric === metric) &&
          (!protocol || each.protocol === protocol) &&
          (each.nh
            ? !nhId || each.nh.id === nhId
            : !nhId &&
              (!oif || each.nexthop.dev.ifindex === oif) &&
              (gateway === undefined || each.nexthop.gateway === gateway)),
      )
    if (!route) throw new NetlinkError(isNullEntry(config, table) ? 'ENOENT' : 'ESRCH')
    if (gateway !== undefined || !withSiblings || route.siblings.length === 1) {
      this.unlink(route, config.origin)
      return
    }
    this.announce('DELROUTE', route, 0, config.origin)
    for (const each of [...route.siblings]) this.unlink(each, config.origin, true)
  }

  /**
   * The way to an address, by the rules.
   * @throws NetlinkError ENETUNREACH, or what a route or a rule answers.
   */
  lookup(flow: Flow6): Fib6Result {
    const found = this.#stack.rules6.isCustom
      ? this.#stack.rules6.lookup(flow, {
          look: (table) => this.tableLookup(table, flow),
          prefixlen: ({ route }) => route.dstLen,
          device: ({ route }) => route.nexthop.dev,
        })
      : (this.tableLookup(RT_TABLE_LOCAL, flow) ?? this.tableLookup(RT_TABLE_MAIN, flow))
    if (!found) throw new NetlinkError('ENETUNREACH')
    return found
  }

  /** @throws NetlinkError what a route answers; undefined where the table knows no way. */
  tableLookup(id: number, flow: Flow6): Fib6Result | undefined {
    const table = this.table(id)
    const choice = flow.iif ? { ...flow, oif: flow.iif } : flow
    const route = table && (this.#search(table, choice) ?? this.#fallBack(table, choice))
    if (!route) return undefined
    if (route.nh?.isBlackhole) throw new NetlinkError('EINVAL')
    const error = route.isReject ? routeTypeError(route.type) : undefined
    if (error === 'EAGAIN') return undefined
    if (error) throw new NetlinkError(error)
    return { route }
  }

  /** rt6_select() for one prefix after the other, the longest first. */
  #search(table: Fib6Table, flow: Flow6): Fib6Route | undefined {
    return table.search(flow.daddr, flow.saddr ?? 0n, (routes) => selectRoute(routes, flow))
  }

  /** When no gateway answers, any is better than none. */
  #fallBack(table: Fib6Table, flow: Flow6): Fib6Route | undefined {
    return flow.isReachable ? this.#search(table, { ...flow, isReachable: false }) : undefined
  }

  /** rt6_sync_down_dev(): routes through a device that goes, announced one by one. */
  deviceDown(dev: NetDevice, event: 'down' | 'unregister'): void {
    const lost = new Set<Fib6Route>()
    for (const table of this.tables()) {
      for (const route of table.sorted()) {
        if (!route.isLinked || route.nh) continue
        if (event === 'down' && route.siblings.length > 1) loseWay(route, dev, lost)
        else if (route.nexthop.dev === dev) lost.add(route)
        if (lost.has(route)) this.unlink(route)
      }
    }
  }

  /** fib6_ifup(), and fib6_ifdown() for a carrier: flags of the nexthops through a device. */
  markDevice(dev: NetDevice, set: number, clear: number): void {
    for (const table of this.#tables.values()) {
      for (const { nexthop, isOwn, nh } of table.sorted()) {
        if (nexthop.dev !== dev || nh) continue
        nexthop.flags &= ~clear
        if (!isOwn) nexthop.flags |= set
      }
    }
  }

  /** rt6_remove_prefsrc(): routes forget a source address that they cannot use any more. */
  forgetPrefsrc(address: Ipv6): void {
    const { inet6 } = this.#stack
    for (const table of this.#tables.values()) {
      for (const route of table.sorted()) {
        if (route.prefsrc !== address || inet6.hasAddress(address, route.nexthop.dev)) continue
        route.prefsrc = undefined
      }
    }
  }

  announce(event: 'NEWROUTE' | 'DELROUTE', route: Fib6Route, flags: number, origin?: Origin): void {
    this.#stack.chains.route.call(event, { route, flags, origin })
  }

  #replace(table: Fib6Table, old: Fib6Route, route: Fib6Route): void {
    const others = old.siblings.filter((each) => each !== old)
    table.insert(route, table.at(old).indexOf(old), 1)
    route.nh?.routes6.add(route)
    old.nh?.routes6.delete(old)
    this.#watch(route)
    old.cancelTimer?.()
    leaveSiblings(old)
    for (const each of others) this.unlink(each, undefined, true)
  }
}

/** Marks the nexthops that a multipath route loses with `dev`; all are lost with the last of them. */
function loseWay(route: Fib6Route, dev: NetDevice, lost: Set<Fib6Route>): void {
  const dead = route.siblings.filter(
    ({ nexthop }) => nexthop.dev === dev || nexthop.flags & RTNH_F_DEAD,
  )
  if (dead.length === route.siblings.length) for (const each of dead) lost.add(each)
  else for (const { nexthop } of dead) nexthop.flags |= RTNH_F_DEAD | RTNH_F_LINKDOWN
}

/** Whether what is described is the entry in place of a default route that is not there. */
function isNullEntry(config: Fib6Config, table: Fib6Table): boolean {
  const { dstLen, metric, protocol, oif, gateway } = config
  if (dstLen > 0 || gateway !== undefined || table.at(config).length > 0) return false
  const isKernels = !protocol || protocol === RTPROT_KERNEL
  return isKernels && (!metric || metric === 0xffffffff) && (!oif || oif === LOOPBACK_IFINDEX)
}

function joinSiblings(route: Fib6Route, same: readonly Fib6Route[]): void {
  const family = same.filter((each) => each.canHaveSiblings)
  const siblings = [...family, route]
  for (const each of siblings) each.siblings = siblings
}

function leaveSiblings(route: Fib6Route): void {
  const siblings = route.siblings.filter((each) => each !== route)
  for (const each of siblings) each.siblings = siblings
  route.siblings = [route]
}
