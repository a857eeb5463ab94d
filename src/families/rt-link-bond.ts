/**
 * Bonds and their members, as links carry them.
 *
 * Kernel: include/uapi/linux/if_link.h; drivers/net/bonding/bond_netlink.c bond_fill_info(),
 * bond_fill_slave_info() (Linux 6.18). Intervals are in milliseconds.
 */
import {
  array,
  attrs,
  enumeration,
  etherAddress,
  ipv4,
  ipv6,
  mac,
  nest,
  s32,
  u8,
  u16,
  u32,
} from '../schema/index.ts'

const adInfoAttrs = attrs('IFLA_BOND_AD_INFO_', {
  aggregator: [1, u16],
  numPorts: [2, u16],
  actorKey: [3, u16],
  partnerKey: [4, u16],
  partnerMac: [5, etherAddress],
})

const bondDefinitions = {
  mode: [
    1,
    enumeration(u8, {
      'balance-rr': 0,
      'active-backup': 1,
      'balance-xor': 2,
      broadcast: 3,
      '802.3ad': 4,
      'balance-tlb': 5,
      'balance-alb': 6,
    }),
  ],
  activeSlave: [2, u32],
  miimon: [3, u32],
  updelay: [4, u32],
  downdelay: [5, u32],
  peerNotifDelay: [28, u32],
  useCarrier: [6, u8],
  arpInterval: [7, u32],
  arpIpTarget: [8, array(ipv4, 'noflag', 0)],
  arpValidate: [9, u32],
  arpAllTargets: [10, u32],
  nsIp6Target: [31, array(ipv6, 'flag', 0)],
  primary: [11, u32],
  primaryReselect: [12, enumeration(u8, { always: 0, better: 1, failure: 2 })],
  failOverMac: [13, enumeration(u8, { none: 0, active: 1, follow: 2 })],
  xmitHashPolicy: [
    14,
    enumeration(u8, {
      layer2: 0,
      'layer3+4': 1,
      'layer2+3': 2,
      'encap2+3': 3,
      'encap3+4': 4,
      'vlan+srcmac': 5,
    }),
  ],
  resendIgmp: [15, u32],
  numPeerNotif: [16, u8],
  allSlavesActive: [17, u8],
  minLinks: [18, u32],
  lpInterval: [19, u32],
  packetsPerSlave: [20, u32],
  adLacpActive: [29, u8],
  adLacpRate: [21, enumeration(u8, { slow: 0, fast: 1 })],
  adSelect: [22, enumeration(u8, { stable: 0, bandwidth: 1, count: 2, actor_port_prio: 3 })],
  tlbDynamicLb: [27, u8],
  missedMax: [30, u8],
  coupledControl: [32, u8],
  broadcastNeigh: [33, u8],
  adActorSysPrio: [24, u16],
  adUserPortKey: [25, u16],
  adActorSystem: [26, etherAddress],
  adInfo: [23, nest(adInfoAttrs, 'noflag')],
} as const
export interface BondDefinitions extends Readonly<typeof bondDefinitions> {}
export const bondAttrs = attrs('IFLA_BOND_', bondDefinitions as BondDefinitions)

export const bondSlaveAttrs = attrs('IFLA_BOND_SLAVE_', {
  state: [1, enumeration(u8, { active: 0, backup: 1 })],
  miiStatus: [2, enumeration(u8, { up: 0, going_down: 1, down: 2, going_back: 3 })],
  linkFailureCount: [3, u32],
  permHwaddr: [4, mac],
  queueId: [5, u16],
  prio: [9, s32],
  adAggregatorId: [6, u16],
  adActorOperPortState: [7, u8],
  adPartnerOperPortState: [8, u16],
  actorPortPrio: [10, u16],
  adChurnActorState: [11, u8],
  adChurnPartnerState: [12, u8],
})
