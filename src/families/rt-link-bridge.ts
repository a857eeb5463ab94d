/**
 * Bridges and their ports, as links carry them.
 *
 * Kernel: include/uapi/linux/if_link.h, if_bridge.h; net/bridge/br_netlink.c br_fill_info(),
 * br_port_fill_attrs(), br_fill_ifvlaninfo() (Linux 6.18). Timers and intervals are in hundredths
 * of a second.
 */
import {
  attrs,
  be16,
  binary,
  bits,
  enumeration,
  etherAddress,
  flag,
  ipv4,
  ipv6,
  multi,
  nest,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import * as constants from './rt-link-constants.ts'

/** A bridge in the spanning tree. */
export const iflaBridgeId = struct('ifla_bridge_id', { prio: be16, addr: etherAddress })
/** Options of one bit: their values, and which of them are meant. */
export const brBooloptMulti = struct('br_boolopt_multi', { optval: u32, optmask: u32 })

const querierAttrs = attrs('BRIDGE_QUERIER_', {
  ipAddress: [1, ipv4],
  ipPort: [2, u32],
  ipOtherTimer: [3, u64],
  ipv6Address: [5, ipv6],
  ipv6Port: [6, u32],
  ipv6OtherTimer: [7, u64],
})

const bridgeDefinitions = {
  helloTimer: [16, u64],
  tcnTimer: [17, u64],
  topologyChangeTimer: [18, u64],
  gcTimer: [19, u64],
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  /** 0 none, 1 the kernel's, 2 of a program. */
  stpState: [5, u32],
  priority: [6, u16],
  vlanFiltering: [7, u8],
  groupFwdMask: [9, u16],
  bridgeId: [11, iflaBridgeId],
  rootId: [10, iflaBridgeId],
  rootPort: [12, u16],
  rootPathCost: [13, u32],
  topologyChange: [14, u8],
  topologyChangeDetected: [15, u8],
  groupAddr: [20, etherAddress],
  multiBoolopt: [46, brBooloptMulti],
  fdbNLearned: [48, u32],
  fdbMaxLearned: [49, u32],
  /** ETH_P_8021Q or ETH_P_8021AD. */
  vlanProtocol: [8, be16],
  vlanDefaultPvid: [39, u16],
  vlanStatsEnabled: [41, u8],
  vlanStatsPerPort: [45, u8],
  mcastRouter: [22, u8],
  mcastSnooping: [23, u8],
  mcastQueryUseIfaddr: [24, u8],
  mcastQuerier: [25, u8],
  mcastStatsEnabled: [42, u8],
  mcastHashElasticity: [26, u32],
  mcastHashMax: [27, u32],
  mcastLastMemberCnt: [28, u32],
  mcastStartupQueryCnt: [29, u32],
  mcastIgmpVersion: [43, u8],
  mcastMldVersion: [44, u8],
  mcastQuerierState: [47, nest(querierAttrs)],
  mcastLastMemberIntvl: [30, u64],
  mcastMembershipIntvl: [31, u64],
  mcastQuerierIntvl: [32, u64],
  mcastQueryIntvl: [33, u64],
  mcastQueryResponseIntvl: [34, u64],
  mcastStartupQueryIntvl: [35, u64],
  nfCallIptables: [36, u8],
  nfCallIp6tables: [37, u8],
  nfCallArptables: [38, u8],
  /** In requests: forgets what was learned. */
  fdbFlush: [21, flag],
} as const
export interface BridgeDefinitions extends Readonly<typeof bridgeDefinitions> {}
export const bridgeAttrs = attrs('IFLA_BR_', bridgeDefinitions as BridgeDefinitions)

const brportDefinitions = {
  state: [
    1,
    enumeration(u8, { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 }),
  ],
  priority: [2, u16],
  cost: [3, u32],
  /** 1: packets may leave through the port they came from (hairpin). */
  mode: [4, u8],
  guard: [5, u8],
  protect: [6, u8],
  fastLeave: [7, u8],
  mcastToUcast: [28, u8],
  learning: [8, u8],
  unicastFlood: [9, u8],
  mcastFlood: [27, u8],
  bcastFlood: [30, u8],
  proxyarp: [10, u8],
  proxyarpWifi: [12, u8],
  rootId: [13, iflaBridgeId],
  bridgeId: [14, iflaBridgeId],
  designatedPort: [15, u16],
  designatedCost: [16, u16],
  id: [17, u16],
  no: [18, u16],
  topologyChangeAck: [19, u8],
  configPending: [20, u8],
  vlanTunnel: [29, u8],
  groupFwdMask: [31, u16],
  neighSuppress: [32, u8],
  mrpRingOpen: [35, u8],
  mrpInOpen: [36, u8],
  isolated: [33, u8],
  locked: [39, u8],
  mab: [40, u8],
  neighVlanSuppress: [43, u8],
  messageAgeTimer: [21, u64],
  forwardDelayTimer: [22, u64],
  holdTimer: [23, u64],
  multicastRouter: [25, u8],
  mcastEhtHostsLimit: [37, u32],
  mcastEhtHostsCnt: [38, u32],
  mcastNGroups: [41, u32],
  mcastMaxGroups: [42, u32],
  backupPort: [34, u32],
  backupNhid: [44, u32],
  learningSync: [11, u8],
  /** In requests: forgets what was learned behind the port. */
  flush: [24, flag],
} as const
export interface BrportDefinitions extends Readonly<typeof brportDefinitions> {}
/** A port of a bridge. */
export const brportAttrs = attrs('IFLA_BRPORT_', brportDefinitions as BrportDefinitions)

export const bridgeVlanInfo = struct('bridge_vlan_info', {
  flags: bits(u16, constants, 'BRIDGE_VLAN_INFO_'),
  vid: u16,
})

const vlanTunnelAttrs = attrs('IFLA_BRIDGE_VLAN_TUNNEL_', {
  id: [1, u32],
  vid: [2, u16],
  flags: [3, u16],
})

const bridgeSpecDefinitions = {
  flags: [0, bits(u16, constants, 'BRIDGE_FLAGS_')],
  mode: [1, u16],
  vlanInfo: [2, multi(bridgeVlanInfo)],
  vlanTunnelInfo: [3, multi(nest(vlanTunnelAttrs))],
  mrp: [4, binary],
  cfm: [5, binary],
  mst: [6, binary],
} as const
export interface BridgeSpecDefinitions extends Readonly<typeof bridgeSpecDefinitions> {}
/** IFLA_AF_SPEC of AF_BRIDGE. */
export const bridgeSpecAttrs = attrs('IFLA_BRIDGE_', bridgeSpecDefinitions as BridgeSpecDefinitions)
