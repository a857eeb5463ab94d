/** `ip -d link` of bonds and of their members. */
import { type Data, linkName, oneOf, type Row, value } from './kind-rows.ts'
import type { Printer } from './printer.ts'

const ARP_VALIDATE = [
  'none',
  'active',
  'backup',
  'all',
  'filter',
  'filter_active',
  'filter_backup',
] as const

function targets(member: string, name: string): Row {
  return (p, data) => {
    const found = data[member] as readonly string[] | undefined
    if (!found || found.length === 0) return
    p.both(name, found, `${name} ${found.join(',')} `)
  }
}

function arpValidate(p: Printer, data: Data): void {
  const found = data.arpValidate
  if (typeof found !== 'number') return
  const name = ARP_VALIDATE[found] ?? String(found)
  p.both('arp_validate', found === 0 ? null : name, `arp_validate ${name} `)
}

const AD_INFO = [
  ['aggregator', 'aggregator'],
  ['numPorts', 'num_ports'],
  ['actorKey', 'actor_key'],
  ['partnerKey', 'partner_key'],
  ['partnerMac', 'partner_mac'],
] as const

function adInfo(p: Printer, data: Data): void {
  const info = data.adInfo as Data | undefined
  if (!info) return
  p.open('ad_info')
  for (const [member, name] of AD_INFO)
    if (info[member] !== undefined) p.both(name, info[member], `ad_${name} ${info[member]} `)
  p.close()
}

export const BOND: readonly Row[] = [
  oneOf('mode', 'mode', []),
  linkName('activeSlave', 'active_slave'),
  value('miimon', 'miimon'),
  value('updelay', 'updelay'),
  value('downdelay', 'downdelay'),
  value('peerNotifDelay', 'peer_notify_delay'),
  value('useCarrier', 'use_carrier'),
  value('arpInterval', 'arp_interval'),
  value('missedMax', 'arp_missed_max'),
  targets('arpIpTarget', 'arp_ip_target'),
  targets('nsIp6Target', 'ns_ip6_target'),
  arpValidate,
  oneOf('arpAllTargets', 'arp_all_targets', ['any', 'all']),
  linkName('primary', 'primary'),
  oneOf('primaryReselect', 'primary_reselect', []),
  oneOf('failOverMac', 'fail_over_mac', []),
  oneOf('xmitHashPolicy', 'xmit_hash_policy', []),
  value('resendIgmp', 'resend_igmp'),
  value('numPeerNotif', 'num_peer_notif', 'num_grat_arp'),
  value('allSlavesActive', 'all_slaves_active'),
  value('minLinks', 'min_links'),
  value('lpInterval', 'lp_interval'),
  value('packetsPerSlave', 'packets_per_slave'),
  oneOf('adLacpActive', 'ad_lacp_active', ['off', 'on'], 'lacp_active'),
  oneOf('adLacpRate', 'ad_lacp_rate', [], 'lacp_rate'),
  oneOf('adSelect', 'ad_select', []),
  adInfo,
  value('adActorSysPrio', 'ad_actor_sys_prio'),
  value('adUserPortKey', 'ad_user_port_key'),
  value('adActorSystem', 'ad_actor_system'),
  value('tlbDynamicLb', 'tlb_dynamic_lb'),
]

function upperCase(member: string, name: string): Row {
  return (p, data) => {
    const found = data[member]
    if (typeof found === 'number') p.both(`${name}_index`, found, `${name} ${found} `)
    else if (found !== undefined) {
      const shown = String(found).toUpperCase()
      p.both(name, shown, `${name} ${shown} `)
    }
  }
}

const PORT_STATES = [
  'active',
  'short_timeout',
  'aggregating',
  'in_sync',
  'collecting',
  'distributing',
  'defaulted',
  'expired',
] as const

function portState(member: string, name: string): Row {
  return (p, data) => {
    const found = data[member]
    if (typeof found !== 'number') return
    p.both(name, found, `${name} ${found} `)
    const names = PORT_STATES.filter((_, bit) => (found >> bit) & 1)
    p.both(`${name}_str`, names, `${name}_str <${names.join(',')}> `)
  }
}

export const BOND_SLAVE: readonly Row[] = [
  upperCase('state', 'state'),
  upperCase('miiStatus', 'mii_status'),
  value('linkFailureCount', 'link_failure_count'),
  value('permHwaddr', 'perm_hwaddr'),
  value('queueId', 'queue_id'),
  value('prio', 'prio'),
  value('adAggregatorId', 'ad_aggregator_id'),
  portState('adActorOperPortState', 'ad_actor_oper_port_state'),
  portState('adPartnerOperPortState', 'ad_partner_oper_port_state'),
]
