/** What ip(8) says of every link: its first lines, and what `-d` adds that no kind decides. */
import * as constants from '../families/rt-link-constants.ts'
import type { Link } from '../index.ts'
import { formatIpv4, formatIpv6 } from '../schema/index.ts'
import type { LinkNames } from './link-names.ts'
import { GROUPS, PROTO_DOWN_REASONS } from './names.ts'
import type { Printer } from './printer.ts'

const { IFF_POINTOPOINT, IFF_RUNNING, IFF_UP } = constants

/** Interface flags in the order in which ip(8) prints them; RUNNING shows as its absence. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [constants.IFF_LOOPBACK, 'LOOPBACK'],
  [constants.IFF_BROADCAST, 'BROADCAST'],
  [constants.IFF_POINTOPOINT, 'POINTOPOINT'],
  [constants.IFF_MULTICAST, 'MULTICAST'],
  [constants.IFF_NOARP, 'NOARP'],
  [constants.IFF_ALLMULTI, 'ALLMULTI'],
  [constants.IFF_PROMISC, 'PROMISC'],
  [constants.IFF_MASTER, 'MASTER'],
  [constants.IFF_SLAVE, 'SLAVE'],
  [constants.IFF_DEBUG, 'DEBUG'],
  [constants.IFF_DYNAMIC, 'DYNAMIC'],
  [constants.IFF_AUTOMEDIA, 'AUTOMEDIA'],
  [constants.IFF_PORTSEL, 'PORTSEL'],
  [constants.IFF_NOTRAILERS, 'NOTRAILERS'],
  [constants.IFF_UP, 'UP'],
  [constants.IFF_LOWER_UP, 'LOWER_UP'],
  [constants.IFF_DORMANT, 'DORMANT'],
  [constants.IFF_ECHO, 'ECHO'],
]
const NAMED_FLAGS = FLAGS.reduce((bits, [bit]) => bits | bit, IFF_RUNNING)

/** Hardware that ip(8) does not call as the kernel's constant does. */
const LINK_TYPES: Readonly<Record<string, string>> = {
  tunnel: 'ipip',
  ipgre: 'gre',
  ip6gre: 'gre6',
  localtlk: 'ltalk',
  ieee80211: 'ieee802.11',
  ieee80211_prism: 'ieee802.11/prism',
  ieee80211_radiotap: 'ieee802.11/radiotap',
  ieee802154: 'ieee802.15.4',
  ieee802154_monitor: 'ieee802.15.4/monitor',
  ieee802_tr: 'tr',
  appletlk: 'atalk',
  ipddp: 'ip/ddp',
}
/** Hardware without a name in iproute2 6.1. */
const UNNAMED: Readonly<Record<string, number>> = {
  rawip: 519,
  vsockmon: 826,
  mctp: 290,
  cisco: 513,
}

/** A link's flags as ip(8) names them: NO-CARRIER, the set ones, M-DOWN for a peer that is down. */
export function flagNames(link: Link, names: LinkNames): string[] {
  const { flags } = link
  const found = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
  if ((flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) === 0) found.unshift('NO-CARRIER')
  const rest = (flags & ~NAMED_FLAGS) >>> 0
  if (rest !== 0) found.push(rest.toString(16))
  if (link.link && link.linkNetnsid === undefined && names.isDown(link.link)) found.push('M-DOWN')
  return found
}

export function linkTypeName(type: Link['type']): string {
  if (typeof type === 'number') return `[${type}]`
  const unnamed = UNNAMED[type]
  return unnamed === undefined ? (LINK_TYPES[type] ?? type) : `[${unnamed}]`
}

/** Tunnels' hardware, whose addresses are IP addresses. */
const IP_HARDWARE: ReadonlySet<Link['type']> = new Set(['tunnel', 'sit', 'ipgre'] as const)
const IPV6_HARDWARE: ReadonlySet<Link['type']> = new Set(['tunnel6', 'ip6gre'] as const)

/** A link-layer address as ip(8) prints it: of a tunnel an IP address. */
export function hardwareAddress(address: string, type: Link['type'] | undefined): string {
  if (type === undefined) return address
  const isIpv4 = IP_HARDWARE.has(type) && address.length === 11
  const isIpv6 = IPV6_HARDWARE.has(type) && address.length === 47
  if (!isIpv4 && !isIpv6) return address
  const bytes = Uint8Array.from(address.split(':'), (part) => Number.parseInt(part, 16))
  const view = new DataView(bytes.buffer)
  return isIpv4 ? formatIpv4(view, 0) : formatIpv6(view, 0)
}

