/**
 * IPv6 routes as RTM_NEWROUTE and RTM_DELROUTE describe them.
 *
 * Kernel: net/ipv6/route.c rt6_fill_node() (Linux 6.18).
 */
import { routeAttrs } from '../../families/rt-route.ts'
import { AF_INET6 } from '../../families/rtnetlink.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Ipv6 } from '../net/address.ts'
import { RTN_BLACKHOLE, RTNH_F_DEAD, RTNH_F_LINKDOWN, RTNH_F_ONLINK } from '../net/constants.ts'
import type { Fib6Route } from '../net/fib6.ts'
import type { Nexthop6 } from '../net/fib6-nexthop.ts'
import type { Nexthop } from '../net/nexthop.ts'
import type { Way6 } from '../net/route6.ts'
import { putEncap } from './encap.ts'
import {
  putCacheinfo,
  putIn6Addr,
  putMetrics,
  putMultipath,
  putRtmsg,
  putU8,
  setRouteFlags,
} from './route-fill.ts'

const { definitions: RTA } = routeAttrs
const RTA_DST = RTA.dst[0]
const RTA_SRC = RTA.src[0]
const RTA_OIF = RTA.oif[0]
const RTA_IIF = RTA.iif[0]
const RTA_GATEWAY = RTA.gateway[0]
const RTA_PRIORITY = RTA.priority[0]
const RTA_PREFSRC = RTA.prefsrc[0]
const RTA_PREF = RTA.pref[0]
const RTA_NH_ID = RTA.nhId[0]
const RTA_ENCAP = RTA.encap[0]
const RTA_ENCAP_TYPE = RTA.encapType[0]

/** rt6_fill_node(): an entry of a table; of one that goes it is not told when it would have ended. */
export function putRoute6(w: Writer, route: Fib6Route, isGoing = false): void {
  const { dst, dstLen, siblings, nexthop, prefsrc } = route
  const flagsAt = putRtmsg(w, AF_INET6, dstLen, 0, route.table, route.protocol, 0, route.type)
  if (dstLen > 0) putIn6Addr(w, RTA_DST, dst)
  if (route.srcLen > 0) {
    w.bytes[flagsAt - 6] = route.srcLen
    putIn6Addr(w, RTA_SRC, route.src)
  }
  if (prefsrc !== undefined) putIn6Addr(w, RTA_PREFSRC, prefsrc)
  putMetrics(w, route.metrics)
  w.attrU32(RTA_PRIORITY, route.metric)
  let flags = 0
  if (route.nh) {
    flags = putNexthopObject(w, route.nh, flagsAt)
  } else if (siblings.length > 1) {
    const at = siblings.indexOf(route)
    const ways = [...siblings.slice(at), ...siblings.slice(0, at)].map(({ nexthop: nh }) => {
      return { nh, flags: nexthopFlags(nh), weight: nh.weight, ifindex: nh.dev.ifindex }
    })
    putMultipath(w, ways, ({ nh }) => putGateway(w, nh))
  } else {
    putWayOut(w, nexthop)
    flags = nexthopFlags(nexthop)
  }
  putEnd(w, route, isGoing ? undefined : route.expires)
  setRouteFlags(w, flagsAt, flags)
}

/** fib_nexthop_info(). */
function putWayOut(w: Writer, { gateway, dev, encap }: Nexthop6): void {
  if (gateway !== undefined) putIn6Addr(w, RTA_GATEWAY, gateway)
  w.attrU32(RTA_OIF, dev.ifindex)
  putEncap(w, encap, RTA_ENCAP, RTA_ENCAP_TYPE)
}

/** rt6_fill_node_nexthop(): the id, and what stands behind it. Returns the flags that are shown. */
function putNexthopObject(w: Writer, nh: Nexthop, flagsAt: number): number {
  w.attrU32(RTA_NH_ID, nh.id)
  if (nh.isBlackhole) w.bytes[flagsAt - 1] = RTN_BLACKHOLE
  if (!nh.isSpelledOut()) return 0
  if (!nh.group) {
    const way = nh.ways6[0] as Nexthop6
    putWayOut(w, way)
    return nexthopFlags(way)
  }
  const ways = nh.ways6.map((way) => {
    return { nh: way, flags: nexthopFlags(way), weight: way.weight, ifindex: way.dev.ifindex }
  })
  putMultipath(w, ways, (each) => putGateway(w, each.nh))
  return 0
}

function nexthopFlags({ flags, dev }: Nexthop6): number {
  let shown = flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_ONLINK)
  if (flags & RTNH_F_LINKDOWN && dev.inet6?.ignoreLinkdown) shown |= RTNH_F_DEAD
  return shown
}

function putGateway(w: Writer, { gateway, encap }: Nexthop6): void {
  if (gateway !== undefined) putIn6Addr(w, RTA_GATEWAY, gateway)
  putEncap(w, encap, RTA_ENCAP, RTA_ENCAP_TYPE)
}

/** Age and preference. */
function putEnd(w: Writer, { nexthop, pref }: Fib6Route, expires?: number): void {
  const now = nexthop.dev.stack.now()
  putCacheinfo(w, expires === undefined ? 0 : Math.floor((expires - now) / 10))
  putU8(w, RTA_PREF, pref)
}

/** What was asked, as the answer repeats it. */
export interface Asked6 {
  readonly dst: Ipv6
  /** ::, where none was given. */
  readonly src: Ipv6
  readonly iif: number
}

/** rt6_fill_node(): the way that a packet takes. */
export function putWay6(w: Writer, way: Way6, asked: Asked6): void {
  const { dst, src, iif } = asked
  const { route } = way.found
  const flagsAt = putRtmsg(w, AF_INET6, 128, 0, route.table, route.protocol, 0, route.type)
  w.bytes[flagsAt - 6] = 128
  putIn6Addr(w, RTA_DST, dst)
  putIn6Addr(w, RTA_SRC, src)
  if (iif) w.attrU32(RTA_IIF, iif)
  else if (way.saddr !== undefined) putIn6Addr(w, RTA_PREFSRC, way.saddr)
  if (route.prefsrc !== undefined) putIn6Addr(w, RTA_PREFSRC, route.prefsrc)
  putMetrics(w, route.metrics)
  w.attrU32(RTA_PRIORITY, route.metric)
  if (way.gateway !== undefined) putIn6Addr(w, RTA_GATEWAY, way.gateway)
  w.attrU32(RTA_OIF, way.dev.ifindex)
  putEnd(w, route)
  setRouteFlags(w, flagsAt, 0)
}
