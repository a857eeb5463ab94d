/**
 * What the address families have to say of a link: IFLA_AF_SPEC, and IFLA_PROTINFO of IPv6.
 *
 * Kernel: net/ipv4/devinet.c inet_fill_link_af(); net/ipv6/addrconf.c inet6_fill_ifla6_attrs()
 * (Linux 6.18). Sysctls have their defaults.
 */

import type { inet6Attrs } from '../../families/rt-link-attrs.ts'
import { IF_READY } from '../../families/rt-link-constants.ts'
import type { ipv4Devconf, ipv6Devconf } from '../../families/rt-link-structs.ts'
import type { Input } from '../../schema/index.ts'
import { IFF_LOOPBACK, IFF_NOARP } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'

/** How many counters Linux has: the first entry of each list says it. */
const IPSTATS_MIB_MAX = 38
const ICMP6_MIB_MAX = 7
const ipstats = [IPSTATS_MIB_MAX, ...new Array<number>(IPSTATS_MIB_MAX - 1).fill(0)]
const icmp6stats = [ICMP6_MIB_MAX, ...new Array<number>(ICMP6_MIB_MAX - 1).fill(0)]
/** IPV6_MAXPLEN. */
const MAX_REASSEMBLED = 65535

/** ipv4_devconf_dflt. */
const conf4: Input<typeof ipv4Devconf> = {
  acceptRedirects: 1,
  secureRedirects: 1,
  sendRedirects: 1,
  sharedMedia: 1,
  acceptSourceRoute: 1,
  igmpv2UnsolicitedReportInterval: 10_000,
  igmpv3UnsolicitedReportInterval: 1000,
  arpEvictNocarrier: 1,
}

/** ipv6_devconf_dflt; times in milliseconds and seconds, as the sysctls have them. */
const conf6: Input<typeof ipv6Devconf> = {
  hoplimit: 64,
  acceptRa: 1,
  acceptRedirects: 1,
  autoconf: 1,
  dadTransmits: 1,
  rtrSolicits: -1,
  rtrSolicitInterval: 4000,
  rtrSolicitDelay: 1000,
  tempValidLft: 604_800,
  tempPreferedLft: 86_400,
  regenMaxRetry: 3,
  maxDesyncFactor: 600,
  maxAddresses: 16,
  acceptRaDefrtr: 1,
  acceptRaPinfo: 1,
  acceptRaRtrPref: 1,
  rtrProbeInterval: 60_000,
  acceptDad: 1,
  mldv1UnsolicitedReportInterval: 10_000,
  mldv2UnsolicitedReportInterval: 1000,
  suppressFragNdisc: 1,
  acceptRaMtu: 1,
  acceptRaMinHopLimit: 1,
  rtrSolicitMaxInterval: 3_600_000,
  enhancedDad: 1,
  raDefrtrMetric: 1024,
  ioam6Id: 65_535,
  ioam6IdWide: -1,
  ndiscEvictNocarrier: 1,
}

function ipv4Sysctls({ flags, inet }: NetDevice): Input<typeof ipv4Devconf> {
  const loopback = flags & IFF_LOOPBACK ? 1 : 0
  return {
    ...conf4,
    noxfrm: loopback,
    nopolicy: loopback,
    promoteSecondaries: inet?.promoteSecondaries ? 1 : 0,
    ignoreRoutesWithLinkdown: inet?.ignoreLinkdown ? 1 : 0,
  }
}

function ipv6Sysctls({ flags, inet6 }: NetDevice): Input<typeof ipv6Devconf> {
  return {
    ...conf6,
    mtu6: inet6?.mtu,
    useTempaddr: flags & IFF_LOOPBACK ? -1 : 0,
    acceptDad: flags & (IFF_LOOPBACK | IFF_NOARP) ? -1 : 1,
    addrGenMode: inet6?.addrGenMode ?? 0,
  }
}

/** inet6_fill_ifla6_attrs(): IPv6's part of a link, with its counters unless they are not wanted. */
export function describeInet6(dev: NetDevice, withStats: boolean): Input<typeof inet6Attrs> {
  const { inet6 } = dev
  return {
    flags: inet6?.isReady ? IF_READY : 0,
    cacheinfo: {
      maxReasmLen: MAX_REASSEMBLED,
      tstamp: Math.floor((inet6?.updated ?? 0) / 10),
      reachableTime: 30_000,
      retransTime: 1000,
    },
    conf: ipv6Sysctls(dev),
    ...(withStats ? { stats: ipstats, icmp6stats } : {}),
    token: '::',
    addrGenMode: inet6?.addrGenMode ?? 0,
  }
}

/** rtnl_fill_link_af(). */
export function describeAfSpec(dev: NetDevice, withStats: boolean): object {
  return {
    ...(dev.inet ? { inet: { conf: ipv4Sysctls(dev) } } : {}),
    ...(dev.inet6 ? { inet6: describeInet6(dev, withStats) } : {}),
  }
}
