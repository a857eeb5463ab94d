/**
 * rt-vlan: what a bridge keeps about the VLANs of each port, and about each VLAN as a whole.
 *
 * Kernel: include/uapi/linux/if_bridge.h; net/bridge/br_vlan.c br_vlan_rtm_dump(), br_vlan_options.c
 * (Linux 6.18). Intervals are in hundredths of a second.
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
import { bridgeVlanInfo } from './rt-link-bridge.ts'
import { mdbAttrs } from './rt-mdb.ts'
import {
  addressFamily,
  RTM_DELVLAN,
  RTM_GETVLAN,
  RTM_NEWVLAN,
  RTNLGRP_BRVLAN,
} from './rtnetlink.ts'

/** Of a request's `flags`. */
export const BRIDGE_VLANDB_DUMPF_STATS = 1
export const BRIDGE_VLANDB_DUMPF_GLOBAL = 2

export const brVlanMsg = struct('br_vlan_msg', { family: addressFamily, pad: 3, ifindex: u32 })

const tunnelAttrs = attrs('BRIDGE_VLANDB_TINFO_', { id: [1, u32], cmd: [2, u32] })
const statsAttrs = attrs('BRIDGE_VLANDB_STATS_', {
  rxBytes: [1, u64],
  rxPackets: [2, u64],
  txBytes: [3, u64],
  txPackets: [4, u64],
})

const entryDefinitions = {
  info: [1, bridgeVlanInfo],
  /** The last one of those that are alike. */
  range: [2, u16],
  /** BR_STATE_*. */
  state: [3, u8],
  tunnelInfo: [4, nest(tunnelAttrs)],
  stats: [5, nest(statsAttrs)],
  /** MDB_RTR_TYPE_*. */
  mcastRouter: [6, u8],
  mcastNGroups: [7, u32],
  mcastMaxGroups: [8, u32],
  neighSuppress: [9, u8],
} as const
const entryAttrs = attrs('BRIDGE_VLANDB_ENTRY_', entryDefinitions)

const optionDefinitions = {
  id: [1, u16],
  range: [2, u16],
  mcastSnooping: [3, u8],
  mcastIgmpVersion: [4, u8],
  mcastMldVersion: [5, u8],
  mcastLastMemberCnt: [6, u32],
  mcastStartupQueryCnt: [7, u32],
  mcastLastMemberIntvl: [8, u64],
  mcastMembershipIntvl: [10, u64],
  mcastQuerierIntvl: [11, u64],
  mcastQueryIntvl: [12, u64],
  mcastQueryResponseIntvl: [13, u64],
  mcastStartupQueryIntvl: [14, u64],
  mcastQuerier: [15, u8],
  mcastRouterPorts: [16, nest(mdbAttrs.only('router'))],
  mcastQuerierState: [17, binary],
  msti: [18, u16],
} as const
const optionAttrs = attrs('BRIDGE_VLANDB_GOPTS_', optionDefinitions)

export const vlanAttrs = attrs('BRIDGE_VLANDB_', {
  entry: [1, multi(nest(entryAttrs))],
  globalOptions: [2, multi(nest(optionAttrs))],
})

const vlan = message(brVlanMsg, vlanAttrs)

export const rtVlan = rawFamily({
  name: 'rt-vlan',
  protocol: NETLINK_ROUTE,
  groups: { brvlan: RTNLGRP_BRVLAN },
  ops: {
    getVlan: {
      cmd: RTM_GETVLAN,
      replyCmd: RTM_NEWVLAN,
      constant: 'RTM_GETVLAN',
      dump: {
        request: message(brVlanMsg, attrs('BRIDGE_VLANDB_DUMP_', { flags: [1, u32] })),
        reply: vlan,
      },
    },
  },
  notifications: {
    newVlan: { cmd: RTM_NEWVLAN, group: 'brvlan', body: vlan },
    delVlan: { cmd: RTM_DELVLAN, group: 'brvlan', body: vlan },
  },
})
