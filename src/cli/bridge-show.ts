/** What bridge(8) says of ports, forwarding entries and multicast groups. */
import * as rtMdb from '../families/rt-mdb.ts'
import {
  NTF_EXT_LEARNED,
  NTF_EXT_LOCKED,
  NTF_MASTER,
  NTF_OFFLOADED,
  NTF_ROUTER,
  NTF_SELF,
  NTF_STICKY,
} from '../families/rt-neigh.ts'
import type { BridgeGroup, BridgeRouter, ForwardingEntry, Link } from '../index.ts'
import { type Data, oneOf, onOff, type Row, value } from './kind-rows.ts'
import { showFlags, showName } from './link-head-show.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS } from './names.ts'
import { stateNames } from './neigh-show.ts'
import type { Printer } from './printer.ts'

/** What an output has been asked for. */
export interface BridgeView {
  readonly details: boolean
  readonly statistics: number
  /** The link has been named. */
  readonly isOfOneLink?: boolean
}

const PORT: readonly Row[] = [
  oneOf('state', 'state', []),
  value('priority', 'priority'),
  value('cost', 'cost'),
]

function backupPort(p: Printer, { backupPort: index }: Data, names: LinkNames): void {
  if (typeof index === 'number')
    p.both('backup_port', names.name(index), `backup_port ${names.name(index)} `)
}

const PORT_DETAILS: readonly Row[] = [
  onOff('mode', 'hairpin'),
  onOff('guard', 'guard'),
  onOff('protect', 'root_block'),
  onOff('fastLeave', 'fastleave'),
  onOff('learning', 'learning'),
  onOff('learningSync', 'learning_sync'),
  onOff('unicastFlood', 'flood'),
  onOff('mcastFlood', 'mcast_flood'),
  onOff('bcastFlood', 'bcast_flood'),
  value('multicastRouter', 'mcast_router'),
  onOff('mcastToUcast', 'mcast_to_unicast'),
  onOff('neighSuppress', 'neigh_suppress'),
  onOff('vlanTunnel', 'vlan_tunnel'),
  (p, data, names) => backupPort(p, data, names as LinkNames),
  onOff('isolated', 'isolated'),
  onOff('locked', 'locked'),
]

export function showPort(p: Printer, port: Link, names: LinkNames, view: BridgeView): void {
  const data = (port.protinfo ?? {}) as Data
  p.both('ifindex', port.ifindex, `${port.ifindex}: `)
  showName(p, port, names, (name) => `${name}: `)
  showFlags(p, names.link(port.ifindex) ?? port, names)
  if (port.mtu !== undefined) p.both('mtu', port.mtu, `mtu ${port.mtu} `)
  if (port.master !== undefined)
    p.both('master', names.name(port.master), `master ${names.name(port.master)} `)
  for (const row of PORT) row(p, data, names)
  if (view.details) {
    p.line()
    p.text('    ')
    for (const row of PORT_DETAILS) row(p, data, names)
  }
  p.text('\n')
}

const ENTRY_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [NTF_SELF, 'self'],
  [NTF_ROUTER, 'router'],
  [NTF_EXT_LEARNED, 'extern_learn'],
  [NTF_OFFLOADED, 'offload'],
  [NTF_MASTER, 'master'],
  [NTF_STICKY, 'sticky'],
]

/** The state of a forwarding entry: learned ones have none. */
export function forwardingState({ state }: Pick<ForwardingEntry, 'state'>): string {
  const names = stateNames(state)
  if (names.includes('PERMANENT')) return 'permanent'
  if (names.includes('NOARP')) return 'static'
  if (names.includes('STALE')) return 'stale'
  if (names.includes('REACHABLE')) return ''
  return names.length === 0 ? 'none' : `state=${names.join(',')}`
}

/** Numbers of a forwarding entry, by our names, bridge(8)'s and its words. */
const NUMBERS = [
  ['vlan', 'vlan', 'vlan'],
  ['port', 'port', 'port'],
  ['vni', 'vni', 'vni'],
  ['srcVni', 'src_vni', 'src_vni'],
] as const

