/** Events as lines of text: the time, a mark, what it is about. */
import type { Link, WatchEvent } from '../index.ts'
import {
  addressLine,
  fullName,
  linkLine,
  neighbourLine,
  routeLine,
  ruleLine,
} from './brief-lines.ts'
import { flagNames } from './link-head-show.ts'
import type { LinkNames } from './link-names.ts'
import { type AnyChange, showSubject } from './monitor-show.ts'
import type { Output, Style } from './output.ts'
import { TextPrinter } from './printer.ts'

type Resync = Extract<WatchEvent, { type: 'resync' }>

/** `+` new, `-` gone, `~` changed, `!` lost: the colour only repeats it. */
const STYLES: Readonly<Record<string, Style>> = {
  '+': 'green',
  '-': 'red',
  '~': 'cyan',
  '!': 'yellow',
}

/** Hours to milliseconds, of the clock on the wall. */
function clockTime(now: Date): string {
  const digits = (number: number, length = 2) => String(number).padStart(length, '0')
  const parts = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => digits(part))
  return `${parts.join(':')}.${digits(now.getMilliseconds(), 3)}`
}

/** `mtu 1500 → 9000`, of what a change of a link shows. */
function differences(before: Link, after: Link, names: LinkNames): string[] {
  const shown = (link: Link) => ({
    name: link.ifname,
    mtu: link.mtu,
    state: link.operstate,
    flags: flagNames(link, names).join(','),
    master: link.master ? names.name(link.master) : 'none',
    address: link.address,
    qdisc: link.qdisc,
    qlen: link.txqlen,
    group: link.group,
    alias: link.ifalias ?? 'none',
  })
  const old = shown(before)
  return Object.entries(shown(after))
    .filter(([key, value]) => old[key as keyof typeof old] !== value)
    .map(([key, value]) => `${key} ${old[key as keyof typeof old]} → ${value}`)
}

function resyncText(event: Resync): string {
  const counts = Object.entries(event)
    .filter(([, list]) => Array.isArray(list))
    .map(([what, list]) => `${(list as unknown[]).length} ${what}`)
  return `resync  the state now: ${counts.join(', ')}`
}

/** What is said of a loss. */
export function lossText(event: Extract<WatchEvent, { type: 'overrun' | 'resync' }>): string {
  if (event.type === 'resync') return resyncText(event)
  return `overrun  ${event.source === 'kernel' ? 'the kernel' : 'we'} dropped events`
}

export class EventPrinter {
  readonly #out: Output

  constructor(out: Output) {
    this.#out = out
  }

  /** The line of an event; call it before the names have learned of it. */
  line(event: WatchEvent, names: LinkNames, now: Date): string {
    const [mark, text] = tell(event, names)
    const space = 'nsid' in event && event.nsid !== undefined ? `[${event.nsid}] ` : ''
    return `${this.#out.style('dim', clockTime(now))}  ${this.#out.style(STYLES[mark]!, mark)}  ${space}${text}`
  }
}

function tell(event: WatchEvent, names: LinkNames): [mark: string, text: string] {
  switch (event.type) {
    case 'overrun':
    case 'resync':
      return ['!', lossText(event)]
    case 'link':
      return tellLink(event.op, event.link, names)
    case 'addr':
      return [sign(event.op), `addr  ${addressLine(event.address, names)}`]
    case 'route':
      return [sign(event.op), `route ${routeLine(event.route, names)}`]
    case 'neigh':
      return [sign(event.op), `neigh ${neighbourLine(event.neighbour, names)}`]
    case 'rule':
      return [sign(event.op), `rule  ${ruleLine(event.rule)}`]
    default:
      return [sign(event.op), `${event.type.padEnd(5)} ${onOneLine(event as AnyChange, names)}`]
  }
}

function tellLink(op: 'new' | 'del', link: Link, names: LinkNames): [mark: string, text: string] {
  const before = names.link(link.ifindex)
  if (op === 'del' || before === undefined) return [sign(op), `link  ${linkLine(link, names)}`]
  const changes = differences(before, link, names)
  const index = String(link.ifindex).padStart(2)
  const name = fullName(before, names)
  return ['~', `link  ${index}: ${name}  ${changes.join('  ') || 'as before'}`]
}

function sign(op: 'new' | 'del'): string {
  return op === 'new' ? '+' : '-'
}

/** What ip(8) says of it, as one line. */
function onOneLine(event: AnyChange, names: LinkNames): string {
  const p = new TextPrinter((_style, text) => text)
  showSubject(p, event, names, { details: false, statistics: 0, isLink: false })
  return p
    .take()
    .trim()
    .split(/\s*\n\s*/)
    .join(' ')
}
