/** What bridge(8) says of VLANs: of ports, of tunnels, and as a whole. */
import type { BridgeVlanOptions } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'

/** Columns of the first word of a line, and of what stands below it. */
const NAME = 18
const BELOW = ' '.repeat(NAME + 2)

const BRIDGE_VLAN_INFO_PVID = 2
const BRIDGE_VLAN_INFO_UNTAGGED = 4
const STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']

/** A link, and what stands in its lines, the first behind its name. */
export function showLinkLines<T>(
  p: Printer,
  ifindex: number,
  names: LinkNames,
  list: { readonly name: string; readonly items: readonly T[] },
  show: (item: T) => void,
): void {
  const ifname = names.name(ifindex)
  p.open()
  p.both('ifname', ifname, ifname.padEnd(NAME), 'cyan')
  p.openList(list.name)
  for (const [i, item] of list.items.entries()) {
    if (i > 0) p.text(' '.repeat(NAME))
    p.open()
    show(item)
    p.close()
  }
  p.closeList()
  p.close()
}

/** `20`, or `21-25`. @returns the columns that it took. */
export function showRange(p: Printer, name: string, first: number, last?: number): number {
  p.both(name, first, String(first))
  const isRange = last !== undefined && last !== first
  if (isRange) p.both(`${name}End`, last, `-${last}`)
  return String(first).length + (isRange ? 1 + String(last).length : 0)
}

export function showVlanFlags(p: Printer, flags: number, isAlways = false): void {
  if (flags === 0 && !isAlways) return
  p.openList('flags')
  if (flags & BRIDGE_VLAN_INFO_PVID) p.both(null, 'PVID', ' PVID')
  if (flags & BRIDGE_VLAN_INFO_UNTAGGED) p.both(null, 'Egress Untagged', ' Egress Untagged')
  p.closeList()
}

interface Counted {
  readonly rxBytes?: bigint
  readonly rxPackets?: bigint
  readonly txBytes?: bigint
  readonly txPackets?: bigint
}

export function showVlanStatistics(p: Printer, counted: Counted): void {
  const { rxBytes = 0n, rxPackets = 0n, txBytes = 0n, txPackets = 0n } = counted
  p.both('rx_bytes', rxBytes, `${BELOW}RX: ${rxBytes} bytes`)
  p.both('rx_packets', rxPackets, ` ${rxPackets} packets\n`)
  p.both('tx_bytes', txBytes, `${BELOW}TX: ${txBytes} bytes`)
  p.both('tx_packets', txPackets, ` ${txPackets} packets\n`)
}

export function showVlanState(p: Printer, state?: number, mcastRouter?: number): void {
  p.text(BELOW)
  if (state !== undefined) {
    const name = STATES[state] ?? String(state)
    p.both('state', name, `state ${name} `)
  }
  if (mcastRouter !== undefined) p.both('mcast_router', mcastRouter, `mcast_router ${mcastRouter} `)
  p.text('\n')
}

const OPTIONS = [
  ['mcastSnooping', 'mcast_snooping'],
  ['mcastQuerier', 'mcast_querier'],
  ['mcastIgmpVersion', 'mcast_igmp_version'],
  ['mcastMldVersion', 'mcast_mld_version'],
  ['mcastLastMemberCnt', 'mcast_last_member_count'],
  ['mcastLastMemberIntvl', 'mcast_last_member_interval'],
  ['mcastStartupQueryCnt', 'mcast_startup_query_count'],
  ['mcastStartupQueryIntvl', 'mcast_startup_query_interval'],
  ['mcastMembershipIntvl', 'mcast_membership_interval'],
  ['mcastQuerierIntvl', 'mcast_querier_interval'],
  ['mcastQueryIntvl', 'mcast_query_interval'],
  ['mcastQueryResponseIntvl', 'mcast_query_response_interval'],
] as const

export function showVlanOptions(p: Printer, vlan: BridgeVlanOptions, names: LinkNames): void {
  showRange(p, 'vlan', vlan.vid, vlan.last)
  p.text(`\n${BELOW}`)
  for (const [member, name] of OPTIONS) {
    const set = vlan[member]
    if (set !== undefined) p.both(name, set, `${name} ${set} `)
  }
  p.text('\n')
  const routers = vlan.mcastRouterPorts?.router?.port ?? []
  if (routers.length === 0) return
  p.text(`${BELOW}router ports: `)
  p.openList('router_ports')
  for (const { ifindex } of routers) {
    p.open()
    p.both('port', names.name(ifindex), `${names.name(ifindex)} `)
    p.close()
  }
  p.closeList()
  p.text('\n')
}
