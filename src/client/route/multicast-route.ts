/** Multicast routes: through which links packets to a group are handed on (net/ipv4/ipmr.c). */
import { rtRoute } from '../../families/rt-route.ts'
import { RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR } from '../../families/rtnetlink.ts'
import type { Reply } from '../../schema/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import { defined, type LinkName, type Links } from './door.ts'
import { multicastRouteSubject } from './live-settings.ts'
import { type RouteType, routeTypes, type Table, tables } from './names.ts'
import type { IpFamily } from './prefix.ts'

type Decoded = Reply<typeof rtRoute, 'getRoute'>

const FAMILIES: Readonly<Record<number, IpFamily>> = {
  [RTNL_FAMILY_IPMR]: 'inet',
  [RTNL_FAMILY_IP6MR]: 'inet6',
}

/** Packets from `source` to `group`, and where they go. */
export interface MulticastRoute {
  family: IpFamily
  /** Absent when it is not known. */
  source?: string
  group?: string
  table: Table | number
  type: RouteType | number
  /** The link through which they come; absent while that is not known. */
  iif?: number
  /** The links through which they leave, each with the hops that a packet must have left. */
  oifs: readonly { readonly oif: number; readonly ttl: number }[]
  /** RTNH_F_*, RTM_F_*. */
  flags: number
  packets?: bigint
  bytes?: bigint
  wrongIf?: bigint
  /** Hundredths of a second since a packet came. */
  age?: bigint
}

export interface MulticastRouteFilter {
  readonly family?: IpFamily | undefined
  /** The link through which they come. */
  readonly iif?: LinkName | undefined
  readonly table?: Table | number | 'all' | undefined
}

/** A multicast route as its message says; undefined for any other route. */
export function toMulticastRoute(decoded: Decoded): MulticastRoute | undefined {
  const family = FAMILIES[decoded.family]
  if (family === undefined) return undefined
  const { src, dst, iif, multipath = [], mfcStats, expires, flags } = decoded
  return defined({
    family,
    source: src,
    group: dst,
    table: tables.name(decoded.table ?? decoded.rtmTable) as Table,
    type: routeTypes.name(decoded.type),
    iif,
    oifs: multipath.map(({ ifindex, hops }) => ({ oif: ifindex, ttl: hops })),
    flags,
    ...mfcStats,
    age: expires === undefined ? undefined : BigInt(expires),
  }) as MulticastRoute
}

export class MulticastRouteDoor {
  readonly #links: Links
  readonly #list = makeCall(rtRoute, 'getRoute', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<MulticastRoute> = {}, options: LiveOptions = {}): Live<MulticastRoute> {
    const { session } = this.#links.endpoint
    return new Live(
      session,
      multicastRouteSubject(this, toMulticastRoute),
      checkMatch(match),
      options,
    )
  }

  /** IPv4's unless said otherwise. @throws NetlinkError EOPNOTSUPP (the kernel has no such routes) */
  list(filter: MulticastRouteFilter = {}, options: DumpOptions = {}): Dump<MulticastRoute> {
    const { table = 'all' } = filter
    let iif: number | undefined
    let wanted: number | undefined
    const value = async () => {
      iif = await this.#links.indexIfAny(filter.iif, 'iif', options)
      wanted = table === 'all' ? undefined : tables.number(table, 'table')
      return { family: filter.family === 'inet6' ? RTNL_FAMILY_IP6MR : RTNL_FAMILY_IPMR }
    }
    const map = (decoded: Decoded): MulticastRoute | undefined => {
      const isWanted =
        (iif === undefined || decoded.iif === iif) &&
        (wanted === undefined || (decoded.table ?? decoded.rtmTable) === wanted)
      return isWanted ? toMulticastRoute(decoded) : undefined
    }
    return this.#links.endpoint.dump(this.#list, { value, map }, options)
  }
}