/** What a link stands on, or its peer: in JSON a name, or an index of another namespace. */
function showParent(p: Printer, link: Link, names: LinkNames): string {
  const { link: lower, linkNetnsid, ifname } = link
  if (lower === undefined) return ifname
  if (linkNetnsid !== undefined && lower !== 0) {
    p.member('link_index', lower)
    return `${ifname}@if${lower}`
  }
  p.member('link', lower === 0 ? null : names.name(lower))
  return `${ifname}@${lower === 0 ? 'NONE' : names.name(lower)}`
}

/** `name@parent`, padded to a column. */
export function showName(
  p: Printer,
  link: Link,
  names: LinkNames,
  pad: (name: string) => string,
): void {
  const whole = showParent(p, link, names)
  p.both('ifname', link.ifname, pad(whole), 'cyan')
}

export function showFlags(p: Printer, link: Link, names: LinkNames): void {
  const flags = flagNames(link, names)
  p.both('flags', flags, `<${flags.join(',')}> `)
}

export function upper(name: string | number | undefined): string {
  return String(name ?? 'unknown').toUpperCase()
}

const STATE_STYLES = { UP: 'green', DOWN: 'red' } as const

export function stateStyle(state: string) {
  return STATE_STYLES[state as keyof typeof STATE_STYLES]
}

/** A BPF program: iproute2 knows more than the id only with CAP_SYS_ADMIN and bpf(2). */
function showProgram(p: Printer, id: number): void {
  p.open('prog')
  p.both('id', id, `id ${id} `)
  p.close()
}

/** XDP's modes by number, as JSON has them, and as words. */
const XDP_MODES = { none: 0, drv: 1, skb: 2, hw: 3, multi: 4 } as const
const XDP_WORDS = { drv: 'xdp', skb: 'xdpgeneric', hw: 'xdpoffload', multi: 'xdpmulti' } as const

/** An XDP program: in JSON with its ids, in words its mode. */
export function showXdp(p: Printer, { xdp }: Link, withId: boolean): void {
  const mode = xdp?.attached
  if (!xdp || mode === undefined || mode === 'none') return
  const number = typeof mode === 'number' ? mode : XDP_MODES[mode]
  if (p.isJson) {
    p.open('xdp')
    p.member('mode', number)
    if (xdp.progId) showProgram(p, xdp.progId)
    p.openList('attached')
    const each = [
      [2, xdp.skbProgId],
      [1, xdp.drvProgId],
      [3, xdp.hwProgId],
    ] as const
    const all = each.some(([, id]) => id !== undefined) ? each : ([[number, xdp.progId]] as const)
    for (const [one, id] of all) {
      if (id === undefined) continue
      p.open()
      p.member('mode', one)
      showProgram(p, id)
      p.close()
    }
    p.closeList()
    p.close()
    return
  }
  const id = withId && xdp.progId ? `/id:${xdp.progId}` : ''
  p.text(`${typeof mode === 'number' ? `xdp[${mode}]` : XDP_WORDS[mode]}${id} `)
}

/** The programs, a line each. */
export function showXdpPrograms(p: Printer, { xdp }: Link): void {
  if (!xdp || p.isJson || xdp.attached === undefined || xdp.attached === 'none') return
  const each = [
    ['', xdp.progId],
    ...(xdp.attached === 'multi'
      ? ([
          ['generic', xdp.skbProgId],
          ['drv', xdp.drvProgId],
          ['offload', xdp.hwProgId],
        ] as const)
      : []),
  ] as const
  for (const [suffix, id] of each) {
    if (!id) continue
    p.line()
    p.text(`    prog/xdp${suffix} `)
    showProgram(p, id)
  }
}

const EVENTS: Readonly<Record<string, string>> = {
  reboot: 'REBOOT',
  features: 'FEATURE CHANGE',
  bonding_failover: 'BONDING FAILOVER',
  notify_peers: 'NOTIFY PEERS',
  igmp_resend: 'RESEND IGMP',
  bonding_options: 'BONDING OPTION',
}

export function showEvent(p: Printer, { event }: Link): void {
  if (event === undefined || event === 'none') return
  const name = EVENTS[event] ?? event
  p.both('event', name, `event ${name} `)
}

