/**
 * The line of a route that has no more than most have, put together at once: large tables are made of
 * such routes.
 */
import type { Route } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS, SCOPES, TABLES } from './names.ts'
import type { Printer } from './printer.ts'

/** What a filter has made plain, ip(8) does not repeat. */
export interface RouteView {
  readonly details?: boolean
  readonly statistics?: number
  readonly oif?: boolean
  readonly table?: boolean
  readonly protocol?: boolean
  readonly scope?: boolean
  readonly gateway?: boolean
  readonly metric?: boolean
  readonly prefsrc?: boolean
  readonly tos?: boolean
  readonly realm?: boolean
  /** What `-d` tells of the next hop that a route refers to. */
  readonly nexthop?: ((p: Printer, id: number) => void) | undefined
}

/** `default`, a prefix, or an address without the length that all addresses have. */
export function shortPrefix(prefix: string): string {
  if (prefix.endsWith('/32')) return prefix.includes(':') ? prefix : prefix.slice(0, -3)
  return prefix.endsWith('/128') && prefix.includes(':') ? prefix.slice(0, -4) : prefix
}

/** Whether it has something that takes more than a word or two to show. */
function isUnusual(route: Route): boolean {
  const { family, flags, multipath, metrics, source, encap, newdst, gateway } = route
  if (family === 'mpls' || flags !== 0 || multipath || metrics || source !== undefined) return true
  if (encap !== undefined || newdst !== undefined) return true
  if (gateway !== undefined && gateway.includes(':') !== (family === 'inet6')) return true
  const { cacheinfo, tos, mark, flow, uid, iif, ttlPropagate } = route
  if (tos || mark || flow !== undefined || uid !== undefined || iif !== undefined) return true
  if (ttlPropagate !== undefined) return true
  return cacheinfo !== undefined && !isBlank(cacheinfo)
}

/** Of what a route in a table says of its cache nothing is shown unless one of these is there. */
function isBlank({ expires, error, clntref, used, lastuse, id, ts, tsage }: Cacheinfo): boolean {
  return !(expires || error || clntref || used || lastuse || id || ts || tsage)
}
type Cacheinfo = NonNullable<Route['cacheinfo']>

/** What stands behind a destination, and what it was made of. */
interface Tail {
  readonly route: Route
  readonly names: LinkNames
  readonly view: RouteView
  readonly text: string
}
/** Of the line before: one listing has one view. */
let last: Tail | undefined

/** Whether what stands behind the destination is the same of both. */
function isAlike(a: Route, b: Route): boolean {
  return (
    a.gateway === b.gateway &&
    a.oif === b.oif &&
    a.protocol === b.protocol &&
    a.priority === b.priority &&
    a.scope === b.scope &&
    a.table === b.table &&
    a.nhId === b.nhId &&
    a.prefsrc === b.prefsrc &&
    a.pref === b.pref
  )
}

/** What stands behind the destination, with the line's end. */
function tailOf(route: Route, names: LinkNames, view: RouteView): string {
  const { nhId, gateway, oif, table, protocol, scope, prefsrc, priority, pref } = route
  let text = nhId === undefined ? ' ' : ` nhid ${nhId} `
  if (gateway !== undefined && !view.gateway) text += `via ${gateway} `
  if (oif !== undefined && !view.oif) text += `dev ${names.name(oif)} `
  if (table !== 'main' && table !== 0 && !view.table) text += `table ${TABLES.name(table)} `
  if (protocol !== 'boot' && !view.protocol) text += `proto ${PROTOCOLS.name(protocol)} `
  if (scope !== 'universe' && !view.scope) text += `scope ${SCOPES.name(scope)} `
  if (prefsrc !== undefined && !view.prefsrc) text += `src ${prefsrc} `
  if (priority !== undefined && !view.metric) text += `metric ${priority} `
  if (pref !== undefined) text += typeof pref === 'number' ? `${pref}` : `pref ${pref}`
  return `${text}\n`
}

/** The line in plain words, with its end, as `showRoute` tells it; undefined where it takes more. */
export function ordinaryLine(route: Route, names: LinkNames, view: RouteView): string | undefined {
  if (view.details || isUnusual(route)) return undefined
  const isAsBefore = last?.names === names && last.view === view && isAlike(last.route, route)
  if (!isAsBefore) last = { route, names, view, text: tailOf(route, names, view) }
  const dst = shortPrefix(route.destination)
  const head = route.type === 'unicast' ? dst : `${route.type} ${dst}`
  return head + (last as Tail).text
}
