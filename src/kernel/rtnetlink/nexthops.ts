/**
 * RTA_MULTIPATH and RTA_VIA: ways out of a route.
 *
 * Kernel: net/ipv4/fib_semantics.c fib_count_nexthops(), fib_get_nhs(); net/ipv4/fib_frontend.c
 * fib_gw_from_via(); net/ipv6/route.c ip6_route_multipath_add(), fib6_gw_from_attr();
 * include/net/nexthop.h rtnh_ok() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { AF_INET, AF_INET6 } from '../../families/rtnetlink.ts'
import { align4 } from '../../wire/align.ts'
import { AttributeWalker } from '../../wire/attribute.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Nexthop4Request } from '../net/fib4-info.ts'
import type { Nexthop6Request } from '../net/fib6-nexthop.ts'
import type { Encap } from '../net/lwtunnel.ts'
import type { RequestContext } from '../netlink/context.ts'
import { checkEncapType, parseEncap } from './encap.ts'
import { invalid, wholeEnd } from './parse.ts'
import { in6Addr, type Span } from './policy-types.ts'

const RTA_GATEWAY = 5
const RTA_FLOW = 11
const RTA_VIA = 18
const RTA_ENCAP_TYPE = 21
const RTA_ENCAP = 22
/** sizeof(struct rtnexthop). */
const RTNH_SIZE = 8

/** Each next hop's own fields, and where its attributes are. */
interface RawNexthop extends Span {
  readonly flags: number
  readonly hops: number
  readonly ifindex: number
}

/** The next hops up to one that does not fit; `rest` bytes stand behind them. */
function walk({ view }: RequestContext, { at, end }: Span): { hops: RawNexthop[]; rest: number } {
  const hops: RawNexthop[] = []
  let next = at
  while (end - next >= RTNH_SIZE) {
    const length = view.getUint16(next, HOST_LE)
    if (length < RTNH_SIZE || length > end - next) break
    hops.push({
      flags: view.getUint8(next + 2),
      hops: view.getUint8(next + 3),
      ifindex: view.getInt32(next + 4, HOST_LE),
      at: next + RTNH_SIZE,
      // nla_find() ends where attributes are not whole.
      end: wholeEnd(view, next + RTNH_SIZE, next + length),
    })
    next += align4(length)
  }
  return { hops, rest: Math.max(0, end - next) }
}

/** lwtunnel_valid_encap_type_attr(). @throws NetlinkError EINVAL, EOPNOTSUPP */
export function checkEncapTypes(ctx: RequestContext, span: Span): void {
  for (const hop of walk(ctx, span).hops) {
    const type = encapTypeOf(ctx, hop)
    if (type === undefined) continue
    try {
      checkEncapType(type)
    } catch (error) {
      throw isNetlinkError(error) ? new NetlinkError('EOPNOTSUPP', error.extack) : error
    }
  }
}

function encapTypeOf({ view }: RequestContext, { at, end }: Span): number | undefined {
  const walker = new AttributeWalker(view, at, end)
  while (walker.next()) {
    if (walker.type !== RTA_ENCAP_TYPE) continue
    if (walker.end - walker.payload < 2) invalid('Invalid RTA_ENCAP_TYPE')
    return view.getUint16(walker.payload, HOST_LE)
  }
  return undefined
}

/** What goes around the packets of one way. */
function encapOf(ctx: RequestContext, hop: Span, family: number): Encap | undefined {
  const walker = new AttributeWalker(ctx.view, hop.at, hop.end)
  let encap: Span | undefined
  while (walker.next()) {
    if (walker.type === RTA_ENCAP) encap = { at: walker.payload, end: walker.end }
  }
  if (!encap) return undefined
  const type = encapTypeOf(ctx, hop)
  if (!type) invalid('LWT encap type not specified')
  return parseEncap(ctx, type, encap, family)
}

/** fib_get_nhs(). @throws NetlinkError EINVAL */
export function parseNexthops4(ctx: RequestContext, span: Span): Nexthop4Request[] {
  const { hops, rest } = walk(ctx, span)
  if (rest > 0) invalid('Invalid nexthop configuration - extra data after nexthops')
  return hops.map((hop) => ({
    oif: hop.ifindex,
    flags: hop.flags,
    weight: hop.hops + 1,
    ...gateway4(ctx, hop),
    encap: encapOf(ctx, hop, AF_INET),
  }))
}

function gateway4(ctx: RequestContext, { at, end }: Span): Nexthop4Request {
  const walker = new AttributeWalker(ctx.view, at, end)
  let gateway: number | undefined
  let via: Nexthop4Request | undefined
  let flow: number | undefined
  while (walker.next()) {
    const { type, payload } = walker
    if (type === RTA_GATEWAY) gateway = ctx.view.getUint32(payload)
    if (type === RTA_VIA) via = parseVia(ctx, { at: payload, end: walker.end })
    if (type === RTA_FLOW) flow = ctx.view.getUint32(payload, HOST_LE)
  }
  if (gateway !== undefined && via) {
    invalid('Nexthop configuration can not contain both GATEWAY and VIA')
  }
  return { gateway, flow, ...via }
}

/** fib_gw_from_via(). @throws NetlinkError EINVAL */
export function parseVia({ view }: RequestContext, { at, end }: Span): Nexthop4Request {
  if (end - at < 2) invalid('Invalid attribute length for RTA_VIA')
  const family = view.getUint16(at, HOST_LE)
  const size = end - at - 2
  if (family === AF_INET) {
    if (size !== 4) invalid('Invalid IPv4 address in RTA_VIA')
    return { gateway: view.getUint32(at + 2) }
  }
  if (family !== AF_INET6) invalid('Unsupported address family in RTA_VIA')
  if (size !== 16) invalid('Invalid IPv6 address in RTA_VIA')
  return { gateway6: in6Addr.get(view, at + 2, end) }
}

/** ip6_route_multipath_add(). @throws NetlinkError EINVAL */
export function parseNexthops6(ctx: RequestContext, span: Span): Nexthop6Request[] {
  const { hops } = walk(ctx, span)
  return hops.map((hop) => {
    const encap = encapOf(ctx, hop, AF_INET6)
    const way = { oif: hop.ifindex, flags: hop.flags, weight: hop.hops + 1, encap }
    const walker = new AttributeWalker(ctx.view, hop.at, hop.end)
    while (walker.next()) {
      const { type, payload, end } = walker
      if (type !== RTA_GATEWAY) continue
      if (end - payload < 16) invalid('Invalid IPv6 address in RTA_GATEWAY')
      return { ...way, gateway: in6Addr.get(ctx.view, payload, end) }
    }
    return way
  })
}
