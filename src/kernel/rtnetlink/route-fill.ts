/**
 * What messages of routes have in common. They are written by hand, not by schema: a dump can have
 * a million of them.
 *
 * Kernel: include/net/netlink.h nla_put_in_addr(); net/ipv4/fib_semantics.c fib_add_nexthop();
 * net/core/rtnetlink.c rtnetlink_put_metrics(), rtnl_put_cacheinfo() (Linux 6.18).
 */
import { RT_TABLE_COMPAT, routeAttrs } from '../../families/rt-route.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Ipv4, Ipv6 } from '../net/address.ts'
import type { Metrics } from '../net/fib4-info.ts'

const RTA_METRICS = routeAttrs.definitions.metrics[0]
const RTA_MULTIPATH = routeAttrs.definitions.multipath[0]
const RTA_CACHEINFO = routeAttrs.definitions.cacheinfo[0]
const RTA_TABLE = routeAttrs.definitions.table[0]

/** sizeof(struct rtmsg), sizeof(struct rta_cacheinfo). */
const RTMSG_SIZE = 12
const CACHEINFO_SIZE = 32

/** struct rtmsg, without its flags, and RTA_TABLE behind it. Returns where the flags are. */
export function putRtmsg(
  w: Writer,
  family: number,
  dstLen: number,
  tos: number,
  table: number,
  protocol: number,
  scope: number,
  type: number,
): number {
  const at = w.reserve(RTMSG_SIZE)
  const { bytes } = w
  bytes[at] = family
  bytes[at + 1] = dstLen
  bytes[at + 3] = tos
  bytes[at + 4] = table < 256 ? table : RT_TABLE_COMPAT
  bytes[at + 5] = protocol
  bytes[at + 6] = scope
  bytes[at + 7] = type
  w.attrU32(RTA_TABLE, table)
  return at + 8
}

/** rtm_flags, where `putRtmsg` said. */
export function setRouteFlags(w: Writer, at: number, flags: number): void {
  w.view.setUint32(at, flags, HOST_LE)
}

/** htonl(). */
function networkOrder(value: number): number {
  if (!HOST_LE) return value
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)
}

/** nla_put_in_addr(). */
export function putInAddr(w: Writer, type: number, address: Ipv4): void {
  w.attrU32(type, networkOrder(address))
}

/** nla_put_in6_addr(). */
export function putIn6Addr(w: Writer, type: number, address: Ipv6): void {
  const mark = w.attrStart(type)
  w.u64(address >> 64n, false)
  w.u64(BigInt.asUintN(64, address), false)
  w.attrEnd(mark)
}

/** rtnetlink_put_metrics(): by ascending number. */
export function putMetrics(w: Writer, metrics: Metrics | undefined): void {
  if (!metrics) return
  const nest = w.attrStart(RTA_METRICS)
  for (const [id, value] of [...metrics].sort(([a], [b]) => a - b)) {
    if (typeof value === 'string') w.attrString(id, value)
    else w.attrU32(id, value)
  }
  w.attrEnd(nest)
}

/** One of several ways out, as RTA_MULTIPATH has it. */
export interface NexthopRecord {
  readonly flags: number
  /** From 1. */
  readonly weight: number
  readonly ifindex: number
}

/** RTA_MULTIPATH; `put` writes the attributes of one way. */
export function putMultipath<T extends NexthopRecord>(
  w: Writer,
  ways: readonly T[],
  put: (way: T) => void,
): void {
  const list = w.attrStart(RTA_MULTIPATH)
  for (const way of ways) {
    const mark = w.length
    w.u16(0)
    w.u8(way.flags)
    w.u8(way.weight - 1)
    w.u32(way.ifindex)
    put(way)
    w.view.setUint16(mark, w.length - mark, HOST_LE)
  }
  w.attrEnd(list)
}

/** rtnl_put_cacheinfo(). `expires` in hundredths of a second, `error` negative or 0. */
export function putCacheinfo(w: Writer, expires = 0, error = 0): void {
  const mark = w.attrStart(RTA_CACHEINFO)
  const at = w.reserve(CACHEINFO_SIZE)
  w.view.setInt32(at + 8, expires, HOST_LE)
  w.view.setInt32(at + 12, error, HOST_LE)
  w.attrEnd(mark)
}

/** nla_put_u8(). */
export function putU8(w: Writer, type: number, value: number): void {
  const mark = w.attrStart(type)
  w.u8(value)
  w.attrEnd(mark)
}
