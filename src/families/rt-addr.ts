/**
 * rt-addr: addresses of links.
 *
 * Kernel: include/uapi/linux/if_addr.h; net/ipv4/devinet.c inet_fill_ifaddr(),
 * net/ipv6/addrconf.c inet6_fill_ifaddr() (Linux 6.18).
 */
import {
  attrs,
  bits,
  message,
  named,
  protocolAddress,
  rawFamily,
  s32,
  string,
  struct,
  u8,
  u32,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import * as constants from './rt-addr-constants.ts'
import * as routeConstants from './rt-route-constants.ts'
import {
  addressFamily,
  RTM_DELADDR,
  RTM_DELANYCAST,
  RTM_DELMULTICAST,
  RTM_GETADDR,
  RTM_GETANYCAST,
  RTM_GETMULTICAST,
  RTM_NEWADDR,
  RTM_NEWANYCAST,
  RTM_NEWMULTICAST,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_MCADDR,
  RTNLGRP_IPV6_ACADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_MCADDR,
  RTNLGRP_MCTP_IFADDR,
} from './rtnetlink.ts'

export * from './rt-addr-constants.ts'

export const ifaddrmsg = struct('ifaddrmsg', {
  family: addressFamily,
  prefixlen: u8,
  /** The lowest eight bits of IFA_FLAGS, which is `flags`. */
  ifaFlags: bits(u8, constants, 'IFA_F_'),
  scope: named(u8, routeConstants, 'RT_SCOPE_'),
  ifindex: u32,
})

/** Lifetimes in seconds, 0xffffffff for ever; times of change in hundredths of a second. */
export const ifaCacheinfo = struct('ifa_cacheinfo', {
  prefered: u32,
  valid: u32,
  /** Since boot. */
  cstamp: u32,
  tstamp: u32,
})

const addrDefinitions = {
  targetNetnsid: [10, s32],
  /** The address itself; of a point-to-point interface the peer's. */
  address: [1, protocolAddress],
  /** The interface's own address (IPv4 always, IPv6 only beside a peer's). */
  local: [2, protocolAddress],
  broadcast: [4, protocolAddress],
  anycast: [5, protocolAddress],
  multicast: [7, protocolAddress],
  label: [3, string.max(15).unterminated()],
  proto: [11, named(u8, constants, 'IFAPROT_')],
  flags: [8, bits(u32, constants, 'IFA_F_')],
  /** Metric of the prefix route. */
  rtPriority: [9, u32],
  cacheinfo: [6, ifaCacheinfo],
} as const
export interface AddrDefinitions extends Readonly<typeof addrDefinitions> {}
export const addrAttrs = attrs('IFA_', addrDefinitions as AddrDefinitions)

const change = message(
  ifaddrmsg,
  addrAttrs.only(
    'address',
    'local',
    'broadcast',
    'anycast',
    'label',
    'proto',
    'flags',
    'rtPriority',
    'cacheinfo',
  ),
)
const address = message(ifaddrmsg, addrAttrs)
const multicast = message(ifaddrmsg, addrAttrs.only('multicast!', 'cacheinfo', 'targetNetnsid'))
const anycast = message(ifaddrmsg, addrAttrs.only('anycast!', 'cacheinfo', 'targetNetnsid'))
const select = message(ifaddrmsg, addrAttrs.only('targetNetnsid'))

export const rtAddr = rawFamily({
  name: 'rt-addr',
  protocol: NETLINK_ROUTE,
  groups: {
    ipv4Ifaddr: RTNLGRP_IPV4_IFADDR,
    ipv6Ifaddr: RTNLGRP_IPV6_IFADDR,
    mctpIfaddr: RTNLGRP_MCTP_IFADDR,
    ipv4Mcaddr: RTNLGRP_IPV4_MCADDR,
    ipv6Mcaddr: RTNLGRP_IPV6_MCADDR,
    ipv6Acaddr: RTNLGRP_IPV6_ACADDR,
  },
  ops: {
    newAddr: { cmd: RTM_NEWADDR, constant: 'RTM_NEWADDR', do: { request: change } },
    delAddr: { cmd: RTM_DELADDR, constant: 'RTM_DELADDR', do: { request: change } },
    /** One address, which only IPv6 answers; or all, of `family` and `ifindex` if they are given. */
    getAddr: {
      cmd: RTM_GETADDR,
      replyCmd: RTM_NEWADDR,
      constant: 'RTM_GETADDR',
      do: {
        request: message(ifaddrmsg, addrAttrs.only('address', 'local', 'targetNetnsid')),
        reply: address,
      },
      dump: { request: select, reply: address },
    },
    /** Groups that links have joined (IPv4 since Linux 6.15); answered by the same message type. */
    getMulticast: {
      cmd: RTM_GETMULTICAST,
      constant: 'RTM_GETMULTICAST',
      dump: { request: select, reply: multicast },
    },
    /** Answered by the same message type. */
    getAnycast: {
      cmd: RTM_GETANYCAST,
      constant: 'RTM_GETANYCAST',
      dump: { request: select, reply: anycast },
    },
  },
  notifications: {
    newAddr: {
      cmd: RTM_NEWADDR,
      group: ['ipv4Ifaddr', 'ipv6Ifaddr', 'mctpIfaddr'],
      body: address,
    },
    delAddr: {
      cmd: RTM_DELADDR,
      group: ['ipv4Ifaddr', 'ipv6Ifaddr', 'mctpIfaddr'],
      body: address,
    },
    newMulticast: {
      cmd: RTM_NEWMULTICAST,
      group: ['ipv4Mcaddr', 'ipv6Mcaddr'],
      body: multicast,
    },
    delMulticast: {
      cmd: RTM_DELMULTICAST,
      group: ['ipv4Mcaddr', 'ipv6Mcaddr'],
      body: multicast,
    },
    newAnycast: { cmd: RTM_NEWANYCAST, group: 'ipv6Acaddr', body: anycast },
    delAnycast: { cmd: RTM_DELANYCAST, group: 'ipv6Acaddr', body: anycast },
  },
})
