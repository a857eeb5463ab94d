/**
 * rt-neigh: neighbours (ARP and NDP entries) and the forwarding entries of bridges and VXLANs.
 *
 * Kernel: include/uapi/linux/neighbour.h; net/core/neighbour.c neigh_fill_info(),
 * net/bridge/br_fdb.c fdb_fill_info() (Linux 6.18).
 */
import {
  attrs,
  be16,
  bits,
  flag,
  mac,
  message,
  named,
  nest,
  protocolAddress,
  rawFamily,
  s32,
  struct,
  u8,
  u16,
  u32,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import * as constants from './rt-neigh-constants.ts'
import * as routeConstants from './rt-route-constants.ts'
import {
  addressFamily,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
  RTNLGRP_NEIGH,
} from './rtnetlink.ts'

export * from './rt-neigh-constants.ts'

const {
  NTF_USE,
  NTF_SELF,
  NTF_MASTER,
  NTF_PROXY,
  NTF_EXT_LEARNED,
  NTF_OFFLOADED,
  NTF_STICKY,
  NTF_ROUTER,
  NTF_EXT_MANAGED,
  NTF_EXT_LOCKED,
  NTF_EXT_EXT_VALIDATED,
} = constants
const ntfFlags = bits(
  u8,
  {
    NTF_USE,
    NTF_SELF,
    NTF_MASTER,
    NTF_PROXY,
    NTF_EXT_LEARNED,
    NTF_OFFLOADED,
    NTF_STICKY,
    NTF_ROUTER,
  },
  'NTF_',
)
const ntfExtFlags = bits(
  u32,
  { NTF_EXT_MANAGED, NTF_EXT_LOCKED, NTF_EXT_EXT_VALIDATED },
  'NTF_EXT_',
)

export const ndmsg = struct('ndmsg', {
  family: addressFamily,
  pad1: 1,
  pad2: 2,
  ifindex: s32,
  state: bits(u16, constants, 'NUD_'),
  flags: ntfFlags,
  /** RTN_*: what the route to it is. */
  type: named(u8, routeConstants, 'RTN_'),
})

/** Times since the event, in hundredths of a second. */
export const ndaCacheinfo = struct('nda_cacheinfo', {
  confirmed: u32,
  used: u32,
  updated: u32,
  refcnt: u32,
})

/** NFEA_*: forwarding entries of a bridge. */
export const fdbExtAttrs = attrs('NFEA_', {
  /** FDB_NOTIFY_* bits: report when the entry was not used for a while. */
  activityNotify: [1, u8],
  /** A change that does not touch the time of last use. */
  dontRefresh: [2, flag],
})

const neighDefinitions = {
  /** Network address; of a VXLAN's forwarding entry the remote end. */
  dst: [1, protocolAddress],
  lladdr: [2, mac],
  probes: [4, u32],
  cacheinfo: [3, ndaCacheinfo],
  vlan: [5, u16],
  /** Of VXLAN: UDP port. */
  port: [6, be16],
  /** Of VXLAN: network identifier. */
  vni: [7, u32],
  /** Of VXLAN: the interface to send through. The entry's own is the header's `ifindex`. */
  viaIfindex: [8, u32, 'NDA_IFINDEX'],
  /** The bridge. */
  master: [9, u32],
  linkNetnsid: [10, s32],
  srcVni: [11, u32],
  /** RTPROT_*: who installed it. */
  protocol: [12, named(u8, routeConstants, 'RTPROT_')],
  nhId: [13, u32],
  fdbExtAttrs: [14, nest(fdbExtAttrs)],
  flagsExt: [15, ntfExtFlags],
  ndmStateMask: [16, u16],
  ndmFlagsMask: [17, u8],
} as const
export interface NeighDefinitions extends Readonly<typeof neighDefinitions> {}
export const neighAttrs = attrs('NDA_', neighDefinitions as NeighDefinitions)

const neighbour = message(ndmsg, neighAttrs)

export const rtNeigh = rawFamily({
  name: 'rt-neigh',
  protocol: NETLINK_ROUTE,
  groups: { neigh: RTNLGRP_NEIGH },
  ops: {
    newNeigh: { cmd: RTM_NEWNEIGH, constant: 'RTM_NEWNEIGH', do: { request: neighbour } },
    delNeigh: { cmd: RTM_DELNEIGH, constant: 'RTM_DELNEIGH', do: { request: neighbour } },
    /** One entry, or all; NTF_PROXY in `flags` asks for the proxy entries. */
    getNeigh: {
      cmd: RTM_GETNEIGH,
      replyCmd: RTM_NEWNEIGH,
      constant: 'RTM_GETNEIGH',
      do: {
        request: message(ndmsg, neighAttrs.only('dst', 'lladdr', 'vlan', 'vni', 'master')),
        reply: neighbour,
      },
      dump: {
        request: message(ndmsg, neighAttrs.only('viaIfindex', 'master')),
        reply: neighbour,
      },
    },
  },
  notifications: {
    newNeigh: { cmd: RTM_NEWNEIGH, group: 'neigh', body: neighbour },
    delNeigh: { cmd: RTM_DELNEIGH, group: 'neigh', body: neighbour },
  },
})
