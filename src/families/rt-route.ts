/**
 * rt-route: routes, their metrics and next hops.
 *
 * Kernel: include/uapi/linux/rtnetlink.h; net/ipv4/fib_semantics.c fib_dump_info(),
 * net/ipv6/route.c rt6_fill_node() (Linux 6.18).
 */
import {
  attrs,
  be16,
  be32,
  bits,
  enumeration,
  followed,
  message,
  mplsLabels,
  named,
  nest,
  protocolAddress,
  rawFamily,
  records,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  variant,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { encap, encapType } from './lwtunnel.ts'
import * as constants from './rt-route-constants.ts'
import {
  AF_MPLS,
  addressFamily,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTNL_FAMILY_IP6MR,
  RTNL_FAMILY_IPMR,
  RTNLGRP_IPV4_MROUTE,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_MROUTE,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_MPLS_ROUTE,
} from './rtnetlink.ts'

export * from './rt-route-constants.ts'

const routeFlags = bits(u32, constants, 'RTM_F_')
const nexthopFlags = bits(u8, constants, 'RTNH_F_')

export const rtmsg = struct('rtmsg', {
  family: addressFamily,
  /** Bits of the destination's prefix. */
  dstLen: u8,
  srcLen: u8,
  tos: u8,
  /** The table if it is below 256, else RT_TABLE_COMPAT; the whole number is `table`. */
  rtmTable: named(u8, constants, 'RT_TABLE_'),
  protocol: named(u8, constants, 'RTPROT_'),
  scope: named(u8, constants, 'RT_SCOPE_'),
  type: named(u8, constants, 'RTN_'),
  /** RTM_F_* and, for a route with one next hop, RTNH_F_*. */
  flags: bits(u32, { ...nexthopFlags.shape.names, ...routeFlags.shape.names }),
})

const metricsDefinitions = {
  /** One bit for each metric, by number: it does not change. */
  lock: [1, u32],
  /** Bytes. */
  mtu: [2, u32],
  /** Bytes. */
  window: [3, u32],
  /** Eighths of a millisecond. */
  rtt: [4, u32],
  /** Quarters of a millisecond. */
  rttvar: [5, u32],
  /** Segments. */
  ssthresh: [6, u32],
  /** Segments. */
  cwnd: [7, u32],
  /** Bytes. */
  advmss: [8, u32],
  reordering: [9, u32],
  hoplimit: [10, u32],
  /** Segments. */
  initcwnd: [11, u32],
  features: [12, bits(u32, constants, 'RTAX_FEATURE_')],
  /** Milliseconds. */
  rtoMin: [13, u32],
  /** Segments. */
  initrwnd: [14, u32],
  quickack: [15, u32],
  /** The name of a congestion control. */
  ccAlgo: [16, string.max(15)],
  fastopenNoCookie: [17, u32],
} as const
export interface MetricsDefinitions extends Readonly<typeof metricsDefinitions> {}
/** Metrics that TCP and path MTU discovery start from. */
export const metricsAttrs = attrs('RTAX_', metricsDefinitions as MetricsDefinitions)

/** How old a cached route is, and when it ends; in hundredths of a second. */
export const rtaCacheinfo = struct('rta_cacheinfo', {
  clntref: u32,
  lastuse: u32,
  expires: s32,
  error: u32,
  used: u32,
  id: u32,
  ts: u32,
  tsage: u32,
})

export const rtaMfcStats = struct('rta_mfc_stats', { packets: u64, bytes: u64, wrongIf: u64 })

/** A gateway of another address family than the route's. */
export const rtvia = followed(
  struct('rtvia', { family: named(u16, addressFamily.shape.names ?? {}) }),
  'address',
  protocolAddress,
)

export const rtnexthop = struct('rtnexthop', {
  /** rtnh_len, which the list of next hops keeps itself. */
  len: 2,
  flags: nexthopFlags,
  /** The weight, less one. */
  hops: u8,
  ifindex: s32,
})

const nexthopAttrs = {
  gateway: [5, protocolAddress],
  via: [18, rtvia],
  /** Labels to put in place of the one that matched. */
  newdst: [19, mplsLabels],
  /** Realms: of the source in the upper half. */
  flow: [11, u32],
  encap: [22, encap],
  encapType: [21, encapType],
} as const

/** One next hop of several, as RTA_MULTIPATH has it. */
export const nexthop = message(rtnexthop, attrs('RTA_', nexthopAttrs))

/** Addresses of routes; of MPLS the label. */
const prefix = variant('family', { [AF_MPLS]: mplsLabels }, protocolAddress)

const routeDefinitions = {
  table: [15, u32],
  dst: [1, prefix],
  src: [2, prefix],
  iif: [3, u32],
  /** Lower ones win; `metric` of ip-route(8). */
  priority: [6, u32],
  metrics: [8, nest(metricsAttrs, 'noflag')],
  /** The source address of packets that this host sends. */
  prefsrc: [7, protocolAddress],
  nhId: [30, u32],
  ...nexthopAttrs,
  /** The interface to send through. */
  oif: [4, u32],
  /** Instead of `gateway` and `oif` when there are several next hops. */
  multipath: [9, records(nexthop)],
  cacheinfo: [12, rtaCacheinfo],
  mark: [16, u32],
  mfcStats: [17, rtaMfcStats],
  /** ICMPV6_ROUTER_PREF_*, from router advertisements. */
  pref: [20, enumeration(u8, { medium: 0, high: 1, low: 3 })],
  /** Seconds, in requests; of a multicast route how long ago it was used, in hundredths of one. */
  expires: [23, variant('family', { [RTNL_FAMILY_IPMR]: u64, [RTNL_FAMILY_IP6MR]: u64 }, u32)],
  uid: [25, u32],
  ttlPropagate: [26, u8],
  ipProto: [27, u8],
  sport: [28, be16],
  dport: [29, be16],
  flowlabel: [31, be32],
} as const
export interface RouteDefinitions extends Readonly<typeof routeDefinitions> {}
export const routeAttrs = attrs('RTA_', routeDefinitions as RouteDefinitions)

const route = message(rtmsg, routeAttrs)

export const rtRoute = rawFamily({
  name: 'rt-route',
  protocol: NETLINK_ROUTE,
  groups: {
    ipv4Route: RTNLGRP_IPV4_ROUTE,
    ipv6Route: RTNLGRP_IPV6_ROUTE,
    ipv4Mroute: RTNLGRP_IPV4_MROUTE,
    ipv6Mroute: RTNLGRP_IPV6_MROUTE,
    mplsRoute: RTNLGRP_MPLS_ROUTE,
  },
  ops: {
    newRoute: { cmd: RTM_NEWROUTE, constant: 'RTM_NEWROUTE', do: { request: route } },
    delRoute: { cmd: RTM_DELROUTE, constant: 'RTM_DELROUTE', do: { request: route } },
    /** Which route a packet would take; or all routes, of a table and an interface if given. */
    getRoute: {
      cmd: RTM_GETROUTE,
      replyCmd: RTM_NEWROUTE,
      constant: 'RTM_GETROUTE',
      do: {
        request: message(
          rtmsg,
          routeAttrs.only(
            'dst',
            'src',
            'iif',
            'oif',
            'mark',
            'uid',
            'ipProto',
            'sport',
            'dport',
            'flowlabel',
            'newdst',
            'table',
          ),
        ),
        reply: route,
      },
      dump: { request: message(rtmsg, routeAttrs.only('table', 'oif')), reply: route },
    },
  },
  notifications: {
    newRoute: {
      cmd: RTM_NEWROUTE,
      group: ['ipv4Route', 'ipv6Route', 'ipv4Mroute', 'ipv6Mroute', 'mplsRoute'],
      body: route,
    },
    delRoute: {
      cmd: RTM_DELROUTE,
      group: ['ipv4Route', 'ipv6Route', 'ipv4Mroute', 'ipv6Mroute', 'mplsRoute'],
      body: route,
    },
  },
})
