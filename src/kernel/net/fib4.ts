/**
 * IPv4 routing: the tables, look-ups through the rules, and what devices and addresses do to
 * routes.
 *
 * Kernel: net/ipv4/fib_frontend.c, net/ipv4/fib_semantics.c fib_sync_down_dev(), fib_sync_up(),
 * net/ipv4/fib_trie.c.
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { INADDR_BROADCAST, type Ipv4, isMulticast4, isZeronet4, prefix4 } from './address.ts'
import type { NetdevEvent, Origin } from './chains.ts'
import {
  IFF_LOWER_UP,
  IFF_RUNNING,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_TABLE_DEFAULT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_BROADCAST,
  RTN_MAX,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTNH_F_DEAD,
  RTNH_F_LINKDOWN,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { checkInfo } from './fib4-check.ts'
import { type Fib4Config, FibInfo } from './fib4-info.ts'
import { consider, type Fib4Result, type Flow4 } from './fib4-lookup.ts'
import { syncDown, syncUp } from './fib4-sync.ts'
import { Fib4Route, Fib4Table } from './fib4-table.ts'
import { addIfaddrRoutes, deleteIfaddrRoutes } from './ifaddr4-routes.ts'
import type { NetStack } from './stack.ts'

export type { Fib4Result, Flow4 } from './fib4-lookup.ts'
export { Fib4Route } from './fib4-table.ts'

/** All IPv4 routes of one stack. */
export class Fib4 {
  readonly #stack: NetStack
  readonly #tables = new Map<number, Fib4Table>()
  readonly #infos = new Map<string, FibInfo>()
  readonly #byDevice = new Map<NetDevice, Set<FibInfo>>()
  /** What the last route said: many that come in a row say the same. */
  #recent: FibInfo | undefined

