/**
 * How each table of NETLINK_ROUTE is kept: what has which key, what an event does to it, and after
 * which events more may have changed than was said.
 *
 * Linux takes IPv4 routes away without a word when a link goes down, an address that they prefer as
 * source is deleted, or their nexthop object is (net/ipv4/fib_semantics.c fib_sync_down_dev(),
 * fib_sync_down_addr(), nexthop_flush_dev(); Linux 6.18). Their flags change silently with the
 * carrier; rules are detached from links that vanish.
 */
import { rtAddr } from '../../families/rt-addr.ts'
import { IFF_LOWER_UP, IFF_RUNNING, IFF_UP, rtLink } from '../../families/rt-link.ts'
import { NTF_PROXY, rtNeigh } from '../../families/rt-neigh.ts'
import { rtNexthop } from '../../families/rt-nexthop.ts'
import { rtRoute } from '../../families/rt-route.ts'
import { rtRule } from '../../families/rt-rule.ts'
import {
  AF_UNSPEC,
  RTM_DELADDR,
  RTM_DELNEXTHOP,
  RTM_DELQDISC,
  RTM_NEWLINK,
  RTM_NEWNEXTHOP,
  RTM_NEWPREFIX,
  RTM_NEWQDISC,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_IFINFO,
  RTNLGRP_IPV6_PREFIX,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
  RTNLGRP_MPLS_ROUTE,
  RTNLGRP_NEIGH,
  RTNLGRP_NEXTHOP,
  RTNLGRP_TC,
} from '../../families/rtnetlink.ts'
import type { AnyMessage, RawFamily } from '../../schema/index.ts'
import { type MessageWalker, NLM_F_REPLACE } from '../../wire/index.ts'
import { isEqual } from '../equal.ts'
import type { Effect, Subject } from '../live-subject.ts'
import type { Address, AddressDoor } from './address.ts'
import type { Link, LinkDoor } from './link.ts'
import type { Neighbour, NeighbourDoor } from './neighbour.ts'
import type { Nexthop, NexthopDoor } from './nexthop.ts'
import type { Route, RouteDoor } from './route.ts'
import type { Rule, RuleDoor } from './rule.ts'

/** Makes an item of a decoded message; undefined for what does not belong there. */
export type Make<T> = (decoded: never) => T | undefined

/** Reads the items out of a family's notifications. */
export class Reader<T> {
  readonly #bodies = new Map<number, { readonly isNew: boolean; readonly body: AnyMessage }>()
  readonly #make: Make<T>

  constructor(family: RawFamily, make: Make<T>) {
    this.#make = make
    for (const [name, { cmd, body }] of Object.entries(family.notifications ?? {}))
      this.#bodies.set(cmd, { isNew: !name.startsWith('del'), body })
  }
  read(m: MessageWalker): { readonly isNew: boolean; readonly item: T } | undefined {
    const found = this.#bodies.get(m.type)
    const item = found && this.#make(found.body.decode(m.view, m.payload, m.end) as never)
    return found && item !== undefined ? { isNew: found.isNew, item } : undefined
  }
}

/** What of a link decides over what stands on it. */
const STATE = IFF_UP | IFF_RUNNING | IFF_LOWER_UP

interface LinkState extends Pick<Link, 'ifindex' | 'flags' | 'master' | 'mtu' | 'ifname'> {
  /** AF_BRIDGE for what bridges say of their ports. */
  readonly family: number
}

/** Tells whether a link's event may have changed other tables silently. */
class LinkStates {
  readonly #states = new Map<number, string>()
  readonly #links = new Reader(rtLink, (decoded: LinkState) => decoded)