export function showForwardingEntry(
  p: Printer,
  entry: ForwardingEntry,
  names: LinkNames,
  view: BridgeView,
): void {
  const { lladdr, ifindex, destination, viaIfindex, nhId, cacheinfo, master } = entry
  if (lladdr !== undefined) p.both('mac', lladdr, `${lladdr} `, 'yellow')
  if (!view.isOfOneLink && ifindex !== 0) {
    p.text('dev ')
    p.both('ifname', names.name(ifindex), `${names.name(ifindex)} `, 'cyan')
  }
  if (destination !== undefined) p.both('dst', destination, `dst ${destination} `)
  for (const [member, name, word] of NUMBERS) {
    const number = entry[member]
    if (number !== undefined) p.both(name, number, `${word} ${number} `)
  }
  if (viaIfindex !== undefined)
    p.both('viaIf', names.name(viaIfindex), `via ${names.name(viaIfindex)} `)
  if (nhId !== undefined) p.both('nhid', nhId, `nhid ${nhId} `)
  if (entry.linkNetnsid !== undefined)
    p.both('linkNetNsId', entry.linkNetnsid, `link-netnsid ${entry.linkNetnsid} `)
  if (view.statistics && cacheinfo) {
    const [used, updated] = [cacheinfo.used, cacheinfo.updated].map((n) => Math.floor(n / 100))
    p.both('used', used, `used ${used}`)
    p.both('updated', updated, `/${updated} `)
  }
  showEntryFlags(p, entry)
  if (master !== undefined) p.both('master', names.name(master), `master ${names.name(master)} `)
  const state = forwardingState(entry)
  p.both('state', state, state)
  p.text('\n')
}

function showEntryFlags(p: Printer, { flags, flagsExt = 0 }: ForwardingEntry): void {
  p.openList('flags')
  for (const [bit, name] of ENTRY_FLAGS) if (flags & bit) p.both(null, name, `${name} `)
  if (flagsExt & NTF_EXT_LOCKED) p.both(null, 'locked', 'locked ')
  p.closeList()
}

const GROUP_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [rtMdb.MDB_FLAGS_OFFLOAD, 'offload'],
  [rtMdb.MDB_FLAGS_FAST_LEAVE, 'fast_leave'],
  [rtMdb.MDB_FLAGS_STAR_EXCL, 'added_by_star_ex'],
  [rtMdb.MDB_FLAGS_BLOCKED, 'blocked'],
]

/** Hundredths of a second: ` 238.40`. */
function timer(ticks: number, width = 4): string {
  const rest = String(ticks % 100).padStart(2, '0')
  return `${String(Math.floor(ticks / 100)).padStart(width)}.${rest}`
}

function showSources(p: Printer, { sources }: BridgeGroup): void {
  if (sources.length === 0) return
  p.openList('source_list')
  p.text(' source_list ')
  for (const [i, source] of sources.entries()) {
    p.open()
    if (i > 0) p.text(',')
    p.both('address', source.address, source.address ?? '')
    const left = timer(source.timer ?? 0, 0)
    p.both('timer', left, `/${left}`)
    p.close()
  }
  p.closeList()
}

export function showGroup(
  p: Printer,
  group: BridgeGroup,
  bridge: number,
  names: LinkNames,
  view: BridgeView,
): void {
  p.member('index', bridge)
  p.both('dev', names.name(bridge), `dev ${names.name(bridge)}`)
  p.both('port', names.name(group.ifindex), ` port ${names.name(group.ifindex)}`)
  p.text(' grp ')
  p.both('grp', group.group, group.group, group.group.includes(':') ? 'blue' : 'magenta')
  if (group.source !== undefined) {
    p.text(' src ')
    p.both('src', group.source, group.source)
  }
  const state = group.permanent ? 'permanent' : 'temp'
  p.both('state', state, ` ${state}`)
  if (view.details) {
    const { filterMode, protocol } = group
    if (filterMode !== undefined) p.both('filter_mode', filterMode, ` filter_mode ${filterMode}`)
    showSources(p, group)
    if (protocol !== undefined)
      p.both('protocol', PROTOCOLS.name(protocol), ` proto ${PROTOCOLS.name(protocol)} `)
  }
  p.openList('flags')
  for (const [bit, name] of GROUP_FLAGS) if (group.flags & bit) p.both(null, name, ` ${name}`)
  p.closeList()
  if (group.vid !== undefined) p.both('vid', group.vid, ` vid ${group.vid}`)
  if (view.statistics && group.timer !== undefined)
    p.both('timer', timer(group.timer), ` ${timer(group.timer)}`)
  p.line()
}

/** Kinds of routers by number. */
const ROUTERS = ['disabled', 'temp_query', 'permanent', 'temp']

export function showRouter(
  p: Printer,
  { ifindex, timer: left, type }: BridgeRouter,
  names: LinkNames,
  { statistics }: BridgeView,
): void {
  p.both('port', names.name(ifindex), `${names.name(ifindex)} `)
  if (!statistics) return
  if (left !== undefined) p.both('timer', timer(left), timer(left))
  const kind = ROUTERS[type ?? -1] ?? 'unknown'
  if (type !== undefined) p.both('type', kind, ` ${kind}`)
}
