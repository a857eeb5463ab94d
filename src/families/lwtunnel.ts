/**
 * Light-weight tunnels: what a route puts around its packets (RTA_ENCAP, NHA_ENCAP).
 *
 * Kernel: include/uapi/linux/lwtunnel.h, mpls_iptunnel.h, seg6_iptunnel.h, seg6_local.h,
 * rpl_iptunnel.h, ioam6_iptunnel.h, ila.h (Linux 6.18).
 */
import {
  attrs,
  be16,
  be32,
  be64,
  binary,
  enumeration,
  ipv4,
  ipv6,
  mplsLabels,
  nest,
  string,
  u8,
  u16,
  u32,
  u64,
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

const vxlanOptionAttrs = attrs('LWTUNNEL_IP_OPT_VXLAN_', { gbp: [1, u32] })
const erspanOptionAttrs = attrs('LWTUNNEL_IP_OPT_ERSPAN_', {
  ver: [1, u8],
  index: [2, be32],
  dir: [3, u8],
  hwid: [4, u8],
})
/** Options of the tunnel's header; of Geneve there may be several. */
const optionAttrs = attrs('LWTUNNEL_IP_OPTS_', {
  /** Attributes of one option behind those of another. */
  geneve: [1, binary],
  vxlan: [2, nest(vxlanOptionAttrs, 'noflag')],
  erspan: [3, nest(erspanOptionAttrs, 'noflag')],
})

export const ipEncapAttrs = attrs('LWTUNNEL_IP_', {
  id: [1, be64],
  dst: [2, ipv4],
  src: [3, ipv4],
  tos: [5, u8],
  ttl: [4, u8],
  /** TUNNEL_*. */
  flags: [6, be16],
  opts: [8, nest(optionAttrs)],
})

export const ip6EncapAttrs = attrs('LWTUNNEL_IP6_', {
  id: [1, be64],
  dst: [2, ipv6],
  src: [3, ipv6],
  tc: [5, u8],
  hoplimit: [4, u8],
  /** TUNNEL_*. */
  flags: [6, be16],
  opts: [8, nest(optionAttrs)],
})

export const seg6EncapAttrs = attrs('SEG6_IPTUNNEL_', {
  /** A mode (int) and a segment routing header. */
  srh: [1, binary],
})

export const seg6LocalAttrs = attrs('SEG6_LOCAL_', {
  /** SEG6_LOCAL_ACTION_*. */
  action: [1, u32],
  /** A segment routing header. */
  srh: [2, binary],
  table: [3, u32],
  nh4: [4, ipv4],
  nh6: [5, ipv6],
  iif: [6, u32],
  oif: [7, u32],
  bpf: [8, nest(attrs('SEG6_LOCAL_BPF_', { prog: [1, u32], progName: [2, string] }), 'noflag')],
  vrftable: [9, u32],
  counters: [
    10,
    nest(
      attrs('SEG6_LOCAL_CNT_', { packets: [2, u64], bytes: [3, u64], errors: [4, u64] }),
      'noflag',
    ),
  ],
  flavors: [
    11,
    nest(
      attrs('SEG6_LOCAL_FLV_', {
        /** A bit for each SEG6_LOCAL_FLV_OP_*. */
        operation: [1, u32],
        lcblockBits: [2, u8],
        lcnodeFnBits: [3, u8],
      }),
      'noflag',
    ),
  ],
})

/** A routing header of RPL. */
export const rplEncapAttrs = attrs('RPL_IPTUNNEL_', { srh: [1, binary] })

export const ioam6EncapAttrs = attrs('IOAM6_IPTUNNEL_', {
  mode: [1, enumeration(u8, { inline: 1, encap: 2, auto: 3 })],
  dst: [2, ipv6],
  /** The trace's header. */
  trace: [3, binary],
  /** In so many of ... */
  freqK: [4, u32],
  /** ... so many packets. */
  freqN: [5, u32],
  src: [6, ipv6],
})

export const xfrmEncapAttrs = attrs('LWT_XFRM_', { ifId: [1, u32], link: [2, u32] })

const bpfProgram = nest(attrs('LWT_BPF_PROG_', { fd: [1, u32], name: [2, string] }), 'noflag')
export const bpfEncapAttrs = attrs('LWT_BPF_', {
  in: [1, bpfProgram],
  out: [2, bpfProgram],
  xmit: [3, bpfProgram],
  xmitHeadroom: [4, u32],
})

export const ilaEncapAttrs = attrs('ILA_ATTR_', {
  locator: [1, be64],
  csumMode: [7, u8],
  identType: [8, u8],
  hookType: [9, u8],
})

/** The attributes of other forms are kept among the unknown ones. */
const otherEncapAttrs = attrs('', {})

/** A tunnel's attributes, in the form that the sibling `encapType` says. */
export const encap = variant(
  'encapType',
  {
    mpls: nest(mplsEncapAttrs, 'noflag'),
    ip: nest(ipEncapAttrs, 'noflag'),
    ila: nest(ilaEncapAttrs, 'noflag'),
    ip6: nest(ip6EncapAttrs, 'noflag'),
    seg6: nest(seg6EncapAttrs, 'noflag'),
    bpf: nest(bpfEncapAttrs, 'noflag'),
    seg6_local: nest(seg6LocalAttrs, 'noflag'),
    rpl: nest(rplEncapAttrs, 'noflag'),
    ioam6: nest(ioam6EncapAttrs, 'noflag'),
    xfrm: nest(xfrmEncapAttrs, 'noflag'),
  },
  nest(otherEncapAttrs, 'noflag'),
)
