/** Multicast routes as ip(8) shows them, as JSON or as lines. */
import { RTNH_F_OFFLOAD, RTNH_F_UNRESOLVED } from '../families/rt-route-constants.ts'
import type { MulticastRoute } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { TABLES } from './names.ts'
import type { Printer } from './printer.ts'

export interface MulticastView {
  readonly statistics?: number
  readonly details?: boolean
  /** Whether the filter has named the table. */
  readonly table?: boolean
}

function showOutputs(p: Printer, { oifs }: MulticastRoute, names: LinkNames): void {
  if (oifs.length === 0) return
  p.openList('multipath')
  p.text('Oifs: ')
  for (const { oif, ttl } of oifs) {
    p.open()
    p.both('oif', names.name(oif), names.name(oif), 'cyan')
    if (ttl > 1) p.both('ttl', ttl, `(ttl ${ttl}) `)
    else p.text(' ')
    p.close()
  }
  p.closeList()
}

function showStatistics(p: Printer, route: MulticastRoute): void {
  const { packets, bytes, wrongIf, age } = route
  if (packets !== undefined) {
    p.line()
    p.both('packets', packets, `  ${packets} packets,`)
    p.both('bytes', bytes ?? 0, ` ${bytes ?? 0} bytes`)
    if (wrongIf) p.both('wrong_if', wrongIf, `, ${wrongIf} arrived on wrong iif.`)
  }
  if (age !== undefined) {
    const seconds = Number(age) / 100
    p.both('expires', seconds, `, Age ${seconds.toFixed(2)}`)
  }
}

/** A multicast route, with the end of its line. */
export function showMulticastRoute(
  p: Printer,
  route: MulticastRoute,
  names: LinkNames,
  view: MulticastView = {},
): void {
  const { source = 'unknown', group = 'unknown', iif, flags, table } = route
  p.member('src', source)
  p.member('dst', group)
  p.text(`${`(${source},${group})`.padEnd(32)} Iif: `)
  if (iif) p.both('iif', names.name(iif), `${names.name(iif).padEnd(10)} `, 'cyan')
  else p.both('iif', 'unresolved', 'unresolved ')
  showOutputs(p, route, names)
  const state = flags & RTNH_F_UNRESOLVED ? 'unresolved' : 'resolved'
  p.both('state', state, ` State: ${state}`)
  if (flags & RTNH_F_OFFLOAD) p.both('offload', null, ', offload')
  if (view.statistics) showStatistics(p, route)
  if (table !== 0 && (table !== 'main' || view.details) && !view.table)
    p.both('table', TABLES.name(table), ` Table: ${TABLES.name(table)}`)
  p.text('\n')
}