  isNews(m: MessageWalker): boolean {
    const read = this.#links.read(m)
    if (!read || read.item.family !== AF_UNSPEC) return false
    const { ifindex, flags, master = 0, mtu, ifname } = read.item
    const state = read.isNew ? `${flags & STATE} ${master} ${mtu} ${ifname}` : undefined
    if (this.#states.get(ifindex) === state) return false
    if (state === undefined) this.#states.delete(ifindex)
    else this.#states.set(ifindex, state)
    return true
  }
}

/** A table in which nothing shares a key, and everything is announced. */
export function plainEffect<T>(
  reader: Reader<T>,
  keyOf: (item: T) => string,
  isOurs: (item: T) => boolean = () => true,
): Subject<T>['effect'] {
  return (m) => {
    const read = reader.read(m)
    if (!read || !isOurs(read.item)) return 'nothing'
    const items = read.isNew ? [read.item] : []
    return { key: keyOf(read.item), items, hasEnded: !read.isNew }
  }
}

/** Members of links, and of what their kinds keep, that change all the time, without a word. */
const RESTLESS_OF_LINKS: ReadonlySet<string> = new Set([
  'change',
  'stats',
  'stats64',
  'xstats',
  'cacheinfo',
  'afSpec',
  'carrierChanges',
  'carrierUpCount',
  'carrierDownCount',
  'promiscuity',
  'allmulti',
  'helloTimer',
  'tcnTimer',
  'topologyChangeTimer',
  'gcTimer',
  'mdbTimer',
  'messageAgeTimer',
  'forwardDelayTimer',
  'holdTimer',
  'mcastNGroups',
  'fdbNLearned',
])

/** Whether what a bridge says of a port differs from what is known of it. */
function isPortNews(protinfo: object, port: Link | undefined): boolean {
  const known = (port?.slaveData ?? {}) as Record<string, unknown>
  return Object.entries(protinfo).some(
    ([name, value]) =>
      !RESTLESS_OF_LINKS.has(name) &&
      name in known &&
      !isEqual(value, known[name], RESTLESS_OF_LINKS),
  )
}

/** A link that comes, or goes, changes the one that it stands on, or its peer, without a word. */
function changesAnother(isNew: boolean, { link = 0 }: Link, known: Link | undefined): boolean {
  return link !== 0 && (isNew ? known?.link !== link : true)
}

export function linkSubject(door: LinkDoor, toLink: Make<Link>): Subject<Link> {
  const keyOf = ({ ifindex }: Link): string => `${ifindex}`
  const reader = new Reader(rtLink, toLink)
  const ports = new Reader(rtLink, (decoded: { ifindex: number; protinfo?: object }) => decoded)
  return {
    groups: [RTNLGRP_LINK, RTNLGRP_TC],
    keyMembers: ['ifindex'],
    restless: RESTLESS_OF_LINKS,
    keyOf,
    isOther: (a, b) =>
      a.kind !== b.kind || a.type !== b.type || (a.ifname !== b.ifname && a.address !== b.address),
    list: (_match, options) => door.list({}, options).toArray(),
    effect(m, known) {
      // Which qdisc a link has is told in the qdisc's own message.
      if (m.type === RTM_NEWQDISC || m.type === RTM_DELQDISC) return 'doubt'
      const read = reader.read(m)
      if (!read) {
        const port = ports.read(m)?.item
        const isNews = port?.protinfo && isPortNews(port.protinfo, known(`${port.ifindex}`)[0])
        return isNews ? 'doubt' : 'nothing'
      }
      const { isNew, item } = read
      const key = keyOf(item)
      // What happened to it is the message's, not the link's.
      delete item.event
      if (changesAnother(isNew, item, known(key)[0])) return 'doubt'
      return { key, items: isNew ? [item] : [], hasEnded: !isNew }
    },
  }
}

/**
 * Linux says nothing of IPv6 addresses that it makes itself until it has looked for duplicates
 * (net/ipv6/addrconf.c addrconf_dad_completed()): what it says of links' IPv6 and of prefixes that
 * routers announce comes when they are made; of those that somebody adds, nothing does.
 */
export function addressSubject(door: AddressDoor, toAddress: Make<Address>): Subject<Address> {
  const keyOf = ({ ifindex, address, local, prefixlen }: Address): string =>
    `${ifindex} ${local ?? ''} ${address ?? ''}/${prefixlen}`
  const effect = plainEffect(new Reader(rtAddr, toAddress), keyOf)
  return {
    groups: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV6_PREFIX],
    keyMembers: ['ifindex', 'family', 'address', 'local', 'prefixlen'],
    restless: new Set(['cacheinfo']),
    looksAgain: true,
    keyOf,
    list: ({ family }, options) => door.list({ family }, options).toArray(),
    effect: (m, known) =>
      m.type === RTM_NEWLINK || m.type === RTM_NEWPREFIX ? 'doubt' : withoutEnd(effect(m, known)),
  }
}

/** What comes again under its key is what it was. */
export function withoutEnd<T>(effect: Effect<T>): Effect<T> {
  return typeof effect === 'string' ? effect : { key: effect.key, items: effect.items }
}

export function neighbourSubject(
  door: NeighbourDoor,
  toNeighbour: Make<Neighbour>,
): Subject<Neighbour> {
  const keyOf = ({ ifindex, destination }: Neighbour): string => `${ifindex} ${destination}`
  const isOurs = ({ flags }: Neighbour): boolean => (flags & NTF_PROXY) === 0
  const effect = plainEffect(new Reader(rtNeigh, toNeighbour), keyOf, isOurs)
  return {
    groups: [RTNLGRP_NEIGH],
    keyMembers: ['ifindex', 'family', 'destination'],
    restless: new Set(['cacheinfo', 'probes']),
    // Entries that are made for a packet, and states that pass, Linux announces late or never.
    looksAgain: true,
    keyOf,
    list: ({ family }, options) => door.list({ family }, options).toArray(),
    effect: (m, known) => withoutEnd(effect(m, known)),
  }
}

