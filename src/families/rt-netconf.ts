/**
 * rt-netconf: how links forward, as sysctl net.ipv4.conf and its kin say.
 *
 * Kernel: include/uapi/linux/netconf.h; net/ipv4/devinet.c inet_netconf_fill_devconf(),
 * net/ipv6/addrconf.c, net/mpls/af_mpls.c (Linux 6.18).
 */
import { attrs, message, rawFamily, s32, struct } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import {
  addressFamily,
  RTM_DELNETCONF,
  RTM_GETNETCONF,
  RTM_NEWNETCONF,
  RTNLGRP_IPV4_NETCONF,
  RTNLGRP_IPV6_NETCONF,
  RTNLGRP_MPLS_NETCONF,
} from './rtnetlink.ts'

export const NETCONFA_IFINDEX_ALL = -1
export const NETCONFA_IFINDEX_DEFAULT = -2

export const netconfmsg = struct('netconfmsg', { family: addressFamily })

export const netconfAttrs = attrs('NETCONFA_', {
  /** A link's, or NETCONFA_IFINDEX_ALL, or NETCONFA_IFINDEX_DEFAULT. */
  ifindex: [1, s32],
  forwarding: [2, s32],
  rpFilter: [3, s32],
  mcForwarding: [4, s32],
  bcForwarding: [8, s32],
  proxyNeigh: [5, s32],
  ignoreRoutesWithLinkdown: [6, s32],
  /** Of MPLS. */
  input: [7, s32],
  forceForwarding: [9, s32],
})

const configuration = message(netconfmsg, netconfAttrs)

export const rtNetconf = rawFamily({
  name: 'rt-netconf',
  protocol: NETLINK_ROUTE,
  groups: {
    ipv4Netconf: RTNLGRP_IPV4_NETCONF,
    ipv6Netconf: RTNLGRP_IPV6_NETCONF,
    mplsNetconf: RTNLGRP_MPLS_NETCONF,
  },
  ops: {
    /** Of one link, or of all that the family has. */
    getNetconf: {
      cmd: RTM_GETNETCONF,
      replyCmd: RTM_NEWNETCONF,
      constant: 'RTM_GETNETCONF',
      do: { request: message(netconfmsg, netconfAttrs.only('ifindex')), reply: configuration },
      dump: { request: message(netconfmsg), reply: configuration },
    },
  },
  notifications: {
    newNetconf: {
      cmd: RTM_NEWNETCONF,
      group: ['ipv4Netconf', 'ipv6Netconf', 'mplsNetconf'],
      body: configuration,
    },
    delNetconf: {
      cmd: RTM_DELNETCONF,
      group: ['ipv4Netconf', 'ipv6Netconf', 'mplsNetconf'],
      body: configuration,
    },
  },
})
