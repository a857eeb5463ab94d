/** `nlkit route`: routes. */
import { defined } from '../client/route/door.ts'
import { RT_TABLE_MAIN, RTM_F_CLONED } from '../families/rt-route-constants.ts'
import type { NewNextHop, Route, RouteDescription } from '../index.ts'
import { type Call, type Command, type GlobalOptions, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { PROTOCOLS, REALMS, SCOPES, TABLES } from './names.ts'
import { NexthopNames } from './nexthop-names.ts'
import {
  address,
  flag,
  type Given,
  integer,
  named,
  oneOf,
  type Parameter,
  type Parameters,
  readAddress,
  readInteger,
  readPrefix,
  text,
} from './parameter.ts'
import { contains, type Prefix } from './prefix-match.ts'
import type { RouteView } from './route-line.ts'
import { showRoute } from './route-show.ts'
import type { Connection } from './session.ts'

const TYPES = [
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const

/** An address behind which the next hop is; `via inet6 fe80::1` names the family as well. */
const gateway: Parameter<string> = {
  placeholder: 'ADDRESS',
  about: 'the gateway',
  words: ['gateway'],
  noise: ['inet', 'inet6'],
  read: readAddress,
}

const nexthop: Parameter<NewNextHop[]> = {
  placeholder: 'WORDS',
  about: '"via ADDRESS dev NAME weight N", for each of several next hops',
  group: ['via', 'dev', 'weight'],
  read(words) {
    const pairs = words.trim().split(/\s+/)
    const hop: { -readonly [K in keyof NewNextHop]: NewNextHop[K] } = {}
    for (let at = 0; at < pairs.length; at += 2) {
      const [word, value] = [pairs[at], pairs[at + 1]]
      if (value === undefined) throw new UsageError(`"${word}" needs a value`)
      if (word === 'via') hop.gateway = readAddress(value)
      else if (word === 'dev') hop.oif = value
      else if (word === 'weight') hop.weight = readInteger(value)
      else throw new UsageError(`expected via, dev or weight, got "${word}"`)
    }
    return [hop]
  },
}

const table = named('TABLE', 'the table; main unless given', (name) => TABLES.number(name))
const proto = named('PROTOCOL', 'who installed it', (name) => PROTOCOLS.number(name), {
  words: ['protocol'],
})
const dev = text('NAME', 'the link', { words: ['oif'] })

/** Everything that describes a route besides its destination. */
const description = {
  via: gateway,
  dev,
  src: address('ADDRESS', 'the source address'),
  metric: integer('N', 'lower ones win', { words: ['priority', 'preference'] }),
  table,
  proto,
  scope: named('SCOPE', 'global, link or host', (name) => SCOPES.number(name)),
  type: oneOf(TYPES, 'blackhole, unreachable, prohibit, throw …', { values: TYPES }),
  tos: integer('N', 'type of service', { words: ['dsfield'] }),
  onlink: flag('take the gateway to be on the link'),
  mtu: integer('BYTES', 'the largest packet'),
  advmss: integer('BYTES', 'the segment size that TCP announces'),
  nexthop,
} satisfies Parameters

const prefix = {
  placeholder: 'PREFIX',
  about: 'where to, such as 10.0.0.0/8 or default',
  words: ['to'],
} as const

/** The address family of a command line: -4, -6, or what its addresses say. */
function familyOf(options: GlobalOptions, ...addresses: (string | undefined)[]) {
  const first = addresses.find((address) => address !== undefined)
  return options.family ?? (first?.includes(':') ? 'inet6' : 'inet')
}

function describe(call: Call<typeof description>): RouteDescription {
  const { given, subject, options } = call
  if (subject === undefined) throw new UsageError(`PREFIX is missing: ${prefix.about}`)
  const { via, dev: oif, src, metric, table, proto, scope, tos, onlink, mtu, advmss } = given
  const family = familyOf(options, via, src, given.nexthop?.[0]?.gateway)
  const named = options.mpls
    ? ({ destination: subject, family: 'mpls' } as const)
    : { destination: destinationIn(subject, family), family: readPrefix(subject, family).family }
  const metrics = {
    ...(mtu === undefined ? {} : { mtu }),
    ...(advmss === undefined ? {} : { advmss }),
  }
  const all = {
    ...named,
    type: given.type,
    gateway: via,
    oif,
    prefsrc: src,
    priority: metric,
    table,
    protocol: proto,
    scope,
    tos,
    onlink,
    multipath: given.nexthop,
    ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
  }
  return defined(all)
}

/** `all`, or a table's name or number. */
const anyTable: Parameter<number | 'all'> = {
  placeholder: 'TABLE|all',
  about: 'of that table; main unless given',
  read: (word) => (word === 'all' ? word : TABLES.number(word)),
}

const filters = {
  table: anyTable,
  vrf: text('NAME', "of that VRF's table, without its own addresses"),
  dev,
  proto,
  type: oneOf(TYPES, 'only those of that type', { values: TYPES }),
  via: { ...gateway, about: 'only those through that gateway' },
  src: address('ADDRESS', 'only those with that source address'),
  scope: named('SCOPE', 'only those of that scope', (name) => SCOPES.number(name)),
  metric: integer('N', 'only those of that metric', { words: ['priority', 'preference'] }),
  tos: integer('N', 'only those of that type of service', { words: ['dsfield'] }),
  from: text('PREFIX', 'only those for packets from within that'),
  realm: { ...text('FROM/TO', 'only those of that realm'), words: ['realms'] },
  cached: flag('of IPv6, what was learned of single destinations', { words: ['cache', 'cloned'] }),
  root: text('PREFIX', 'only those to prefixes within that one'),
  match: text('PREFIX', 'only those to prefixes that contain that one'),
} satisfies Parameters

type Filters = Given<typeof filters>

/** What a filter has made plain. */
function viewOf(options: GlobalOptions, given: Filters): RouteView {
  return {
    details: options.details,
    statistics: options.statistics,
    oif: given.dev !== undefined,
    table: given.table !== 'all',
    protocol: given.proto !== undefined,
    gateway: given.via !== undefined,
    prefsrc: given.src !== undefined,
    scope: given.scope !== undefined,
    metric: given.metric !== undefined,
    tos: given.tos !== undefined,
    realm: given.realm?.includes('/') === true,
  }
}

/** The routes that the command line's words leave, of those that the kernel sent. */
function isShown(route: Route, given: Filters, family: Route['family'] | undefined): boolean {
  const { dev, via, src, scope, metric, tos, root, match, from, realm } = given
  if (given.vrf !== undefined && (route.type === 'local' || route.type === 'broadcast'))
    return false
  if (((route.flags & RTM_F_CLONED) !== 0) !== (given.cached === true)) return false
  return (
    (dev === undefined || route.oif !== undefined) &&
    (via === undefined || route.gateway === via) &&
    (src === undefined || route.prefsrc === src) &&
    (metric === undefined || (route.priority ?? 0) === metric) &&
    (tos === undefined || route.tos === tos) &&
    (scope === undefined || SCOPES.numberOf(route.scope) === scope) &&
    (from === undefined || isFrom(route, from)) &&
    (realm === undefined || isOfRealm(route, realm)) &&
    (root === undefined ||
      contains(readPrefix(root, family === 'inet6' ? family : 'inet'), prefixOf(route))) &&
    (match === undefined ||
      contains(prefixOf(route), readPrefix(match, family === 'inet6' ? family : 'inet')))
  )
}

/** Whether it is for packets from within a prefix, or for all from `default`. */
function isFrom({ source }: Route, from: string): boolean {
  if (source === undefined) return from === 'default' || from === 'any' || from === 'all'
  return contains(readPrefix(from, 'inet6'), readPrefix(source, 'inet6'))
}

/** `FROM/TO`, or `TO` alone, of which each half that is given must be so. */
function isOfRealm({ flow = 0 }: Route, realm: string): boolean {
  const [to = '', from] = realm.split('/').reverse()
  const isHalf = (word: string, own: number) => REALMS.number(word) === own
  return isHalf(to, flow & 0xffff) && (from === undefined || isHalf(from, flow >>> 16))
}

function prefixOf({ destination, family }: Route): Prefix {
  return readPrefix(destination, family === 'inet6' ? 'inet6' : 'inet')
}

/** The table that is listed: that of a VRF, or the one that is named, or the main one. */
async function tableOf({ table, vrf }: Filters, nl: Connection): Promise<number | 'all'> {
  if (vrf === undefined) return table ?? RT_TABLE_MAIN
  const { kind, data } = await nl.links.get(vrf)
  if (kind !== 'vrf') throw new UsageError(`${vrf} is no VRF`)
  return Number(data?.table)
}

/** The family that is listed: what is asked for, or IPv4, or all of them in `table all`. */
function listedFamily(call: Call, given: Filters): Route['family'] | undefined {
  const { options, subject } = call
  if (options.mpls) return 'mpls'
  if (options.family !== undefined) return options.family
  const [word] = [subject, given.src, given.root, given.match, given.from].filter(
    (one) => one !== undefined && one !== 'default',
  )
  if (word !== undefined) return word.includes(':') ? 'inet6' : 'inet'
  // A gateway may be of another family than the route.
  if (given.via?.includes(':')) return undefined
  return given.table === 'all' ? undefined : 'inet'
}

/** A destination as routes have it. */
function destinationIn(word: string, family: Route['family'] | undefined): string {
  if (family === 'mpls') return word
  const { address, length } = readPrefix(word, family)
  return length === 0 ? 'default' : `${address}/${length}`
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists routes; IPv4 and the table main unless told otherwise',
  examples: ['nlkit route list', 'nlkit route list --table all -j', 'nlkit -6 route list dev eth0'],
  subject: { ...prefix, words: ['to', 'exact'], placeholder: 'PREFIX' },
  parameters: filters,
  async run(call) {
    const { options, subject } = call
    const nl = await call.open()
    const table = await tableOf(call.given, nl)
    const given = { ...call.given, table }
    const { dev: oif, proto: protocol, type } = given
    const family = listedFamily(call, given)
    const destination = subject === undefined ? undefined : destinationIn(subject, family)
    const { cached } = given
    const filter = { family, table, oif, protocol, type, destination, cached }
    const names = await LinkNames.load(nl)
    const nexthops = options.details ? await NexthopNames.load(nl) : undefined
    const view = { ...viewOf(options, given), nexthop: nexthops?.show(names) }
    const listing = new Listing(call)
    for await (const batch of nl.routes.list(filter).batches()) {
      for (const route of batch)
        if (isShown(route, given, family)) listing.item((p) => showRoute(p, route, names, view))
    }
    listing.end()
  },
})

const get = verb({
  summary: 'shows which way a packet would take',
  examples: ['nlkit route get 10.0.0.9', 'nlkit route get 10.0.0.9 from 10.0.0.1 -j'],
  subject: { placeholder: 'ADDRESS', about: 'where to', words: ['to'], required: true },
  parameters: {
    from: address('ADDRESS', 'where it comes from'),
    iif: text('NAME', 'the link through which it came'),
    dev: text('NAME', 'the link through which it is to leave', { words: ['oif'] }),
    mark: integer('N', 'its mark'),
    fibMatch: flag("the table's entry itself", { words: ['fibmatch'] }),
  },
  async run(call) {
    const { given, subject, options } = call
    const { from, iif, dev: oif, mark, fibMatch } = given
    const destination = readPrefix(subject!).address
    const query = { destination, source: from, iif, oif, mark, fibMatch }
    const nl = await call.open()
    const route = await nl.routes.get(call.asking(query))
    const names = await LinkNames.load(nl)
    const nexthops = options.details ? await NexthopNames.load(nl) : undefined
    const { details, statistics } = options
    const view = { details, statistics, nexthop: nexthops?.show(names) }
    const listing = new Listing(call)
    listing.item((p) => showRoute(p, route, names, view))
    listing.end()
  },
})

function changing(
  name: 'add' | 'set' | 'replace' | 'delete' | 'append',
  summary: string,
  examples: string[],
  aliases: string[] = [],
) {
  return verb({
    aliases,
    summary,
    examples,
    subject: prefix,
    parameters: description,
    async run(call) {
      const nl = await call.open()
      await nl.routes[name](call.asking(describe(call)))
    },
  })
}

export const command: Command = {
  verbs: {
    list,
    get,
    add: changing('add', 'adds a route', [
      'nlkit route add 10.0.0.0/8 via 192.168.0.1 dev eth0',
      'nlkit route add default --via 192.168.0.1',
      'nlkit route add blackhole 192.0.2.0/24',
    ]),
    append: changing('append', 'adds a route behind those that are like it', [
      'nlkit route append 10.0.0.0/8 via 192.168.0.2',
    ]),
    set: changing(
      'set',
      'changes a route',
      ['nlkit route set 10.0.0.0/8 via 192.168.0.2'],
      ['change'],
    ),
    replace: changing('replace', 'changes a route, or adds it when it is not there', [
      'nlkit route replace 10.0.0.0/8 via 192.168.0.3',
    ]),
    del: changing(
      'delete',
      'deletes the first route that has all that is given',
      ['nlkit route del 10.0.0.0/8'],
      ['delete'],
    ),
  },
}
