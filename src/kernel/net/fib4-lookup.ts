/**
 * What one IPv4 route says to somebody who looks for a way.
 *
 * Kernel: net/ipv4/fib_trie.c fib_table_lookup(), include/net/ip_fib.h struct fib_result.
 */
import type { ErrnoName } from '../../errno.ts'
import type { Ipv4 } from './address.ts'
import { RTNH_F_DEAD, RTNH_F_LINKDOWN } from './constants.ts'
import { type Nexthop4, routeTypeError } from './fib4-info.ts'
import type { Fib4Route } from './fib4-table.ts'
import type { FlowKey } from './rules.ts'

/** What is looked for (struct flowi4). */
export interface Flow4 extends FlowKey {
  readonly daddr: Ipv4
  readonly saddr?: Ipv4 | undefined
  readonly dscp?: number | undefined
  /** The widest scope that the route may have. */
  readonly scope?: number | undefined
  /** Whether nexthops without a carrier count all the same. */
  readonly ignoreLinkdown?: boolean | undefined
}

/** What is found (struct fib_result). */
export interface Fib4Result {
  readonly route: Fib4Route
  readonly nexthop: Nexthop4
  readonly type: number
  readonly scope: number
  readonly prefixlen: number
  /** The table that was asked. */
  readonly table: number
}

/** What `route`, of a table that goes by the name of `table`, says to `flow`: a way, an error, or nothing. */
export function consider(
  route: Fib4Route,
  flow: Flow4,
  table: number,
): Fib4Result | ErrnoName | undefined {
  const { info, dscp } = route
  if (dscp && dscp !== (flow.dscp ?? 0)) return undefined
  if (info.scope < (flow.scope ?? 0)) return undefined
  const error = routeTypeError(info.type)
  if (error) return error
  if (info.isDead) return undefined
  if (info.nh?.isBlackhole) return 'EINVAL'
  const { type, scope } = info
  for (const nexthop of info.nexthops) {
    if (nexthop.flags & RTNH_F_DEAD || (flow.oif && flow.oif !== nexthop.oif)) continue
    const isLinkdown = nexthop.flags & RTNH_F_LINKDOWN && nexthop.dev?.inet?.ignoreLinkdown
    if (isLinkdown && !flow.ignoreLinkdown) continue
    return { route, nexthop, type, scope, prefixlen: route.dstLen, table }
  }
  return undefined
}
