/** Routes: where packets go. */
import { EncodeError, isNetlinkError } from '../../errors.ts'
import {
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RT_TABLE_UNSPEC,
  RTM_F_CLONED,
  RTM_F_FIB_MATCH,
  RTM_F_LOOKUP_TABLE,
  RTNH_F_ONLINK,
  rtRoute,
} from '../../families/rt-route.ts'
import { AF_INET6, AF_MPLS } from '../../families/rtnetlink.ts'
import { makeCopier, type Reply, type RequestInput } from '../../schema/index.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links } from './door.ts'
import { routeSubject } from './live.ts'
import {
  type RouteProtocol,
  type RouteType,
  routeProtocols,
  routeTypes,
  type Scope,
  scopes,
  type Table,
  tables,
} from './names.ts'
import { describeNextHop, type NewNextHop, type NextHop, toNextHop, towards } from './next-hop.ts'
import {
  familyNumber,
  familyOf,
  formatDestination,
  type IpFamily,
  ipFamily,
  parseDestination,
} from './prefix.ts'

type Decoded = Reply<typeof rtRoute, 'getRoute'>
type Request = RequestInput<typeof rtRoute, 'newRoute'>
type Translated =
  | 'family'
  | 'dstLen'
  | 'srcLen'
  | 'dst'
  | 'src'
  | 'rtmTable'
  | 'table'
  | 'protocol'
  | 'scope'
  | 'type'
  | 'via'
  | 'multipath'
  | 'oif'

/** Whose packets a route is for. */
export type RouteFamily = IpFamily | 'mpls'

/** An MPLS label's bits, as many as rtm_dst_len says. */
const LABEL_BITS = 20

/** A route, with all that the kernel says of it. */
export interface Route extends Omit<Decoded, Translated> {
  family: RouteFamily
  /** `10.0.0.0/24`, or `default`; of MPLS a label. */
  destination: string
  /** The prefix of senders that it is for (IPv6). */
  source?: string
  table: Table
  /** Who installed it. */
  protocol: RouteProtocol | number
  scope: Scope | number
  type: RouteType | number
  /** RTM_F_* and RTNH_F_*. */
  flags: number
  /** Of either family. */
  gateway?: string
  /** Index of the link. */
  oif?: number
  /** The metric: lower ones win. */
  priority?: number
  /** Instead of `gateway` and `oif`. */
  multipath?: NextHop[]
}

/** Which routes to list; without it those of all tables. All but `destination` the kernel sorts out. */
export interface RouteFilter {
  readonly family?: RouteFamily | undefined
  readonly table?: Table | 'all' | undefined
  readonly oif?: LinkName | undefined
  readonly protocol?: RouteProtocol | number | undefined
  readonly type?: RouteType | number | undefined
  readonly destination?: string | undefined
  /** Instead of the table's entries what was learned of single destinations (RTM_F_CLONED). */
  readonly cached?: boolean | undefined
}

/** What a route says, or by what one is found: one that was listed will do. */
export interface RouteDescription extends Omit<Request, Translated | 'gateway'> {
  /** Of the addresses, or `inet`; MPLS must be named. */
  readonly family?: RouteFamily | undefined
  /** `10.0.0.0/24`, or `default`. */
  readonly destination?: string | undefined
  readonly source?: string | undefined
  /** `main` unless given. */
  readonly table?: Table | undefined
  /** `boot` unless given, as with `ip route add`. */
  readonly protocol?: RouteProtocol | number | undefined
  readonly scope?: Scope | number | undefined
  /** `unicast` unless given. */
  readonly type?: RouteType | number | undefined
  /** Of either family. */
  readonly gateway?: string | undefined
  readonly oif?: LinkName | undefined
  /** Whether the gateway is taken to be on the link, whatever its address. */
  readonly onlink?: boolean | undefined
  readonly multipath?: readonly NewNextHop[] | undefined
}

