/**
 * What a kernel announced, in a form that can be compared with what another one did.
 *
 * Whether packets can pass (carrier, operstate) Linux finds out in a work queue of its own, at a
 * moment that nobody can foresee (net/core/link_watch.c). What that queue announces is therefore no
 * part of the order: of each link its last word counts, and stands at the end.
 */
import type { Link, WatchEvent } from '../../index.ts'
import { ownAndPeer } from '../addr-show.ts'
import { destinationOf } from '../brief-lines.ts'
import { LinkNames } from '../link-names.ts'
import { EventJson } from '../monitor-json.ts'

const NOWHEN = new Date(0)
/** A link-layer address that was drawn by lot. */
const RANDOM_MAC = /"(?!00:00:00|ff:ff:ff)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"/g

/** An event as a short line to be shown, and as whole JSON to be compared. */
interface Entry {
  readonly line: string
  readonly json: string
}

export class Transcript {
  readonly #ordered: Entry[] = []
  /** What the link watch said last, by index. */
  readonly #carriers = new Map<number, Entry>()
  readonly #names = new LinkNames()

  add(event: WatchEvent): void {
    if (event.type === 'link' && event.op === 'new') this.#names.learn(event.link)
    const isCarrier = event.type === 'link' && event.link.change === 0
    const entry = { line: this.#line(event, isCarrier), json: this.#json(event, isCarrier) }
    if (isCarrier) this.#carriers.set(event.link.ifindex, entry)
    else this.#ordered.push(entry)
  }

  /** The events in their order, then what became of each link's carrier. */
  entries(): Entry[] {
    const carriers = [...this.#carriers].sort(([a], [b]) => a - b)
    return [...this.#ordered, ...carriers.map(([, entry]) => entry)]
  }

  #json(event: WatchEvent, isCarrier: boolean): string {
    const line = new EventJson(false).line(event, this.#names, NOWHEN)
    const json = JSON.parse(line) as { link?: Record<string, unknown> }
    if (event.type === 'link' && json.link && !isCarrier) {
      delete json.link.operstate
      json.link.flags = (json.link.flags as string[]).filter((flag) => flag !== 'NO-CARRIER')
    }
    return JSON.stringify(json).replace(RANDOM_MAC, '"MAC"')
  }

  #line(event: WatchEvent, isCarrier: boolean): string {
    switch (event.type) {
      case 'link':
        return isCarrier ? carrierLine(event.link) : `${sign(event)} ${linkLine(event.link)}`
      case 'addr': {
        const { prefixlen, ifindex } = event.address
        const { own } = ownAndPeer(event.address)
        return `${sign(event)} addr ${own}/${prefixlen} dev ${this.#names.name(ifindex)}`
      }
      case 'route': {
        const { oif, table } = event.route
        const dev = oif === undefined ? '' : ` dev ${this.#names.name(oif)}`
        return `${sign(event)} route ${destinationOf(event.route)}${dev} table ${table}`
      }
      default:
        return `! ${event.type}`
    }
  }
}

function linkLine({ ifname, mtu, up }: Link): string {
  return `link ${ifname} mtu ${mtu} ${up ? 'up' : 'down'}`
}

function carrierLine({ ifname, operstate }: Link): string {
  return `~ link ${ifname} state ${operstate}`
}

function sign({ op }: { readonly op: 'new' | 'del' }): string {
  return op === 'new' ? '+' : '-'
}

/** Whether an event is of IPv6, whose own address configuration goes on in the background. */
export function isIpv6(event: WatchEvent): boolean {
  if (event.type === 'addr') return event.address.family === 'inet6'
  return event.type === 'route' && event.route.family === 'inet6'
}
