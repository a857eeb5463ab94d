/**
 * IFLA_INFO_DATA of the tunnels: VXLAN, Geneve, GRE and ERSPAN, IP in IP.
 *
 * Kernel: include/uapi/linux/if_link.h, if_tunnel.h; drivers/net/{vxlan,geneve}.c, net/ipv4/ip_gre.c,
 * ipip.c, net/ipv6/sit.c, ip6_tunnel.c (Linux 6.18).
 */
import {
  attrs,
  be16,
  be32,
  binary,
  bits,
  enumeration,
  flag,
  flagOrU8,
  ipv4,
  ipv6,
  protocolAddress,
  struct,
  u8,
  u16,
  u32,
} from '../schema/index.ts'

/** Source ports, both ends included. */
export const iflaVxlanPortRange = struct('ifla_vxlan_port_range', { low: be16, high: be16 })

const dontFragment = enumeration(u8, { unset: 0, set: 1, inherit: 2 })

const vxlanDefinitions = {
  id: [1, u32],
  /** The other end, or a multicast group. */
  group: [2, ipv4],
  group6: [16, ipv6],
  link: [3, u32],
  local: [4, ipv4],
  local6: [17, ipv6],
  ttl: [5, u8],
  ttlInherit: [28, flagOrU8],
  tos: [6, u8],
  df: [29, dontFragment],
  /** IPv6 flow label. */
  label: [26, be32],
  labelPolicy: [32, enumeration(u32, { fixed: 0, inherit: 1 })],
  learning: [7, u8],
  proxy: [11, u8],
  rsc: [12, u8],
  l2miss: [13, u8],
  l3miss: [14, u8],
  collectMetadata: [25, u8],
  /** Seconds. */
  ageing: [8, u32],
  /** Forwarding entries; 0 for any number. */
  limit: [9, u32],
  port: [15, be16],
  udpCsum: [18, u8],
  udpZeroCsum6Tx: [19, u8],
  udpZeroCsum6Rx: [20, u8],
  remcsumTx: [21, u8],
  remcsumRx: [22, u8],
  localbypass: [31, u8],
  portRange: [10, iflaVxlanPortRange],
  gbp: [23, flag],
  gpe: [27, flag],
  remcsumNopartial: [24, flag],
  vnifilter: [30, u8],
  reservedBits: [33, binary.exact(8)],
  mcRoute: [34, u8],
} as const
export interface VxlanDefinitions extends Readonly<typeof vxlanDefinitions> {}
export const vxlanAttrs = attrs('IFLA_VXLAN_', vxlanDefinitions as VxlanDefinitions)

export const genevePortRange = struct('ifla_geneve_port_range', { low: be16, high: be16 })

export const geneveAttrs = attrs('IFLA_GENEVE_', {
  id: [1, u32],
  remote: [2, ipv4],
  udpCsum: [8, u8],
  remote6: [7, ipv6],
  udpZeroCsum6Tx: [9, u8],
  udpZeroCsum6Rx: [10, u8],
  ttl: [3, u8],
  tos: [4, u8],
  label: [11, be32],
  df: [13, dontFragment],
  port: [5, be16],
  collectMetadata: [6, flag],
  ttlInherit: [12, u8],
  innerProtoInherit: [14, flag],
  portRange: [15, genevePortRange],
})

const encapType = enumeration(u16, { none: 0, fou: 1, gue: 2, mpls: 3 })
const encapFlags = bits(u16, {
  TUNNEL_ENCAP_FLAG_CSUM: 1,
  TUNNEL_ENCAP_FLAG_CSUM6: 2,
  TUNNEL_ENCAP_FLAG_REMCSUM: 4,
})

const greDefinitions = {
  link: [1, u32],
  /** GRE_* bits, of what comes in and goes out. */
  iflags: [2, be16],
  oflags: [3, be16],
  ikey: [4, be32],
  okey: [5, be32],
  local: [6, protocolAddress],
  remote: [7, protocolAddress],
  ttl: [8, u8],
  tos: [9, u8],
  pmtudisc: [10, u8],
  encapLimit: [11, u8],
  flowinfo: [12, be32],
  flags: [13, u32],
  fwmark: [20, u32],
  encapType: [14, encapType],
  encapSport: [16, be16],
  encapDport: [17, be16],
  encapFlags: [15, encapFlags],
  ignoreDf: [19, u8],
  collectMetadata: [18, flag],
  erspanVer: [22, u8],
  erspanIndex: [21, u32],
  erspanDir: [23, u8],
  erspanHwid: [24, u16],
} as const
export interface GreDefinitions extends Readonly<typeof greDefinitions> {}
/** gre, gretap, erspan and, with addresses of IPv6, ip6gre, ip6gretap, ip6erspan. */
export const greAttrs = attrs('IFLA_GRE_', greDefinitions as GreDefinitions)

const iptunDefinitions = {
  link: [1, u32],
  local: [2, protocolAddress],
  remote: [3, protocolAddress],
  ttl: [4, u8],
  tos: [5, u8],
  encapLimit: [6, u8],
  flowinfo: [7, be32],
  /** SIT_ISATAP. */
  flags: [8, u16],
  proto: [9, u8],
  pmtudisc: [10, u8],
  fwmark: [20, u32],
  prefix6rd: [11, ipv6, 'IFLA_IPTUN_6RD_PREFIX'],
  relayPrefix6rd: [12, ipv4, 'IFLA_IPTUN_6RD_RELAY_PREFIX'],
  prefixlen6rd: [13, u16, 'IFLA_IPTUN_6RD_PREFIXLEN'],
  relayPrefixlen6rd: [14, u16, 'IFLA_IPTUN_6RD_RELAY_PREFIXLEN'],
  encapType: [15, encapType],
  encapSport: [17, be16],
  encapDport: [18, be16],
  encapFlags: [16, encapFlags],
  collectMetadata: [19, flag],
} as const
export interface IptunDefinitions extends Readonly<typeof iptunDefinitions> {}
/** ipip and sit. */
export const iptunAttrs = attrs('IFLA_IPTUN_', iptunDefinitions as IptunDefinitions)

const ip6tnlDefinitions = {
  ...iptunDefinitions,
  /** IP6_TNL_F_*. */
  flags: [8, u32],
} as const
export interface Ip6tnlDefinitions extends Readonly<typeof ip6tnlDefinitions> {}
export const ip6tnlAttrs = attrs('IFLA_IPTUN_', ip6tnlDefinitions as Ip6tnlDefinitions)

/** vti and, with addresses of IPv6, vti6. */
export const vtiAttrs = attrs('IFLA_VTI_', {
  link: [1, u32],
  ikey: [2, be32],
  okey: [3, be32],
  local: [4, protocolAddress],
  remote: [5, protocolAddress],
  fwmark: [6, u32],
})
