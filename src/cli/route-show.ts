/** Routes as ip(8) shows them, as JSON or as lines. */
import * as constants from '../families/rt-route-constants.ts'
import type { NextHop, Route } from '../index.ts'
import { showEncap } from './encap-show.ts'
import type { LinkNames } from './link-names.ts'
import { dsfield, PROTOCOLS, REALMS, SCOPES, TABLES } from './names.ts'
import type { Printer } from './printer.ts'
import { ordinaryLine, type RouteView, shortPrefix } from './route-line.ts'

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

function bitNames(table: NamedBits, bits: number): string[] {
  if (bits === 0) return []
  return table.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name)
}

/** Names of RTNH_F_* and RTM_F_* that a route or next hop has. */
export function routeFlagNames(flags: number): string[] {
  return bitNames(FLAGS, flags)
}

export function showRouteFlags(p: Printer, flags: number): void {
  const names = routeFlagNames(flags)
  p.both('flags', names, names.map((name) => `${name} `).join(''))
}

function styleOf(family: string) {
  return family === 'inet' ? 'magenta' : family === 'inet6' ? 'blue' : undefined
}

/** The next hop's address, with its family when it is another one than the route's. */
export function showGateway(p: Printer, gateway: string | undefined, family: string): void {
  if (gateway === undefined) return
  const own = gateway.includes(':') ? 'inet6' : 'inet'
  if (own === family) {
    p.text('via ')
    p.both('gateway', gateway, `${gateway} `, styleOf(own))
    return
  }
  p.member('via', { family: own, host: gateway })
  p.text(`via ${own} `)
  p.text(`${gateway} `, styleOf(own))
}

function showRealms(p: Printer, flow: number | undefined): void {
  if (flow === undefined) return
  const from = flow >>> 16
  const to = REALMS.name(flow & 0xffff)
  p.member('flow', { ...(from ? { from: REALMS.name(from) } : {}), to })
  p.text(`realm${from ? `s ${REALMS.name(from)}/` : ' '}${to} `)
}

export function showDevice(
  p: Printer,
  index: number | undefined,
  names: LinkNames,
  word = 'dev',
): void {
  if (index === undefined) return
  const name = names.name(index)
  p.text(`${word} `)
  p.both(word, name, `${name} `, 'cyan')
}

function showHop(p: Printer, hop: NextHop, route: Route, names: LinkNames, statistics = 0): void {
  const { family } = route
  p.open()
  p.line()
  p.text('\tnexthop ')
  showEncap(p, hop, names, statistics)
  if (hop.newdst !== undefined) p.both(p.isJson ? 'to' : null, hop.newdst, `as to ${hop.newdst} `)
  showGateway(p, hop.gateway, family)
  showRealms(p, hop.flow)
  const dev = names.name(hop.oif)
  p.both('dev', dev, `dev ${dev} `)
  if (family !== 'mpls') p.both('weight', hop.weight, `weight ${hop.weight} `)
  showRouteFlags(p, hop.flags)
  p.close()
}

/** Metrics by the schema's names, in the order of RTAX_*: how ip(8) calls them in words. */
const METRICS: readonly (readonly [member: string, id: number, word: string])[] = [
  ['mtu', 2, 'mtu'],
  ['window', 3, 'window'],
  ['rtt', 4, 'rtt'],
  ['rttvar', 5, 'rttvar'],
  ['ssthresh', 6, 'ssthresh'],
  ['cwnd', 7, 'cwnd'],
  ['advmss', 8, 'advmss'],
  ['reordering', 9, 'reordering'],
  ['hoplimit', 10, 'hoplimit'],
  ['initcwnd', 11, 'initcwnd'],
  ['features', 12, 'features'],
  ['rtoMin', 13, 'rto_min'],
  ['initrwnd', 14, 'initrwnd'],
  ['quickack', 15, 'quickack'],
  ['ccAlgo', 16, 'congctl'],
  ['fastopenNoCookie', 17, 'fastopen_no_cookie'],
]
const DIVISORS: Readonly<Record<string, number>> = { rtt: 8, rttvar: 4, rtoMin: 1 }
const FEATURE_ECN = 1

