/**
 * RTM_NEWROUTE, RTM_DELROUTE and RTM_GETROUTE of IPv6.
 *
 * Kernel: net/ipv6/route.c rtm_to_fib6_config(), inet6_rtm_newroute(), inet6_rtm_delroute(),
 * inet6_rtm_getroute(), rtm_ipv6_policy (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { RTM_F_CLONED, RTM_F_FIB_MATCH, routeAttrs, rtmsg } from '../../families/rt-route.ts'
import { RTM_NEWROUTE } from '../../families/rtnetlink.ts'
import {
  attrs,
  binary,
  type Infer,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  u8,
  u16,
} from '../../schema/index.ts'
import { type Ipv6, prefix6 } from '../net/address.ts'
import { AF_INET6, RTNH_F_ONLINK } from '../net/constants.ts'
import type { Fib6Config } from '../net/fib6.ts'
import { routeOutput6 } from '../net/route6.ts'
import type { RequestContext } from '../netlink/context.ts'
import { checkEncapType } from './encap.ts'
import { parseMetrics } from './metrics.ts'
import { checkEncapTypes, parseNexthops6 } from './nexthops.ts'
import { hasOthers, invalid, payloadSize } from './parse.ts'
import { in6Addr, nested, spanOf } from './policy-types.ts'
import { encapOf } from './route4.ts'
import { checkIpProto, DSCP, networkOrder, routeHeader } from './route4-get.ts'
import { putRoute6, putWay6 } from './route6-fill.ts'

/** sizeof(struct rtmsg), sizeof(struct rtnexthop). */
const HEADER_SIZE = 12
const RTNH_SIZE = 8
const ASKED = ['iif', 'oif', 'src', 'dst', 'ipProto', 'sport', 'dport', 'mark', 'uid', 'flowlabel']
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const IPPROTO_ICMPV6 = 58

/** rtm_ipv6_policy. */
const policy = attrs('RTA_', {
  ...routeAttrs.definitions,
  dst: [1, binary],
  src: [2, binary],
  gateway: [5, in6Addr],
  prefsrc: [7, in6Addr],
  metrics: [8, nested],
  multipath: [9, spanOf(RTNH_SIZE)],
  via: [18, spanOf(0)],
  pref: [20, u8],
  encapType: [21, u16],
  encap: [22, nested],
  sport: [28, u16],
  dport: [29, u16],
}).only(
  'dst',
  'src',
  'iif',
  'oif',
  'gateway',
  'priority',
  'prefsrc',
  'metrics',
  'multipath',
  'via',
  'pref',
  'encapType',
  'encap',
  'expires',
  'uid',
  'mark',
  'table',
  'ipProto',
  'sport',
  'dport',
  'nhId',
  'flowlabel',
)
const route6Request = message(rtmsg, policy)
type Route6Message = Infer<typeof policy> & Infer<typeof rtmsg>

/** inet6_rtm_newroute(). @throws NetlinkError as the FIB refuses it */
export function newRoute6(ctx: RequestContext): void {
  const { fib6 } = ctx.kernel.rtnl.stackOf(ctx.net)
  const route = ctx.decode(route6Request, NL_VALIDATE_LIBERAL)
  const config = describeConfig(ctx, route)
  if (route.flags & RTM_F_CLONED) invalid('Userspace can not set RTF_CACHE')
  fib6.add(config, ctx.flags)
}

/** inet6_rtm_delroute(). @throws NetlinkError ESRCH, EINVAL */
export function deleteRoute6(ctx: RequestContext): void {
  const route = ctx.decode(route6Request, NL_VALIDATE_LIBERAL)
  const { fib6, nexthops } = ctx.kernel.rtnl.stackOf(ctx.net)
  const config = describeConfig(ctx, route)
  if (config.nhId && !nexthops.find(config.nhId)) invalid('Nexthop id does not exist')
  fib6.delete(config)
}

