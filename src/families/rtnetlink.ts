/**
 * Numbers that all of NETLINK_ROUTE shares: address families, message types, multicast groups.
 *
 * Kernel: include/linux/socket.h, include/uapi/linux/rtnetlink.h (Linux 6.18).
 */
import { named, struct, u8 } from '../schema/index.ts'

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10
export const AF_PACKET = 17
export const AF_MPLS = 28
export const AF_PHONET = 35
export const AF_MCTP = 45
/** Multicast routing, whose routes share RTM_NEWROUTE. */
export const RTNL_FAMILY_IPMR = 128
export const RTNL_FAMILY_IP6MR = 129

export const RTM_BASE = 16
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26
export const RTM_NEWNEIGH = 28
export const RTM_DELNEIGH = 29
export const RTM_GETNEIGH = 30
export const RTM_NEWRULE = 32
export const RTM_DELRULE = 33
export const RTM_GETRULE = 34
export const RTM_NEWQDISC = 36
export const RTM_DELQDISC = 37
export const RTM_GETQDISC = 38
export const RTM_NEWTCLASS = 40
export const RTM_DELTCLASS = 41
export const RTM_GETTCLASS = 42
export const RTM_NEWTFILTER = 44
export const RTM_DELTFILTER = 45
export const RTM_GETTFILTER = 46
export const RTM_NEWACTION = 48
export const RTM_DELACTION = 49
export const RTM_GETACTION = 50
export const RTM_NEWPREFIX = 52
export const RTM_NEWMULTICAST = 56
export const RTM_DELMULTICAST = 57
export const RTM_GETMULTICAST = 58
export const RTM_NEWANYCAST = 60
export const RTM_DELANYCAST = 61
export const RTM_GETANYCAST = 62
export const RTM_NEWNEIGHTBL = 64
export const RTM_GETNEIGHTBL = 66
export const RTM_SETNEIGHTBL = 67
export const RTM_NEWNDUSEROPT = 68
export const RTM_NEWADDRLABEL = 72
export const RTM_DELADDRLABEL = 73
export const RTM_GETADDRLABEL = 74
export const RTM_GETDCB = 78
export const RTM_SETDCB = 79
export const RTM_NEWNETCONF = 80
export const RTM_DELNETCONF = 81
export const RTM_GETNETCONF = 82
export const RTM_NEWMDB = 84
export const RTM_DELMDB = 85
export const RTM_GETMDB = 86
export const RTM_NEWNSID = 88
export const RTM_DELNSID = 89
export const RTM_GETNSID = 90
export const RTM_NEWSTATS = 92
export const RTM_GETSTATS = 94
export const RTM_SETSTATS = 95
export const RTM_NEWCACHEREPORT = 96
export const RTM_NEWCHAIN = 100
export const RTM_DELCHAIN = 101
export const RTM_GETCHAIN = 102
export const RTM_NEWNEXTHOP = 104
export const RTM_DELNEXTHOP = 105
export const RTM_GETNEXTHOP = 106
export const RTM_NEWLINKPROP = 108
export const RTM_DELLINKPROP = 109
export const RTM_GETLINKPROP = 110
export const RTM_NEWVLAN = 112
export const RTM_DELVLAN = 113
export const RTM_GETVLAN = 114
export const RTM_NEWNEXTHOPBUCKET = 116
export const RTM_DELNEXTHOPBUCKET = 117
export const RTM_GETNEXTHOPBUCKET = 118
export const RTM_NEWTUNNEL = 120
export const RTM_DELTUNNEL = 121
export const RTM_GETTUNNEL = 122
/** Message types above this are refused. */
export const RTM_MAX = 123

export const RTNLGRP_LINK = 1
export const RTNLGRP_NOTIFY = 2
export const RTNLGRP_NEIGH = 3
export const RTNLGRP_TC = 4
export const RTNLGRP_IPV4_IFADDR = 5
export const RTNLGRP_IPV4_MROUTE = 6
export const RTNLGRP_IPV4_ROUTE = 7
export const RTNLGRP_IPV4_RULE = 8
export const RTNLGRP_IPV6_IFADDR = 9
export const RTNLGRP_IPV6_MROUTE = 10
export const RTNLGRP_IPV6_ROUTE = 11
export const RTNLGRP_IPV6_IFINFO = 12
export const RTNLGRP_IPV6_PREFIX = 18
export const RTNLGRP_IPV6_RULE = 19
export const RTNLGRP_ND_USEROPT = 20
export const RTNLGRP_PHONET_IFADDR = 21
export const RTNLGRP_PHONET_ROUTE = 22
export const RTNLGRP_DCB = 23
export const RTNLGRP_IPV4_NETCONF = 24
export const RTNLGRP_IPV6_NETCONF = 25
export const RTNLGRP_MDB = 26
export const RTNLGRP_MPLS_ROUTE = 27
export const RTNLGRP_NSID = 28
export const RTNLGRP_MPLS_NETCONF = 29
export const RTNLGRP_IPV4_MROUTE_R = 30
export const RTNLGRP_IPV6_MROUTE_R = 31
export const RTNLGRP_NEXTHOP = 32
export const RTNLGRP_BRVLAN = 33
export const RTNLGRP_MCTP_IFADDR = 34
export const RTNLGRP_TUNNEL = 35
export const RTNLGRP_STATS = 36
export const RTNLGRP_IPV4_MCADDR = 37
export const RTNLGRP_IPV6_MCADDR = 38
export const RTNLGRP_IPV6_ACADDR = 39
export const RTNLGRP_MAX = 39

const families = {
  AF_UNSPEC,
  AF_INET,
  AF_BRIDGE,
  AF_INET6,
  AF_PACKET,
  AF_MPLS,
  AF_PHONET,
  AF_MCTP,
}
/** An address family as headers carry it: a number, to be compared with AF_*. */
export const addressFamily = named(u8, families, 'AF_')

/** The least that a NETLINK_ROUTE request has behind its nlmsghdr. */
export const rtgenmsg = struct('rtgenmsg', { family: addressFamily })
