/** Counters of links, as `ip -s` and `ip -s -s` lay them out. */
import type { Link } from '../index.ts'
import type { Printer } from './printer.ts'

export type Stats64 = NonNullable<Link['stats64']>
type Counter = bigint | number

/** Widths that the columns have at least: of their headings. */
const LEAST = [
  '*X errors:',
  'packets',
  'errors',
  'dropped',
  'heartbt',
  'overrun',
  'compressed',
  'otherhost',
]

function grow(widths: number[], values: readonly (Counter | undefined)[]): void {
  for (const [i, value] of values.entries())
    widths[i] = Math.max(widths[i] ?? 0, String(value ?? 0).length)
}

/** Headings and numbers, each right-aligned in its column. */
function row(widths: readonly number[], cells: readonly (string | Counter)[]): string {
  return cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join(' ')
}

function members(
  p: Printer,
  name: string,
  rows: readonly (readonly [string, Counter | undefined])[],
) {
  p.open(name)
  for (const [member, value] of rows) if (value !== undefined) p.member(member, value)
  p.close()
}

function some(value: Counter | undefined): Counter | undefined {
  return value ? value : undefined
}

export function statisticsMembers(
  p: Printer,
  s: Stats64,
  carrierChanges: number | undefined,
  level: number,
): void {
  const isMore = level > 1
  members(p, 'rx', [
    ['bytes', s.rxBytes],
    ['packets', s.rxPackets],
    ['errors', s.rxErrors],
    ['dropped', s.rxDropped],
    ['over_errors', s.rxOverErrors],
    ['multicast', s.multicast],
    ['compressed', some(s.rxCompressed)],
    ...(isMore
      ? ([
          ['length_errors', s.rxLengthErrors],
          ['crc_errors', s.rxCrcErrors],
          ['frame_errors', s.rxFrameErrors],
          ['fifo_errors', s.rxFifoErrors],
          ['missed_errors', s.rxMissedErrors],
          ['nohandler', some(s.rxNohandler)],
          ['otherhost', some(s.rxOtherhostDropped)],
        ] as const)
      : []),
  ])
  members(p, 'tx', [
    ['bytes', s.txBytes],
    ['packets', s.txPackets],
    ['errors', s.txErrors],
    ['dropped', s.txDropped],
    ['carrier_errors', s.txCarrierErrors],
    ['collisions', s.collisions],
    ['compressed', some(s.txCompressed)],
    ...(isMore
      ? ([
          ['aborted_errors', s.txAbortedErrors],
          ['fifo_errors', s.txFifoErrors],
          ['window_errors', s.txWindowErrors],
          ['heartbeat_errors', s.txHeartbeatErrors],
          ['carrier_changes', carrierChanges],
        ] as const)
      : []),
  ])
}

/** The columns' widths: the most digits of what stands in them, in both directions. */
function widthsOf(s: Stats64, changes: number | undefined, isMore: boolean): number[] {
  const widths = LEAST.map((heading) => heading.length)
  grow(widths, [
    s.rxBytes,
    s.rxPackets,
    s.rxErrors,
    s.rxDropped,
    s.rxMissedErrors,
    s.multicast,
    s.rxCompressed,
  ])
  grow(widths, [
    s.txBytes,
    s.txPackets,
    s.txErrors,
    s.txDropped,
    s.txCarrierErrors,
    s.collisions,
    s.txCompressed,
  ])
  if (!isMore) return widths
  const rx = [s.rxLengthErrors, s.rxCrcErrors, s.rxFrameErrors, s.rxFifoErrors, s.rxOverErrors]
  grow(widths, [0, ...rx, s.rxNohandler, s.rxOtherhostDropped])
  grow(widths, [
    0,
    0,
    s.txAbortedErrors,
    s.txFifoErrors,
    s.txWindowErrors,
    s.txHeartbeatErrors,
    changes,
  ])
  return widths
}

function receivedLines(p: Printer, s: Stats64, w: readonly number[], isMore: boolean): void {
  const isPacked = Boolean(s.rxCompressed)
  const first = (w[0] ?? 0) - 4
  p.text(
    `    RX: ${row([first, ...w.slice(1)], ['bytes', 'packets', 'errors', 'dropped', 'missed', 'mcast', isPacked ? 'compressed' : ''])}`,
  )
  p.line()
  const counts = [s.rxBytes, s.rxPackets, s.rxErrors, s.rxDropped, s.rxMissedErrors, s.multicast]
  p.text(`    ${row(w, isPacked ? [...counts, s.rxCompressed ?? 0] : counts)} `)
  if (!isMore) return
  const also = [
    ...(s.rxNohandler ? ([['nohandler', s.rxNohandler, w[6]]] as const) : []),
    ...(s.rxOtherhostDropped ? ([['otherhost', s.rxOtherhostDropped, w[7]]] as const) : []),
  ]
  const columns = w.slice(1, 6)
  p.line()
  p.text(
    `    RX errors:${''.padStart((w[0] ?? 0) - 10)} ${row(columns, ['length', 'crc', 'frame', 'fifo', 'overrun'])}`,
  )
  for (const [heading, , width = 0] of also) p.text(` ${heading}`.padStart(width + 1))
  p.line()
  const errors = [s.rxLengthErrors, s.rxCrcErrors, s.rxFrameErrors, s.rxFifoErrors, s.rxOverErrors]
  p.text(`${''.padStart((w[0] ?? 0) + 5)}${row(columns, errors)} `)
  for (const [, count, width = 0] of also) p.text(`${String(count).padStart(width)} `)
}

function sentLines(
  p: Printer,
  s: Stats64,
  changes: number | undefined,
  w: readonly number[],
  isMore: boolean,
): void {
  const isPacked = Boolean(s.txCompressed)
  const first = (w[0] ?? 0) - 4
  p.text(
    `    TX: ${row([first, ...w.slice(1)], ['bytes', 'packets', 'errors', 'dropped', 'carrier', 'collsns', isPacked ? 'compressed' : ''])}`,
  )
  p.line()
  const counts = [s.txBytes, s.txPackets, s.txErrors, s.txDropped, s.txCarrierErrors, s.collisions]
  p.text(`    ${row(w, isPacked ? [...counts, s.txCompressed ?? 0] : counts)} `)
  if (!isMore) return
  const columns = w.slice(1, 6)
  p.line()
  p.text(
    `    TX errors:${''.padStart((w[0] ?? 0) - 10)} ${row(columns, ['aborted', 'fifo', 'window', 'heartbt', changes === undefined ? '' : 'transns'])}`,
  )
  p.line()
  const errors = [s.txAbortedErrors, s.txFifoErrors, s.txWindowErrors, s.txHeartbeatErrors]
  p.text(
    `${''.padStart((w[0] ?? 0) + 5)}${row(columns, changes === undefined ? errors : [...errors, changes])} `,
  )
}

/** Four lines, or eight: no end of line behind the last. */
export function statisticsLines(
  p: Printer,
  s: Stats64,
  carrierChanges: number | undefined,
  level: number,
): void {
  const isMore = level > 1
  const widths = widthsOf(s, carrierChanges, isMore)
  receivedLines(p, s, widths, isMore)
  p.line()
  sentLines(p, s, carrierChanges, widths, isMore)
}

/** A link's counters. */
export function showStatistics(p: Printer, link: Link, level: number): void {
  const { stats64, carrierChanges } = link
  if (!stats64) return
  if (!p.isJson) {
    statisticsLines(p, stats64, carrierChanges, level)
    return
  }
  p.open('stats64')
  statisticsMembers(p, stats64, carrierChanges, level)
  p.close()
}
