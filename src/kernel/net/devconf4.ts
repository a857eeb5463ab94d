/**
 * The IPv4 settings of a device: their names, and what they are before anybody changes them.
 *
 * Kernel: net/ipv4/devinet.c ipv4_devconf, ipv4_devconf_dflt, devinet_sysctl (Linux 6.18).
 */
import { Devconf } from './devconf.ts'

/** In the order of IPV4_DEVCONF_*, which begins with 1. */
const DEFAULTS = {
  forwarding: 0,
  mcForwarding: 0,
  proxyArp: 0,
  acceptRedirects: 1,
  secureRedirects: 1,
  sendRedirects: 1,
  sharedMedia: 1,
  rpFilter: 0,
  acceptSourceRoute: 1,
  bootpRelay: 0,
  logMartians: 0,
  tag: 0,
  arpfilter: 0,
  mediumId: 0,
  noxfrm: 0,
  nopolicy: 0,
  forceIgmpVersion: 0,
  arpAnnounce: 0,
  arpIgnore: 0,
  promoteSecondaries: 0,
  arpAccept: 0,
  arpNotify: 0,
  acceptLocal: 0,
  srcVmark: 0,
  proxyArpPvlan: 0,
  routeLocalnet: 0,
  igmpv2UnsolicitedReportInterval: 10_000,
  igmpv3UnsolicitedReportInterval: 1000,
  ignoreRoutesWithLinkdown: 0,
  dropUnicastInL2Multicast: 0,
  dropGratuitousArp: 0,
  bcForwarding: 0,
  arpEvictNocarrier: 1,
}

export type Devconf4Name = keyof typeof DEFAULTS
export type Devconf4 = Devconf<Devconf4Name>

/** By IPV4_DEVCONF_* - 1. */
export const devconf4Names = Object.keys(DEFAULTS) as readonly Devconf4Name[]

/** Files of net/ipv4/conf/NAME that are called otherwise than the setting. */
const OTHERWISE: Partial<Record<Devconf4Name, string>> = {
  arpfilter: 'arp_filter',
  noxfrm: 'disable_xfrm',
  nopolicy: 'disable_policy',
  srcVmark: 'src_valid_mark',
}

/** Settings by the file of net/ipv4/conf/NAME that has them. */
export const devconf4Files: ReadonlyMap<string, Devconf4Name> = new Map(
  devconf4Names.map((name) => [OTHERWISE[name] ?? snakeCase(name), name]),
)

/** `rpFilter` as `rp_filter`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

export function newDevconf4(which: 'all' | 'default'): Devconf4 {
  const conf: Devconf4 = new Devconf(DEFAULTS)
  if (which === 'all') conf.set('acceptSourceRoute', 0)
  return conf
}
