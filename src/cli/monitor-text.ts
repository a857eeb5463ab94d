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
import type { Output, Style } from './output.ts'

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

export class EventPrinter {
  readonly #names: LinkNames
  readonly #out: Output

  constructor(names: LinkNames, out: Output) {
    this.#names = names
    this.#out = out
  }

  /** The line of an event; call it before the names have learned of it. */
  line(event: WatchEvent, now: Date): string {
    const [mark, text] = this.#tell(event)
    return `${this.#out.style('dim', clockTime(now))}  ${this.#out.style(STYLES[mark]!, mark)}  ${text}`
  }

  #tell(event: WatchEvent): [mark: string, text: string] {
    const names = this.#names
    switch (event.type) {
      case 'overrun':
        return ['!', `overrun  ${event.source === 'kernel' ? 'the kernel' : 'we'} dropped events`]
      case 'resync':
        return ['!', resyncText(event)]
      case 'link':
        return this.#link(event.op, event.link)
      case 'addr':
        return [sign(event.op), `addr  ${addressLine(event.address, names)}`]
      case 'route':
        return [sign(event.op), `route ${routeLine(event.route, names)}`]
      case 'neigh':
        return [sign(event.op), `neigh ${neighbourLine(event.neighbour, names)}`]
      case 'rule':
        return [sign(event.op), `rule  ${ruleLine(event.rule)}`]
    }
  }

  #link(op: 'new' | 'del', link: Link): [mark: string, text: string] {
    const before = this.#names.link(link.ifindex)
    if (op === 'del' || before === undefined)
      return [sign(op), `link  ${linkLine(link, this.#names)}`]
    const changes = differences(before, link, this.#names)
    const index = String(link.ifindex).padStart(2)
    const name = fullName(before, this.#names)
    return ['~', `link  ${index}: ${name}  ${changes.join('  ') || 'as before'}`]
  }
}

function sign(op: 'new' | 'del'): string {
  return op === 'new' ? '+' : '-'
}