/** The hardware's type and addresses. */
export function showHardware(p: Printer, link: Link): void {
  const { type, address, broadcast, permAddress } = link
  const name = linkTypeName(type)
  p.line()
  p.both('link_type', name, `    link/${name} `)
  const show = (member: string, value: string) => {
    const shown = hardwareAddress(value, type)
    p.both(member, shown, shown, 'yellow')
  }
  if (address !== undefined) show('address', address)
  if (broadcast !== undefined) {
    const isPeer = (link.flags & IFF_POINTOPOINT) !== 0
    if (isPeer) p.member('link_pointtopoint', true)
    p.text(isPeer ? ' peer ' : ' brd ')
    show('broadcast', broadcast)
  }
  if (permAddress !== undefined && permAddress !== address) {
    p.text(' permaddr ')
    show('permaddr', permAddress)
  }
}

/** Other namespaces, and links that moved there. */
export function showNamespaces(p: Printer, link: Link, names: LinkNames): void {
  const { linkNetnsid, newNetnsid, newIfindex } = link
  const named = (id: number, word: string) => {
    const name = names.namespace(id)
    return name === undefined ? ` ${word}id ${id}` : ` ${word} ${name}`
  }
  if (linkNetnsid !== undefined) {
    p.member('link_netnsid', linkNetnsid)
    p.text(linkNetnsid < 0 ? ' link-netnsid unknown' : named(linkNetnsid, 'link-netns'))
  }
  if (newNetnsid !== undefined) p.text(named(newNetnsid, 'new-netns'))
  if (newIfindex !== undefined) p.text(` new-ifindex ${newIfindex}`)
}

export function showProtoDown(p: Printer, { protoDown, protoDownReason }: Link): void {
  if (protoDown) p.both('proto_down', true, ' protodown on ')
  const reasons = protoDownReason?.value
  if (protoDown === undefined || !reasons) return
  const found: string[] = []
  for (let bit = 0; bit < 8; bit++)
    if ((reasons >> bit) & 1) found.push(PROTO_DOWN_REASONS.name(bit))
  p.both('proto_down_reason', found, `protodown_reason <${found.join(',')}>`)
}

/** Group, queue length and what else stands on the first line behind the state. */
export function showGroup(p: Printer, { group }: Link): void {
  if (group === undefined) return
  const name = GROUPS.name(group)
  p.both('group', name, `group ${name} `)
}

const SIZES = [
  ['numTxQueues', 'num_tx_queues', 'numtxqueues'],
  ['numRxQueues', 'num_rx_queues', 'numrxqueues'],
  ['gsoMaxSize', 'gso_max_size', 'gso_max_size'],
  ['gsoMaxSegs', 'gso_max_segs', 'gso_max_segs'],
  ['tsoMaxSize', 'tso_max_size', 'tso_max_size'],
  ['tsoMaxSegs', 'tso_max_segs', 'tso_max_segs'],
  ['groMaxSize', 'gro_max_size', 'gro_max_size'],
  ['physPortName', 'phys_port_name', 'portname'],
  ['physPortId', 'phys_port_id', 'portid'],
  ['physSwitchId', 'phys_switch_id', 'switchid'],
  ['parentDevBusName', 'parentbus', 'parentbus'],
  ['parentDevName', 'parentdev', 'parentdev'],
] as const

/** Queues, sizes, ports: behind the kind's own. */
export function showSizes(p: Printer, link: Link): void {
  for (const [member, name, word] of SIZES) {
    const value = link[member]
    if (value === undefined) continue
    const shown = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    p.both(name, shown, `${word} ${shown} `)
  }
}

const LIMITS = [
  ['promiscuity', 'promiscuity', ' promiscuity'],
  ['allmulti', 'allmulti', ' allmulti'],
  ['minMtu', 'min_mtu', 'minmtu'],
  ['maxMtu', 'max_mtu', 'maxmtu'],
] as const

/** Promiscuity and the range of the MTU: in front of the kind's own. */
export function showLimits(p: Printer, link: Link): void {
  for (const [member, name, word] of LIMITS)
    if (link[member] !== undefined) p.both(name, link[member], `${word} ${link[member]} `)
}

const ADDRESS_MODES: Readonly<Record<string, string>> = { stable_privacy: 'stable_secret' }

export function showAddressMode(p: Printer, { afSpec }: Link): void {
  const mode = (afSpec as { inet6?: { addrGenMode?: string | number } } | undefined)?.inet6
    ?.addrGenMode
  if (mode === undefined) return
  const name =
    typeof mode === 'number'
      ? `0x${mode.toString(16).padStart(2, '0')}`
      : (ADDRESS_MODES[mode] ?? mode)
  p.both('inet6_addr_gen_mode', name, `addrgenmode ${name} `)
}
