/**
 * RTM_GETROUTE of IPv4: the way to an address.
 *
 * Kernel: net/ipv4/route.c inet_rtm_getroute(), inet_rtm_valid_getroute_req() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_F_FIB_MATCH, RTM_F_LOOKUP_TABLE, RTM_F_NOTIFY } from '../../families/rt-route.ts'
import { RTM_NEWROUTE } from '../../families/rtnetlink.ts'
import { NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import { RT_TABLE_LOCAL, RT_TABLE_MAIN } from '../net/constants.ts'
import { routeTypeError } from '../net/fib4-info.ts'
import { routeOutput4 } from '../net/route4.ts'
import { routeInput4 } from '../net/route4-input.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import { hasOthers, invalid, payloadSize } from './parse.ts'
import { type Route4Message, route4Request } from './route4.ts'
import { putRoute4, putWay4 } from './route4-fill.ts'

/** sizeof(struct rtmsg). */
const HEADER_SIZE = 12
export const routeHeader = [
  'family',
  'dstLen',
  'srcLen',
  'tos',
  'rtmTable',
  'protocol',
  'scope',
  'type',
  'flags',
]
const ASKED = ['iif', 'oif', 'src', 'dst', 'ipProto', 'sport', 'dport', 'mark', 'uid']
/** Bits of a header's tos: the others are ECN's, and no route's business. */
export const DSCP = 0xfc
const IPPROTO_ICMP = 1
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17

/** inet_rtm_getroute(). @throws NetlinkError ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENODEV */
export function getRoute4(ctx: RequestContext): void {
  const route = parseGet(ctx)
  const { dst = 0, src = 0, iif = 0, oif, mark = 0, flags } = route
  checkIpProto(route.ipProto, [IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP])
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const uid = route.uid ?? (iif ? undefined : ctx.credentials.uid)
  const flow = {
    daddr: dst,
    saddr: src,
    dscp: route.tos & DSCP,
    oif,
    iif,
    mark,
    uid,
    ipProto: route.ipProto,
    sport: route.sport && networkOrder(route.sport),
    dport: route.dport && networkOrder(route.dport),
  }
  const way = iif ? routeInput4(stack, flow) : routeOutput4(stack, flow)
  const { found } = way
  const table = flags & RTM_F_LOOKUP_TABLE ? shownTable(stack, found?.table) : RT_TABLE_MAIN
  if (flags & RTM_F_FIB_MATCH) {
    if (!found) throw new NetlinkError(routeTypeError(way.type) ?? 'EHOSTUNREACH')
    ctx.reply(RTM_NEWROUTE, (w) => putRoute4(w, found.route, table, way.type))
    return
  }
  const asked = { dst, src, iif, mark, uid, table, notify: (flags & RTM_F_NOTIFY) !== 0 }
  ctx.reply(RTM_NEWROUTE, (w) => putWay4(w, way, asked))
}

/** Until there are rules of one's own, the main table has the local one's routes in it (fib_unmerge()). */
function shownTable(stack: NetStack, table = 0): number {
  return table === RT_TABLE_LOCAL && !stack.rules4.isCustom ? RT_TABLE_MAIN : table
}

/** rtm_getroute_parse_ip_proto(). */
export function checkIpProto(proto: number | undefined, known: readonly number[]): void {
  if (proto !== undefined && !known.includes(proto)) {
    throw new NetlinkError('EOPNOTSUPP', 'Unsupported ip proto')
  }
}

/** ntohs(): ports are in network order, and the policy reads them as numbers. */
export function networkOrder(port: number): number {
  return new DataView(Uint16Array.of(port).buffer).getUint16(0)
}

function parseGet(ctx: RequestContext): Route4Message {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv4: Invalid header for route get request')
  if (!ctx.strict) return ctx.decode(route4Request, NL_VALIDATE_LIBERAL)
  const { view, payload: at } = ctx
  const isHost = (length: number): boolean => length === 0 || length === 32
  const lengths = isHost(view.getUint8(at + 1)) && isHost(view.getUint8(at + 2))
  const values = [4, 5, 6, 7].some((i) => view.getUint8(at + i) !== 0)
  if (!lengths || values) invalid('ipv4: Invalid values in header for route get request')
  return parseStrictGet(ctx)
}

function parseStrictGet(ctx: RequestContext): Route4Message {
  const known = RTM_F_NOTIFY | RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH
  if (route4Request.header?.get(ctx.view, ctx.payload, ctx.payload + HEADER_SIZE).flags & ~known) {
    invalid('ipv4: Unsupported rtm_flags for route get request')
  }
  const route = ctx.decode(route4Request, NL_VALIDATE_DEPRECATED_STRICT)
  if ((route.src !== undefined && !route.srcLen) || (route.dst !== undefined && !route.dstLen)) {
    invalid('ipv4: rtm_src_len and rtm_dst_len must be 32 for IPv4')
  }
  if (hasOthers(route, [...routeHeader, ...ASKED])) {
    invalid('ipv4: Unsupported attribute in route get request')
  }
  return route
}