  constructor(stack: NetStack) {
    this.#stack = stack
    stack.chains.netdev.register({
      name: 'fib_netdev_notifier',
      call: (event, { dev, upper }) => {
        this.#deviceEvent(event, dev, upper)
        return NOTIFY_DONE
      },
    })
    stack.chains.inetaddr.register({
      name: 'fib_inetaddr_notifier',
      call: (event, ifa) => {
        if (event === 'NETDEV_UP') {
          addIfaddrRoutes(ifa)
          syncUp(this.#infosOf(ifa.dev), ifa.dev, RTNH_F_DEAD)
        } else {
          deleteIfaddrRoutes(ifa)
          if (ifa.dev.inet?.addresses.length === 0) this.#disableDevice(ifa.dev, 'down', true)
        }
        return NOTIFY_DONE
      },
    })
  }

  /** fib_get_table(): no table is there before its first route. */
  table(id: number): Fib4Table | undefined {
    return this.#tables.get(id || RT_TABLE_MAIN)
  }

  /** fib_new_table(). Without rules of one's own, table local comes with table main. */
  newTable(id: number): Fib4Table {
    const number = id || RT_TABLE_MAIN
    if (number === RT_TABLE_LOCAL && !this.#stack.rules4.isCustom) this.newTable(RT_TABLE_MAIN)
    const table = this.#tables.get(number) ?? new Fib4Table(number)
    this.#tables.set(number, table)
    return table
  }

  /** fib_empty_table(): a table that nobody uses yet. */
  emptyTable(): number {
    let id = 1
    while (this.#tables.has(id)) id++
    return this.newTable(id).id
  }

  /** The tables in the order of a dump: by the low byte of the id, the newest first. */
  tables(): Fib4Table[] {
    const all = [...this.#tables.values()].reverse()
    return all.sort((a, b) => (a.id & 255) - (b.id & 255))
  }

  /**
   * fib_table_insert(). `flags` are NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_APPEND, as a
   * request has them.
   * @throws NetlinkError EEXIST, ENOENT, or what its nexthops are refused with.
   */
  insert(wanted: Fib4Config, flags: number): void {
    checkConfig(wanted)
    const config = { ...wanted, table: wanted.table || RT_TABLE_MAIN }
    const { dst, dstLen, dscp = 0, origin } = config
    const table = this.newTable(config.table)
    const info = this.#share(config)
    const route = new Fib4Route(table.id, dst, dstLen, dscp, info)
    let announced = NLM_F_EXCL
    let before = table.find(dst, dstLen, dscp, info.priority)
    if (before?.hasKeyOf(dscp, info.priority)) {
      if (flags & NLM_F_EXCL) throw new NetlinkError('EEXIST')
      announced = 0
      const { match, behind } = sameKey(before, info)
      if (flags & NLM_F_REPLACE) {
        if (match === before) return
        if (match) throw new NetlinkError('EEXIST')
        this.#use(info)
        table.replace(before, route)
        this.#announce('NEWROUTE', route, NLM_F_REPLACE, origin)
        this.#release(before.info)
        return
      }
      if (match) throw new NetlinkError('EEXIST')
      if (flags & NLM_F_APPEND) {
        announced |= NLM_F_APPEND
        before = behind
      }
    }
    if (!(flags & NLM_F_CREATE)) throw new NetlinkError('ENOENT')
    this.#use(info)
    table.insert(route, before)
    this.#announce('NEWROUTE', route, announced | NLM_F_CREATE, origin)
  }

  /**
   * fib_table_delete(): the first route that is as described; scope RT_SCOPE_NOWHERE is any.
   * @throws NetlinkError ESRCH
   */
  delete(config: Fib4Config): void {
    checkConfig(config)
    const { dst, dstLen, dscp = 0 } = config
    const table = this.table(config.table ?? 0)
    if (config.nhId && !this.#stack.nexthops.find(config.nhId)) {
      throw new NetlinkError('EINVAL', 'Nexthop id does not exist')
    }
    if (!table) throw new NetlinkError('ESRCH', 'FIB table does not exist')
    let route = table.at(dst, dstLen)
    while (route && !(route.dscp === dscp && route.info.matches(config))) route = route.next
    if (!route) throw new NetlinkError('ESRCH')
    table.remove(route)
    this.#announce('DELROUTE', route, 0, config.origin)
    this.#release(route.info)
  }

  /**
   * fib_lookup(): the way to an address, by the rules.
   * @throws NetlinkError ENETUNREACH, or what a route or a rule answers.
   */
  lookup(flow: Flow4): Fib4Result {
    if (this.#stack.rules4.isCustom) {
      const found = this.#stack.rules4.lookup(flow, {
        look: (table) => this.tableLookup(table, flow),
        prefixlen: (result) => result.prefixlen,
        device: (result) => result.nexthop.dev,
      })
      if (!found) throw new NetlinkError('ENETUNREACH')
      return found
    }
    const found = this.#mergedLookup(flow) ?? this.tableLookup(RT_TABLE_DEFAULT, flow)
    if (!found) throw new NetlinkError('ENETUNREACH')
    return found
  }

  /** Without rules, local and main are one table, which goes by the name of main. */
  #mergedLookup(flow: Flow4): Fib4Result | undefined {
    const main = this.table(RT_TABLE_MAIN)
    if (!main) return undefined
    const local = this.table(RT_TABLE_LOCAL)
    return this.#search(local ?? main, local && main, flow, RT_TABLE_MAIN)
  }

  /**
   * fib_table_lookup(): undefined where the table knows no way, or says to look elsewhere.
   * @throws NetlinkError what a route answers.
   */
  tableLookup(id: number, flow: Flow4): Fib4Result | undefined {
    const table = this.table(id)
    return table && this.#search(table, undefined, flow, id)
  }

  /** Longest prefix first, over both tables, the first's before the second's; `name` is theirs. */
  #search(
    table: Fib4Table,
    second: Fib4Table | undefined,
    flow: Flow4,
    name: number,
  ): Fib4Result | undefined {
    let lengths = second ? table.lengths | second.lengths : table.lengths
    for (;;) {
      const length = 32 - Math.clz32(lengths)
      let route = table.covering(flow.daddr, length)
      let behind = second?.covering(flow.daddr, length)
      if (!route) {
        route = behind
        behind = undefined
      }
      while (route) {
        const answer = consider(route, flow, name)
        if (answer === 'EAGAIN') return undefined
        if (typeof answer === 'string') throw new NetlinkError(answer)
        if (answer) return answer
        route = route.next
        if (route || !behind) continue
        route = behind
        behind = undefined
      }
      if (length === 0) return undefined
      lengths &= ~(1 << (length - 1))
    }
  }

  /** inet_addr_type_table(): RTN_* of an address, whatever device it is on. */
  addressType(address: Ipv4, id = RT_TABLE_LOCAL): number {
    if (isZeronet4(address) || address === INADDR_BROADCAST) return RTN_BROADCAST
    if (isMulticast4(address)) return RTN_MULTICAST
    const table = this.table(id)
    if (!table) return RTN_BROADCAST
    try {
      const found = this.#search(table, undefined, { daddr: address }, id)
      return found?.type ?? RTN_UNICAST
    } catch {
      return RTN_UNICAST
    }
  }

  /** fib_sync_down_addr(): routes with a source that is no more go, and are announced. */
  syncDownAddress(address: Ipv4, id = RT_TABLE_MAIN): void {
    const stale = [...this.#infos.values()].filter(
      ({ prefsrc, table }) => prefsrc === address && table === id,
    )
    for (const info of stale) {
      info.flags |= RTNH_F_DEAD
      info.lostPrefsrc = true
    }
    if (stale.length > 0) this.#flush()
  }

  /** nexthop_replace_notify(): routes say something else than they did. */
  announceUpdate(infos: ReadonlySet<FibInfo>, origin?: Origin): void {
    for (const table of this.tables()) {
      for (const route of table.sorted()) {
        if (infos.has(route.info)) this.#announce('NEWROUTE', route, NLM_F_REPLACE, origin)
      }
    }
  }

