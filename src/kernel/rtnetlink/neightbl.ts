/**
 * RTM_GETNEIGHTBL and RTM_SETNEIGHTBL: tables of neighbours, their sizes and timers.
 *
 * Kernel: net/core/neighbour.c neightbl_dump_info(), neightbl_fill_info(), neightbl_set()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ndtAttrs, ndtmsg, ndtParmsAttrs } from '../../families/rt-neightbl.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_GETNEIGHTBL,
  RTM_NEWNEIGHTBL,
  RTM_SETNEIGHTBL,
} from '../../families/rtnetlink.ts'
import { attrs, type Infer, message, NL_VALIDATE_LIBERAL, u32 } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { NeighParms } from '../net/neigh-parms.ts'
import type { NeighbourTable } from '../net/neighbour.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { hasHeaderValues, invalid, parseNested, payloadSize } from './parse.ts'
import { nested, nlaString, spanOf } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct ndtmsg). */
const HEADER_SIZE = 4
/** Bytes of an address, and of what Linux keeps for one. */
const ENTRY_SIZES = { 4: { keyLen: 4, entrySize: 336 }, 6: { keyLen: 16, entrySize: 344 } }

const reply = message(ndtmsg, ndtAttrs)
const { gcInterval, thresh1, thresh2, thresh3 } = ndtAttrs.definitions
/** nl_neightbl_policy. */
const request = message(
  ndtmsg,
  attrs('NDTA_', {
    name: [1, nlaString(Number.MAX_SAFE_INTEGER)],
    thresh1,
    thresh2,
    thresh3,
    config: [5, spanOf(0)],
    parms: [6, nested],
    stats: [7, spanOf(0)],
    gcInterval,
  }),
)
/** nl_ntbl_parm_policy. */
const parmsPolicy = attrs('NDTPA_', {
  ...ndtParmsAttrs.definitions,
  refcnt: [2, spanOf(0)],
  reachableTime: [3, spanOf(0)],
  ifindex: [1, u32],
})
const parmsRequest = message(parmsPolicy)
type ParmsMessage = Infer<typeof parmsPolicy>

/** A table, by itself or as it is for one device. */
interface TableItem {
  readonly name: string
  readonly family: number
  readonly table: NeighbourTable
  readonly dev?: NetDevice
  readonly parms: NeighParms
}

function tablesOf({ arp, ndisc }: NetStack): TableItem[] {
  return [
    { name: 'arp_cache', family: AF_INET, table: arp, parms: arp.parms.own },
    { name: 'ndisc_cache', family: AF_INET6, table: ndisc, parms: ndisc.parms.own },
  ]
}

const neightblDump: DumpSource<TableItem> = {
  name: 'RTM_GETNEIGHTBL',
  type: RTM_NEWNEIGHTBL,
  doneAlone: true,
  *items(ctx) {
    if (ctx.strict) checkDump(ctx)
    const family = ctx.view.getUint8(ctx.payload)
    for (const item of tablesOf(ctx.kernel.rtnl.stackOf(ctx.net))) {
      if (family !== AF_UNSPEC && family !== item.family) continue
      yield item
      for (const [dev, parms] of item.table.deviceParms()) yield { ...item, dev, parms }
    }
  },
  put(w, { name, family, table, dev, parms }) {
    const own = dev ? {} : describeTable(table, family)
    reply.encode(w, { family, name, ...own, parms: describeParms(parms, dev) })
  },
}

/** neightbl_valid_dump_info(). */
function checkDump(ctx: RequestContext): void {
  const what = 'neighbor table dump request'
  if (payloadSize(ctx) < HEADER_SIZE) invalid(`Invalid header for ${what}`)
  if (hasHeaderValues(ctx, 1, 3)) invalid(`Invalid values in header for ${what}`)
  if (payloadSize(ctx) > HEADER_SIZE) invalid(`Invalid data after header in ${what}`)
}

/** neightbl_fill_info(): nothing is flushed or hashed here. */
function describeTable({ parms, size }: NeighbourTable, family: number) {
  const sizes = ENTRY_SIZES[family === AF_INET ? 4 : 6]
  return {
    gcInterval: BigInt(parms.gcInterval),
    thresh1: parms.thresh1,
    thresh2: parms.thresh2,
    thresh3: parms.thresh3,
    config: { ...sizes, entries: size, hashMask: 7 },
    stats: { allocs: BigInt(parms.allocs), destroys: BigInt(parms.destroys) },
  }
}

