/**
 * rt-nexthop: next hops that routes refer to by their ids, groups of them, and the buckets of
 * resilient groups.
 *
 * Kernel: include/uapi/linux/nexthop.h; net/ipv4/nexthop.c nh_fill_node(), nh_fill_res_bucket()
 * (Linux 6.18). Times are in hundredths of a second.
 */
import {
  attrs,
  bits,
  enumeration,
  flag,
  list,
  message,
  multi,
  named,
  nest,
  protocolAddress,
  rawFamily,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { encap, encapType } from './lwtunnel.ts'
import * as constants from './rt-route-constants.ts'
import {
  addressFamily,
  RTM_DELNEXTHOP,
  RTM_DELNEXTHOPBUCKET,
  RTM_GETNEXTHOP,
  RTM_GETNEXTHOPBUCKET,
  RTM_NEWNEXTHOP,
  RTM_NEWNEXTHOPBUCKET,
  RTNLGRP_NEXTHOP,
} from './rtnetlink.ts'

export const nhmsg = struct('nhmsg', {
  family: addressFamily,
  scope: named(u8, constants, 'RT_SCOPE_'),
  protocol: named(u8, constants, 'RTPROT_'),
  resvd: 1,
  flags: bits(u32, constants, 'RTNH_F_'),
})

/** A member of a group; its share is `weight` and 256 times `weightHigh`, less one. */
export const nexthopGrp = struct('nexthop_grp', {
  id: u32,
  weight: u8,
  weightHigh: u8,
  resvd2: 2,
})

const resGroupAttrs = attrs('NHA_RES_GROUP_', {
  buckets: [1, u16],
  idleTimer: [2, u32],
  unbalancedTimer: [3, u32],
  unbalancedTime: [4, u64],
})
const resBucketAttrs = attrs('NHA_RES_BUCKET_', {
  index: [1, u16],
  idleTime: [2, u64],
  nhId: [3, u32],
})

const groupStatsEntryAttrs = attrs('NHA_GROUP_STATS_ENTRY_', {
  id: [1, u32],
  packets: [2, u64],
  packetsHw: [3, u64],
})

const nexthopDefinitions = {
  id: [1, u32],
  group: [2, list(nexthopGrp)],
  groupType: [3, enumeration(u16, { mpath: 0, resilient: 1 })],
  resGroup: [12, nest(resGroupAttrs)],
  opFlags: [14, u32],
  blackhole: [4, flag],
  fdb: [11, flag],
  oif: [5, u32],
  gateway: [6, protocolAddress],
  encap: [8, encap],
  encapType: [7, encapType],
  resBucket: [13, nest(resBucketAttrs)],
  groupStats: [
    15,
    nest(attrs('NHA_GROUP_STATS_', { entry: [1, multi(nest(groupStatsEntryAttrs))] })),
  ],
  hwStatsEnable: [16, u32],
  hwStatsUsed: [17, u32],
  /** In dumps: groups only. */
  groups: [9, flag],
  /** In dumps: those through members of this bridge or VRF. */
  master: [10, u32],
} as const
export interface NexthopDefinitions extends Readonly<typeof nexthopDefinitions> {}
export const nexthopAttrs = attrs('NHA_', nexthopDefinitions as NexthopDefinitions)

const nexthop = message(nhmsg, nexthopAttrs)

export const rtNexthop = rawFamily({
  name: 'rt-nexthop',
  protocol: NETLINK_ROUTE,
  groups: { nexthop: RTNLGRP_NEXTHOP },
  ops: {
    newNexthop: { cmd: RTM_NEWNEXTHOP, constant: 'RTM_NEWNEXTHOP', do: { request: nexthop } },
    delNexthop: {
      cmd: RTM_DELNEXTHOP,
      constant: 'RTM_DELNEXTHOP',
      do: { request: message(nhmsg, nexthopAttrs.only('id')) },
    },
    /** One, by its id; or all, of what the attributes select. */
    getNexthop: {
      cmd: RTM_GETNEXTHOP,
      replyCmd: RTM_NEWNEXTHOP,
      constant: 'RTM_GETNEXTHOP',
      do: { request: message(nhmsg, nexthopAttrs.only('id', 'opFlags')), reply: nexthop },
      dump: {
        request: message(nhmsg, nexthopAttrs.only('oif', 'groups', 'master', 'fdb', 'opFlags')),
        reply: nexthop,
      },
    },
    getNexthopBucket: {
      cmd: RTM_GETNEXTHOPBUCKET,
      replyCmd: RTM_NEWNEXTHOPBUCKET,
      constant: 'RTM_GETNEXTHOPBUCKET',
      do: { request: message(nhmsg, nexthopAttrs.only('id', 'resBucket')), reply: nexthop },
      dump: {
        request: message(nhmsg, nexthopAttrs.only('id', 'oif', 'master', 'resBucket')),
        reply: nexthop,
      },
    },
  },
  notifications: {
    newNexthop: { cmd: RTM_NEWNEXTHOP, group: 'nexthop', body: nexthop },
    delNexthop: { cmd: RTM_DELNEXTHOP, group: 'nexthop', body: nexthop },
    newNexthopBucket: { cmd: RTM_NEWNEXTHOPBUCKET, group: 'nexthop', body: nexthop },
    delNexthopBucket: { cmd: RTM_DELNEXTHOPBUCKET, group: 'nexthop', body: nexthop },
  },
})
