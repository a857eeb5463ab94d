/** Events as JSON, one to a line: what `ip -j` says of the object, and what became of it. */
import type { Address, Link, Neighbour, Route, Rule, WatchEvent } from '../index.ts'
import { showAddress } from './addr-show.ts'
import type { LinkNames } from './link-names.ts'
import { showLink } from './link-show.ts'
import { showNeighbour } from './neigh-show.ts'
import { JsonPrinter } from './printer.ts'
import { showRoute } from './route-show.ts'
import { showRule } from './rule-show.ts'

type Resync = Extract<WatchEvent, { type: 'resync' }>

/** One line at a time. */
export class EventJson {
  readonly #names: LinkNames
  readonly #details: boolean
  #p = new JsonPrinter()

  constructor(names: LinkNames, details: boolean) {
    this.#names = names
    this.#details = details
  }

  /** One line of `nlkit monitor -j`. */
  line(event: WatchEvent, now: Date): string {
    this.#p = new JsonPrinter()
    const p = this.#p
    p.open()
    p.member('ts', now.toISOString())
    p.member('type', event.type)
    if ('op' in event) p.member('op', event.op)
    this.#subject(event)
    p.close()
    return p.take()
  }

  #subject(event: WatchEvent): void {
    if (event.type === 'link') this.#object('link', () => this.#link(event.link))
    else if (event.type === 'addr') this.#object('address', () => this.#address(event.address))
    else if (event.type === 'route') this.#object('route', () => this.#route(event.route))
    else if (event.type === 'neigh')
      this.#object('neighbour', () => this.#neighbour(event.neighbour))
    else if (event.type === 'rule') this.#object('rule', () => this.#rule(event.rule))
    else if (event.type === 'overrun') this.#p.member('source', event.source)
    else this.#resync(event)
  }

  #object(name: string | null, show: () => void): void {
    this.#p.open(name)
    show()
    this.#p.close()
  }
  #list<T>(name: string, items: readonly T[] | undefined, show: (item: T) => void): void {
    if (!items) return
    this.#p.openList(name)
    for (const item of items) this.#object(null, () => show(item))
    this.#p.closeList()
  }

  readonly #link = (link: Link): void => {
    const view = { details: this.#details, statistics: 0, isLink: true }
    showLink(this.#p, link, this.#names, view)
  }
  readonly #address = (address: Address): void => {
    this.#p.member('dev', this.#names.name(address.ifindex))
    showAddress(this.#p, address, this.#names, false)
  }
  readonly #route = (route: Route): void => {
    showRoute(this.#p, route, this.#names, { details: this.#details })
  }
  readonly #neighbour = (neighbour: Neighbour): void => {
    showNeighbour(this.#p, neighbour, this.#names)
  }
  readonly #rule = (rule: Rule): void => showRule(this.#p, rule, this.#details)

  #resync({ links, addresses, routes, neighbours, rules }: Resync): void {
    this.#list('links', links, this.#link)
    this.#list('addresses', addresses, this.#address)
    this.#list('routes', routes, this.#route)
    this.#list('neighbours', neighbours, this.#neighbour)
    this.#list('rules', rules, this.#rule)
  }
}
