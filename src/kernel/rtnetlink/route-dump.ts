/**
 * RTM_GETROUTE dumps: all routes, or those of a table, a link, a protocol, a type.
 *
 * Kernel: net/ipv4/fib_frontend.c inet_dump_fib(), ip_valid_fib_dump_req(); net/ipv4/fib_trie.c
 * fn_trie_dump_leaf(); net/ipv6/ip6_fib.c inet6_dump_fib(); net/ipv6/route.c rt6_dump_route()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_F_CLONED, RTM_F_PREFIX } from '../../families/rt-route.ts'
import { AF_INET, AF_INET6, RTM_NEWROUTE } from '../../families/rtnetlink.ts'
import { NL_VALIDATE_DEPRECATED_STRICT } from '../../schema/index.ts'
import { NLM_F_DUMP_FILTERED } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { NetDevice } from '../net/device.ts'
import type { Fib4Route } from '../net/fib4.ts'
import type { Fib6Route } from '../net/fib6.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'
import { route4Request } from './route4.ts'
import { putRoute4 } from './route4-fill.ts'
import { routeHeader } from './route4-get.ts'
import { putRoute6 } from './route6-fill.ts'

/** sizeof(struct rtmsg). */
const HEADER_SIZE = 12

/** struct fib_dump_filter; 0: any. */
interface RouteFilter {
  readonly table: number
  readonly protocol: number
  readonly type: number
  readonly dev: NetDevice | undefined
  /** RTM_F_PREFIX, RTM_F_CLONED. */
  readonly flags: number
}

const EVERYTHING: RouteFilter = { table: 0, protocol: 0, type: 0, dev: undefined, flags: 0 }

/** ip_valid_fib_dump_req(); of a lax request only the flags are looked at. */
function parseDump(ctx: RequestContext): RouteFilter {
  if (!ctx.strict) return { ...EVERYTHING, flags: laxFlags(ctx) & RTM_F_PREFIX }
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for FIB dump request')
  if (hasHeaderValues(ctx, 1, 3) || hasHeaderValues(ctx, 6, 1)) {
    invalid('Invalid values in header for FIB dump request')
  }
  if (laxFlags(ctx) & ~(RTM_F_CLONED | RTM_F_PREFIX)) {
    invalid('Invalid flags for FIB dump request')
  }
  const route = ctx.decode(route4Request, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(route, [...routeHeader, 'table', 'oif'])) {
    invalid('Unsupported attribute in dump request')
  }
  const { flags, protocol, type, oif } = route
  const dev = oif === undefined ? undefined : deviceOf(ctx, oif)
  const table = route.table ?? route.rtmTable
  ctx.messageFlags |= NLM_F_DUMP_FILTERED
  if (flags || protocol || type || table || dev) ctx.filtered = true
  return { table, protocol, type, dev, flags }
}

function laxFlags(ctx: RequestContext): number {
  return payloadSize(ctx) < HEADER_SIZE ? 0 : ctx.view.getUint32(ctx.payload + 8, HOST_LE)
}

function deviceOf(ctx: RequestContext, ifindex: number): NetDevice {
  const dev = ctx.kernel.rtnl.stackOf(ctx.net).devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  return dev
}

/** The tables that are dumped. @throws NetlinkError ENOENT for one that is not there */
function tablesOf<T>(
  ctx: RequestContext,
  filter: RouteFilter,
  fib: { table(id: number): T | undefined; tables(): T[] },
  family: number,
  name: string,
): T[] {
  if (!filter.table) return fib.tables()
  const table = fib.table(filter.table)
  if (table) return [table]
  if (ctx.view.getUint8(ctx.payload) !== family) return []
  throw new NetlinkError('ENOENT', `${name}: FIB table does not exist`)
}

/** Routes that are learned or cached are not simulated: asking for them alone gives nothing. */
function isEmpty({ flags }: RouteFilter): boolean {
  return (flags & (RTM_F_CLONED | RTM_F_PREFIX)) !== 0
}

export const route4Dump: DumpSource<Fib4Route> = {
  name: 'RTM_GETROUTE of AF_INET',
  type: RTM_NEWROUTE,
  doneAlone: true,
  *items(ctx) {
    const filter = parseDump(ctx)
    if (isEmpty(filter)) return
    const { fib4 } = ctx.kernel.rtnl.stackOf(ctx.net)
    for (const table of tablesOf(ctx, filter, fib4, AF_INET, 'ipv4')) {
      for (const route of table.sorted()) {
        if (!route.isGone && isWanted4(route, filter)) yield route
      }
    }
  },
  put: (w, route) => putRoute4(w, route),
}

function isWanted4({ info }: Fib4Route, { type, protocol, dev }: RouteFilter): boolean {
  if (type && info.type !== type) return false
  if (protocol && info.protocol !== protocol) return false
  return !dev || info.nexthops.some((nh) => nh.dev === dev)
}

export const route6Dump: DumpSource<Fib6Route> = {
  name: 'RTM_GETROUTE of AF_INET6',
  type: RTM_NEWROUTE,
  doneAlone: true,
  *items(ctx) {
    const filter = parseDump(ctx)
    if (isEmpty(filter)) return
    const { fib6 } = ctx.kernel.rtnl.stackOf(ctx.net)
    for (const table of tablesOf(ctx, filter, fib6, AF_INET6, 'ipv6')) {
      for (const route of table.sorted()) {
        if (route.isLinked && route.siblings[0] === route && isWanted6(route, filter)) yield route
      }
    }
  },
  put: (w, route) => putRoute6(w, route),
}

function isWanted6(route: Fib6Route, { type, protocol, dev }: RouteFilter): boolean {
  if (type && route.type !== type) return false
  if (protocol && route.protocol !== protocol) return false
  return !dev || route.siblings.some(({ nexthop }) => nexthop.dev === dev)
}
