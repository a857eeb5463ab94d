/**
 * rt-stats: counters of links, by groups that the request chooses.
 *
 * Kernel: include/uapi/linux/if_link.h, if_bridge.h, if_bonding.h, mpls.h; net/core/rtnetlink.c
 * rtnl_fill_statsinfo() (Linux 6.18).
 */
import {
  attrs,
  binary,
  message,
  multi,
  nest,
  rawFamily,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { rtnlLinkStats64 } from './rt-link-structs.ts'
import {
  addressFamily,
  RTM_GETSTATS,
  RTM_NEWSTATS,
  RTM_SETSTATS,
  RTNLGRP_STATS,
} from './rtnetlink.ts'

/** Bits of `filterMask`: an attribute's number, less one. */
export const IFLA_STATS_FILTER_LINK_64 = 1
export const IFLA_STATS_FILTER_LINK_XSTATS = 2
export const IFLA_STATS_FILTER_LINK_XSTATS_SLAVE = 4
export const IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS = 8
export const IFLA_STATS_FILTER_AF_SPEC = 16

export const ifStatsMsg = struct('if_stats_msg', {
  family: addressFamily,
  pad1: 1,
  pad2: 2,
  ifindex: u32,
  /** Which groups: a bit for each. */
  filterMask: u32,
})

export const rtnlHwStats64 = struct('rtnl_hw_stats64', {
  rxPackets: u64,
  txPackets: u64,
  rxBytes: u64,
  txBytes: u64,
  rxErrors: u64,
  txErrors: u64,
  rxDropped: u64,
  txDropped: u64,
  multicast: u64,
})

export const mplsLinkStats = struct('mpls_link_stats', {
  rxPackets: u64,
  txPackets: u64,
  rxBytes: u64,
  txBytes: u64,
  rxErrors: u64,
  txErrors: u64,
  rxDropped: u64,
  txDropped: u64,
  rxNoroute: u64,
})

export const bridgeVlanXstats = struct('bridge_vlan_xstats', {
  rxBytes: u64,
  rxPackets: u64,
  txBytes: u64,
  txPackets: u64,
  vid: u16,
  flags: u16,
  pad2: 4,
})
export const bridgeStpXstats = struct('bridge_stp_xstats', {
  transitionBlk: u64,
  transitionFwd: u64,
  rxBpdu: u64,
  txBpdu: u64,
  rxTcn: u64,
  txTcn: u64,
})

const bridgeXstatsAttrs = attrs('BRIDGE_XSTATS_', {
  vlan: [1, multi(bridgeVlanXstats)],
  /** struct br_mcast_stats. */
  mcast: [2, binary],
  stp: [4, bridgeStpXstats],
})
const bond3adStatsAttrs = attrs('BOND_3AD_STAT_', {
  lacpduRx: [0, u64],
  lacpduTx: [1, u64],
  lacpduUnknownRx: [2, u64],
  lacpduIllegalRx: [3, u64],
  markerRx: [4, u64],
  markerTx: [5, u64],
  markerRespRx: [6, u64],
  markerRespTx: [7, u64],
  markerUnknownRx: [8, u64],
})
const xstatsAttrs = attrs('LINK_XSTATS_TYPE_', {
  bridge: [1, nest(bridgeXstatsAttrs, 'noflag')],
  bond: [
    2,
    nest(
      attrs('BOND_XSTATS_', { ad: [1, nest(bond3adStatsAttrs, 'noflag'), 'BOND_XSTATS_3AD'] }),
      'noflag',
    ),
  ],
})

const hwSInfoAttrs = attrs('IFLA_OFFLOAD_XSTATS_HW_S_INFO_', { request: [1, u8], used: [2, u8] })
const offloadXstatsAttrs = attrs('IFLA_OFFLOAD_XSTATS_', {
  cpuHit: [1, rtnlLinkStats64],
  hwSInfo: [2, nest(attrs('IFLA_OFFLOAD_XSTATS_', { l3Stats: [3, nest(hwSInfoAttrs)] }))],
  l3Stats: [3, rtnlHwStats64],
})

export const statsAttrs = attrs('IFLA_STATS_', {
  link64: [1, rtnlLinkStats64, 'IFLA_STATS_LINK_64'],
  linkXstats: [2, nest(xstatsAttrs, 'noflag')],
  linkXstatsSlave: [3, nest(xstatsAttrs, 'noflag')],
  linkOffloadXstats: [4, nest(offloadXstatsAttrs, 'noflag')],
  afSpec: [
    5,
    nest(
      attrs('AF_', {
        mpls: [28, nest(attrs('MPLS_STATS_', { link: [1, mplsLinkStats] }), 'noflag')],
      }),
      'noflag',
    ),
  ],
})

const stats = message(ifStatsMsg, statsAttrs)
/** IFLA_STATS_GETSET_*: which parts of a group; turning hardware counters on and off. */
const getsetAttrs = attrs('IFLA_STATS_', {
  getFilters: [1, nest(attrs('IFLA_STATS_', { linkOffloadXstats: [4, u32] }))],
  setOffloadXstatsL3Stats: [2, u8],
})

export const rtStats = rawFamily({
  name: 'rt-stats',
  protocol: NETLINK_ROUTE,
  groups: { stats: RTNLGRP_STATS },
  ops: {
    /** Of one link, or of all. */
    getStats: {
      cmd: RTM_GETSTATS,
      replyCmd: RTM_NEWSTATS,
      constant: 'RTM_GETSTATS',
      do: { request: message(ifStatsMsg, getsetAttrs.only('getFilters')), reply: stats },
      dump: { request: message(ifStatsMsg, getsetAttrs.only('getFilters')), reply: stats },
    },
    setStats: {
      cmd: RTM_SETSTATS,
      constant: 'RTM_SETSTATS',
      do: { request: message(ifStatsMsg, getsetAttrs.only('setOffloadXstatsL3Stats')) },
    },
  },
  notifications: { newStats: { cmd: RTM_NEWSTATS, group: 'stats', body: stats } },
})
