/** What bridges and bonds count besides, as `ip stats` tells it. */
import type { Statistics } from '../index.ts'
import type { Printer } from './printer.ts'

type Extended = NonNullable<Statistics['linkXstats']>
type Bridge = NonNullable<Extended['bridge']>
type Lacp = NonNullable<NonNullable<Extended['bond']>['ad']>

const INDENT = ' '.repeat(20)
/** struct br_mcast_stats: places of its numbers, each a pair, received and sent, but for the errors. */
const IGMP = { queries: [0, 2, 4], leaves: 6, reports: [8, 10, 12], errors: 14 } as const
const MLD = { queries: [15, 17], leaves: 19, reports: [21, 23], errors: 25 } as const

interface Places {
  readonly queries: readonly number[]
  readonly reports: readonly number[]
  readonly leaves: number
  readonly errors: number
}

/** Queries or reports of each version. */
function showVersions(
  p: Printer,
  [member, title]: readonly [member: string, title: string],
  places: readonly number[],
  at: (place: number) => bigint,
): void {
  p.open(member)
  p.text(`${INDENT}${title}:`)
  for (const [direction, offset] of [
    ['rx', 0],
    ['tx', 1],
  ] as const) {
    p.line()
    p.text(`${INDENT}  ${direction.toUpperCase()}:`)
    for (const [i, place] of places.entries()) {
      const count = at(place + offset)
      p.both(`${direction}_v${i + 1}`, count, ` v${i + 1} ${count}`)
    }
  }
  p.close()
  p.line()
}

function showProtocol(
  p: Printer,
  name: 'IGMP' | 'MLD',
  places: Places,
  at: (place: number) => bigint,
): void {
  const member = name.toLowerCase()
  showVersions(p, [`${member}_queries`, `${name} queries`], places.queries, at)
  showVersions(p, [`${member}_reports`, `${name} reports`], places.reports, at)
  const [rx, tx, errors] = [at(places.leaves), at(places.leaves + 1), at(places.errors)]
  p.open(`${member}_leaves`)
  p.text(`${INDENT}${name} leaves: `)
  p.both('rx', rx, `RX: ${rx} `)
  p.both('tx', tx, `TX: ${tx}`)
  p.close()
  p.line()
  p.both(`${member}_parse_errors`, errors, `${INDENT}${name} parse errors: ${errors}`)
  p.line()
}

function showMulticast(p: Printer, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = (place: number): bigint =>
    place * 8 + 8 <= view.byteLength ? view.getBigUint64(place * 8, true) : 0n
  p.open('multicast')
  showProtocol(p, 'IGMP', IGMP, at)
  showProtocol(p, 'MLD', MLD, at)
  p.close()
}

function showStp(p: Printer, stp: NonNullable<Bridge['stp']>): void {
  p.open('stp')
  p.text(`${INDENT}STP BPDU:  `)
  p.both('rx_bpdu', stp.rxBpdu, `RX: ${stp.rxBpdu} `)
  p.both('tx_bpdu', stp.txBpdu, `TX: ${stp.txBpdu}`)
  p.line()
  p.text(`${INDENT}STP TCN:   `)
  p.both('rx_tcn', stp.rxTcn, `RX: ${stp.rxTcn} `)
  p.both('tx_tcn', stp.txTcn, `TX: ${stp.txTcn}`)
  p.line()
  p.text(`${INDENT}STP Transitions: `)
  p.both('transition_blk', stp.transitionBlk, `Blocked: ${stp.transitionBlk} `)
  p.both('transition_fwd', stp.transitionFwd, `Forwarding: ${stp.transitionFwd}`)
  p.line()
  p.close()
}

const LACP = [
  ['lacpduRx', 'lacpdu_rx', 'LACPDU Rx'],
  ['lacpduTx', 'lacpdu_tx', 'LACPDU Tx'],
  ['lacpduUnknownRx', 'lacpdu_unknown_rx', 'LACPDU Unknown type Rx'],
  ['lacpduIllegalRx', 'lacpdu_illegal_rx', 'LACPDU Illegal Rx'],
  ['markerRx', 'marker_rx', 'Marker Rx'],
  ['markerTx', 'marker_tx', 'Marker Tx'],
  ['markerRespRx', 'marker_response_rx', 'Marker response Rx'],
  ['markerRespTx', 'marker_response_tx', 'Marker response Tx'],
  ['markerUnknownRx', 'marker_unknown_rx', 'Marker unknown type Rx'],
] as const

function showLacp(p: Printer, counts: Lacp): void {
  p.open('802.3ad')
  for (const [member, name, title] of LACP) {
    const count = counts[member]
    if (count === undefined) continue
    p.both(name, count, `${INDENT}${title} ${count}`)
    p.line()
  }
  p.close()
}

/** One suite of them, where the link has it. */
export function showExtended(
  p: Printer,
  suite: '802.3ad' | 'mcast' | 'stp',
  { bridge, bond }: Extended = {},
): void {
  const { mcast, stp } = bridge ?? {}
  const lacp = bond?.ad
  if (suite === 'mcast' && mcast) {
    p.line()
    showMulticast(p, mcast)
  } else if (suite === 'stp' && stp) {
    p.line()
    showStp(p, stp)
  } else if (suite === '802.3ad' && lacp) {
    p.line()
    showLacp(p, lacp)
  }
}
