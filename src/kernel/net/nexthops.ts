/**
 * The nexthop objects of a stack: they come, change, go, and take routes and groups along.
 *
 * Kernel: net/ipv4/nexthop.c nexthop_add(), insert_nexthop(), replace_nexthop(), remove_nexthop(),
 * nexthop_flush_dev() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import type { NetdevEvent, Origin } from './chains.ts'
import {
  AF_INET,
  AF_INET6,
  IFF_LOWER_UP,
  IFF_RUNNING,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { checkNexthop } from './fib4-check.ts'
import type { Nexthop4 } from './fib4-info.ts'
import { checkNexthop6 } from './fib6-nexthop.ts'
import {
  type GroupMember,
  Nexthop,
  type NexthopConfig,
  type NexthopContent,
  type NexthopInfo,
} from './nexthop.ts'
import { type ResilientConfig, ResilientTable } from './nexthop-resilient.ts'
import type { NetStack } from './stack.ts'

export class NexthopTable {
  /** Moves on with every change: what a dump is marked by. Never 0. */
  seq = 1
  readonly #stack: NetStack
  readonly #byId = new Map<number, Nexthop>()
  #sorted: readonly Nexthop[] | undefined
  #lastId = 0

  constructor(stack: NetStack) {
    this.#stack = stack
    stack.chains.netdev.register({
      name: 'nh_netdev_notifier',
      call: (event, { dev }) => {
        this.#deviceEvent(event, dev)
        return NOTIFY_DONE
      },
    })
  }

  find(id: number): Nexthop | undefined {
    return this.#byId.get(id)
  }

  /** By ascending id. The list must not be changed. */
  list(): readonly Nexthop[] {
    this.#sorted ??= [...this.#byId.values()].sort((a, b) => a.id - b.id)
    return this.#sorted
  }

  /**
   * nexthop_add(). `flags` are NLM_F_CREATE, NLM_F_REPLACE, as a request has them.
   * @throws NetlinkError EEXIST, ENOENT, EINVAL, or as a way out is refused
   */
  add(config: NexthopConfig, flags: number): void {
    if (flags & NLM_F_REPLACE && !config.id) refuse('Replace requires nexthop id')
    const id = config.id || this.#unusedId()
    const content = config.group ? this.#groupOf(id, config) : this.#single(config)
    const nhFlags = content.info ? content.info.way4.flags : config.flags
    const fresh = new Nexthop(id, config.protocol, nhFlags, content, this.#isCompatible)
    const old = this.#byId.get(id)
    if (old) {
      if (!(flags & NLM_F_REPLACE)) throw new NetlinkError('EEXIST')
      this.#replace(old, fresh, config.resilient)
      this.#announce('NEWNEXTHOP', old, config.origin)
      if (this.#isCompatible()) this.#announceUsers(old, config.origin)
      return
    }
    if (flags & NLM_F_REPLACE && !(flags & NLM_F_CREATE)) {
      throw new NetlinkError('ENOENT', 'Replace specified without create and no entry exists')
    }
    if (fresh.group?.table) {
      if (config.resilient?.buckets === undefined) {
        refuse('Number of buckets not specified for nexthop group insertion')
      }
      fresh.group.table.populate(fresh.group.members)
    }
    this.#byId.set(id, fresh)
    this.#join(fresh)
    this.#changed()
    this.#announce('NEWNEXTHOP', fresh, config.origin)
  }

  /** net.ipv4.nexthop_compat_mode. */
  readonly #isCompatible = (): boolean => this.#stack.sysctls.read(COMPAT_MODE) !== '0'

  /** rtm_del_nexthop(). @throws NetlinkError ENOENT */
  delete(id: number, origin?: Origin): void {
    const nexthop = this.#byId.get(id)
    if (!nexthop) throw new NetlinkError('ENOENT')
    this.#remove(nexthop, { tells: true, origin })
  }

  #changed(): void {
    this.#sorted = undefined
    this.seq++
  }

  #announce(event: 'NEWNEXTHOP' | 'DELNEXTHOP', nexthop: Nexthop, origin: Origin): void {
    this.#stack.chains.nexthop.call(event, { nexthop, origin })
  }

  /** nh_find_unused_id(). */
  #unusedId(): number {
    for (let tries = 0; tries <= this.#byId.size; tries++) {
      this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1
      if (!this.#byId.has(this.#lastId)) return this.#lastId
    }
    return refuse('No unused id')
  }

  /** nexthop_create(). */
  #single(config: NexthopConfig): NexthopContent {
    const { family, isBlackhole = false, isFdb = false, encap } = config
    const oif = isBlackhole ? this.#stack.loopback.ifindex : (config.oif ?? 0)
    const kind = { family, isReject: isBlackhole, isFdb, encap }
    return {
      info: family === AF_INET ? this.#way4(config, oif, kind) : this.#way6(config, oif, kind),
    }
  }

  /** nh_create_ipv4(). */
  #way4(config: NexthopConfig, oif: number, kind: Kind): NexthopInfo {
    const { gateway = 0, flags } = config
    const way4 = wayOf({
      oif,
      flags,
      gateway,
      gatewayFamily: gateway ? AF_INET : 0,
      encap: kind.encap,
    })
    if (!kind.isFdb) {
      const about = { scope: RT_SCOPE_UNIVERSE, table: tableOf(this.#stack, oif) }
      checkNexthop(this.#stack, way4, about)
    }
    return { ...kind, way4, way6: undefined, dev: way4.dev, scope: way4.scope }
  }

  /** nh_create_ipv6(). */
  #way6(config: NexthopConfig, oif: number, kind: Kind): NexthopInfo {
    const { gateway6, flags } = config
    const gateway = gateway6 || undefined
    const { isFdb, encap } = kind
    const gatewayFamily = gateway !== undefined || isFdb ? AF_INET6 : 0
    const common = { gateway6: gateway6 ?? 0n, gatewayFamily, encap }
    if (isFdb) {
      const way4 = wayOf({ oif: 0, flags, ...common })
      return { ...kind, way4, way6: undefined, dev: undefined, scope: way4.scope }
    }
    const table = this.#stack.devices.byIndex(oif) ? tableOf(this.#stack, oif) : 0
    const request = { oif, gateway, flags, table: table === RT_TABLE_MAIN ? 0 : table, encap }
    const way6 = checkNexthop6(this.#stack, request)
    const way4 = wayOf({ oif: way6.dev.ifindex, dev: way6.dev, ...common, flags: way6.flags })
    return { ...kind, way4, way6, dev: way6.dev, scope: way4.scope }
  }

  /** nexthop_create_group(); what it consists of was looked at by nh_check_attr_group(). */
  #groupOf(id: number, config: NexthopConfig): NexthopContent {
    const members = (config.group ?? []).map(({ id: each, weight }): GroupMember => {
      const nexthop = this.#byId.get(each)
      if (!nexthop) throw new NetlinkError('ENOENT')
      return { nexthop, weight, buckets: 0, wantedBuckets: 0 }
    })
    const { resilient, isFdb = false, hwStats = false } = config
    const migrated = (index: number): void => {
      const nexthop = this.#byId.get(id)
      if (nexthop) this.#stack.chains.nexthop.call('NEWNEXTHOPBUCKET', { nexthop, bucket: index })
    }
    const table = resilient && new ResilientTable(this.#stack, resilient, migrated)
    return { group: { members, isFdb, hwStats, table } }
  }

  /** replace_nexthop(). @throws NetlinkError EINVAL, with nothing changed */
  #replace(old: Nexthop, fresh: Nexthop, resilient: ResilientConfig | undefined): void {
    for (const user of [old, ...old.parents]) {
      if (user !== old && fresh.info?.isReject && (user.group?.members.length ?? 0) > 1) {
        refuse('Blackhole nexthop can not be a member of a group with more than one path')
      }
      for (const { scope } of user.infos) fresh.check4(scope)
      if (user.routes6.size > 0) fresh.check6()
    }
    if (old.group) {
      this.#replaceGroup(old, fresh, resilient)
      return
    }
    if (!fresh.info) refuse('Can not replace a nexthop with a nexthop group.')
    if (old.parents.length > 0 && fresh.info.isFdb !== old.info?.isFdb) {
      refuse('Cannot change nexthop FDB status while in a group')
    }
    old.info = fresh.info
    old.protocol = fresh.protocol
    old.flags = fresh.flags
    old.refresh()
    this.#changed()
  }

  /** replace_nexthop_grp(). */
  #replaceGroup(old: Nexthop, fresh: Nexthop, resilient: ResilientConfig | undefined): void {
    const { group } = fresh
    const table = old.group?.table
    if (!group) refuse('Can not replace a nexthop group with a nexthop.')
    if ((group.table === undefined) !== (table === undefined)) {
      refuse('Can not replace a nexthop group with one of a different type.')
    }
    const { buckets, idleTimer, unbalancedTimer } = resilient ?? {}
    if (table && buckets !== undefined && buckets !== table.buckets.length) {
      refuse('Can not change number of buckets of a resilient nexthop group.')
    }
    this.#part(old)
    old.group = { ...group, table }
    if (table) {
      table.idleTimer = idleTimer ?? table.idleTimer
      table.unbalancedTimer = unbalancedTimer ?? table.unbalancedTimer
      table.populate(group.members)
    }
    this.#join(old)
    old.refresh()
    this.#changed()
  }

  /** Members know their groups, the newest first. */
  #join(parent: Nexthop): void {
    for (const { nexthop } of parent.group?.members ?? []) nexthop.parents.unshift(parent)
  }

  #part(parent: Nexthop): void {
    for (const { nexthop } of parent.group?.members ?? []) {
      nexthop.parents = nexthop.parents.filter((each) => each !== parent)
    }
  }

  /** nexthop_replace_notify(): routes through it, and through groups that it is in. */
  #announceUsers(nexthop: Nexthop, origin: Origin): void {
    for (const user of [nexthop, ...nexthop.parents]) {
      if (user.infos.size > 0) this.#stack.fib4.announceUpdate(user.infos, origin)
      for (const route of user.routes6) {
        this.#stack.fib6.announce('NEWROUTE', route, NLM_F_REPLACE, origin)
      }
    }
  }

  /** remove_nexthop(). */
  #remove(nexthop: Nexthop, how: { readonly tells: boolean; readonly origin?: Origin }): void {
    if (this.#byId.get(nexthop.id) !== nexthop) return
    this.#byId.delete(nexthop.id)
    this.#changed()
    if (how.tells) this.#announce('DELNEXTHOP', nexthop, how.origin)
    if (nexthop.infos.size > 0) this.#stack.fib4.flushInfos(nexthop.infos)
    for (const route of [...nexthop.routes6])
      this.#stack.fib6.unlink(route, undefined, !this.#isCompatible())
    if (nexthop.group) {
      nexthop.group.table?.close()
      this.#part(nexthop)
      return
    }
    for (const parent of [...nexthop.parents]) {
      const { group } = parent
      if (!group) continue
      if (group.members.length === 1) {
        this.#remove(parent, how)
        continue
      }
      this.#part(parent)
      const members = group.members.filter((each) => each.nexthop !== nexthop)
      parent.group = { ...group, members }
      group.table?.populate(members)
      this.#join(parent)
      parent.refresh()
      if (how.tells) this.#announce('NEWNEXTHOP', parent, how.origin)
    }
    nexthop.parents = []
  }

  /** nh_netdev_event(). */
  #deviceEvent(event: NetdevEvent, dev: NetDevice): void {
    const isGone = event === 'NETDEV_DOWN' || event === 'NETDEV_UNREGISTER'
    const isOff = event === 'NETDEV_CHANGE' && !(dev.reportedFlags & (IFF_RUNNING | IFF_LOWER_UP))
    if (!isGone && !isOff) return
    for (const nexthop of this.list()) {
      const { info } = nexthop
      if (!info || info.dev !== dev) continue
      if (info.isReject && event !== 'NETDEV_UNREGISTER') continue
      this.#remove(nexthop, { tells: false })
    }
  }
}

type Kind = Pick<NexthopInfo, 'family' | 'isReject' | 'isFdb' | 'encap'>

function wayOf(way: Partial<Nexthop4> & Pick<Nexthop4, 'oif' | 'flags'>): Nexthop4 {
  const blank = { dev: undefined, gatewayFamily: 0, gateway: 0, gateway6: 0n, encap: undefined }
  return { ...blank, scope: RT_SCOPE_LINK, weight: 1, flow: 0, ...way }
}

/** l3mdev_fib_table(): the table of a VRF's member, else main. */
function tableOf(stack: NetStack, oif: number): number {
  return stack.devices.byIndex(oif)?.l3mdevTable ?? RT_TABLE_MAIN
}

function refuse(text: string): never {
  throw new NetlinkError('EINVAL', text)
}
const COMPAT_MODE = 'net/ipv4/nexthop_compat_mode'
