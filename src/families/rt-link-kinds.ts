/**
 * IFLA_INFO_DATA of the device kinds: pairs, Ethernet's children, queues to programs, VRFs.
 *
 * Kernel: include/uapi/linux/if_link.h, veth.h; drivers/net/{veth,macvlan,tun,netkit}.c,
 * net/8021q/vlan_netlink.c (Linux 6.18).
 */
import {
  attrs,
  be16,
  be64,
  binary,
  bits,
  embedded,
  enumeration,
  etherAddress,
  flag,
  ipv4,
  ipv6,
  mac,
  message,
  multi,
  nest,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
} from '../schema/index.ts'
import { afterLinkinfo, beforeLinkinfo } from './rt-link-attrs.ts'
import * as constants from './rt-link-constants.ts'
import { ifinfomsg } from './rt-link-structs.ts'

/** The other end of a pair, described as a link of its own; only in requests. */
const peer = embedded(message(ifinfomsg, attrs('IFLA_', { ...beforeLinkinfo, ...afterLinkinfo })))

export const vethAttrs = attrs('VETH_INFO_', { peer: [1, peer] })

const netkitPolicy = enumeration(u32, { forward: 0, blackhole: 2 })
const netkitScrub = enumeration(u32, { none: 0, default: 1 })

export const netkitAttrs = attrs('IFLA_NETKIT_', {
  peerInfo: [1, peer],
  primary: [2, u8],
  policy: [3, netkitPolicy],
  mode: [5, enumeration(u32, { l2: 0, l3: 1 })],
  scrub: [6, netkitScrub],
  peerPolicy: [4, netkitPolicy],
  peerScrub: [7, netkitScrub],
  headroom: [8, u16],
  tailroom: [9, u16],
})

/** A priority of packets and one of the VLAN tag. */
export const iflaVlanQosMapping = struct('ifla_vlan_qos_mapping', { from: u32, to: u32 })
const vlanQosAttrs = attrs('IFLA_VLAN_QOS_', { mapping: [1, multi(iflaVlanQosMapping)] })
export const iflaVlanFlags = struct('ifla_vlan_flags', {
  flags: bits(u32, constants, 'VLAN_FLAG_'),
  /** Which of `flags` are meant. */
  mask: bits(u32, constants, 'VLAN_FLAG_'),
})

export const vlanAttrs = attrs('IFLA_VLAN_', {
  /** ETH_P_8021Q (0x8100) or ETH_P_8021AD (0x88a8). */
  protocol: [5, be16],
  id: [1, u16.max(4095)],
  flags: [2, iflaVlanFlags],
  ingressQos: [4, nest(vlanQosAttrs, 'noflag')],
  egressQos: [3, nest(vlanQosAttrs, 'noflag')],
})

const macaddrDataAttrs = attrs('IFLA_MACVLAN_', { macaddr: [4, multi(mac)] })

const macvlanDefinitions = {
  mode: [1, enumeration(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 })],
  flags: [2, bits(u16, constants, 'MACVLAN_FLAG_')],
  macaddrCount: [6, u32],
  macaddrData: [5, nest(macaddrDataAttrs, 'noflag')],
  /** Packets: what was asked for, and what the device has. */
  bcQueueLen: [7, u32],
  bcQueueLenUsed: [8, u32],
  bcCutoff: [9, s32],
  /** In requests: what to do with `macaddr` or `macaddrData`. */
  macaddrMode: [3, enumeration(u32, { add: 0, del: 1, flush: 2, set: 3 })],
  macaddr: [4, mac],
} as const
export interface MacvlanDefinitions extends Readonly<typeof macvlanDefinitions> {}
/** macvlan and macvtap. */
export const macvlanAttrs = attrs('IFLA_MACVLAN_', macvlanDefinitions as MacvlanDefinitions)

