/**
 * Values in routes' messages.
 *
 * Kernel: include/uapi/linux/rtnetlink.h, icmpv6.h, lwtunnel.h (Linux 6.18).
 */

/** rtm_type: what happens to a packet. */
export const RTN_UNSPEC = 0
export const RTN_UNICAST = 1
export const RTN_LOCAL = 2
export const RTN_BROADCAST = 3
export const RTN_ANYCAST = 4
export const RTN_MULTICAST = 5
export const RTN_BLACKHOLE = 6
export const RTN_UNREACHABLE = 7
export const RTN_PROHIBIT = 8
export const RTN_THROW = 9
export const RTN_NAT = 10
export const RTN_XRESOLVE = 11

/** rtm_protocol: who installed it. Numbers from STATIC on mean nothing to the kernel. */
export const RTPROT_UNSPEC = 0
export const RTPROT_REDIRECT = 1
export const RTPROT_KERNEL = 2
export const RTPROT_BOOT = 3
export const RTPROT_STATIC = 4
export const RTPROT_GATED = 8
export const RTPROT_RA = 9
export const RTPROT_MRT = 10
export const RTPROT_ZEBRA = 11
export const RTPROT_BIRD = 12
export const RTPROT_DNROUTED = 13
export const RTPROT_XORP = 14
export const RTPROT_NTK = 15
export const RTPROT_DHCP = 16
export const RTPROT_MROUTED = 17
export const RTPROT_KEEPALIVED = 18
export const RTPROT_BABEL = 42
export const RTPROT_OVN = 84
export const RTPROT_OPENR = 99
export const RTPROT_BGP = 186
export const RTPROT_ISIS = 187
export const RTPROT_OSPF = 188
export const RTPROT_RIP = 189
export const RTPROT_EIGRP = 192

/** rtm_scope: the distance to the destination; numbers between are the administrator's. */
export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_SITE = 200
export const RT_SCOPE_LINK = 253
export const RT_SCOPE_HOST = 254
export const RT_SCOPE_NOWHERE = 255

/** Tables. COMPAT stands in rtm_table for a table above 255. */
export const RT_TABLE_UNSPEC = 0
export const RT_TABLE_COMPAT = 252
export const RT_TABLE_DEFAULT = 253
export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255
export const RT_TABLE_MAX = 0xffffffff

/** rtm_flags, beside RTNH_F_* of a route with one next hop. */
export const RTM_F_NOTIFY = 0x100
export const RTM_F_CLONED = 0x200
export const RTM_F_EQUALIZE = 0x400
export const RTM_F_PREFIX = 0x800
export const RTM_F_LOOKUP_TABLE = 0x1000
export const RTM_F_FIB_MATCH = 0x2000
export const RTM_F_OFFLOAD = 0x4000
export const RTM_F_TRAP = 0x8000
export const RTM_F_OFFLOAD_FAILED = 0x20000000

/** rtnh_flags: the state of a next hop. */
export const RTNH_F_DEAD = 0x1
export const RTNH_F_PERVASIVE = 0x2
export const RTNH_F_ONLINK = 0x4
export const RTNH_F_OFFLOAD = 0x8
export const RTNH_F_LINKDOWN = 0x10
export const RTNH_F_UNRESOLVED = 0x20
export const RTNH_F_TRAP = 0x40

/** RTAX_FEATURES. */
export const RTAX_FEATURE_ECN = 0x1
export const RTAX_FEATURE_SACK = 0x2
export const RTAX_FEATURE_TIMESTAMP = 0x4
export const RTAX_FEATURE_ALLFRAG = 0x8
export const RTAX_FEATURE_TCP_USEC_TS = 0x10