/** Those of `held` that say something else than `item`. */
const others = <T>(held: readonly T[], item: T, restless: ReadonlySet<string>): T[] =>
  held.filter((other) => !isEqual(other, item, restless))

export function ruleSubject(door: RuleDoor, toRule: Make<Rule>): Subject<Rule> {
  const reader = new Reader(rtRule, toRule)
  const states = new LinkStates()
  const keyOf = ({ family, priority }: Rule): string => `${family} ${priority}`
  const restless: ReadonlySet<string> = new Set()
  return {
    groups: [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_LINK],
    keyMembers: ['family', 'priority'],
    restless,
    keyOf,
    list: ({ family, priority }, options) => door.list({ family, priority }, options).toArray(),
    effect(m, known) {
      if (states.isNews(m)) return 'doubt'
      const read = reader.read(m)
      if (!read) return 'nothing'
      const key = keyOf(read.item)
      const held = known(key)
      const rest = others(held, read.item, restless)
      if (read.isNew) return { key, items: [...rest, read.item] }
      return rest.length < held.length || held.length === 0 ? { key, items: rest } : 'doubt'
    },
  }
}

export function nexthopSubject(door: NexthopDoor, toNexthop: Make<Nexthop>): Subject<Nexthop> {
  const reader = new Reader(rtNexthop, toNexthop)
  const states = new LinkStates()
  const keyOf = ({ id }: Nexthop): string => `${id}`
  const effect = plainEffect(reader, keyOf)
  return {
    groups: [RTNLGRP_NEXTHOP, RTNLGRP_LINK],
    keyMembers: ['id'],
    restless: new Set(),
    keyOf,
    list: (_match, options) => door.list({}, options).toArray(),
    effect(m, known) {
      if (states.isNews(m)) return 'doubt'
      const isOurs = m.type === RTM_NEWNEXTHOP || m.type === RTM_DELNEXTHOP
      return isOurs ? withoutEnd(effect(m, known)) : 'nothing'
    },
  }
}

/** What two routes of one key differ in. */
function hopsOf({ type, gateway, oif, nhId, multipath }: Route): unknown {
  const hops = multipath?.map((hop) => [hop.gateway, hop.oif, hop.weight])
  return [type, nhId, hops ?? [[gateway, oif]]]
}

export function routeSubject(door: RouteDoor, toRoute: Make<Route>): Subject<Route> {
  const reader = new Reader(rtRoute, toRoute)
  const states = new LinkStates()
  const keyOf = ({ family, table, destination, source = '', tos, priority = 0 }: Route): string =>
    `${family} ${table} ${destination} ${source} ${tos} ${priority}`
  return {
    groups: [
      RTNLGRP_IPV4_ROUTE,
      RTNLGRP_IPV6_ROUTE,
      RTNLGRP_MPLS_ROUTE,
      RTNLGRP_LINK,
      RTNLGRP_IPV4_IFADDR,
      RTNLGRP_IPV6_IFADDR,
      RTNLGRP_NEXTHOP,
    ],
    keyMembers: ['family', 'table', 'destination', 'source', 'tos', 'priority'],
    restless: new Set(['cacheinfo']),
    keyOf,
    list: ({ family, table, destination }, options) =>
      door.list({ family, table, destination }, options).toArray(),
    effect(m, known) {
      const isHint =
        m.type === RTM_DELADDR || m.type === RTM_NEWNEXTHOP || m.type === RTM_DELNEXTHOP
      if (isHint || states.isNews(m)) return 'doubt'
      const read = reader.read(m)
      if (!read) return 'nothing'
      const key = keyOf(read.item)
      return routeEffect(key, known(key), read, (m.flags & NLM_F_REPLACE) !== 0)
    },
  }
}

/** Of routes that share a key the kernel says little: which one was meant is looked up. */
function routeEffect(
  key: string,
  held: readonly Route[],
  { isNew, item }: { readonly isNew: boolean; readonly item: Route },
  isReplaced: boolean,
): Effect<Route> {
  const [only] = held
  const isSame = only !== undefined && isEqual(hopsOf(only), hopsOf(item))
  if (isNew) {
    if (held.length === 0 || (held.length === 1 && (isReplaced || isSame)))
      return { key, items: [item] }
    if (item.family === 'inet6' || isReplaced) return 'doubt'
    const rest = held.filter((other) => !isEqual(hopsOf(other), hopsOf(item)))
    return { key, items: [...rest, item] }
  }
  if (held.length === 0 || (held.length === 1 && isSame)) return { key, items: [] }
  if (item.family === 'inet6') return 'doubt'
  const rest = held.filter((other) => !isEqual(hopsOf(other), hopsOf(item)))
  return rest.length === held.length - 1 ? { key, items: rest } : 'doubt'
}
