/**
 * Virtual functions of a card (SR-IOV), as links carry them.
 *
 * Kernel: include/uapi/linux/if_link.h; net/core/rtnetlink.c rtnl_fill_vfinfo() (Linux 6.18).
 */
import { attrs, be16, binary, multi, nest, struct, u32, u64 } from '../schema/index.ts'

/** An address with as much room as the longest. */
const longestAddress = binary.exact(32)

export const iflaVfMac = struct('ifla_vf_mac', { vf: u32, mac: longestAddress })
export const iflaVfBroadcast = struct('ifla_vf_broadcast', { broadcast: longestAddress })
export const iflaVfVlan = struct('ifla_vf_vlan', { vf: u32, vlan: u32, qos: u32 })
export const iflaVfVlanInfo = struct('ifla_vf_vlan_info', {
  vf: u32,
  vlan: u32,
  qos: u32,
  vlanProto: be16,
  pad: 2,
})
/** Megabits a second, as the following. */
export const iflaVfTxRate = struct('ifla_vf_tx_rate', { vf: u32, rate: u32 })
export const iflaVfRate = struct('ifla_vf_rate', { vf: u32, minTxRate: u32, maxTxRate: u32 })
export const iflaVfSpoofchk = struct('ifla_vf_spoofchk', { vf: u32, setting: u32 })
export const iflaVfGuid = struct('ifla_vf_guid', { vf: u32, pad: 4, guid: u64 })
/** 0 as the card's, 1 up, 2 down. */
export const iflaVfLinkState = struct('ifla_vf_link_state', { vf: u32, linkState: u32 })
export const iflaVfRssQueryEn = struct('ifla_vf_rss_query_en', { vf: u32, setting: u32 })
export const iflaVfTrust = struct('ifla_vf_trust', { vf: u32, setting: u32 })

export const vfStatsAttrs = attrs('IFLA_VF_STATS_', {
  rxPackets: [0, u64],
  txPackets: [1, u64],
  rxBytes: [2, u64],
  txBytes: [3, u64],
  broadcast: [4, u64],
  multicast: [5, u64],
  rxDropped: [7, u64],
  txDropped: [8, u64],
})

const vfVlanAttrs = attrs('IFLA_VF_VLAN_', { info: [1, multi(iflaVfVlanInfo)] })

/** In the order in which Linux sends them. */
const vfDefinitions = {
  mac: [1, iflaVfMac],
  broadcast: [13, iflaVfBroadcast],
  vlan: [2, iflaVfVlan],
  rate: [6, iflaVfRate],
  txRate: [3, iflaVfTxRate],
  spoofchk: [4, iflaVfSpoofchk],
  linkState: [5, iflaVfLinkState],
  rssQueryEn: [7, iflaVfRssQueryEn],
  trust: [9, iflaVfTrust],
  ibNodeGuid: [10, iflaVfGuid],
  ibPortGuid: [11, iflaVfGuid],
  vlanList: [12, nest(vfVlanAttrs, 'noflag')],
  stats: [8, nest(vfStatsAttrs, 'noflag')],
} as const
export interface VfDefinitions extends Readonly<typeof vfDefinitions> {}
export const vfAttrs = attrs('IFLA_VF_', vfDefinitions as VfDefinitions)

export const vfinfoListAttrs = attrs('IFLA_VF_', { info: [1, multi(nest(vfAttrs, 'noflag'))] })