/** neightbl_fill_parms(). */
function describeParms(parms: NeighParms, dev: NetDevice | undefined) {
  const { settings } = parms
  return {
    ifindex: dev?.ifindex,
    refcnt: 1,
    queueLenbytes: settings.queueLenbytes,
    queueLen: parms.queueLen,
    proxyQlen: settings.proxyQlen,
    appProbes: settings.appProbes,
    ucastProbes: settings.ucastProbes,
    mcastProbes: settings.mcastProbes,
    mcastReprobes: settings.mcastReprobes,
    reachableTime: BigInt(parms.reachableTime),
    baseReachableTime: BigInt(settings.baseReachableTime),
    gcStaletime: BigInt(settings.gcStaletime),
    delayProbeTime: BigInt(settings.delayProbeTime),
    retransTime: BigInt(settings.retransTime),
    anycastDelay: BigInt(settings.anycastDelay),
    proxyDelay: BigInt(settings.proxyDelay),
    locktime: BigInt(settings.locktime),
    intervalProbeTimeMs: BigInt(settings.intervalProbeTimeMs),
  }
}

/** neightbl_set(). @throws NetlinkError EINVAL, ENOENT */
function setNeightbl(ctx: RequestContext): void {
  const decoded = ctx.decode(request, NL_VALIDATE_LIBERAL)
  const { name, family, parms } = decoded
  if (name === undefined) throw new NetlinkError('EINVAL')
  const found = tablesOf(ctx.kernel.rtnl.stackOf(ctx.net)).find(
    (item) => (family === AF_UNSPEC || family === item.family) && item.name === name,
  )
  if (!found) throw new NetlinkError('ENOENT')
  const isFirst = ctx.net === ctx.kernel.initNet
  if (parms) changeParms(found, parseNested(ctx, parms, parmsRequest), isFirst)
  const own = found.table.parms
  const values = [decoded.thresh1, decoded.thresh2, decoded.thresh3, decoded.gcInterval]
  if (!isFirst && values.some((each) => each !== undefined)) throw new NetlinkError('ENOENT')
  own.thresh1 = decoded.thresh1 ?? own.thresh1
  own.thresh2 = decoded.thresh2 ?? own.thresh2
  own.thresh3 = decoded.thresh3 ?? own.thresh3
  if (decoded.gcInterval !== undefined) own.gcInterval = Number(decoded.gcInterval)
}

/** Those of a table itself belong to the first namespace. @throws NetlinkError ENOENT */
function changeParms({ table, parms }: TableItem, wanted: ParmsMessage, isFirst: boolean): void {
  const { ifindex = 0 } = wanted
  const of = ifindex === 0 ? isFirst && parms : table.parmsByIndex(ifindex)
  if (!of) throw new NetlinkError('ENOENT')
  of.change({
    queueLenbytes: wanted.queueLenbytes,
    queueLen: wanted.queueLen,
    proxyQlen: wanted.proxyQlen,
    appProbes: wanted.appProbes,
    ucastProbes: wanted.ucastProbes,
    mcastProbes: wanted.mcastProbes,
    mcastReprobes: wanted.mcastReprobes,
    baseReachableTime: milliseconds(wanted.baseReachableTime),
    gcStaletime: milliseconds(wanted.gcStaletime),
    delayProbeTime: milliseconds(wanted.delayProbeTime),
    retransTime: milliseconds(wanted.retransTime),
    anycastDelay: milliseconds(wanted.anycastDelay),
    proxyDelay: milliseconds(wanted.proxyDelay),
    locktime: milliseconds(wanted.locktime),
    intervalProbeTimeMs: milliseconds(wanted.intervalProbeTimeMs),
  })
}

function milliseconds(value: bigint | number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

export function registerNeighbourTables(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_GETNEIGHTBL, { dumpit: neightblDump })
  table.register(AF_UNSPEC, RTM_SETNEIGHTBL, { doit: setNeightbl })
}