/** What a packet would look like. */
export interface RouteQuery {
  readonly destination: string
  readonly source?: string | undefined
  /** The link through which it came; otherwise it is our own. */
  readonly iif?: LinkName | undefined
  readonly oif?: LinkName | undefined
  readonly mark?: number | undefined
  readonly uid?: number | undefined
  readonly tos?: number | undefined
  readonly ipProto?: number | undefined
  readonly sport?: number | undefined
  readonly dport?: number | undefined
  /** Whether to answer with the table's entry instead of what is made of it. */
  readonly fibMatch?: boolean | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set([
  'family',
  'dstLen',
  'srcLen',
  'dst',
  'src',
  'rtmTable',
  'table',
  'protocol',
  'scope',
  'type',
  'via',
  'multipath',
  'gateway',
] satisfies (keyof Decoded)[])
const copyRest = makeCopier(rtRoute.ops.getRoute.dump.reply, TRANSLATED)

/** MPLS has labels without lengths. */
function destinationOf({ family, dst, dstLen }: Decoded): string {
  return family === AF_MPLS ? (dst ?? 'default') : formatDestination(dst, dstLen)
}

/** A route as its message says; undefined for families other than IPv4, IPv6 and MPLS. */
export function toRoute(decoded: Decoded): Route | undefined {
  const family = decoded.family === AF_MPLS ? 'mpls' : ipFamily(decoded.family)
  if (family === undefined) return undefined
  const { src, multipath, gateway = decoded.via?.address } = decoded
  const route: Partial<Route> = {
    family,
    destination: destinationOf(decoded),
  }
  if (src !== undefined) route.source = formatDestination(src, decoded.srcLen)
  if (gateway !== undefined) route.gateway = gateway
  if (multipath !== undefined) route.multipath = multipath.map(toNextHop)
  route.table = tables.name(decoded.table ?? decoded.rtmTable) as Table
  route.protocol = routeProtocols.name(decoded.protocol)
  route.scope = scopes.name(decoded.scope)
  route.type = routeTypes.name(decoded.type)
  copyRest(route, decoded)
  return route as Route
}

export class RouteDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtRoute, 'getRoute', 'do'),
    list: makeCall(rtRoute, 'getRoute', 'dump'),
    new: makeCall(rtRoute, 'newRoute', 'do'),
    delete: makeCall(rtRoute, 'delRoute', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Route> = {}, options: LiveOptions = {}): Live<Route> {
    const { session } = this.#links.endpoint
    return new Live(session, routeSubject(this, toRoute), checkMatch(match), options)
  }

  list(filter: RouteFilter = {}, options: DumpOptions = {}): Dump<Route> {
    let wanted: Wanted = {}
    const value = async () => {
      wanted = await this.#wanted(filter, options)
      const { family, table, oif, protocol, type } = wanted
      const flags = filter.cached ? RTM_F_CLONED : undefined
      return defined({ family, protocol, type, table, oif, flags })
    }
    const map = (decoded: Decoded): Route | undefined =>
      isWanted(decoded, wanted) ? toRoute(decoded) : undefined
    /** A table that has no route is none to Linux. */
    const isEmpty = (error: unknown): boolean =>
      wanted.table !== undefined && isNetlinkError(error, 'ENOENT')
    return this.#links.endpoint.dump(this.#calls.list, { value, map, isEmpty }, options)
  }

  /**
   * The way that a packet would take.
   * @throws NetlinkError ENETUNREACH, EHOSTUNREACH, EACCES (prohibit), EINVAL (blackhole)
   */
  async get(query: string | RouteQuery, options: CallOptions = {}): Promise<Route> {
    const whole: RouteQuery = typeof query === 'string' ? { destination: query } : query
    const { destination, source, iif, oif, fibMatch, tos, ...rest } = whole
    const family = familyOf(destination, 'destination')
    const length = family === 'inet' ? 32 : 128
    const value = defined({
      family: familyNumber(family),
      dstLen: length,
      srcLen: source === undefined ? 0 : length,
      tos,
      flags: fibMatch ? RTM_F_FIB_MATCH : family === 'inet' ? RTM_F_LOOKUP_TABLE : 0,
      dst: destination,
      src: source,
      iif: await this.#links.indexIfAny(iif, 'iif', options),
      oif: await this.#links.indexIfAny(oif, 'oif', options),
      ...rest,
    })
    const reply = await this.#links.endpoint.request(this.#calls.get, value, options)
    return toRoute(reply as Decoded)!
  }

  /** Adds a route. @throws NetlinkError EEXIST, ENETUNREACH (the gateway) and others */
  add(route: RouteDescription, options: CallOptions = {}): Promise<void> {
    return this.#change(route, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Adds a route behind those of the same destination and metric. */
  append(route: RouteDescription, options: CallOptions = {}): Promise<void> {
    return this.#change(route, NLM_F_CREATE | NLM_F_APPEND, options)
  }
  /** Changes the route of this destination, table and metric. @throws NetlinkError ENOENT */
  set(route: RouteDescription, options: CallOptions = {}): Promise<void> {
    return this.#change(route, NLM_F_REPLACE, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(route: RouteDescription, options: CallOptions = {}): Promise<void> {
    return this.#change(route, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Deletes the first route that has all that is given. @throws NetlinkError ESRCH */
  async delete(route: RouteDescription, options: CallOptions = {}): Promise<void> {
    const { scope, type, protocol } = route
    const value = {
      ...(await this.#describe(route, options)),
      scope: scope === undefined ? RT_SCOPE_NOWHERE : scopes.number(scope, 'scope'),
      type: type === undefined ? 0 : routeTypes.number(type, 'type'),
      protocol: protocol === undefined ? 0 : routeProtocols.number(protocol, 'protocol'),
    }
    await this.#links.endpoint.request(this.#calls.delete, value, options)
  }

  async #wanted(filter: RouteFilter, options: CallOptions): Promise<Wanted> {
    const { family, table, protocol, type, destination } = filter
    const isAll = table === undefined || table === 'all'
    return {
      family: family === undefined ? undefined : routeFamilyNumber(family),
      table: isAll ? undefined : tables.number(table, 'table'),
      oif: await this.#links.indexIfAny(filter.oif, 'oif', options),
      protocol: protocol === undefined ? undefined : routeProtocols.number(protocol, 'protocol'),
      type: type === undefined ? undefined : routeTypes.number(type, 'type'),
      destination,
    }
  }

  async #change(route: RouteDescription, flags: number, options: CallOptions): Promise<void> {
    const { type = 'unicast', protocol = 'boot', scope } = route
    const described = await this.#describe(route, options)
    const value = {
      ...described,
      type: routeTypes.number(type, 'type'),
      protocol: routeProtocols.number(protocol, 'protocol'),
      scope:
        scope === undefined ? defaultScope(route, described.family) : scopes.number(scope, 'scope'),
    }
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }

  /** All of a route but what adding and deleting take differently. */
  async #describe(
    route: RouteDescription,
    options: CallOptions,
  ): Promise<{ readonly family: number }> {
    const { destination, source, table, gateway, oif, onlink, multipath, ...most } = route
    const { family: given, flags = 0, cacheinfo, mfcStats, unknown, tail, ...rest } = most
    const first = given ?? familyOfFirst(route)
    if (destination === undefined) throw new EncodeError('required', 'destination')
    const dst =
      first === 'mpls'
        ? ({ family: first, address: destination, length: LABEL_BITS } as const)
        : parseDestination(destination, first, 'destination')
    const src =
      source === undefined || dst.family === 'mpls'
        ? undefined
        : parseDestination(source, dst.family, 'source')
    const number = table === undefined ? RT_TABLE_MAIN : tables.number(table, 'table')
    const hops = multipath?.map((hop, i) =>
      describeNextHop(hop, dst.family, `multipath[${i}]`, this.#links, options),
    )
    return defined({
      ...rest,
      family: routeFamilyNumber(dst.family),
      dstLen: dst.length,
      srcLen: src?.length ?? 0,
      rtmTable: number < 256 ? number : RT_TABLE_UNSPEC,
      flags: (flags & RTNH_F_ONLINK) | (onlink ? RTNH_F_ONLINK : 0),
      dst: dst.length > 0 ? dst.address : undefined,
      src: src?.length ? src.address : undefined,
      table: number < 256 ? undefined : number,
      ...towards(gateway, dst.family, 'gateway'),
      oif: await this.#links.indexIfAny(oif, 'oif', options),
      multipath: hops && (await Promise.all(hops)),
    })
  }
}

