/** Events as JSON, one to a line: what `ip -j` says of the object, and what became of it. */
import type { Topic, WatchEvent } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { type AnyChange, type EventView, showSubject } from './monitor-show.ts'
import { JsonPrinter } from './printer.ts'

type Resync = Extract<WatchEvent, { type: 'resync' }>

/** The member that has the object; what a resync calls them; and the member of an event. */
const MEMBERS: Readonly<
  Record<Topic, readonly [one: string, many: keyof Resync | '', own: string]>
> = {
  link: ['link', 'links', 'link'],
  port: ['port', '', 'port'],
  addr: ['address', 'addresses', 'address'],
  route: ['route', 'routes', 'route'],
  mroute: ['multicastRoute', 'multicastRoutes', 'multicastRoute'],
  neigh: ['neighbour', 'neighbours', 'neighbour'],
  fdb: ['entry', 'entries', 'entry'],
  rule: ['rule', 'rules', 'rule'],
  nexthop: ['nexthop', 'nexthops', 'nexthop'],
  bucket: ['bucket', 'buckets', 'bucket'],
  netconf: ['netconf', 'netconfs', 'netconf'],
  nsid: ['namespace', 'namespaces', 'namespace'],
  prefix: ['prefix', '', 'announced'],
  stats: ['statistics', '', 'statistics'],
}

/** One line at a time. */
export class EventJson {
  readonly #details: boolean
  #p = new JsonPrinter()
  #nexthop: EventView['nexthop']

  constructor(details: boolean) {
    this.#details = details
  }

  /** One line of `nlkit monitor -j`. */
  line(event: WatchEvent, names: LinkNames, now: Date, nexthop?: EventView['nexthop']): string {
    this.#nexthop = nexthop
    this.#p = new JsonPrinter()
    const p = this.#p
    p.open()
    p.member('ts', now.toISOString())
    p.member('type', event.type)
    if ('op' in event) p.member('op', event.op)
    if ('nsid' in event) p.member('nsid', event.nsid)
    if (event.type === 'overrun') p.member('source', event.source)
    else if (event.type === 'resync') this.#resync(event as Resync, names)
    else this.#object(MEMBERS[event.type][0], event as AnyChange, names)
    p.close()
    return p.take()
  }

  #object(name: string | null, event: AnyChange, names: LinkNames): void {
    this.#p.open(name)
    const view = { details: this.#details, statistics: 0, isLink: true, nexthop: this.#nexthop }
    showSubject(this.#p, event, names, view)
    this.#p.close()
  }

  /** The lists, each object told as that of an event. */
  #resync(event: Resync, names: LinkNames): void {
    for (const [type, [, many, own]] of Object.entries(MEMBERS)) {
      const items = many === '' ? undefined : event[many]
      if (!Array.isArray(items)) continue
      this.#p.openList(many)
      for (const item of items)
        this.#object(null, { type, op: 'new', [own]: item } as unknown as AnyChange, names)
      this.#p.closeList()
    }
  }
}
