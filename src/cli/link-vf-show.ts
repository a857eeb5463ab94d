/** Virtual functions of a card, as `ip link` shows them. */
import type { Link } from '../index.ts'
import { formatMac } from '../schema/index.ts'
import { etherProtocol } from './kind-rows.ts'
import { linkTypeName } from './link-head-show.ts'
import type { Printer } from './printer.ts'

type Function = NonNullable<NonNullable<Link['vfinfoList']>['info']>[number]

/** Of an address that always has 32 bytes of room, those that count. */
function hardware(address: Uint8Array, { type }: Link): string {
  const view = new DataView(address.buffer, address.byteOffset)
  return formatMac(view, 0, type === 'ether' ? 6 : 20)
}

function vlans(p: Printer, vf: Function): void {
  const list = vf.vlanList?.info
  if (!list) {
    if (vf.vlan?.vlan) p.both('vlan', vf.vlan.vlan, `, vlan ${vf.vlan.vlan}`)
    if (vf.vlan?.qos) p.both('qos', vf.vlan.qos, `, qos ${vf.vlan.qos}`)
    return
  }
  p.openList('vlan_list')
  for (const { vlan, qos, vlanProto } of list) {
    p.open()
    if (vlan) p.both('vlan', vlan, `, vlan ${vlan}`)
    if (qos) p.both('qos', qos, `, qos ${qos}`)
    if (vlanProto && vlanProto !== 0x8100) {
      const name = etherProtocol(vlanProto)
      p.both('protocol', name, `, vlan protocol ${name}`)
    }
    p.close()
  }
  p.closeList()
}

function rates(p: Printer, { txRate, rate }: Function): void {
  if (txRate?.rate) p.both('tx_rate', txRate.rate, `, tx rate ${txRate.rate} (Mbps)`)
  if (!rate) return
  const { maxTxRate, minTxRate } = rate
  p.member('rate', { max_tx: maxTxRate, min_tx: minTxRate })
  if (maxTxRate) p.text(`, max_tx_rate ${maxTxRate}Mbps`)
  if (minTxRate) p.text(`, min_tx_rate ${minTxRate}Mbps`)
}

/** What means that a driver has no such switch. */
const ABSENT = 0xffffffff

function switchOf(p: Printer, setting: number | undefined, name: string, words: string): void {
  if (setting === undefined || setting === ABSENT) return
  p.both(name, setting !== 0, `, ${words} ${setting ? 'on' : 'off'}`)
}

function guid(p: Printer, value: bigint | undefined, name: string, word: string): void {
  if (value === undefined) return
  const digits = value.toString(16).padStart(16, '0')
  const text = digits.match(/../g)!.reverse().join(':')
  p.both(name, text, `, ${word} ${text}`)
}

const LINK_STATES = ['auto', 'enable'] as const

function counters(p: Printer, { stats: s }: Function): void {
  if (!s) return
  const drops = (value: bigint | undefined) => (value === undefined ? {} : { dropped: value })
  p.member('stats', {
    rx: {
      bytes: s.rxBytes,
      packets: s.rxPackets,
      multicast: s.multicast,
      broadcast: s.broadcast,
      ...drops(s.rxDropped),
    },
    tx: { tx_bytes: s.txBytes, tx_packets: s.txPackets, ...drops(s.txDropped) },
  })
  const line = (heading: string, cells: readonly (readonly [number, bigint | undefined])[]) => {
    p.line()
    p.text(heading)
    p.line()
    p.text(`    ${cells.map(([width, value]) => `${String(value).padStart(width)} `).join('')}`)
  }
  const received = s.rxDropped === undefined ? [] : ([[8, s.rxDropped]] as const)
  line(`    RX: bytes  packets  mcast   bcast ${received.length > 0 ? '  dropped ' : ''}`, [
    [10, s.rxBytes],
    [8, s.rxPackets],
    [7, s.multicast],
    [7, s.broadcast],
    ...received,
  ])
  const sent = s.txDropped === undefined ? [] : ([[8, s.txDropped]] as const)
  line(`    TX: bytes  packets ${sent.length > 0 ? '  dropped ' : ''}`, [
    [10, s.txBytes],
    [8, s.txPackets],
    ...sent,
  ])
}

function showFunction(p: Printer, link: Link, vf: Function, statistics: number): void {
  const type = linkTypeName(link.type)
  p.line()
  p.text('    ')
  p.both('vf', vf.mac?.vf ?? 0, `vf ${vf.mac?.vf ?? 0} `)
  p.both('link_type', type, `    link/${type} `)
  if (vf.mac) p.both('address', hardware(vf.mac.mac, link), hardware(vf.mac.mac, link), 'yellow')
  if (vf.broadcast) {
    p.text(' brd ')
    p.both(
      'broadcast',
      hardware(vf.broadcast.broadcast, link),
      hardware(vf.broadcast.broadcast, link),
      'yellow',
    )
  }
  vlans(p, vf)
  rates(p, vf)
  switchOf(p, vf.spoofchk?.setting, 'spoofchk', 'spoof checking')
  guid(p, vf.ibNodeGuid?.guid, 'node guid', 'NODE_GUID')
  guid(p, vf.ibPortGuid?.guid, 'port guid', 'PORT_GUID')
  if (vf.linkState) {
    const state = LINK_STATES[vf.linkState.linkState] ?? 'disable'
    p.both('link_state', state, `, link-state ${state}`)
  }
  switchOf(p, vf.trust?.setting, 'trust', 'trust')
  switchOf(p, vf.rssQueryEn?.setting, 'query_rss_en', 'query_rss')
  if (statistics > 0) counters(p, vf)
}

/** All virtual functions of a link that has any. */
export function showVirtualFunctions(p: Printer, link: Link, statistics: number): void {
  if (link.vfinfoList === undefined || link.numVf === undefined) return
  p.openList('vfinfo_list')
  for (const vf of link.vfinfoList.info ?? []) {
    p.open()
    showFunction(p, link, vf, statistics)
    p.close()
  }
  p.closeList()
}