/** As C's %g has it, for what is at most a few thousands. */
function seconds(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`
  return `${Number((milliseconds / 1000).toPrecision(6))}s`
}

function showFeatures(p: Printer, features: number): void {
  if (features & FEATURE_ECN) p.both('ecn', null, 'ecn ')
  if (features & ~FEATURE_ECN) {
    const text = `0x${features.toString(16)}`
    p.both('features', text, `${text} `)
  }
}

function showMetric(p: Printer, member: string, word: string, value: unknown): void {
  const divisor = DIVISORS[member]
  if (member === 'features') showFeatures(p, Number(value ?? 0))
  else if (member === 'ccAlgo') p.both('congestion', value, `${value} `)
  else if (divisor !== undefined) {
    const time = Math.floor(Number(value ?? 0) / divisor)
    p.both(word, time, `${seconds(time)} `)
  } else p.both(word, value ?? 0, `${value ?? 0} `)
}

function showMetrics(p: Printer, { metrics }: Route): void {
  if (metrics === undefined) return
  const all = metrics as Readonly<Record<string, unknown>>
  const locked = Number(all.lock ?? 0)
  p.openList('metrics')
  p.open()
  for (const [member, id, word] of METRICS) {
    const value = all[member]
    const isLocked = ((locked >> id) & 1) === 1
    if (value === undefined && !isLocked) continue
    if (member === 'hoplimit' && value === 0xffffffff) continue
    p.text(`${word} ${isLocked ? 'lock ' : ''}`)
    showMetric(p, member, word, value)
  }
  p.close()
  p.closeList()
}

function showCacheFlags(p: Printer, { flags }: Route): void {
  const bits = flags & ~0xffff
  const names = bitNames(CACHE_FLAGS, bits)
  p.member('cache', names)
  p.line()
  p.text('    cache ')
  if (bits !== 0) p.text(`<${names.join(',')}> `)
}

/** Hundredths of a second as whole ones, towards zero. */
function whole(hundredths: number): number {
  return Math.trunc(hundredths / 100)
}

function showCacheinfo(p: Printer, { cacheinfo }: Route, statistics: number): void {
  if (!cacheinfo) return
  const { expires, error, clntref, used, lastuse, id, ts, tsage } = cacheinfo
  if (expires) p.both('expires', whole(expires), `expires ${whole(expires)}sec `)
  if (error) p.both('error', error >>> 0, `error ${error >>> 0} `)
  if (statistics > 0) {
    if (clntref) p.both('users', clntref, `users ${clntref} `)
    if (used) p.both('used', used, `used ${used} `)
    if (lastuse) p.both('age', whole(lastuse), `age ${whole(lastuse)}sec `)
  }
  if (id) p.both('ipid', `0x${id.toString(16)}`, `ipid 0x${id.toString(16).padStart(4, '0')} `)
  if (ts || tsage) {
    p.both('ts', `0x${ts.toString(16)}`, `ts 0x${ts.toString(16)}`)
    p.both('tsage', tsage, `tsage ${tsage}sec `)
  }
}

/** Whether the gateway is of another family than the route, which no filter makes plain. */
function isOtherFamily({ gateway, family }: Route): boolean {
  return gateway !== undefined && gateway.includes(':') !== (family === 'inet6')
}

/** Where to, from where, by what. */
function showWay(p: Printer, route: Route, names: LinkNames, view: RouteView): void {
  const { details } = view
  const { type, family, source, nhId, tos, newdst, oif } = route
  if (details || type !== 'unicast') p.both('type', String(type), `${type} `)
  const dst = shortPrefix(route.destination)
  p.both('dst', dst, `${dst} `, dst === 'default' ? undefined : styleOf(family))
  if (source !== undefined) p.both('from', shortPrefix(source), `from ${shortPrefix(source)} `)
  if (nhId !== undefined) p.both('nhid', nhId, `nhid ${nhId} `)
  if (newdst !== undefined) {
    p.text('as to ')
    p.both('to', newdst, `${newdst} `)
  }
  showEncap(p, route, names, view.statistics)
  if (tos && !view.tos) p.both('tos', dsfield(tos), `tos ${dsfield(tos)} `)
  if (!view.gateway || isOtherFamily(route)) showGateway(p, route.gateway, family)
  if (!view.oif) showDevice(p, oif, names)
}

/** Who installed it, in which table, and how far it reaches, where that is not what is usual. */
function showOrigin(p: Printer, route: Route, view: RouteView): void {
  const { details } = view
  const { table, protocol, scope } = route
  if (table !== 0 && (details || table !== 'main') && !view.table) {
    const name = TABLES.name(table)
    p.both('table', name, `table ${name} `)
  }
  if ((route.flags & constants.RTM_F_CLONED) !== 0) return
  if ((details || protocol !== 'boot') && !view.protocol) {
    const name = PROTOCOLS.name(protocol)
    p.both('protocol', name, `proto ${name} `)
  }
  if ((details || scope !== 'universe') && !view.scope) {
    const name = SCOPES.name(scope)
    p.both('scope', name, `scope ${name} `)
  }
}

function showMark(p: Printer, { mark }: Route): void {
  if (!mark) return
  p.both('mark', mark, `mark ${mark >= 16 ? `0x${mark.toString(16)}` : mark} `)
}

/** A route, with the end of its line. */
export function showRoute(p: Printer, route: Route, names: LinkNames, view: RouteView = {}): void {
  const line = p.isPlain ? ordinaryLine(route, names, view) : undefined
  if (line !== undefined) p.text(line)
  else showWhole(p, route, names, view)
}

function showWhole(p: Printer, route: Route, names: LinkNames, view: RouteView): void {
  const { family, prefsrc, priority, uid, iif, pref, ttlPropagate, nhId, multipath } = route
  showWay(p, route, names, view)
  showOrigin(p, route, view)
  if (prefsrc !== undefined && !view.prefsrc) {
    p.text('src ')
    p.both('prefsrc', prefsrc, `${prefsrc} `, styleOf(family))
  }
  if (priority !== undefined && !view.metric) p.both('metric', priority, `metric ${priority} `)
  showRouteFlags(p, route.flags)
  showMark(p, route)
  if (!view.realm) showRealms(p, route.flow)
  if (uid !== undefined) p.both('uid', uid, `uid ${uid} `)
  if (family === 'inet' && (route.flags & constants.RTM_F_CLONED) !== 0) showCacheFlags(p, route)
  if (family !== 'mpls') showCacheinfo(p, route, view.statistics ?? 0)
  showMetrics(p, route)
  showDevice(p, iif, names, 'iif')
  if (pref !== undefined)
    p.both('pref', pref, typeof pref === 'number' ? `${pref}` : `pref ${pref}`)
  if (ttlPropagate !== undefined) {
    const is = ttlPropagate !== 0
    // iproute2's own spelling.
    p.both('ttl-propogate', is, `ttl-propogate ${is ? 'enabled' : 'disabled'}`)
  }
  if (nhId !== undefined && view.details) view.nexthop?.(p, nhId)
  if (multipath) {
    p.openList('nexthops')
    for (const hop of multipath) showHop(p, hop, route, names, view.statistics)
    p.closeList()
  }
  p.text('\n')
}
