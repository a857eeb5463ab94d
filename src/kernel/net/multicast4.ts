/**
 * IPv4's multicast groups: all hosts, while the device is up.
 *
 * Kernel: net/ipv4/igmp.c ip_mc_up(), ip_mc_down(), igmp_group_added() (Linux 6.18).
 */
import { type Ipv4, parseIpv4 } from './address.ts'
import { AF_INET } from './constants.ts'
import type { NetDevice } from './device.ts'
import { MulticastGroups, type MulticastRules } from './multicast.ts'

export const IGMP_ALL_HOSTS: Ipv4 = parseIpv4('224.0.0.1')
/** Who hears reports. */
const IGMPV3_ALL_MCR: Ipv4 = parseIpv4('224.0.0.22')

const rules: MulticastRules = {
  family: AF_INET,
  isLinkWide: () => true,
  isReported: (address) => address !== IGMP_ALL_HOSTS,
  report: (dev) => dev.stack.arp.touch(IGMPV3_ALL_MCR, dev),
  repeatAfter: ({ inet }) => inet?.conf.get('igmpv3UnsolicitedReportInterval') ?? 0,
}

export function newGroups4(dev: NetDevice): MulticastGroups {
  return new MulticastGroups(dev, rules)
}

/** ip_mc_up(). */
export function joinAllHosts(groups: MulticastGroups): void {
  groups.join(IGMP_ALL_HOSTS)
  groups.up()
}
