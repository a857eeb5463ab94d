/**
 * Values in links' messages: interface flags, filters, modes of the device kinds.
 *
 * Kernel: include/uapi/linux/if.h, if_link.h, if_bridge.h, rtnetlink.h (Linux 6.18).
 */

/** ifi_flags: what the interface is, and whether it works. */
export const IFF_UP = 0x1
export const IFF_BROADCAST = 0x2
export const IFF_DEBUG = 0x4
export const IFF_LOOPBACK = 0x8
export const IFF_POINTOPOINT = 0x10
export const IFF_NOTRAILERS = 0x20
export const IFF_RUNNING = 0x40
export const IFF_NOARP = 0x80
export const IFF_PROMISC = 0x100
export const IFF_ALLMULTI = 0x200
export const IFF_MASTER = 0x400
export const IFF_SLAVE = 0x800
export const IFF_MULTICAST = 0x1000
export const IFF_PORTSEL = 0x2000
export const IFF_AUTOMEDIA = 0x4000
export const IFF_DYNAMIC = 0x8000
export const IFF_LOWER_UP = 0x10000
export const IFF_DORMANT = 0x20000
export const IFF_ECHO = 0x40000

/** IFLA_EXT_MASK: what else a reply should hold, or leave out. */
export const RTEXT_FILTER_VF = 0x1
export const RTEXT_FILTER_BRVLAN = 0x2
export const RTEXT_FILTER_BRVLAN_COMPRESSED = 0x4
export const RTEXT_FILTER_SKIP_STATS = 0x8
export const RTEXT_FILTER_MRP = 0x10
export const RTEXT_FILTER_CFM_CONFIG = 0x20
export const RTEXT_FILTER_CFM_STATUS = 0x40
export const RTEXT_FILTER_MST = 0x80

/** ifi_type: the hardware. */
export const ARPHRD_ETHER = 1
export const ARPHRD_INFINIBAND = 32
export const ARPHRD_CAN = 280
export const ARPHRD_PPP = 512
export const ARPHRD_RAWIP = 519
export const ARPHRD_TUNNEL = 768
export const ARPHRD_TUNNEL6 = 769
export const ARPHRD_LOOPBACK = 772
export const ARPHRD_SIT = 776
export const ARPHRD_IPGRE = 778
export const ARPHRD_IEEE80211 = 801
export const ARPHRD_IP6GRE = 823
export const ARPHRD_NETLINK = 824
export const ARPHRD_NONE = 0xfffe
export const ARPHRD_VOID = 0xffff

/** IFLA_XDP_FLAGS. */
export const XDP_FLAGS_UPDATE_IF_NOEXIST = 0x1
export const XDP_FLAGS_SKB_MODE = 0x2
export const XDP_FLAGS_DRV_MODE = 0x4
export const XDP_FLAGS_HW_MODE = 0x8
export const XDP_FLAGS_REPLACE = 0x10

/** IFLA_BRIDGE_FLAGS: whom a request of AF_BRIDGE is for. */
export const BRIDGE_FLAGS_MASTER = 1
export const BRIDGE_FLAGS_SELF = 2

/** A VLAN of a bridge or of its port. */
export const BRIDGE_VLAN_INFO_MASTER = 0x1
export const BRIDGE_VLAN_INFO_PVID = 0x2
export const BRIDGE_VLAN_INFO_UNTAGGED = 0x4
export const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8
export const BRIDGE_VLAN_INFO_RANGE_END = 0x10
export const BRIDGE_VLAN_INFO_BRENTRY = 0x20
export const BRIDGE_VLAN_INFO_ONLY_OPTS = 0x40

/** IFLA_VLAN_FLAGS. */
export const VLAN_FLAG_REORDER_HDR = 0x1
export const VLAN_FLAG_GVRP = 0x2
export const VLAN_FLAG_LOOSE_BINDING = 0x4
export const VLAN_FLAG_MVRP = 0x8
export const VLAN_FLAG_BRIDGE_BINDING = 0x10

/** IFLA_MACVLAN_FLAGS. */
export const MACVLAN_FLAG_NOPROMISC = 0x1
export const MACVLAN_FLAG_NODST = 0x2

/** IFLA_INET6_FLAGS: progress of address configuration. */
export const IF_RS_SENT = 0x10
export const IF_RA_RCVD = 0x20
export const IF_RA_MANAGED = 0x40
export const IF_RA_OTHERCONF = 0x80
export const IF_READY = 0x80000000
