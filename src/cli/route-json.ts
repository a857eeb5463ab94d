/** Routes as `ip -j route` prints them, field for field. */
import * as constants from '../families/rt-route-constants.ts'
import type { NextHop, Route } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS, SCOPES, TABLES } from './names.ts'

type NamedBits = readonly (readonly [bit: number, name: string])[]

/** Flags of a route and of its next hop, in ip(8)'s order. */
const FLAGS: NamedBits = [
  [constants.RTNH_F_DEAD, 'dead'],
  [constants.RTNH_F_ONLINK, 'onlink'],
  [constants.RTNH_F_PERVASIVE, 'pervasive'],
  [constants.RTNH_F_OFFLOAD, 'offload'],
  [constants.RTNH_F_TRAP, 'trap'],
  [constants.RTM_F_NOTIFY, 'notify'],
  [constants.RTNH_F_LINKDOWN, 'linkdown'],
  [constants.RTNH_F_UNRESOLVED, 'unresolved'],
  [constants.RTM_F_OFFLOAD, 'rt_offload'],
  [constants.RTM_F_TRAP, 'rt_trap'],
  [constants.RTM_F_OFFLOAD_FAILED, 'rt_offload_failed'],
]

/** Flags of a looked-up IPv4 route (RTCF_* of linux/in_route.h). */
const CACHE_FLAGS: NamedBits = [
  [0x80000000, 'local'],
  [0x40000, 'reject'],
  [0x20000000, 'mc'],
  [0x10000000, 'brd'],
  [0x8000000, 'dst-nat'],
  [0x800000, 'src-nat'],
  [0x1000000, 'masq'],
  [0x20000, 'dst-direct'],
  [0x4000000, 'src-direct'],
  [0x10000, 'redirected'],
  [0x2000000, 'redirect'],
]

/** Metrics that ip(8) calls otherwise than the constants do. */
const METRIC_NAMES: Readonly<Record<string, string>> = {
  rtoMin: 'rto_min',
  ccAlgo: 'congctl',
  fastopenNoCookie: 'fastopen_no_cookie',
}

function bitNames(table: NamedBits, bits: number): string[] {
  return table.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name)
}

/** Names of RTNH_F_* and RTM_F_* that a route or next hop has. */
export function routeFlagNames(flags: number): string[] {
  return bitNames(FLAGS, flags)
}

/** `default`, a prefix, or an address without the length that all addresses have. */
export function shortPrefix(prefix: string): string {
  return prefix.replace(prefix.includes(':') ? /\/128$/ : /\/32$/, '')
}

/** The next hop's address, in a member of its own when it is of the other family. */
function gatewayJson(gateway: string | undefined, family: string): object {
  if (gateway === undefined) return {}
  const own = gateway.includes(':') ? 'inet6' : 'inet'
  return own === family ? { gateway } : { via: { family: own, host: gateway } }
}

function realms(flow: number | undefined): object {
  if (flow === undefined) return {}
  const from = flow >>> 16
  return { flow: { ...(from ? { from: String(from) } : {}), to: String(flow & 0xffff) } }
}

function hopJson(hop: NextHop, family: string, names: LinkNames): object {
  return {
    ...gatewayJson(hop.gateway, family),
    dev: names.name(hop.oif),
    weight: hop.weight,
    ...realms(hop.flow),
    flags: routeFlagNames(hop.flags),
  }
}

/** Times are in eighths and quarters of a millisecond, as the kernel keeps them. */
function metricsJson({ metrics }: Route): object {
  const entries = Object.entries(metrics ?? {}).filter(([name]) => name !== 'lock')
  if (entries.length === 0) return {}
  const named = entries.map(([name, value]) => {
    if (name === 'rtt') return [name, Number(value) / 8]
    if (name === 'rttvar') return [name, Number(value) / 4]
    return [METRIC_NAMES[name] ?? name, value]
  })
  return { metrics: [Object.fromEntries(named)] }
}

function cacheJson(route: Route): object {
  if ((route.flags & constants.RTM_F_CLONED) === 0) return {}
  if (route.family === 'inet6' && route.cacheinfo === undefined) return {}
  return { cache: bitNames(CACHE_FLAGS, route.flags & ~0xffff) }
}

/** What a filter has made plain, ip(8) does not repeat. */
export interface RouteJsonOptions {
  readonly details?: boolean
  readonly oif?: boolean
  readonly table?: boolean
  readonly protocol?: boolean
}

/** Who installed it and how far it reaches, where that is not what is usual. */
function originJson({ protocol, scope }: Route, options: RouteJsonOptions): object {
  const { details } = options
  return {
    ...((details || protocol !== 'boot') && !options.protocol
      ? { protocol: PROTOCOLS.name(protocol) }
      : {}),
    ...(details || scope !== 'universe' ? { scope: SCOPES.name(scope) } : {}),
  }
}

/** One element of `ip -j route show`. */
export function routeJson(route: Route, names: LinkNames, options: RouteJsonOptions = {}): object {
  const { details } = options
  const isLookup = (route.flags & constants.RTM_F_CLONED) !== 0
  const { prefsrc, priority, pref, tos, nhId, uid, iif, oif, multipath } = route
  return {
    ...(details || route.type !== 'unicast' ? { type: String(route.type) } : {}),
    dst: shortPrefix(route.destination),
    ...(route.source === undefined ? {} : { from: shortPrefix(route.source) }),
    ...(tos ? { tos: `0x${tos.toString(16).padStart(2, '0')}` } : {}),
    ...(nhId === undefined ? {} : { nhid: nhId }),
    ...gatewayJson(route.gateway, route.family),
    ...(oif === undefined || options.oif ? {} : { dev: names.name(oif) }),
    ...((details || route.table !== 'main') && !options.table
      ? { table: TABLES.name(route.table) }
      : {}),
    ...(isLookup ? {} : originJson(route, options)),
    ...(prefsrc === undefined ? {} : { prefsrc }),
    ...(priority === undefined ? {} : { metric: priority }),
    flags: routeFlagNames(route.flags),
    ...(uid === undefined ? {} : { uid }),
    ...realms(route.flow),
    ...cacheJson(route),
    ...metricsJson(route),
    ...(iif === undefined ? {} : { iif: names.name(iif) }),
    ...(pref === undefined ? {} : { pref }),
    ...(multipath ? { nexthops: multipath.map((hop) => hopJson(hop, route.family, names)) } : {}),
  }
}
