/**
 * IPv4 routes as RTM_NEWROUTE and RTM_DELROUTE describe them.
 *
 * Kernel: net/ipv4/fib_semantics.c fib_dump_info(), fib_nexthop_info(); net/ipv4/route.c
 * rt_fill_info() (Linux 6.18).
 */
import { RTM_F_CLONED, RTM_F_NOTIFY, routeAttrs } from '../../families/rt-route.ts'
import { AF_INET, AF_INET6 } from '../../families/rtnetlink.ts'
import type { Writer } from '../../wire/writer.ts'
import { RTN_BLACKHOLE, RTNH_F_DEAD, RTNH_F_LINKDOWN, RTNH_F_ONLINK } from '../net/constants.ts'
import type { Fib4Route } from '../net/fib4.ts'
import type { Nexthop4 } from '../net/fib4-info.ts'
import type { Way4 } from '../net/route4.ts'
import { putEncap } from './encap.ts'
import {
  putCacheinfo,
  putInAddr,
  putMetrics,
  putMultipath,
  putRtmsg,
  setRouteFlags,
} from './route-fill.ts'

const { definitions: RTA } = routeAttrs
const RTA_DST = RTA.dst[0]
const RTA_SRC = RTA.src[0]
const RTA_OIF = RTA.oif[0]
const RTA_IIF = RTA.iif[0]
const RTA_GATEWAY = RTA.gateway[0]
const RTA_VIA = RTA.via[0]
const RTA_PRIORITY = RTA.priority[0]
const RTA_PREFSRC = RTA.prefsrc[0]
const RTA_FLOW = RTA.flow[0]
const RTA_MARK = RTA.mark[0]
const RTA_UID = RTA.uid[0]
const RTA_NH_ID = RTA.nhId[0]
const RTA_ENCAP = RTA.encap[0]
const RTA_ENCAP_TYPE = RTA.encapType[0]

/** RTCF_*: what of a way's flags a message shows; RTCF_NOTIFY goes with RTM_F_NOTIFY. */
const SHOWN_FLAGS = 0xffff0000
const RTCF_NOTIFY = 0x00010000

/** fib_dump_info(): an entry of a table, which an answer may say to be of another. */
export function putRoute4(
  w: Writer,
  route: Fib4Route,
  table: number = route.table,
  type: number = route.info.type,
): void {
  const { info, dst, dstLen } = route
  const { nexthops, priority, prefsrc } = info
  const { protocol, scope } = info
  const flagsAt = putRtmsg(w, AF_INET, dstLen, route.dscp, table, protocol, scope, type)
  if (dstLen > 0) putInAddr(w, RTA_DST, dst)
  if (priority) w.attrU32(RTA_PRIORITY, priority)
  if (info.metrics) putMetrics(w, info.metrics)
  if (prefsrc) putInAddr(w, RTA_PREFSRC, prefsrc)
  if (info.nh) {
    w.attrU32(RTA_NH_ID, info.nh.id)
    if (info.nh.isBlackhole) w.bytes[flagsAt - 1] = RTN_BLACKHOLE
  }
  let flags = info.flags
  if (info.nh && !info.nh.isSpelledOut()) {
    setRouteFlags(w, flagsAt, flags)
    return
  }
  if (nexthops.length === 1) {
    const nh = nexthops[0] as Nexthop4
    flags = nexthopFlags(nh)
    putGateway(w, nh)
    if (nh.dev) w.attrU32(RTA_OIF, nh.dev.ifindex)
    if (nh.flow) w.attrU32(RTA_FLOW, nh.flow)
    putEncap(w, nh.encap, RTA_ENCAP, RTA_ENCAP_TYPE)
  } else {
    const ways = nexthops.map((nh) => {
      return { nh, flags: nexthopFlags(nh), weight: nh.weight, ifindex: nh.dev?.ifindex ?? 0 }
    })
    putMultipath(w, ways, ({ nh }) => {
      putGateway(w, nh)
      putEncap(w, nh.encap, RTA_ENCAP, RTA_ENCAP_TYPE)
      if (nh.flow) w.attrU32(RTA_FLOW, nh.flow)
    })
  }
  setRouteFlags(w, flagsAt, flags)
}

/** fib_nexthop_info(): the flags that are shown. */
function nexthopFlags({ flags, dev }: Nexthop4): number {
  let shown = flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_ONLINK)
  if (flags & RTNH_F_LINKDOWN && dev?.inet?.ignoreLinkdown) shown |= RTNH_F_DEAD
  return shown
}

function putGateway(w: Writer, { gatewayFamily, gateway, gateway6 }: Nexthop4): void {
  if (gatewayFamily === AF_INET) putInAddr(w, RTA_GATEWAY, gateway)
  else if (gatewayFamily === AF_INET6) putVia(w, gateway6)
}

/** struct rtvia. */
function putVia(w: Writer, gateway: bigint): void {
  const mark = w.attrStart(RTA_VIA)
  w.u16(AF_INET6)
  w.u64(gateway >> 64n, false)
  w.u64(BigInt.asUintN(64, gateway), false)
  w.attrEnd(mark)
}

/** What was asked, as the answer repeats it. */
export interface Asked4 {
  readonly dst: number
  readonly src: number
  readonly iif: number
  readonly mark: number
  /** Who the packet belongs to, where somebody does. */
  readonly uid: number | undefined
  /** The table that the answer names. */
  readonly table: number
  /** Whether changes shall be told of (RTM_F_NOTIFY), as the answer repeats it. */
  readonly notify: boolean
}

/** rt_fill_info(): the way that a packet takes. */
export function putWay4(w: Writer, way: Way4, asked: Asked4): void {
  const { dst, src, iif, mark, uid } = asked
  const dscp = way.found?.route.dscp ?? 0
  const flagsAt = putRtmsg(w, AF_INET, 32, dscp, asked.table, 0, 0, way.type)
  putInAddr(w, RTA_DST, dst)
  if (src) {
    w.bytes[flagsAt - 6] = 32
    putInAddr(w, RTA_SRC, src)
  }
  w.attrU32(RTA_OIF, way.dev.ifindex)
  if (!iif && way.saddr !== src) putInAddr(w, RTA_PREFSRC, way.saddr)
  if (way.gateway !== undefined) putInAddr(w, RTA_GATEWAY, way.gateway)
  else if (way.gateway6 !== undefined) putVia(w, way.gateway6)
  putMetrics(w, way.found?.route.info.metrics)
  if (mark) w.attrU32(RTA_MARK, mark)
  if (uid !== undefined) w.attrU32(RTA_UID, uid)
  if (iif) w.attrU32(RTA_IIF, iif)
  putCacheinfo(w)
  const notify = asked.notify ? RTM_F_NOTIFY | RTCF_NOTIFY : 0
  const flags = (way.flags & SHOWN_FLAGS) | RTM_F_CLONED | notify
  setRouteFlags(w, flagsAt, flags)
}
