/**
 * RTM_GETSTATS and RTM_SETSTATS: counters of links, by groups. Nothing ever passes through a
 * simulated link, so all of them are 0.
 *
 * Kernel: net/core/rtnetlink.c rtnl_stats_get(), rtnl_stats_dump(), rtnl_stats_set(),
 * rtnl_fill_statsinfo(); net/bridge/br_netlink.c br_fill_linkxstats() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { rtnlLinkStats64 } from '../../families/rt-link-structs.ts'
import {
  IFLA_STATS_FILTER_AF_SPEC,
  IFLA_STATS_FILTER_LINK_64,
  IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS_SLAVE,
  ifStatsMsg,
  statsAttrs,
} from '../../families/rt-stats.ts'
import { AF_UNSPEC, RTM_GETSTATS, RTM_NEWSTATS, RTM_SETSTATS } from '../../families/rtnetlink.ts'
import { attrs, binary, message, NL_VALIDATE_STRICT, nest, u8, u32 } from '../../schema/index.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { hasHeaderValues, invalid, payloadSize } from './parse.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct if_stats_msg). */
const HEADER_SIZE = 12
/** One bit for each of IFLA_STATS_*. */
const ALL_GROUPS = 0x1f
/** Bytes of struct br_mcast_stats. */
const MCAST_STATS_SIZE = 240
/** IFLA_OFFLOAD_XSTATS_HW_S_INFO, as a bit. */
const HW_S_INFO = 2

const NO_STATS64 = new Uint8Array(rtnlLinkStats64.size)
const NO_MCAST_STATS = new Uint8Array(MCAST_STATS_SIZE)
const NO_STP_STATS = {
  transitionBlk: 0n,
  transitionFwd: 0n,
  rxBpdu: 0n,
  txBpdu: 0n,
  rxTcn: 0n,
  txTcn: 0n,
}

const reply = message(
  ifStatsMsg,
  attrs('IFLA_STATS_', { ...statsAttrs.definitions, link64: [1, binary] }),
)
/** rtnl_stats_get_policy, rtnl_stats_get_policy_filters. */
const getRequest = message(
  ifStatsMsg,
  attrs('IFLA_STATS_', {
    getFilters: [1, nest(attrs('IFLA_STATS_', { linkOffloadXstats: [4, u32.mask(0xe)] }))],
  }),
)
/** ifla_stats_set_policy. */
const setRequest = message(
  ifStatsMsg,
  attrs('IFLA_STATS_', { setOffloadXstatsL3Stats: [2, u8.max(1)] }),
)

/** What of a link is shown. */
interface StatsFilter {
  readonly groups: number
  /** IFLA_OFFLOAD_XSTATS_*, as bits by their number less one. */
  readonly offload: number
}

/** rtnl_valid_stats_req(). */
function checkRequest(ctx: RequestContext, isDump: boolean): void {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for stats dump')
  if (!ctx.strict) return
  if (hasHeaderValues(ctx, 1, 3) || (isDump && hasHeaderValues(ctx, 4, 4))) {
    invalid('Invalid values in header for stats dump request')
  }
  const { groups } = headerOf(ctx)
  if (groups > ALL_GROUPS) invalid('Invalid stats requested through filter mask')
}

function headerOf({ view, payload }: RequestContext): { ifindex: number; groups: number } {
  const { ifindex, filterMask } = ifStatsMsg.get(view, payload, payload + HEADER_SIZE)
  return { ifindex: ifindex >>> 0, groups: filterMask }
}

/** rtnl_stats_get_parse(). @throws NetlinkError EINVAL */
function parseFilter(ctx: RequestContext, groups: number): StatsFilter {
  const { getFilters } = ctx.decode(getRequest, NL_VALIDATE_STRICT)
  const offload = getFilters?.linkOffloadXstats
  if (offload !== undefined && !(groups & IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS)) {
    invalid('Filtered attribute not enabled in filter_mask')
  }
  return { groups, offload: offload ?? ALL_GROUPS }
}

/** rtnl_fill_statsinfo(): what stands behind the nlmsghdr. */
function put(w: Writer, dev: NetDevice, { groups, offload }: StatsFilter): void {
  const has = (group: number): boolean => (groups & group) !== 0
  const isBridge = dev.kind?.kind === 'bridge'
  const isPort = dev.master?.kind?.kind === 'bridge'
  const mcast = NO_MCAST_STATS
  reply.encode(w, {
    family: AF_UNSPEC,
    ifindex: dev.ifindex,
    filterMask: groups,
    link64: has(IFLA_STATS_FILTER_LINK_64) ? NO_STATS64 : undefined,
    linkXstats: has(IFLA_STATS_FILTER_LINK_XSTATS) && isBridge ? { bridge: { mcast } } : undefined,
    linkXstatsSlave:
      has(IFLA_STATS_FILTER_LINK_XSTATS_SLAVE) && isPort
        ? { bridge: { mcast, stp: NO_STP_STATS } }
        : undefined,
    linkOffloadXstats:
      has(IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS) && offload & HW_S_INFO
        ? { hwSInfo: { l3Stats: { request: 0, used: 0 } } }
        : undefined,
    afSpec: has(IFLA_STATS_FILTER_AF_SPEC) ? {} : undefined,
  })
}

/** The link that a request is about. @throws NetlinkError EINVAL, ENODEV */
function deviceOf(ctx: RequestContext, ifindex: number): NetDevice {
  if (ifindex <= 0) throw new NetlinkError('EINVAL')
  const dev = ctx.kernel.rtnl.stackOf(ctx.net).devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV')
  return dev
}

function getStats(ctx: RequestContext): void {
  checkRequest(ctx, false)
  const { ifindex, groups } = headerOf(ctx)
  const dev = deviceOf(ctx, ifindex)
  if (groups === 0) invalid('Filter mask must be set for stats get')
  const filter = parseFilter(ctx, groups)
  ctx.reply(RTM_NEWSTATS, (w) => put(w, dev, filter))
}

interface StatsItem {
  readonly dev: NetDevice
  readonly filter: StatsFilter
}

const statsDump: DumpSource<StatsItem> = {
  name: 'RTM_GETSTATS',
  type: RTM_NEWSTATS,
  *items(ctx) {
    checkRequest(ctx, true)
    const { groups } = headerOf(ctx)
    if (groups === 0) invalid('Filter mask must be set for stats dump')
    const filter = parseFilter(ctx, groups)
    ctx.dumpSeq = ctx.kernel.rtnl.generationsOf(ctx.net).links
    const { devices } = ctx.kernel.rtnl.stackOf(ctx.net)
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex)) yield { dev, filter }
  },
  put: (w, { dev, filter }) => put(w, dev, filter),
}

/** rtnl_stats_set(): no simulated link counts in hardware. @throws NetlinkError EOPNOTSUPP */
function setStats(ctx: RequestContext): void {
  checkRequest(ctx, false)
  if (ctx.view.getUint8(ctx.payload) !== AF_UNSPEC) invalid('Address family should be AF_UNSPEC')
  const { ifindex, groups } = headerOf(ctx)
  deviceOf(ctx, ifindex)
  if (groups !== 0) invalid('Filter mask must be 0 for stats set')
  const { setOffloadXstatsL3Stats: on } = ctx.decode(setRequest, NL_VALIDATE_STRICT)
  if (on) throw new NetlinkError('EOPNOTSUPP')
}

export function registerStats(table: RtnlTable): void {
  table.register(AF_UNSPEC, RTM_GETSTATS, { doit: getStats, dumpit: statsDump })
  table.register(AF_UNSPEC, RTM_SETSTATS, { doit: setStats })
}
