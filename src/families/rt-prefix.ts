/**
 * rt-prefix: prefixes that routers announce (RFC 4861, section 4.6.2), told and never listed.
 *
 * Kernel: include/uapi/linux/rtnetlink.h; net/ipv6/addrconf.c inet6_fill_prefix() (Linux 6.18).
 */
import { attrs, ipv6, message, rawFamily, s32, struct, u8, u32 } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { addressFamily, RTM_NEWPREFIX, RTNLGRP_IPV6_PREFIX } from './rtnetlink.ts'

/** Of `flags` (include/net/if_inet6.h). */
export const IF_PREFIX_ONLINK = 1
export const IF_PREFIX_AUTOCONF = 2

export const prefixmsg = struct('prefixmsg', {
  family: addressFamily,
  pad1: 1,
  pad2: 2,
  ifindex: s32,
  /** The option of neighbour discovery: 3, prefix information. */
  type: u8,
  /** Bits. */
  len: u8,
  /** IF_PREFIX_*. */
  flags: u8,
  pad3: 1,
})

/** Seconds. */
export const prefixCacheinfo = struct('prefix_cacheinfo', {
  preferredTime: u32,
  validTime: u32,
})

export const prefixAttrs = attrs('PREFIX_', { address: [1, ipv6], cacheinfo: [2, prefixCacheinfo] })

const prefix = message(prefixmsg, prefixAttrs)

export const rtPrefix = rawFamily({
  name: 'rt-prefix',
  protocol: NETLINK_ROUTE,
  groups: { ipv6Prefix: RTNLGRP_IPV6_PREFIX },
  ops: {},
  notifications: {
    newPrefix: { cmd: RTM_NEWPREFIX, group: 'ipv6Prefix', body: prefix },
  },
})
