/** Routes as lines of text. */
import type { Route } from '../index.ts'
import type { GlobalOptions } from './command.ts'
import { details } from './details.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS, SCOPES, TABLES } from './names.ts'
import type { Output } from './output.ts'
import { routeFlagNames, shortPrefix } from './route-json.ts'

const COLUMNS = [
  { heading: 'DESTINATION' },
  { heading: 'VIA' },
  { heading: 'DEV' },
  { heading: 'SRC' },
  { heading: 'METRIC', align: 'right' },
  { heading: 'PROTO' },
  { heading: 'SCOPE' },
  { heading: 'TABLE' },
  { heading: 'FLAGS' },
] as const

/** What it is for, with the type where that is not simply to pass packets on. */
export function destinationOf({ type, destination }: Route): string {
  const prefix = shortPrefix(destination)
  return type === 'unicast' ? prefix : `${type} ${prefix}`
}

function listed(flags: readonly string[]): string {
  return flags.join(',') || '-'
}

/** A route's row, and one for each of its next hops. */
function rows(route: Route, names: LinkNames, out: Output): string[][] {
  const { gateway = '-', oif, prefsrc = '-', priority, multipath } = route
  const first = [
    out.style('bold', destinationOf(route)),
    gateway,
    oif === undefined ? '-' : names.name(oif),
    prefsrc,
    priority === undefined ? '-' : String(priority),
    PROTOCOLS.name(route.protocol),
    SCOPES.name(route.scope),
    TABLES.name(route.table),
    listed(routeFlagNames(route.flags)),
  ]
  const hops = (multipath ?? []).map((hop) => [
    `  weight ${hop.weight}`,
    hop.gateway ?? '-',
    names.name(hop.oif),
    '',
    '',
    '',
    '',
    '',
    listed(routeFlagNames(hop.flags)),
  ])
  return [first, ...hops]
}

/** Prints routes as a table, or one to a line for `-br`. */
export function printRoutes(
  out: Output,
  routes: readonly Route[],
  names: LinkNames,
  options: GlobalOptions,
): void {
  if (options.brief) {
    out.lines(routes.map((route) => routeLine(route, names)))
    return
  }
  const lines: string[][] = []
  const more: string[][] = []
  for (const route of routes) {
    lines.push(...rows(route, names, out))
    if (options.details) more[lines.length - 1] = details(route)
  }
  out.table(COLUMNS, lines, more)
}

/** `10.0.0.0/8 via 192.168.0.1 dev eth0 metric 5`. */
export function routeLine(route: Route, names: LinkNames): string {
  const { gateway, oif, prefsrc, priority, multipath } = route
  const words = [
    destinationOf(route),
    gateway && `via ${gateway}`,
    oif !== undefined && `dev ${names.name(oif)}`,
    route.table !== 'main' && `table ${TABLES.name(route.table)}`,
    route.protocol !== 'boot' && `proto ${PROTOCOLS.name(route.protocol)}`,
    route.scope !== 'universe' && `scope ${SCOPES.name(route.scope)}`,
    prefsrc && `src ${prefsrc}`,
    priority !== undefined && `metric ${priority}`,
    ...routeFlagNames(route.flags),
    ...(multipath ?? []).map(
      (hop) =>
        `nexthop ${hop.gateway ? `via ${hop.gateway} ` : ''}dev ${names.name(hop.oif)} weight ${hop.weight}`,
    ),
  ]
  return words.filter(Boolean).join(' ')
}

/** `10.0.0.9 dev veth0 src 10.0.0.1 uid 0 · table main · proto kernel`: what a look-up found. */
export function lookupLine(route: Route, names: LinkNames): string {
  const { gateway, oif, prefsrc, uid } = route
  const words = [
    destinationOf(route),
    gateway && `via ${gateway}`,
    oif !== undefined && `dev ${names.name(oif)}`,
    prefsrc && `src ${prefsrc}`,
    uid !== undefined && `uid ${uid}`,
  ]
  const parts = [
    words.filter(Boolean).join(' '),
    `table ${TABLES.name(route.table)}`,
    route.protocol !== 'unspec' && `proto ${PROTOCOLS.name(route.protocol)}`,
  ]
  return parts.filter(Boolean).join(' · ')
}
