/** What `ip -d link` says of a link's kind, and of its place under a master. */
import type { Link } from '../index.ts'
import { type Data, printRows, type Row } from './kind-rows.ts'
import { BOND, BOND_SLAVE } from './link-kind-bond-show.ts'
import { BRIDGE, BRIDGE_PORT } from './link-kind-bridge-show.ts'
import { CAN } from './link-kind-can-show.ts'
import {
  AMT,
  BAREUDP,
  DSA,
  GTP,
  HSR,
  IPOIB,
  IPVLAN,
  MACSEC,
  MACVLAN,
  RMNET,
  TUN,
  VLAN,
  VRF,
  WWAN,
  XFRM,
} from './link-kind-ethernet-show.ts'
import { GENEVE, GRE, GRE6, IP6TNL, IPTUN, VTI, VXLAN } from './link-kind-tunnel-show.ts'
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'

/** Kinds about which iproute2 6.1 has something to say. */
const KINDS: Readonly<Record<string, readonly Row[]>> = {
  amt: AMT,
  bareudp: BAREUDP,
  bond: BOND,
  bridge: BRIDGE,
  can: CAN,
  dsa: DSA,
  erspan: GRE,
  geneve: GENEVE,
  gre: GRE,
  gretap: GRE,
  gtp: GTP,
  hsr: HSR,
  ip6erspan: GRE6,
  ip6gre: GRE6,
  ip6gretap: GRE6,
  ip6tnl: IP6TNL,
  ipip: IPTUN,
  ipoib: IPOIB,
  ipvlan: IPVLAN,
  ipvtap: IPVLAN,
  macsec: MACSEC,
  macvlan: MACVLAN,
  macvtap: MACVLAN,
  rmnet: RMNET,
  sit: IPTUN,
  tun: TUN,
  vlan: VLAN,
  vrf: VRF,
  vti: VTI,
  vti6: VTI,
  vxlan: VXLAN,
  wwan: WWAN,
  xfrm: XFRM,
}
const MASTERS: Readonly<Record<string, readonly Row[]>> = {
  bond: BOND_SLAVE,
  bridge: BRIDGE_PORT,
  vrf: VRF,
}
/** Those of which it prints nothing where the kernel sent nothing. */
const ALWAYS: ReadonlySet<string> = new Set(['gtp'])

const CAN_COUNTERS = [
  ['restarts', 'restarts'],
  ['bus_error', 'busError'],
  ['arbitration_lost', 'arbitrationLost'],
  ['error_warning', 'errorWarning'],
  ['error_passive', 'errorPassive'],
  ['bus_off', 'busOff'],
] as const

/** Counters that only the kind has: of CAN controllers. */
function showCounters(p: Printer, { kind, xstats }: Link): void {
  if (kind !== 'can' || typeof xstats !== 'object') return
  p.open('info_xstats')
  p.line()
  p.text('\t  re-started bus-errors arbit-lost error-warn error-pass bus-off')
  p.line()
  p.text('\t ')
  for (const [name, member] of CAN_COUNTERS) {
    const count = (xstats as unknown as Data)[member]
    p.both(name, count, ` ${String(count).padEnd(10)}`)
  }
  p.close()
}

/** The kind, the master's kind, and what each of them keeps. */
export function showKind(p: Printer, link: Link, names: LinkNames, statistics: number): void {
  const { kind, data, slaveKind, slaveData } = link
  if (kind === undefined && slaveKind === undefined) return
  p.open('linkinfo')
  if (kind !== undefined) {
    p.line()
    p.both('info_kind', kind, `    ${kind} `)
    const rows = KINDS[kind]
    if (rows) {
      p.open('info_data')
      if (data || ALWAYS.has(kind)) printRows(p, rows, data ?? {}, names)
      p.close()
      if (statistics > 0) showCounters(p, link)
    }
  }
  if (slaveKind !== undefined) {
    p.line()
    p.both('info_slave_kind', slaveKind, `    ${slaveKind}_slave `)
    const rows = MASTERS[slaveKind]
    if (rows) {
      p.open('info_slave_data')
      if (slaveData) printRows(p, rows, slaveData, names)
      p.close()
    }
  }
  p.close()
}
