/**
 * Nexthop objects and buckets as messages describe them.
 *
 * Kernel: net/ipv4/nexthop.c nh_fill_node(), nla_put_nh_group(), nla_put_nh_group_res(),
 * nla_put_nh_group_stats(), nh_fill_res_bucket(), nh_nlmsg_size() (Linux 6.18).
 */
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import { AF_INET, AF_INET6, AF_UNSPEC } from '../net/constants.ts'
import type { Nexthop, NexthopGroup, NexthopInfo } from '../net/nexthop.ts'
import { putEncap } from './encap.ts'
import { putIn6Addr, putInAddr } from './route-fill.ts'

const NHA_ID = 1
const NHA_GROUP = 2
const NHA_GROUP_TYPE = 3
const NHA_BLACKHOLE = 4
const NHA_OIF = 5
const NHA_GATEWAY = 6
const NHA_ENCAP_TYPE = 7
const NHA_ENCAP = 8
const NHA_FDB = 11
const NHA_RES_GROUP = 12
const NHA_RES_BUCKET = 13
const NHA_OP_FLAGS = 14
const NHA_GROUP_STATS = 15
const NHA_HW_STATS_ENABLE = 16
const NHA_HW_STATS_USED = 17
/** NHA_OP_FLAG_*: what is asked for, and that weights have 16 bits. */
const DUMP_STATS = 1
const DUMP_HW_STATS = 2
const RESP_GRP_RESVD_0 = 0x80000000

/** struct nhmsg. */
function putHeader(
  w: Writer,
  family: number,
  scope: number,
  protocol: number,
  flags: number,
): void {
  w.u8(family)
  w.u8(scope)
  w.u8(protocol)
  w.u8(0)
  w.u32(flags)
}

/** nh_fill_node(): what stands behind the nlmsghdr. `opFlags` are NHA_OP_FLAG_*. */
export function putNexthop(w: Writer, nexthop: Nexthop, opFlags = 0): void {
  const { id, protocol, flags, info, group } = nexthop
  const isShown = info && !info.isReject
  const family = info?.family ?? AF_UNSPEC
  putHeader(w, family, isShown ? info.scope : 0, protocol, flags)
  w.attrU32(NHA_ID, id)
  if (group) putGroup(w, group, opFlags)
  else if (info) putInfo(w, info)
}

function putInfo(w: Writer, info: NexthopInfo): void {
  const { way4, dev } = info
  if (info.isReject) {
    putFlag(w, NHA_BLACKHOLE)
    return
  }
  if (info.isFdb) putFlag(w, NHA_FDB)
  else if (dev) w.attrU32(NHA_OIF, dev.ifindex)
  if (way4.gatewayFamily === AF_INET) putInAddr(w, NHA_GATEWAY, way4.gateway)
  else if (way4.gatewayFamily === AF_INET6) putIn6Addr(w, NHA_GATEWAY, way4.gateway6)
  putEncap(w, info.encap, NHA_ENCAP, NHA_ENCAP_TYPE)
}

function putGroup(w: Writer, group: NexthopGroup, opFlags: number): void {
  if (group.isFdb) putFlag(w, NHA_FDB)
  putU16(w, NHA_GROUP_TYPE, group.table ? 1 : 0)
  const list = w.attrStart(NHA_GROUP)
  for (const { nexthop, weight } of group.members) {
    w.u32(nexthop.id)
    w.u8((weight - 1) & 0xff)
    w.u8((weight - 1) >>> 8)
    w.u16(0)
  }
  w.attrEnd(list)
  if (group.table) putResilient(w, group.table)
  if (opFlags & DUMP_STATS) putStats(w, group, opFlags)
  w.attrU32(NHA_OP_FLAGS, RESP_GRP_RESVD_0)
}

/** nla_put_nh_group_res(): times in hundredths of a second. */
function putResilient(w: Writer, table: NonNullable<NexthopGroup['table']>): void {
  const nest = w.nestStart(NHA_RES_GROUP)
  putU16(w, 1, table.buckets.length)
  w.attrU32(2, Math.floor(table.idleTimer / 10))
  w.attrU32(3, Math.floor(table.unbalancedTimer / 10))
  putU64(w, 4, BigInt(Math.floor(table.unbalancedTime / 10)))
  w.attrEnd(nest)
}

/** nla_put_nh_group_stats(): no packet goes through a member here. */
function putStats(w: Writer, group: NexthopGroup, opFlags: number): void {
  const hasHardware = (opFlags & DUMP_HW_STATS) !== 0
  w.attrU32(NHA_HW_STATS_ENABLE, group.hwStats ? 1 : 0)
  if (hasHardware && group.hwStats) w.attrU32(NHA_HW_STATS_USED, 0)
  const nest = w.nestStart(NHA_GROUP_STATS)
  for (const { nexthop } of group.members) {
    const entry = w.nestStart(1)
    w.attrU32(1, nexthop.id)
    w.attrU32(2, 0)
    if (hasHardware) w.attrU32(3, 0)
    w.attrEnd(entry)
  }
  w.attrEnd(nest)
}

/** nh_fill_res_bucket(). */
export function putBucket(w: Writer, nexthop: Nexthop, index: number): void {
  const table = nexthop.group?.table
  const bucket = table?.buckets[index]
  if (!table || !bucket) return
  putHeader(w, AF_UNSPEC, 0, nexthop.protocol, 0)
  w.attrU32(NHA_ID, nexthop.id)
  const nest = w.nestStart(NHA_RES_BUCKET)
  putU16(w, 1, index)
  w.attrU32(3, bucket.member?.nexthop.id ?? 0)
  putU64(w, 2, BigInt(Math.floor(table.idleTime(bucket) / 10)))
  w.attrEnd(nest)
}

function putFlag(w: Writer, type: number): void {
  w.attrEnd(w.attrStart(type))
}

function putU16(w: Writer, type: number, value: number): void {
  const mark = w.attrStart(type)
  w.u16(value)
  w.attrEnd(mark)
}

function putU64(w: Writer, type: number, value: bigint): void {
  const mark = w.attrStart(type)
  w.u64(value, HOST_LE)
  w.attrEnd(mark)
}

/** nh_nlmsg_size(), without the nlmsghdr: what the receivers' queues count. */
export function nexthopSize({ group, info }: Nexthop): number {
  if (group) return 44 + 8 * group.members.length + (group.table ? 48 : 0)
  const gateway = info?.way4.gatewayFamily === AF_INET6 ? 20 : info?.way4.gatewayFamily ? 8 : 0
  const encap = info?.encap ? info.encap.content.length + 12 : 0
  return 24 + gateway + encap
}
