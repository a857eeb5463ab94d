/**
 * The IPv6 settings of a device: their names, and what they are before anybody changes them. Times
 * are in the units that IFLA_INET6_CONF has.
 *
 * Kernel: net/ipv6/addrconf.c ipv6_devconf, ipv6_devconf_dflt, addrconf_sysctl (Linux 6.18).
 */
import { Devconf } from './devconf.ts'
import { snakeCase } from './devconf4.ts'

/** In the order of DEVCONF_*; behind them what has no number. */
const DEFAULTS = {
  forwarding: 0,
  hoplimit: 64,
  /** Bytes. */
  mtu6: 1280,
  acceptRa: 1,
  acceptRedirects: 1,
  autoconf: 1,
  dadTransmits: 1,
  rtrSolicits: -1,
  /** Milliseconds. */
  rtrSolicitInterval: 4000,
  /** Milliseconds. */
  rtrSolicitDelay: 1000,
  useTempaddr: 0,
  tempValidLft: 604_800,
  tempPreferedLft: 86_400,
  regenMaxRetry: 3,
  maxDesyncFactor: 600,
  maxAddresses: 16,
  forceMldVersion: 0,
  acceptRaDefrtr: 1,
  acceptRaPinfo: 1,
  acceptRaRtrPref: 1,
  /** Milliseconds. */
  rtrProbeInterval: 60_000,
  acceptRaRtInfoMaxPlen: 0,
  proxyNdp: 0,
  optimisticDad: 0,
  acceptSourceRoute: 0,
  mcForwarding: 0,
  disableIpv6: 0,
  acceptDad: 1,
  forceTllao: 0,
  ndiscNotify: 0,
  mldv1UnsolicitedReportInterval: 10_000,
  mldv2UnsolicitedReportInterval: 1000,
  suppressFragNdisc: 1,
  acceptRaFromLocal: 0,
  useOptimistic: 0,
  acceptRaMtu: 1,
  useOifAddrsOnly: 0,
  acceptRaMinHopLimit: 1,
  ignoreRoutesWithLinkdown: 0,
  dropUnicastInL2Multicast: 0,
  dropUnsolicitedNa: 0,
  keepAddrOnDown: 0,
  /** Milliseconds. */
  rtrSolicitMaxInterval: 3_600_000,
  seg6Enabled: 0,
  seg6RequireHmac: 0,
  enhancedDad: 1,
  addrGenMode: 0,
  disablePolicy: 0,
  acceptRaRtInfoMinPlen: 0,
  ndiscTclass: 0,
  rplSegEnabled: 0,
  raDefrtrMetric: 1024,
  ioam6Enabled: 0,
  ioam6Id: 65_535,
  ioam6IdWide: -1,
  ndiscEvictNocarrier: 1,
  acceptUntrackedNa: 0,
  acceptRaMinLft: 0,
  forceForwarding: 0,
  regenMinAdvance: 2,
  raHonorPioLife: 0,
  raHonorPioPflag: 0,
}

export type Devconf6Name = keyof typeof DEFAULTS
export type Devconf6 = Devconf<Devconf6Name>

/** Files of net/ipv6/conf/NAME that are called otherwise than the setting. */
const OTHERWISE: Partial<Record<Devconf6Name, string>> = {
  hoplimit: 'hop_limit',
  mtu6: 'mtu',
  rtrSolicits: 'router_solicitations',
  rtrSolicitInterval: 'router_solicitation_interval',
  rtrSolicitDelay: 'router_solicitation_delay',
  rtrSolicitMaxInterval: 'router_solicitation_max_interval',
  rtrProbeInterval: 'router_probe_interval',
  disableIpv6: 'disable_ipv6',
  seg6Enabled: 'seg6_enabled',
}

/** Settings by the file of net/ipv6/conf/NAME that has them. */
export const devconf6Files: ReadonlyMap<string, Devconf6Name> = new Map(
  (Object.keys(DEFAULTS) as Devconf6Name[]).map((name) => [
    OTHERWISE[name] ?? snakeCase(name),
    name,
  ]),
)

export function newDevconf6(which: 'all' | 'default'): Devconf6 {
  const conf: Devconf6 = new Devconf(DEFAULTS)
  if (which === 'all') conf.set('acceptDad', 0)
  return conf
}
