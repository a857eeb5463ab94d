/** `ip -d link` of bridges and of their ports. */
import {
  type Data,
  hexAlways,
  hexText,
  oneOf,
  onOff,
  protocol,
  type Row,
  value,
} from './kind-rows.ts'
import type { Printer } from './printer.ts'

/** `8000.2:0:0:0:0:1`: the address as ether_ntoa(3) has it. */
function bridgeId(member: string, name: string, word: string): Row {
  return (p, data) => {
    const id = data[member] as { prio: number; addr: string } | undefined
    if (!id) return
    const octets = id.addr.split(':').map((part) => Number.parseInt(part, 16).toString(16))
    const text = `${id.prio.toString(16).padStart(4, '0')}.${octets.join(':')}`
    p.both(name, text, `${word} ${text} `)
  }
}

/** Hundredths of a second. */
function timer(member: string, name: string): Row {
  return (p, data) => {
    const found = data[member] as bigint | undefined
    if (found === undefined) return
    const rest = String(found % 100n).padStart(2, '0')
    const whole = String(found / 100n)
    p.both(name, Number(`${whole}.${rest}`), `${name} ${whole.padStart(4)}.${rest} `)
  }
}

const BOOLOPTS = [
  [0, 'no_linklocal_learn'],
  [1, 'mcast_vlan_snooping'],
] as const

function boolopts(p: Printer, data: Data): void {
  const all = data.multiBoolopt as { optval: number; optmask: number } | undefined
  for (const [bit, name] of all ? BOOLOPTS : [])
    if ((all!.optmask >> bit) & 1)
      p.both(name, (all!.optval >> bit) & 1, `${name} ${(all!.optval >> bit) & 1} `)
}

export const BRIDGE: readonly Row[] = [
  value('forwardDelay', 'forward_delay'),
  value('helloTime', 'hello_time'),
  value('maxAge', 'max_age'),
  value('ageingTime', 'ageing_time'),
  value('stpState', 'stp_state'),
  value('priority', 'priority'),
  value('vlanFiltering', 'vlan_filtering'),
  protocol('vlanProtocol', 'vlan_protocol'),
  bridgeId('bridgeId', 'bridge_id', 'bridge_id'),
  // iproute2 6.1 prints the bridge's own here as well.
  bridgeId('bridgeId', 'root_id', 'designated_root'),
  value('rootPort', 'root_port'),
  value('rootPathCost', 'root_path_cost'),
  value('topologyChange', 'topology_change'),
  value('topologyChangeDetected', 'topology_change_detected'),
  timer('helloTimer', 'hello_timer'),
  timer('tcnTimer', 'tcn_timer'),
  timer('topologyChangeTimer', 'topology_change_timer'),
  timer('gcTimer', 'gc_timer'),
  value('vlanDefaultPvid', 'vlan_default_pvid'),
  value('vlanStatsEnabled', 'vlan_stats_enabled'),
  value('vlanStatsPerPort', 'vlan_stats_per_port'),
  hexAlways('groupFwdMask', 'group_fwd_mask'),
  value('groupAddr', 'group_addr', 'group_address'),
  value('mcastSnooping', 'mcast_snooping'),
  boolopts,
  value('mcastRouter', 'mcast_router'),
  value('mcastQueryUseIfaddr', 'mcast_query_use_ifaddr'),
  value('mcastQuerier', 'mcast_querier'),
  value('mcastHashElasticity', 'mcast_hash_elasticity'),
  value('mcastHashMax', 'mcast_hash_max'),
  value('mcastLastMemberCnt', 'mcast_last_member_cnt', 'mcast_last_member_count'),
  value('mcastStartupQueryCnt', 'mcast_startup_query_cnt', 'mcast_startup_query_count'),
  value('mcastLastMemberIntvl', 'mcast_last_member_intvl', 'mcast_last_member_interval'),
  value('mcastMembershipIntvl', 'mcast_membership_intvl', 'mcast_membership_interval'),
  value('mcastQuerierIntvl', 'mcast_querier_intvl', 'mcast_querier_interval'),
  value('mcastQueryIntvl', 'mcast_query_intvl', 'mcast_query_interval'),
  value('mcastQueryResponseIntvl', 'mcast_query_response_intvl', 'mcast_query_response_interval'),
  value('mcastStartupQueryIntvl', 'mcast_startup_query_intvl', 'mcast_startup_query_interval'),
  value('mcastStatsEnabled', 'mcast_stats_enabled'),
  value('mcastIgmpVersion', 'mcast_igmp_version'),
  value('mcastMldVersion', 'mcast_mld_version'),
  value('nfCallIptables', 'nf_call_iptables'),
  value('nfCallIp6tables', 'nf_call_ip6tables'),
  value('nfCallArptables', 'nf_call_arptables'),
]

/** Groups of 01:80:c2:00:00:0x that have a name. */
const FORWARDED: Readonly<Record<number, string>> = { 0: 'stp', 2: 'lacp', 14: 'lldp' }

function forwardMask(p: Printer, { groupFwdMask: mask }: Data): void {
  if (typeof mask !== 'number') return
  p.both('group_fwd_mask', hexText(mask), `group_fwd_mask ${hexText(mask)} `)
  const names: string[] = []
  for (let bit = 0; bit < 16; bit++)
    if ((mask >> bit) & 1) names.push(FORWARDED[bit] ?? hexText(1 << bit))
  const text = names.join(',') || '0x0'
  p.both('group_fwd_mask_str', text, `group_fwd_mask_str ${text} `)
}

/** In words alone: JSON has had it. */
function fastLeaveAgain(p: Printer, { fastLeave }: Data): void {
  if (fastLeave !== undefined) p.text(`mcast_fast_leave ${fastLeave ? 'on' : 'off'} `)
}

function backupPort(
  p: Printer,
  { backupPort: index }: Data,
  names: { name(i: number): string },
): void {
  if (typeof index === 'number')
    p.both('backup_port', names.name(index), `backup_port ${names.name(index)} `)
}

export const BRIDGE_PORT: readonly Row[] = [
  oneOf('state', 'state', []),
  value('priority', 'priority'),
  value('cost', 'cost'),
  onOff('mode', 'hairpin'),
  onOff('guard', 'guard'),
  onOff('protect', 'root_block'),
  onOff('fastLeave', 'fastleave'),
  onOff('learning', 'learning'),
  onOff('unicastFlood', 'flood'),
  hexAlways('id', 'id', 'port_id'),
  hexAlways('no', 'no', 'port_no'),
  value('designatedPort', 'designated_port'),
  value('designatedCost', 'designated_cost'),
  bridgeId('bridgeId', 'bridge_id', 'designated_bridge'),
  bridgeId('rootId', 'root_id', 'designated_root'),
  timer('holdTimer', 'hold_timer'),
  timer('messageAgeTimer', 'message_age_timer'),
  timer('forwardDelayTimer', 'forward_delay_timer'),
  value('topologyChangeAck', 'topology_change_ack'),
  value('configPending', 'config_pending'),
  onOff('proxyarp', 'proxy_arp'),
  onOff('proxyarpWifi', 'proxy_arp_wifi'),
  value('multicastRouter', 'multicast_router', 'mcast_router'),
  fastLeaveAgain,
  onOff('mcastFlood', 'mcast_flood'),
  onOff('bcastFlood', 'bcast_flood'),
  onOff('mcastToUcast', 'mcast_to_unicast'),
  onOff('neighSuppress', 'neigh_suppress'),
  forwardMask,
  onOff('vlanTunnel', 'vlan_tunnel'),
  onOff('isolated', 'isolated'),
  onOff('locked', 'locked'),
  backupPort,
]
