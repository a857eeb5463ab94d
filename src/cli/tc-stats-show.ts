/** Counters of qdiscs, classes and actions, as tc(8) shows them. */
import type { Qdisc } from '../index.ts'
import type { Printer } from './printer.ts'
import { rateText, sizeText } from './tc-units.ts'

export type Counters = NonNullable<Qdisc['stats2']>

function showRate(p: Printer, { rateEst, rateEst64 }: Counters, prefix: string): void {
  const rate = rateEst64 ?? rateEst
  if (!rate) return
  p.text(`\n${prefix}`)
  p.both('rate', rate.bps, `rate ${rateText(rate.bps)}`)
  p.both('pps', rate.pps, ` ${rate.pps}pps`)
}

/** Two lines, or three with a rate: no end of line behind the last. */
export function showCounters(p: Printer, counters: Counters, prefix: string): void {
  const { basic, pkt64, queue, rateEst } = counters
  if (basic) {
    const packets = pkt64 || basic.packets
    p.text(prefix)
    p.both('bytes', basic.bytes, `Sent ${basic.bytes} bytes`)
    p.both('packets', packets, ` ${packets} pkt`)
  }
  if (queue) {
    p.both('drops', queue.drops, ` (dropped ${queue.drops}`)
    p.both('overlimits', queue.overlimits, `, overlimits ${queue.overlimits}`)
    p.both('requeues', queue.requeues, ` requeues ${queue.requeues}) `)
  }
  showRate(p, counters, prefix)
  if (!queue) return
  if (!rateEst) p.line()
  p.text(prefix)
  p.both('backlog', queue.backlog, `backlog ${sizeText(queue.backlog)}`)
  p.both('qlen', queue.qlen, ` ${queue.qlen}p`)
  p.text(` requeues ${queue.requeues}`)
}

/** What classes of htb lent to one another, in `struct tc_htb_xstats`. */
export function showLoans(p: Printer, { app }: Counters): void {
  if (!app || app.length < 20) return
  const view = new DataView(app.buffer, app.byteOffset, app.byteLength)
  const [lends, borrows, giants, tokens, ctokens] = [0, 4, 8, 12, 16].map((at) =>
    at < 12 ? view.getUint32(at, true) : view.getInt32(at, true),
  )
  p.both('lended', lends, ` lended: ${lends}`)
  p.both('borrowed', borrows, ` borrowed: ${borrows}`)
  p.both('giants', giants, ` giants: ${giants}`)
  p.both('tokens', tokens, `\n tokens: ${tokens}`)
  p.both('ctokens', ctokens, ` ctokens: ${ctokens}\n\n`)
}