/** rtm_to_fib6_config(). */
function describeConfig(ctx: RequestContext, route: Route6Message): Fib6Config {
  const { dstLen, type, nhId, oif, gateway, multipath } = route
  if (route.tos) invalid('Invalid dsfield (tos): option not available for IPv6')
  if (route.flowlabel !== undefined) {
    const message = 'Flow label cannot be specified for this operation'
    throw new NetlinkError('EINVAL', { extack: { message, attribute: 'flowlabel' } })
  }
  if (nhId) {
    if (oif || gateway !== undefined || route.encap || multipath) {
      invalid('Nexthop specification and nexthop id are mutually exclusive')
    }
  }
  if (route.via) invalid('IPv6 does not support RTA_VIA attribute')
  const dst = addressOf(route.dst, dstLen)
  const src = addressOf(route.src, route.srcLen)
  if (multipath) checkEncapTypes(ctx, multipath)
  if (route.encapType !== undefined) checkEncapType(route.encapType)
  return {
    dst: prefix6(dst, Math.min(dstLen, 128)),
    dstLen,
    src: prefix6(src, Math.min(route.srcLen, 128)),
    srcLen: route.srcLen,
    type,
    table: route.table ?? route.rtmTable,
    protocol: route.protocol,
    metric: route.priority,
    prefsrc: route.prefsrc,
    oif,
    gateway,
    flags: route.flags & RTNH_F_ONLINK,
    nhId,
    encap: encapOf(ctx, route, AF_INET6),
    expires: route.expires || undefined,
    pref: preferenceOf(route.pref),
    metrics: route.metrics && parseMetrics(ctx, route.metrics),
    multipath: multipath && parseNexthops6(ctx, multipath),
    origin: ctx,
  }
}

/** As many bytes as a prefix needs must be there; those that are not are 0. */
function addressOf(bytes: Uint8Array | undefined, length: number): Ipv6 {
  if (!bytes) return 0n
  if (bytes.length < Math.ceil(length / 8)) throw new NetlinkError('EINVAL')
  const whole = new Uint8Array(16)
  whole.set(bytes.subarray(0, 16))
  return in6Addr.get(new DataView(whole.buffer), 0, 16)
}

/** ICMPV6_ROUTER_PREF_*: what is neither high nor low is medium. */
function preferenceOf(pref: number | undefined): number {
  return pref === 1 || pref === 3 ? pref : 0
}

/** inet6_rtm_getroute(). @throws NetlinkError ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENODEV */
export function getRoute6(ctx: RequestContext): void {
  const route = parseGet(ctx)
  const { iif = 0, oif, mark, flags } = route
  if ((route.src?.length ?? 16) < 16 || (route.dst?.length ?? 16) < 16) {
    throw new NetlinkError('EINVAL')
  }
  checkIpProto(route.ipProto, [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6])
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const daddr = addressOf(route.dst, 0)
  const saddr = addressOf(route.src, 0)
  const way = routeOutput6(stack, {
    daddr,
    saddr: saddr || undefined,
    dscp: route.tos & DSCP,
    oif,
    iif,
    mark,
    uid: route.uid ?? (iif ? undefined : ctx.credentials.uid),
    ipProto: route.ipProto,
    sport: route.sport && networkOrder(route.sport),
    dport: route.dport && networkOrder(route.dport),
  })
  ctx.reply(RTM_NEWROUTE, (w) => {
    if (flags & RTM_F_FIB_MATCH) putRoute6(w, way.found.route)
    else putWay6(w, way, { dst: daddr, src: saddr, iif })
  })
}

/** inet6_rtm_valid_getroute_req(). */
function parseGet(ctx: RequestContext): Route6Message {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv6: Invalid header for get route request')
  if (!ctx.strict) return ctx.decode(route6Request, NL_VALIDATE_LIBERAL)
  const { view, payload: at } = ctx
  const isHost = (length: number): boolean => length === 0 || length === 128
  const lengths = isHost(view.getUint8(at + 1)) && isHost(view.getUint8(at + 2))
  const values = [4, 5, 6, 7].some((i) => view.getUint8(at + i) !== 0)
  if (!lengths || values) invalid('ipv6: Invalid values in header for get route request')
  const header = route6Request.header?.get(view, at, at + HEADER_SIZE)
  if (header.flags & ~RTM_F_FIB_MATCH) invalid('ipv6: Invalid flags for get route request')
  const route = ctx.decode(route6Request, NL_VALIDATE_DEPRECATED_STRICT)
  if ((route.src && !route.srcLen) || (route.dst && !route.dstLen)) {
    invalid('ipv6: rtm_src_len and rtm_dst_len must be 128 for IPv6')
  }
  if (hasOthers(route, [...routeHeader, ...ASKED])) {
    invalid('ipv6: Unsupported attribute in get route request')
  }
  return route
}
