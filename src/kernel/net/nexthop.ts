/**
 * One nexthop object: a way out that routes refer to by its id, or a group of such.
 *
 * Kernel: net/ipv4/nexthop.c struct nexthop, struct nh_info, struct nh_group (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import type { Ipv4, Ipv6 } from './address.ts'
import type { Origin } from './chains.ts'
import { AF_INET, RT_SCOPE_HOST, RT_SCOPE_LINK, RTNH_F_ONLINK } from './constants.ts'
import type { NetDevice } from './device.ts'
import type { FibInfo, Nexthop4 } from './fib4-info.ts'
import type { Nexthop6 } from './fib6-nexthop.ts'
import type { Fib6Route } from './fib6-table.ts'
import type { Encap } from './lwtunnel.ts'
import type { ResilientConfig, ResilientTable } from './nexthop-resilient.ts'

/** What a nexthop is asked to be (struct nh_config). */
export interface NexthopConfig {
  /** 0: the next that is free. */
  readonly id: number
  readonly family: number
  readonly protocol: number
  /** RTNH_F_ONLINK. */
  readonly flags: number
  readonly oif?: number | undefined
  readonly gateway?: Ipv4 | undefined
  readonly gateway6?: Ipv6 | undefined
  readonly isBlackhole?: boolean | undefined
  readonly isFdb?: boolean | undefined
  readonly encap?: Encap | undefined
  /** A group: ids and weights, these from 1. */
  readonly group?: readonly { readonly id: number; readonly weight: number }[] | undefined
  readonly hwStats?: boolean | undefined
  /** A resilient group. */
  readonly resilient?: ResilientConfig | undefined
  readonly origin?: Origin
}

/** A way out (struct nh_info). */
export interface NexthopInfo {
  readonly family: number
  readonly isReject: boolean
  readonly isFdb: boolean
  readonly scope: number
  readonly dev: NetDevice | undefined
  /** As routes of either family see it; a way of IPv6 has a device. */
  readonly way4: Nexthop4
  readonly way6: Nexthop6 | undefined
  readonly encap: Encap | undefined
}

/** A member of a group (struct nh_grp_entry). */
export interface GroupMember {
  readonly nexthop: Nexthop
  /** From 1. */
  readonly weight: number
  /** Of a resilient group: how many buckets it has, and is to have. */
  buckets: number
  wantedBuckets: number
}

/** struct nh_group. */
export interface NexthopGroup {
  readonly members: readonly GroupMember[]
  readonly isFdb: boolean
  /** Whether hardware is to count (nhg->hw_stats). */
  readonly hwStats: boolean
  /** Of a resilient group. */
  readonly table: ResilientTable | undefined
}

/** What it is: one or the other. */
export type NexthopContent =
  | { readonly info: NexthopInfo; readonly group?: undefined }
  | { readonly group: NexthopGroup; readonly info?: undefined }

/** struct nexthop. */
export class Nexthop {
  readonly id: number
  protocol: number
  flags: number
  info: NexthopInfo | undefined
  group: NexthopGroup | undefined
  /** The groups that it is a member of, the newest first. */
  parents: Nexthop[] = []
  /** What uses it. */
  readonly infos = new Set<FibInfo>()
  readonly routes6 = new Set<Fib6Route>()
  #ways4: readonly Nexthop4[] | undefined
  #ways6: readonly Nexthop6[] | undefined

  /** Whether routes say what stands behind it, beside its number (nexthop_compat_mode). */
  readonly isSpelledOut: () => boolean

  constructor(
    id: number,
    protocol: number,
    flags: number,
    content: NexthopContent,
    isSpelledOut: () => boolean,
  ) {
    this.isSpelledOut = isSpelledOut
    this.id = id
    this.protocol = protocol
    this.flags = flags
    this.info = content.info
    this.group = content.group
  }

  get isBlackhole(): boolean {
    return this.#single?.isReject ?? false
  }

  /** What it is made of: itself, or the only member that it has. */
  get #single(): NexthopInfo | undefined {
    const { info, group } = this
    if (!group) return info
    return group.members.length === 1 ? group.members[0]?.nexthop.info : undefined
  }

  /** Its ways as a route of IPv4 has them; they stay the same objects until it changes. */
  get ways4(): readonly Nexthop4[] {
    this.#ways4 ??= this.group
      ? this.group.members.map(({ nexthop, weight }) => {
          return { ...(nexthop.info as NexthopInfo).way4, weight }
        })
      : [(this.info as NexthopInfo).way4]
    return this.#ways4
  }

  /** Its ways as a route of IPv6 has them: there are none of IPv4 among them. */
  get ways6(): readonly Nexthop6[] {
    this.#ways6 ??= this.group
      ? this.group.members.flatMap(({ nexthop, weight }) => {
          const way = nexthop.info?.way6
          return way ? [{ ...way, weight }] : []
        })
      : this.info?.way6
        ? [this.info.way6]
        : []
    return this.#ways6
  }

  /** What it is made of has changed: routes see the new ways from now on. */
  refresh(): void {
    this.#ways4 = undefined
    this.#ways6 = undefined
    for (const info of this.infos) info.nexthops = this.ways4
    for (const parent of this.parents) parent.refresh()
  }

  /** fib_check_nexthop(): whether a route of IPv4 can use it. @throws NetlinkError EINVAL */
  check4(scope: number): void {
    const { group } = this
    if (group?.isFdb || this.info?.isFdb) refuse('Route cannot point to a fdb nexthop')
    if (group && scope === RT_SCOPE_HOST) {
      refuse('Route with host scope can not have multiple nexthops')
    }
    const way = this.ways4[0]
    if (scope === RT_SCOPE_HOST && way?.gatewayFamily) {
      refuse('Route with host scope can not have a gateway')
    }
    if ((way?.flags ?? 0) & RTNH_F_ONLINK && scope >= RT_SCOPE_LINK) {
      refuse('Scope mismatch with nexthop')
    }
  }

  /** fib6_check_nexthop(): whether a route of IPv6 can use it. @throws NetlinkError EINVAL */
  check6(): void {
    const { group, info } = this
    const isOfIpv4 = group
      ? group.members.some(({ nexthop }) => nexthop.info?.family === AF_INET)
      : info?.family === AF_INET
    if (isOfIpv4) refuse('IPv6 routes can not use an IPv4 nexthop')
    if (group ? group.isFdb : info?.isFdb) refuse('Route cannot point to a fdb nexthop')
  }
}

function refuse(text: string): never {
  throw new NetlinkError('EINVAL', text)
}
