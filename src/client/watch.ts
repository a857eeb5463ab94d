/** Watching NETLINK_ROUTE: links, addresses, routes, neighbours and rules as they come and go. */
import { NetlinkError } from '../errors.ts'
import { rtAddr } from '../families/rt-addr.ts'
import { rtLink } from '../families/rt-link.ts'
import { rtNeigh } from '../families/rt-neigh.ts'
import { rtRoute } from '../families/rt-route.ts'
import { rtRule } from '../families/rt-rule.ts'
import {
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
  RTNLGRP_NEIGH,
} from '../families/rtnetlink.ts'
import type { NotificationDefinition, RawFamily } from '../schema/index.ts'
import { type MessageWalker, NETLINK_ROUTE } from '../wire/index.ts'
import { type EventOptions, type EventSource, Events, type OverrunSource } from './events.ts'
import { didYouMean } from './nearest.ts'
import type { CallOptions } from './options.ts'
import { type Address, type AddressDoor, toAddress } from './route/address.ts'
import { type Link, type LinkDoor, toLink } from './route/link.ts'
import { type Neighbour, type NeighbourDoor, toNeighbour } from './route/neighbour.ts'
import { type Route, type RouteDoor, toRoute } from './route/route.ts'
import { type Rule, type RuleDoor, toRule } from './route/rule.ts'
import type { Session } from './session.ts'

/** What a change of each kind is told with. */
interface Subjects {
  link: { readonly link: Link }
  addr: { readonly address: Address }
  route: { readonly route: Route }
  neigh: { readonly neighbour: Neighbour }
  rule: { readonly rule: Rule }
}
/** What can be watched. */
export type Topic = keyof Subjects

/** What there is of each kind, after a loss. */
interface Snapshots {
  link: { readonly links: Link[] }
  addr: { readonly addresses: Address[] }
  route: { readonly routes: Route[] }
  neigh: { readonly neighbours: Neighbour[] }
  rule: { readonly rules: Rule[] }
}
type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never
type Optional<K extends Topic> = Partial<Intersection<Snapshots[K]>>

/** `new` is said of changes too: what is told is the state since then. */
export type ChangeEvent<K extends Topic> = {
  [T in K]: {
    readonly type: T
    readonly op: 'new' | 'del'
    /** The number of the namespace where it happened; absent for ours. */
    readonly nsid?: number
  } & Subjects[T]
}[K]
/** Events were lost: what is known may be wrong until the resync that follows. */
export interface OverrunEvent {
  readonly type: 'overrun'
  readonly source: OverrunSource
}
/** The whole of what is watched, taken after a loss: it replaces what was known. */
export type ResyncEvent<K extends Topic> = { readonly type: 'resync' } & Optional<K>

export type WatchEvent<K extends Topic = Topic> = ChangeEvent<K> | OverrunEvent | ResyncEvent<K>

/** The doors of a client, from which snapshots are taken. */
export interface Doors {
  readonly links: LinkDoor
  readonly addresses: AddressDoor
  readonly routes: RouteDoor
  readonly neighbours: NeighbourDoor
  readonly rules: RuleDoor
}

/** How a topic is heard and listed. */
interface Subject {
  readonly groups: readonly number[]
  readonly family: RawFamily
  /** The event's own members; undefined for what does not belong here. */
  toEvent(decoded: never): object | undefined
  snapshot(doors: Doors, options: CallOptions): Promise<object>
}

const wrap = (key: string, value: unknown): object | undefined =>
  value === undefined ? undefined : { [key]: value }

const subjects: Readonly<Record<Topic, Subject>> = {
  link: {
    groups: [RTNLGRP_LINK],
    family: rtLink,
    toEvent: (decoded) => wrap('link', toLink(decoded)),
    snapshot: async ({ links }, options) => ({ links: await links.list({}, options).toArray() }),
  },
  addr: {
    groups: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR],
    family: rtAddr,
    toEvent: (decoded) => wrap('address', toAddress(decoded)),
    snapshot: async ({ addresses }, options) => ({
      addresses: await addresses.list({}, options).toArray(),
    }),
  },
  route: {
    groups: [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE],
    family: rtRoute,
    toEvent: (decoded) => wrap('route', toRoute(decoded)),
    snapshot: async ({ routes }, options) => ({ routes: await routes.list({}, options).toArray() }),
  },
  neigh: {
    groups: [RTNLGRP_NEIGH],
    family: rtNeigh,
    toEvent: (decoded) => wrap('neighbour', toNeighbour(decoded)),
    snapshot: async ({ neighbours }, options) => ({
      neighbours: await neighbours.list({}, options).toArray(),
    }),
  },
  rule: {
    groups: [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE],
    family: rtRule,
    toEvent: (decoded) => wrap('rule', toRule(decoded)),
    snapshot: async ({ rules }, options) => ({ rules: await rules.list({}, options).toArray() }),
  },
}

interface Decoder {
  readonly topic: Topic
  readonly op: 'new' | 'del'
  readonly body: NotificationDefinition['body']
}

/** What each message type means, for the topics that are watched. */
function decoders(topics: ReadonlySet<Topic>): Map<number, Decoder> {
  const byType = new Map<number, Decoder>()
  for (const topic of topics) {
    const { notifications = {} } = subjects[topic].family
    for (const [name, { cmd, body }] of Object.entries(notifications))
      byType.set(cmd, { topic, op: name.startsWith('del') ? 'del' : 'new', body })
  }
  return byType
}

/** @throws NetlinkError NETLINK_INVALID for a topic that does not exist, or none. */
export function watch<K extends Topic>(
  session: Session,
  doors: Doors,
  topics: readonly K[],
  options: EventOptions,
  whenClosed: () => void,
): Events<WatchEvent<K>> {
  const wanted = checkTopics(topics)
  const byType = decoders(wanted)
  const decode = (m: MessageWalker, nsid: number | undefined): object | undefined => {
    const decoder = byType.get(m.type)
    if (!decoder) return undefined
    const { topic, op, body } = decoder
    const members = subjects[topic].toEvent(body.decode(m.view, m.payload, m.end) as never)
    return members && { type: topic, op, ...(nsid === undefined ? {} : { nsid }), ...members }
  }
  const resync = async (signal: AbortSignal): Promise<object> => {
    const taken = [...wanted].map((topic) => subjects[topic].snapshot(doors, { signal }))
    return Object.assign({ type: 'resync' }, ...(await Promise.all(taken)))
  }
  const source = {
    protocol: NETLINK_ROUTE,
    groups: () => [...new Set([...wanted].flatMap((topic) => subjects[topic].groups))],
    decode: decode as EventSource<WatchEvent<K>>['decode'],
    overrun: (source: OverrunSource): OverrunEvent => ({ type: 'overrun', source }),
    resync: resync as (signal: AbortSignal) => Promise<WatchEvent<K>>,
  }
  return new Events<WatchEvent<K>>(session, source, options, whenClosed)
}

function checkTopics(topics: readonly Topic[]): Set<Topic> {
  const known = Object.keys(subjects)
  for (const topic of topics) {
    if (Object.hasOwn(subjects, topic)) continue
    throw new NetlinkError('NETLINK_INVALID', {
      message: `${JSON.stringify(topic)} cannot be watched`,
      hint: didYouMean(String(topic), known) ?? `these can: ${known.join(', ')}`,
    })
  }
  if (topics.length === 0) {
    throw new NetlinkError('NETLINK_INVALID', {
      message: 'nothing to watch',
      hint: `these can be watched: ${known.join(', ')}`,
    })
  }
  return new Set(topics)
}
