/** Events as JSON, one to a line: what `ip -j` says of the object, and what became of it. */
import type { Link, WatchEvent } from '../index.ts'
import { addressJson } from './addr-json.ts'
import { linkJson } from './link-json.ts'
import type { LinkNames } from './link-names.ts'
import { neighbourJson } from './neigh-json.ts'
import { routeJson } from './route-json.ts'
import { ruleJson } from './rule-json.ts'

type Address = Extract<WatchEvent, { type: 'addr' }>['address']

function ownedAddressJson(address: Address, names: LinkNames): object {
  return { dev: names.name(address.ifindex), ...addressJson(address) }
}

function subjectJson(event: WatchEvent, names: LinkNames): object {
  switch (event.type) {
    case 'link':
      return { op: event.op, link: linkJson(event.link, names) }
    case 'addr':
      return { op: event.op, address: ownedAddressJson(event.address, names) }
    case 'route':
      return { op: event.op, route: routeJson(event.route, names) }
    case 'neigh':
      return { op: event.op, neighbour: neighbourJson(event.neighbour, names) }
    case 'rule':
      return { op: event.op, rule: ruleJson(event.rule) }
    case 'overrun':
      return { source: event.source }
    case 'resync':
      return {
        links: event.links?.map((link: Link) => linkJson(link, names)),
        addresses: event.addresses?.map((address) => ownedAddressJson(address, names)),
        routes: event.routes?.map((route) => routeJson(route, names)),
        neighbours: event.neighbours?.map((neighbour) => neighbourJson(neighbour, names)),
        rules: event.rules?.map((rule) => ruleJson(rule)),
      }
  }
}

/** One line of `nlkit monitor -j`. */
export function eventJson(event: WatchEvent, names: LinkNames, now: Date): object {
  return { ts: now.toISOString(), type: event.type, ...subjectJson(event, names) }
}
