/** What an event is about, as ip(8) shows it: text with the end of its line, or members of JSON. */
import type { AnnouncedPrefix, ChangeEvent, NamespaceId, Topic } from '../index.ts'
import { showAddress } from './addr-show.ts'
import type { LinkNames } from './link-names.ts'
import { showLink } from './link-show.ts'
import { showMulticastRoute } from './mroute-show.ts'
import { showForwardedAddress, showNeighbour } from './neigh-show.ts'
import { showNetconf } from './netconf.ts'
import { showBucket, showNexthop } from './nexthop-show.ts'
import type { Printer } from './printer.ts'
import type { RouteView } from './route-line.ts'
import { showRoute } from './route-show.ts'
import { showRule } from './rule-show.ts'
import { showHardwareStatistics } from './stats.ts'

export type AnyChange = ChangeEvent<Topic>

/** How much is told of each. */
export interface EventView {
  readonly details: boolean
  readonly statistics: number
  /** Whether of links all is told that `ip link` tells; ip(8)'s monitor tells what `ip addr` does. */
  readonly isLink: boolean
  /** Whether the command line has named the link, which is then not repeated. */
  readonly isOfOneLink?: boolean
  /** What `-d` tells of the next hop that a route refers to. */
  readonly nexthop?: RouteView['nexthop']
}

/** The names of links that an event mentions, by the members that have their indexes. */
export function mentioned(event: AnyChange): number[] {
  switch (event.type) {
    case 'link':
      return [event.link.link ?? 0, event.link.master ?? 0]
    case 'port':
      return [event.port.link ?? 0, event.port.master ?? 0]
    case 'addr':
      return [event.address.ifindex]
    case 'route': {
      const { oif = 0, iif = 0, multipath = [] } = event.route
      return [oif, iif, ...multipath.map((hop) => hop.oif)]
    }
    case 'mroute':
      return [event.multicastRoute.iif ?? 0, ...event.multicastRoute.oifs.map(({ oif }) => oif)]
    case 'neigh':
      return [event.neighbour.ifindex]
    case 'fdb':
      return [event.entry.ifindex]
    case 'nexthop':
      return [event.nexthop.oif ?? 0]
    case 'netconf':
      return [event.netconf.ifindex ?? 0]
    case 'prefix':
      return [event.announced.ifindex]
    case 'stats':
      return [event.statistics.ifindex]
    default:
      return []
  }
}

function showAnnounced(p: Printer, announced: AnnouncedPrefix, names: LinkNames): void {
  const { prefix, ifindex, onlink, autoconf, valid, preferred } = announced
  const [address = '', length] = prefix.split('/')
  p.both('address', address, `prefix ${address}`)
  p.both('prefixlen', Number(length), `/${length}`)
  p.both('dev', names.name(ifindex), `dev ${names.name(ifindex)} `)
  if (onlink) p.both('onlink', true, 'onlink ')
  if (autoconf) p.both('autoconf', true, 'autoconf ')
  if (valid !== undefined) p.both('valid', valid, `valid ${valid} `)
  if (preferred !== undefined) p.both('preferred', preferred, `preferred ${preferred} `)
  p.text('\n')
}

/** A namespace by its number, with the name that iproute2 has for it. */
export function showNamespace(
  p: Printer,
  { nsid, currentNsid }: NamespaceId,
  nameOf: (nsid: number) => string | undefined,
): void {
  if (nsid === undefined) p.text('nsid unassigned ')
  else p.both('nsid', nsid, `nsid ${nsid} `)
  if (currentNsid !== undefined)
    if (currentNsid < 0) p.text('current-nsid unassigned ')
    else p.both('current-nsid', currentNsid, `current-nsid ${currentNsid} `)
  const name = nameOf(currentNsid ?? nsid ?? -1)
  if (name !== undefined) p.both('name', name, `(iproute2 netns name: ${name})`)
  p.text('\n')
}

type Show<T extends Topic> = (
  p: Printer,
  event: ChangeEvent<T>,
  names: LinkNames,
  view: EventView,
) => void

/** Each topic's object, its last line ended. */
const SHOWS: { readonly [T in Topic]: Show<T> } = {
  link: (p, { link }, names, view) => showLink(p, link, names, view),
  port: (p, { port }, names, view) => showLink(p, port, names, view),
  addr: (p, { address }, names) => showAddress(p, address, names, true),
  route: (p, { route }, names, view) =>
    showRoute(p, route, names, { ...view, oif: view.isOfOneLink === true }),
  mroute: (p, { multicastRoute }, names, view) =>
    showMulticastRoute(p, multicastRoute, names, view),
  neigh: (p, { neighbour }, names, { statistics, isOfOneLink = false }) =>
    showNeighbour(p, neighbour, names, { statistics, isOfOneLink }),
  fdb: (p, { entry }, names, { statistics, isOfOneLink = false }) =>
    showForwardedAddress(p, entry, names, { statistics, isOfOneLink }),
  rule: (p, { rule }, _names, { details }) => showRule(p, rule, details),
  nexthop(p, { nexthop }, names, { details }) {
    showNexthop(p, nexthop, names, details)
    p.text('\n')
  },
  bucket: (p, { bucket }) => showBucket(p, bucket),
  netconf: (p, { netconf }, names) => showNetconf(p, netconf, names),
  nsid: (p, { namespace }, names) => showNamespace(p, namespace, (nsid) => names.namespace(nsid)),
  prefix: (p, { announced }, names) => showAnnounced(p, announced, names),
  stats: (p, { statistics }, names) => showHardwareStatistics(p, statistics, names),
}

/** The object of an event, its last line ended. */
export function showSubject(p: Printer, event: AnyChange, names: LinkNames, view: EventView): void {
  SHOWS[event.type](p, event as never, names, view)
}
