/**
 * What the address families have to say of a link: IFLA_AF_SPEC, and IFLA_PROTINFO of IPv6.
 *
 * Kernel: net/ipv4/devinet.c inet_fill_link_af(); net/ipv6/addrconf.c inet6_fill_ifla6_attrs()
 * (Linux 6.18). Sysctls have their defaults.
 */

import { afSpecAttrs } from '../../families/rt-link.ts'
import type { inet6Attrs } from '../../families/rt-link-attrs.ts'
import { IF_READY } from '../../families/rt-link-constants.ts'
import type { ipv4Devconf, ipv6Devconf } from '../../families/rt-link-structs.ts'
import type { Input } from '../../schema/index.ts'
import { Writer } from '../../wire/writer.ts'
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

/** All that the address families' parts of a link depend on. */
interface FamilyState {
  readonly withStats: boolean
  readonly hasInet: boolean
  readonly hasInet6: boolean
  readonly isLoopback: boolean
  readonly isNoarp: boolean
  readonly promoteSecondaries: boolean
  readonly ignoreLinkdown: boolean
  readonly isReady: boolean
  readonly mtu6: number
  readonly addrGenMode: number
  /** Hundredths of a second since boot. */
  readonly tstamp: number
}

function stateOf({ flags, inet, inet6 }: NetDevice, withStats: boolean): FamilyState {
  return {
    withStats,
    hasInet: inet !== undefined,
    hasInet6: inet6 !== undefined,
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    isNoarp: (flags & IFF_NOARP) !== 0,
    promoteSecondaries: inet?.promoteSecondaries ?? false,
    ignoreLinkdown: inet?.ignoreLinkdown ?? false,
    isReady: inet6?.isReady ?? false,
    mtu6: inet6?.mtu ?? 0,
    addrGenMode: inet6?.addrGenMode ?? 0,
    tstamp: Math.floor((inet6?.updated ?? 0) / 10),
  }
}

function ipv4Sysctls(state: FamilyState): Input<typeof ipv4Devconf> {
  const loopback = state.isLoopback ? 1 : 0
  return {
    ...conf4,
    noxfrm: loopback,
    nopolicy: loopback,
    promoteSecondaries: state.promoteSecondaries ? 1 : 0,
    ignoreRoutesWithLinkdown: state.ignoreLinkdown ? 1 : 0,
  }
}

/** inet6_fill_ifla6_attrs(): with IPv6's counters unless they are not wanted. */
function describeState6(state: FamilyState): Input<typeof inet6Attrs> {
  const { isLoopback, isNoarp, addrGenMode } = state
  const conf = {
    ...conf6,
    mtu6: state.mtu6,
    useTempaddr: isLoopback ? -1 : 0,
    acceptDad: isLoopback || isNoarp ? -1 : 1,
    addrGenMode,
  }
  return {
    flags: state.isReady ? IF_READY : 0,
    cacheinfo: {
      maxReasmLen: MAX_REASSEMBLED,
      tstamp: state.tstamp,
      reachableTime: 30_000,
      retransTime: 1000,
    },
    conf,
    ...(state.withStats ? { stats: ipstats, icmp6stats } : {}),
    token: '::',
    addrGenMode,
  }
}

/** IPv6's part of a link, as IFLA_PROTINFO of AF_INET6 has it. */
export function describeInet6(dev: NetDevice): Input<typeof inet6Attrs> {
  return describeState6(stateOf(dev, true))
}

/** What was last written of a device, and the state that it was written from. */
const written = new WeakMap<NetDevice, { readonly key: string; readonly bytes: Uint8Array }>()

/** rtnl_fill_link_af(): the content of IFLA_AF_SPEC, written again only where something changed. */
export function encodeAfSpec(dev: NetDevice, withStats: boolean): Uint8Array {
  const state = stateOf(dev, withStats)
  const key = Object.values(state).join()
  const known = written.get(dev)
  if (known?.key === key) return known.bytes
  const w = new Writer()
  afSpecAttrs.put(w, {
    ...(state.hasInet ? { inet: { conf: ipv4Sysctls(state) } } : {}),
    ...(state.hasInet6 ? { inet6: describeState6(state) } : {}),
  })
  const bytes = w.finish()
  written.set(dev, { key, bytes })
  return bytes
}
