/**
 * IPv6's multicast groups: all nodes, those of addresses, all routers.
 *
 * Kernel: net/ipv6/mcast.c igmp6_group_added(), mld_sendpack(); net/ipv6/addrconf.c
 * addrconf_join_solict(), dev_forward_change() (Linux 6.18).
 */
import type { Ipv4, Ipv6 } from './address.ts'
import { AF_INET6 } from './constants.ts'
import type { NetDevice } from './device.ts'
import { MulticastGroups, type MulticastRules } from './multicast.ts'

/** ff01::1, ff02::1. */
const INTERFACE_ALL_NODES: Ipv6 = (0xff01n << 112n) | 1n
const LINK_ALL_NODES: Ipv6 = (0xff02n << 112n) | 1n
/** ff01::2, ff02::2, ff05::2. */
const INTERFACE_ALL_ROUTERS: Ipv6 = (0xff01n << 112n) | 2n
export const LINK_ALL_ROUTERS: Ipv6 = (0xff02n << 112n) | 2n
const SITE_ALL_ROUTERS: Ipv6 = (0xff05n << 112n) | 2n
/** ff02::16: who hears reports. */
const MLDV2_ROUTERS: Ipv6 = (0xff02n << 112n) | 0x16n
/** ff02::1:ff00:0, without the last 24 bits of an address. */
const SOLICITED_NODE: Ipv6 = (0xff02n << 112n) | 0x1_ff00_0000n

const rules: MulticastRules = {
  family: AF_INET6,
  isLinkWide: (address) => scopeOf(address) >= 2,
  isReported: (address) => scopeOf(address) >= 2 && address !== LINK_ALL_NODES,
  report: (dev) => dev.stack.ndisc.touch(MLDV2_ROUTERS, dev),
  repeatAfter: ({ inet6 }) => inet6?.conf.get('mldv2UnsolicitedReportInterval') ?? 0,
}

/** How far a group reaches: 1 the interface, 2 the link. */
function scopeOf(address: Ipv4 | Ipv6): number {
  return Number((BigInt(address) >> 112n) & 0xfn)
}

export function newGroups6(dev: NetDevice): MulticastGroups {
  return new MulticastGroups(dev, rules)
}

/** ipv6_add_dev(): what every device joins. */
export function joinAllNodes(dev: NetDevice, isRouter: boolean): void {
  const groups = dev.inet6?.groups
  groups?.join(INTERFACE_ALL_NODES)
  groups?.join(LINK_ALL_NODES)
  if (isRouter) groups?.join(LINK_ALL_ROUTERS)
}

/** ipv6_mc_destroy_dev(): the first group is told of, what else is left is not. */
export function leaveAllNodes(groups: MulticastGroups, isRouter: boolean): void {
  groups.down()
  groups.leave(LINK_ALL_NODES)
  if (isRouter) groups.leave(LINK_ALL_ROUTERS)
  groups.destroy()
}

/** dev_forward_change(): a router listens for what is meant for routers. */
export function followForwarding(groups: MulticastGroups, isRouter: boolean): void {
  for (const address of [LINK_ALL_ROUTERS, INTERFACE_ALL_ROUTERS, SITE_ALL_ROUTERS]) {
    if (isRouter) groups.join(address)
    else groups.leave(address)
  }
}

/** addrconf_addr_solict_mult(): where neighbours ask for an address. */
export function solicitedNode(address: Ipv6): Ipv6 {
  return SOLICITED_NODE | (address & 0xff_ffffn)
}