/** ipvlan and ipvtap. */
export const ipvlanAttrs = attrs('IFLA_IPVLAN_', {
  mode: [1, enumeration(u16, { l2: 0, l3: 1, l3s: 2 })],
  flags: [2, bits(u16, { IPVLAN_F_PRIVATE: 1, IPVLAN_F_VEPA: 2 })],
})

export const tunAttrs = attrs('IFLA_TUN_', {
  /** A user's number. */
  owner: [1, u32],
  group: [2, u32],
  type: [3, enumeration(u8, { tun: 1, tap: 2 })],
  /** 1: packets have a struct tun_pi in front. */
  pi: [4, u8],
  vnetHdr: [5, u8],
  persist: [6, u8],
  multiQueue: [7, u8],
  numQueues: [8, u32],
  numDisabledQueues: [9, u32],
})

export const vrfAttrs = attrs('IFLA_VRF_', { table: [1, u32] })
export const vrfPortAttrs = attrs('IFLA_VRF_PORT_', { table: [1, u32] })

export const hsrAttrs = attrs('IFLA_HSR_', {
  slave1: [1, u32],
  slave2: [2, u32],
  interlink: [8, u32],
  supervisionAddr: [4, etherAddress],
  seqNr: [5, u16],
  protocol: [7, u8],
  multicastSpec: [3, u8],
  version: [6, u8],
})

export const macsecAttrs = attrs('IFLA_MACSEC_', {
  sci: [1, be64],
  icvLen: [3, u8],
  cipherSuite: [4, binary.exact(8)],
  encodingSa: [6, u8],
  encrypt: [7, u8],
  protect: [8, u8],
  incSci: [9, u8],
  es: [10, u8],
  scb: [11, u8],
  replayProtect: [12, u8],
  validation: [13, enumeration(u8, { disabled: 0, check: 1, strict: 2 })],
  offload: [15, enumeration(u8, { off: 0, phy: 1, mac: 2 })],
  window: [5, u32],
  /** In requests, instead of `sci`. */
  port: [2, be16],
})

export const xfrmAttrs = attrs('IFLA_XFRM_', {
  link: [1, u32],
  ifId: [2, u32],
  collectMetadata: [3, flag],
})

export const rmnetAttrs = attrs('IFLA_RMNET_', {
  muxId: [1, u16],
  flags: [2, struct('ifla_rmnet_flags', { flags: u32, mask: u32 })],
})

export const dsaAttrs = attrs('IFLA_DSA_', { conduit: [1, u32] })

export const bareudpAttrs = attrs('IFLA_BAREUDP_', {
  port: [1, be16],
  ethertype: [2, be16],
  srcportMin: [3, u16],
  multiprotoMode: [4, flag],
})

export const amtAttrs = attrs('IFLA_AMT_', {
  mode: [1, enumeration(u32, { gateway: 0, relay: 1 })],
  relayPort: [2, be16],
  gatewayPort: [3, be16],
  link: [4, u32],
  localIp: [5, ipv4],
  remoteIp: [6, ipv4],
  discoveryIp: [7, ipv4],
  maxTunnels: [8, u32],
})

export const gtpAttrs = attrs('IFLA_GTP_', {
  fd0: [1, u32],
  fd1: [2, u32],
  pdpHashsize: [3, u32],
  role: [4, enumeration(u32, { ggsn: 0, sgsn: 1 })],
  createSockets: [5, u8],
  restartCount: [6, u8],
  local: [7, ipv4],
  local6: [8, ipv6],
})

export const ipoibAttrs = attrs('IFLA_IPOIB_', {
  pkey: [1, u16],
  mode: [2, enumeration(u16, { datagram: 0, connected: 1 })],
  umcast: [3, u16],
})

export const wwanAttrs = attrs('IFLA_WWAN_', { linkId: [1, u32] })
export const batadvAttrs = attrs('IFLA_BATADV_', { algoName: [1, string] })
export const vxcanAttrs = attrs('VXCAN_INFO_', { peer: [1, peer] })
