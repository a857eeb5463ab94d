/**
 * Attributes of links, all but IFLA_LINKINFO (whose kinds need these for a peer) and IFLA_AF_SPEC.
 *
 * Kernel: include/uapi/linux/if_link.h; net/core/rtnetlink.c rtnl_fill_ifinfo() (Linux 6.18).
 */
import {
  attrs,
  binary,
  bits,
  enumeration,
  ipv6,
  list,
  mac,
  multi,
  nest,
  s32,
  string,
  u8,
  u16,
  u32,
  u64,
  variant,
} from '../schema/index.ts'
import { brportAttrs } from './rt-link-bridge.ts'
import * as constants from './rt-link-constants.ts'
import {
  iflaCacheinfo,
  ipv6Devconf,
  rtnlLinkIfmap,
  rtnlLinkStats,
  rtnlLinkStats64,
} from './rt-link-structs.ts'
import { vfinfoListAttrs } from './rt-link-vf.ts'
import { AF_BRIDGE } from './rtnetlink.ts'

/** RFC 2863: whether packets can pass. */
export const operstate = enumeration(u8, {
  unknown: 0,
  notpresent: 1,
  down: 2,
  lowerlayerdown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
})

/** An express data path program. */
export const xdpAttrs = attrs('IFLA_XDP_', {
  fd: [1, s32],
  attached: [2, enumeration(u8, { none: 0, drv: 1, skb: 2, hw: 3, multi: 4 })],
  flags: [3, bits(u32, constants, 'XDP_FLAGS_')],
  progId: [4, u32],
  drvProgId: [5, u32],
  skbProgId: [6, u32],
  hwProgId: [7, u32],
  expectedFd: [8, s32],
})

/** Alternative names. */
export const propListAttrs = attrs('IFLA_', {
  altIfname: [53, multi(string.max(127).unterminated())],
})

const protoDownReasonAttrs = attrs('IFLA_PROTO_DOWN_REASON_', { mask: [1, u32], value: [2, u32] })
const devlinkPortAttrs = attrs('DEVLINK_ATTR_', {
  busName: [1, string],
  devName: [2, string],
  portIndex: [3, u32],
})
const dpllPinAttrs = attrs('DPLL_A_PIN_', { id: [1, u32] })

const inet6Definitions = {
  flags: [1, bits(u32, constants, 'IF_')],
  cacheinfo: [5, iflaCacheinfo],
  conf: [2, ipv6Devconf],
  /** IPSTATS_MIB_*, the first how many there are; their order is another in each Linux. */
  stats: [3, list(u64)],
  /** ICMP6_MIB_*, as above. */
  icmp6stats: [6, list(u64)],
  token: [7, ipv6],
  addrGenMode: [8, enumeration(u8, { eui64: 0, none: 1, stable_privacy: 2, random: 3 })],
  raMtu: [9, u32],
} as const
export interface Inet6Definitions extends Readonly<typeof inet6Definitions> {}
/** IPv6's part of a link. */
export const inet6Attrs = attrs('IFLA_INET6_', inet6Definitions as Inet6Definitions)

/** In the order in which Linux sends them. */
export const beforeLinkinfo = {
  targetNetnsid: [46, s32],
  ifname: [3, string.max(15).unterminated()],
  /** Packets. */
  txqlen: [13, u32],
  operstate: [16, operstate],
  linkmode: [17, enumeration(u8, { default: 0, dormant: 1, testing: 2 })],
  netnsImmutable: [67, u8],
  /** Bytes. */
  mtu: [4, u32],
  minMtu: [50, u32],
  maxMtu: [51, u32],
  group: [27, u32],
  /** How many want all packets. */
  promiscuity: [30, u32],
  allmulti: [61, u32],
  numTxQueues: [31, u32],
  gsoMaxSegs: [40, u32],
  /** Bytes, as the following sizes. */
  gsoMaxSize: [41, u32],
  groMaxSize: [58, u32],
  gsoIpv4MaxSize: [63, u32],
  groIpv4MaxSize: [64, u32],
  tsoMaxSize: [59, u32],
  tsoMaxSegs: [60, u32],
  /** Nanoseconds. */
  maxPacingOffloadHorizon: [66, u32],
  numRxQueues: [32, u32],
  /** The bridge, bond or VRF that it belongs to. */
  master: [10, u32],
  carrier: [33, u8],
  ifalias: [20, string.max(255).unterminated()],
  carrierChanges: [35, u32],
  carrierUpCount: [47, u32],
  carrierDownCount: [48, u32],
  /** Bytes in front of and behind a packet. */
  headroom: [68, u16],
  tailroom: [69, u16],
  protoDown: [39, u8],
  protoDownReason: [55, nest(protoDownReasonAttrs)],
  event: [
    44,
    enumeration(u32, {
      none: 0,
      reboot: 1,
      features: 2,
      bonding_failover: 3,
      notify_peers: 4,
      igmp_resend: 5,
      bonding_options: 6,
    }),
  ],
  address: [1, mac],
  broadcast: [2, mac],
  physPortId: [34, binary.max(32)],
  physPortName: [38, string],
  physSwitchId: [36, binary.max(32)],
  stats64: [23, rtnlLinkStats64],
  stats: [7, rtnlLinkStats],
  numVf: [21, u32],
  vfinfoList: [22, nest(vfinfoListAttrs, 'noflag')],
  vfPorts: [24, binary],
  portSelf: [25, binary],
  xdp: [43, nest(xdpAttrs, 'noflag')],
} as const

export const afterLinkinfo = {
  linkNetnsid: [37, s32],
  /** What it stands on, such as a VLAN's parent; of a veth its peer. */
  link: [5, u32],
  newNetnsid: [45, s32],
  newIfindex: [49, s32],
  qdisc: [6, string],
  map: [14, rtnlLinkIfmap],
  permAddress: [54, mac],
  propList: [52, nest(propListAttrs)],
  parentDevName: [56, string],
  parentDevBusName: [57, string],
  devlinkPort: [62, nest(devlinkPortAttrs)],
  dpllPin: [65, nest(dpllPinAttrs)],
  /** Of a bridge's port in AF_BRIDGE, of IPv6 in AF_INET6. */
  protinfo: [12, variant('family', { [AF_BRIDGE]: nest(brportAttrs) }, nest(inet6Attrs, 'noflag'))],
  wireless: [11, binary],
  cost: [8, binary],
  priority: [9, binary],
  weight: [15, u32],
  /** In requests. */
  netNsPid: [19, u32],
  netNsFd: [28, u32],
  extMask: [29, bits(u32, constants, 'RTEXT_FILTER_')],
  altIfname: [53, string.max(127).unterminated()],
} as const