  /** __remove_nexthop_fib(): routes go without a word. */
  flushInfos(infos: ReadonlySet<FibInfo>): void {
    for (const info of infos) info.flags |= RTNH_F_DEAD
    this.#flush()
  }

  /** fib_create_info(): checked, and the one that is known already if there is one. */
  #share(config: Fib4Config): FibInfo {
    const { nhId } = config
    const nh = nhId ? this.#stack.nexthops.find(nhId) : undefined
    const info = new FibInfo(config, nh)
    if (nhId && !nh) throw new NetlinkError('EINVAL', 'Nexthop id does not exist')
    checkInfo(this.#stack, info, config)
    if (this.#recent?.references && info.isPlainlySame(this.#recent)) return this.#recent
    info.seal()
    this.#recent = this.#infos.get(info.key) ?? info
    return this.#recent
  }

  #use(info: FibInfo): void {
    if (info.references++ > 0) return
    this.#infos.set(info.key, info)
    if (info.nh) {
      info.nh.infos.add(info)
      return
    }
    for (const { dev } of info.nexthops) {
      if (!dev) continue
      const set = this.#byDevice.get(dev) ?? new Set()
      this.#byDevice.set(dev, set.add(info))
    }
  }

  #release(info: FibInfo): void {
    if (--info.references > 0) return
    this.#infos.delete(info.key)
    if (info.nh) {
      info.nh.infos.delete(info)
      return
    }
    for (const { dev } of info.nexthops) {
      const set = dev && this.#byDevice.get(dev)
      if (set?.delete(info) && set.size === 0) this.#byDevice.delete(dev as NetDevice)
    }
  }

  #announce(
    event: 'NEWROUTE' | 'DELROUTE',
    route: Fib4Route,
    flags: number,
    origin: object | undefined,
  ): void {
    this.#stack.chains.route.call(event, { route, flags, origin })
  }

  /** fib_flush(): dead routes go, unannounced but for those that lost their source address. */
  #flush(): void {
    for (const table of this.#tables.values()) {
      table.forEach((route) => {
        if (!route.info.isDead) return
        table.remove(route)
        if (route.info.lostPrefsrc) this.#announce('DELROUTE', route, 0, undefined)
        this.#release(route.info)
      })
    }
  }

  #infosOf(dev: NetDevice): ReadonlySet<FibInfo> {
    return this.#byDevice.get(dev) ?? new Set()
  }

  #deviceEvent(event: NetdevEvent, dev: NetDevice, upper?: NetDevice): void {
    if (event === 'NETDEV_UNREGISTER') {
      this.#disableDevice(dev, 'unregister', true)
      return
    }
    if (!dev.inet) return
    switch (event) {
      case 'NETDEV_UP':
        for (const ifa of dev.inet.addresses) addIfaddrRoutes(ifa)
        syncUp(this.#infosOf(dev), dev, RTNH_F_DEAD)
        return
      case 'NETDEV_DOWN':
        this.#disableDevice(dev, 'down', false)
        return
      case 'NETDEV_CHANGE':
        if (dev.reportedFlags & (IFF_RUNNING | IFF_LOWER_UP))
          syncUp(this.#infosOf(dev), dev, RTNH_F_LINKDOWN)
        else syncDown(this.#infosOf(dev), dev, 'carrier', false)
        return
      case 'NETDEV_CHANGEUPPER':
        if (upper?.vrfTable !== undefined) this.#disableDevice(dev, 'down', true)
        return
    }
  }

  /** fib_disable_ip(). `force`: local routes too. */
  #disableDevice(dev: NetDevice, lost: 'down' | 'unregister', force: boolean): void {
    if (syncDown(this.#infosOf(dev), dev, lost, force)) this.#flush()
    this.#stack.arp.flush(dev)
  }
}

/** rtm_to_fib_config(), as far as it looks at one value. @throws NetlinkError EINVAL */
function checkConfig({ dst, dstLen, dscp = 0, type = 0 }: Fib4Config): void {
  if (dscp & 3) throw new NetlinkError('EINVAL', 'Invalid dsfield (tos): ECN bits must be 0')
  if (type > RTN_MAX) throw new NetlinkError('EINVAL', 'Invalid route type')
  if (dstLen > 32) throw new NetlinkError('EINVAL', 'Invalid prefix length')
  if (prefix4(dst, dstLen) !== dst) {
    throw new NetlinkError('EINVAL', 'Invalid prefix for given prefix length')
  }
}

/** Of the routes with the key of `first`: the one with the same content, and what follows them. */
function sameKey(
  first: Fib4Route,
  info: FibInfo,
): { match: Fib4Route | undefined; behind: Fib4Route | undefined } {
  let route: Fib4Route | undefined = first
  while (route?.hasKeyOf(first.dscp, info.priority)) {
    if (route.info === info) return { match: route, behind: undefined }
    route = route.next
  }
  return { match: undefined, behind: route }
}
