/**
 * RTM_NEWROUTE and RTM_DELROUTE of IPv4.
 *
 * Kernel: net/ipv4/fib_frontend.c rtm_to_fib_config(), inet_rtm_newroute(), inet_rtm_delroute(),
 * rtm_ipv4_policy (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { routeAttrs, rtmsg } from '../../families/rt-route.ts'
import { attrs, type Infer, message, NL_VALIDATE_LIBERAL, u16 } from '../../schema/index.ts'
import { AF_INET, RTN_MAX } from '../net/constants.ts'
import type { Fib4Config } from '../net/fib4-info.ts'
import type { Encap } from '../net/lwtunnel.ts'
import type { RequestContext } from '../netlink/context.ts'
import { checkEncapType, parseEncap } from './encap.ts'
import { parseMetrics } from './metrics.ts'
import { checkEncapTypes, parseNexthops4, parseVia } from './nexthops.ts'
import { invalid, payloadSize } from './parse.ts'
import { inAddr, nested, type Span, spanOf } from './policy-types.ts'

/** sizeof(struct rtmsg), sizeof(struct rtnexthop). */
const HEADER_SIZE = 12
const RTNH_SIZE = 8

/** rtm_ipv4_policy. */
const policy = attrs('RTA_', {
  ...routeAttrs.definitions,
  dst: [1, inAddr],
  src: [2, inAddr],
  gateway: [5, inAddr],
  prefsrc: [7, inAddr],
  metrics: [8, nested],
  multipath: [9, spanOf(RTNH_SIZE)],
  via: [18, spanOf(0)],
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
  'flow',
  'encapType',
  'encap',
  'uid',
  'mark',
  'table',
  'ipProto',
  'sport',
  'dport',
  'nhId',
)
/** A request about IPv4 routes, of whatever type. */
export const route4Request = message(rtmsg, policy)
export type Route4Message = Infer<typeof policy> & Infer<typeof rtmsg>

/** inet_rtm_newroute(). @throws NetlinkError as the FIB refuses it */
export function newRoute4(ctx: RequestContext): void {
  const { fib4 } = ctx.kernel.rtnl.stackOf(ctx.net)
  fib4.insert(describeConfig(ctx), ctx.flags)
}

/** inet_rtm_delroute(). @throws NetlinkError ESRCH, EINVAL */
export function deleteRoute4(ctx: RequestContext): void {
  ctx.kernel.rtnl.stackOf(ctx.net).fib4.delete(describeConfig(ctx))
}

/** rtm_to_fib_config(). */
function describeConfig(ctx: RequestContext): Fib4Config {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const route = ctx.decode(route4Request, NL_VALIDATE_LIBERAL)
  const { tos, type, dst = 0, dstLen, oif, gateway, flow } = route
  if (tos & 3) invalid('Invalid dsfield (tos): ECN bits must be 0')
  if (type > RTN_MAX) invalid('Invalid route type')
  const via = route.via && parseVia(ctx, route.via)
  if (route.multipath) checkEncapTypes(ctx, route.multipath)
  if (route.encapType !== undefined) checkEncapType(route.encapType)
  if (dstLen > 32) invalid('Invalid prefix length')
  if (dstLen < 32 && dst << dstLen) invalid('Invalid prefix for given prefix length')
  if (route.nhId) checkNexthopId(route)
  if (gateway !== undefined && via) {
    invalid('Nexthop configuration can not contain both GATEWAY and VIA')
  }
  return {
    dst,
    dstLen,
    dscp: tos,
    table: route.table ?? route.rtmTable,
    protocol: route.protocol,
    scope: route.scope,
    type,
    flags: route.flags,
    priority: route.priority,
    prefsrc: route.prefsrc,
    oif,
    gateway,
    flow,
    ...via,
    nhId: route.nhId,
    encap: encapOf(ctx, route, AF_INET),
    metrics: route.metrics && parseMetrics(ctx, route.metrics),
    multipath: route.multipath && parseNexthops4(ctx, route.multipath),
    origin: ctx,
  }
}

/** What a nexthop object says is not said twice. */
function checkNexthopId({ oif, gateway, via, encap, multipath }: Route4Message): void {
  if (oif || gateway || via || encap || multipath) {
    invalid('Nexthop specification and nexthop id are mutually exclusive')
  }
}

/** What goes around the packets (fib_nh_common_init(), fib6_nh_init()). @throws NetlinkError */
export function encapOf(
  ctx: RequestContext,
  { encap, encapType }: { readonly encap?: Span; readonly encapType?: number },
  family: number,
): Encap | undefined {
  if (!encap) return undefined
  if (!encapType) invalid('LWT encap type not specified')
  return parseEncap(ctx, encapType, encap, family)
}