function routeFamilyNumber(family: RouteFamily): number {
  return family === 'mpls' ? AF_MPLS : familyNumber(family)
}

/** A filter in the kernel's numbers. */
interface Wanted {
  readonly family?: number | undefined
  readonly table?: number | undefined
  readonly oif?: number | undefined
  readonly protocol?: number | undefined
  readonly type?: number | undefined
  readonly destination?: string | undefined
}

function isWanted(route: Decoded, wanted: Wanted): boolean {
  const { family, table, oif, protocol, type, destination } = wanted
  return (
    (family === undefined || route.family === family) &&
    (table === undefined || (route.table ?? route.rtmTable) === table) &&
    (protocol === undefined || route.protocol === protocol) &&
    (type === undefined || route.type === type) &&
    (destination === undefined || destinationOf(route) === destination) &&
    (oif === undefined ||
      route.oif === oif ||
      route.multipath?.some((hop) => hop.ifindex === oif) === true)
  )
}

/** The family of the addresses in a route whose destination may be `default`. */
function familyOfFirst({ gateway, prefsrc, multipath }: RouteDescription): IpFamily {
  const hint = gateway ?? prefsrc ?? multipath?.[0]?.gateway
  return typeof hint === 'string' ? familyOf(hint, 'gateway') : 'inet'
}

/** What iproute2 assumes: our own addresses are ours, what has no gateway is on the link. */
function defaultScope(route: RouteDescription, family: number): number {
  const { type = 'unicast', gateway, multipath, nhId } = route
  if (family === AF_INET6) return RT_SCOPE_UNIVERSE
  switch (routeTypes.name(routeTypes.number(type, 'type'))) {
    case 'local':
    case 'nat':
      return RT_SCOPE_HOST
    case 'broadcast':
    case 'multicast':
    case 'anycast':
      return RT_SCOPE_LINK
    case 'unicast':
    case 'unspec':
      return gateway === undefined && multipath === undefined && nhId === undefined
        ? RT_SCOPE_LINK
        : RT_SCOPE_UNIVERSE
  }
  return RT_SCOPE_UNIVERSE
}
