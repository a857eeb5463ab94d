/**
 * Light-weight tunnels: what a route puts around its packets (RTA_ENCAP, NHA_ENCAP).
 *
 * Kernel: include/uapi/linux/lwtunnel.h, mpls_iptunnel.h, seg6_iptunnel.h (Linux 6.18).
 */
import {
  attrs,
  be16,
  be64,
  binary,
  enumeration,
  ipv4,
  ipv6,
  mplsLabels,
  nest,
  u8,
  u16,
  variant,
} from '../schema/index.ts'

/** LWTUNNEL_ENCAP_*. */
export const encapType = enumeration(u16, {
  none: 0,
  mpls: 1,
  ip: 2,
  ila: 3,
  ip6: 4,
  seg6: 5,
  bpf: 6,
  seg6_local: 7,
  rpl: 8,
  ioam6: 9,
  xfrm: 10,
})

export const mplsEncapAttrs = attrs('MPLS_IPTUNNEL_', {
  /** The labels to push. */
  dst: [1, mplsLabels],
  ttl: [2, u8],
})

export const ipEncapAttrs = attrs('LWTUNNEL_IP_', {
  id: [1, be64],
  dst: [2, ipv4],
  src: [3, ipv4],
  tos: [5, u8],
  ttl: [4, u8],
  /** TUNNEL_*. */
  flags: [6, be16],
  opts: [8, binary],
})

export const ip6EncapAttrs = attrs('LWTUNNEL_IP6_', {
  id: [1, be64],
  dst: [2, ipv6],
  src: [3, ipv6],
  tc: [5, u8],
  hoplimit: [4, u8],
  /** TUNNEL_*. */
  flags: [6, be16],
  opts: [8, binary],
})

export const seg6EncapAttrs = attrs('SEG6_IPTUNNEL_', {
  /** A mode (int) and a segment routing header. */
  srh: [1, binary],
})

/** The attributes of other forms are kept among the unknown ones. */
const otherEncapAttrs = attrs('', {})

/** A tunnel's attributes, in the form that the sibling `encapType` says. */
export const encap = variant(
  'encapType',
  {
    mpls: nest(mplsEncapAttrs, 'noflag'),
    ip: nest(ipEncapAttrs, 'noflag'),
    ip6: nest(ip6EncapAttrs, 'noflag'),
    seg6: nest(seg6EncapAttrs, 'noflag'),
  },
  nest(otherEncapAttrs, 'noflag'),
)
