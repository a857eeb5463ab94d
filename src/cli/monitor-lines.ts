/** Events as `ip monitor` prints them. */
import type { Topic, WatchEvent } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { type AnyChange, type EventView, showSubject } from './monitor-show.ts'
import { lossText } from './monitor-text.ts'
import type { Output } from './output.ts'
import { TextPrinter } from './printer.ts'

/** What ip(8) puts before the events of a topic, where it is asked to. */
const LABELS: Readonly<Record<Topic, string>> = {
  link: '[LINK]',
  port: '[LINK]',
  addr: '[ADDR]',
  route: '[ROUTE]',
  mroute: '[MROUTE]',
  neigh: '[NEIGH]',
  fdb: '[NEIGH]',
  rule: '[RULE]',
  nexthop: '[NEXTHOP]',
  bucket: '[NEXTHOPBUCKET]',
  netconf: '[NETCONF]',
  nsid: '[NSID]',
  prefix: '[PREFIX]',
  stats: '[STATS]',
}

export interface LineView extends EventView {
  readonly oneline: boolean
  readonly label: boolean
  readonly allNamespaces: boolean
  readonly timestamp: 'long' | 'short' | undefined
}

const pad = (number: number, length = 2): string => String(number).padStart(length, '0')
const clock = (now: Date): string =>
  [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => pad(part)).join(':')

/** As `-t` (asctime(3)) and `-ts` have it; the microseconds are a clock's of milliseconds. */
function timestamp(now: Date, form: LineView['timestamp']): string {
  if (form === undefined) return ''
  const micro = now.getMilliseconds() * 1000
  if (form === 'short') {
    const date = [now.getFullYear(), pad(now.getMonth() + 1), pad(now.getDate())].join('-')
    return `[${date}T${clock(now)}.${pad(micro, 6)}] `
  }
  const [weekday, month] = now.toDateString().split(' ')
  const day = String(now.getDate()).padStart(2)
  const when = `${weekday} ${month} ${day} ${clock(now)} ${now.getFullYear()}`
  return `Timestamp: ${when} ${micro} usec\n`
}

export class EventLines {
  readonly #out: Output
  readonly #view: LineView

  constructor(out: Output, view: LineView) {
    this.#out = out
    this.#view = view
  }

  /** The lines of an event, with the end of the last. */
  text(event: WatchEvent, names: LinkNames, now: Date, nexthop?: EventView['nexthop']): string {
    const { label, allNamespaces, oneline } = this.#view
    const time = timestamp(now, this.#view.timestamp)
    if (event.type === 'overrun' || event.type === 'resync')
      return `${time}${label ? `[${event.type.toUpperCase()}]` : ''}${lossText(event)}\n`
    const space = event.nsid === undefined ? 'current' : event.nsid
    const head = `${allNamespaces ? `[nsid ${space}]` : ''}${label ? LABELS[event.type] : ''}`
    const p = new TextPrinter((style, text) => this.#out.style(style, text), oneline)
    if (event.op === 'del') p.text('Deleted ')
    showSubject(p, event as AnyChange, names, { ...this.#view, nexthop })
    return `${time}${head}${p.take()}`
  }
}
