/** What can be watched of NETLINK_ROUTE: how each topic is heard, told and listed. */
import { rtAddr } from '../families/rt-addr.ts'
import { rtLink } from '../families/rt-link.ts'
import { rtNeigh } from '../families/rt-neigh.ts'
import { rtNetconf } from '../families/rt-netconf.ts'
import { rtNexthop } from '../families/rt-nexthop.ts'
import { rtNsid } from '../families/rt-nsid.ts'
import { rtPrefix } from '../families/rt-prefix.ts'
import { rtRoute } from '../families/rt-route.ts'
import { rtRule } from '../families/rt-rule.ts'
import { rtStats } from '../families/rt-stats.ts'
import * as groups from '../families/rtnetlink.ts'
import type { RawFamily } from '../schema/index.ts'
import type { CallOptions } from './options.ts'
import { type Address, type AddressDoor, toAddress } from './route/address.ts'
import { type AnnouncedPrefix, toAnnouncedPrefix } from './route/announced-prefix.ts'
import { type ForwardingDoor, type ForwardingEntry, toForwardingEntry } from './route/forwarding.ts'
import { type Link, type LinkDoor, toLink, toPort } from './route/link.ts'
import { listAll } from './route/live-settings.ts'
import {
  type MulticastRoute,
  type MulticastRouteDoor,
  toMulticastRoute,
} from './route/multicast-route.ts'
import { type NamespaceDoor, type NamespaceId, toNamespaceId } from './route/namespace.ts'
import { type Neighbour, type NeighbourDoor, toNeighbour } from './route/neighbour.ts'
import {
  type Nexthop,
  type NexthopBucket,
  type NexthopDoor,
  toBucket,
  toNexthop,
} from './route/nexthop.ts'
import { type Route, type RouteDoor, toRoute } from './route/route.ts'
import { type Rule, type RuleDoor, toRule } from './route/rule.ts'
import { type Statistics, toStatistics } from './route/statistics.ts'
import { type Netconf, type NetconfDoor, toNetconf } from './route/table.ts'

/** What a change of each kind is told with. */
export interface Told {
  link: { readonly link: Link }
  /** What bridges say of their ports, and of themselves. */
  port: { readonly port: Link }
  addr: { readonly address: Address }
  route: { readonly route: Route }
  mroute: { readonly multicastRoute: MulticastRoute }
  neigh: { readonly neighbour: Neighbour }
  /** Forwarding entries of bridges and tunnels. */
  fdb: { readonly entry: ForwardingEntry }
  rule: { readonly rule: Rule }
  nexthop: { readonly nexthop: Nexthop }
  /** Buckets of resilient groups. */
  bucket: { readonly bucket: NexthopBucket }
  netconf: { readonly netconf: Netconf }
  nsid: { readonly namespace: NamespaceId }
  /** Prefixes that routers announce. */
  prefix: { readonly announced: AnnouncedPrefix }
  /** Counters, when what is counted changes. */
  stats: { readonly statistics: Statistics }
}
/** What can be watched. */
export type Topic = keyof Told

/** What there is of each kind, after a loss; what cannot be listed has nothing. */
export interface Snapshots {
  link: { readonly links: Link[] }
  port: object
  addr: { readonly addresses: Address[] }
  route: { readonly routes: Route[] }
  mroute: { readonly multicastRoutes: MulticastRoute[] }
  neigh: { readonly neighbours: Neighbour[] }
  fdb: { readonly entries: ForwardingEntry[] }
  rule: { readonly rules: Rule[] }
  nexthop: { readonly nexthops: Nexthop[] }
  bucket: { readonly buckets: NexthopBucket[] }
  netconf: { readonly netconfs: Netconf[] }
  nsid: { readonly namespaces: NamespaceId[] }
  prefix: object
  stats: object
}

/** The doors of a client, from which snapshots are taken. */
export interface Doors {
  readonly links: LinkDoor
  readonly addresses: AddressDoor
  readonly routes: RouteDoor
  readonly neighbours: NeighbourDoor
  readonly rules: RuleDoor
  readonly nexthops: NexthopDoor
  readonly netconf: NetconfDoor
  readonly namespaces: NamespaceDoor
  readonly multicastRoutes: MulticastRouteDoor
  readonly forwarding: ForwardingDoor
}

/** How a topic is heard and listed. */
export interface Subject {
  readonly groups: readonly number[]
  readonly family: RawFamily
  /** Which of the family's notifications; all unless said. */
  readonly notifications?: readonly string[]
  /** The member that the item is told in. */
  readonly member: string
  /** Makes the item; undefined for what belongs to another topic, or to none. */
  readonly make: (decoded: never) => unknown
  /** The member of a resync, and its items. */
  readonly list?: readonly [
    member: string,
    take: (doors: Doors, options: CallOptions) => Promise<unknown[]>,
  ]
}

export const subjects: Readonly<Record<Topic, Subject>> = {
  link: {
    groups: [groups.RTNLGRP_LINK],
    family: rtLink,
    member: 'link',
    make: toLink,
    list: ['links', ({ links }, options) => links.list({}, options).toArray()],
  },
  port: { groups: [groups.RTNLGRP_LINK], family: rtLink, member: 'port', make: toPort },
  addr: {
    groups: [groups.RTNLGRP_IPV4_IFADDR, groups.RTNLGRP_IPV6_IFADDR],
    family: rtAddr,
    notifications: ['newAddr', 'delAddr'],
    member: 'address',
    make: toAddress,
    list: ['addresses', ({ addresses }, options) => addresses.list({}, options).toArray()],
  },
  route: {
    groups: [groups.RTNLGRP_IPV4_ROUTE, groups.RTNLGRP_IPV6_ROUTE, groups.RTNLGRP_MPLS_ROUTE],
    family: rtRoute,
    member: 'route',
    make: toRoute,
    list: ['routes', ({ routes }, options) => routes.list({}, options).toArray()],
  },
  mroute: {
    groups: [groups.RTNLGRP_IPV4_MROUTE, groups.RTNLGRP_IPV6_MROUTE],
    family: rtRoute,
    member: 'multicastRoute',
    make: toMulticastRoute,
    list: [
      'multicastRoutes',
      ({ multicastRoutes: door }, options) =>
        listAll([door.list({ family: 'inet' }, options), door.list({ family: 'inet6' }, options)]),
    ],
  },
  neigh: {
    groups: [groups.RTNLGRP_NEIGH],
    family: rtNeigh,
    member: 'neighbour',
    make: toNeighbour,
    list: ['neighbours', ({ neighbours }, options) => neighbours.list({}, options).toArray()],
  },
  fdb: {
    groups: [groups.RTNLGRP_NEIGH],
    family: rtNeigh,
    member: 'entry',
    make: toForwardingEntry,
    list: ['entries', ({ forwarding }, options) => listAll([forwarding.list({}, options)])],
  },
  rule: {
    groups: [groups.RTNLGRP_IPV4_RULE, groups.RTNLGRP_IPV6_RULE],
    family: rtRule,
    member: 'rule',
    make: toRule,
    list: ['rules', ({ rules }, options) => rules.list({}, options).toArray()],
  },
  nexthop: {
    groups: [groups.RTNLGRP_NEXTHOP],
    family: rtNexthop,
    notifications: ['newNexthop', 'delNexthop'],
    member: 'nexthop',
    make: toNexthop,
    list: ['nexthops', ({ nexthops }, options) => listAll([nexthops.list({}, options)])],
  },
  bucket: {
    groups: [groups.RTNLGRP_NEXTHOP],
    family: rtNexthop,
    notifications: ['newNexthopBucket', 'delNexthopBucket'],
    member: 'bucket',
    make: toBucket,
    list: ['buckets', ({ nexthops }, options) => listAll([nexthops.buckets(undefined, options)])],
  },
  netconf: {
    groups: [groups.RTNLGRP_IPV4_NETCONF, groups.RTNLGRP_IPV6_NETCONF, groups.RTNLGRP_MPLS_NETCONF],
    family: rtNetconf,
    member: 'netconf',
    make: toNetconf,
    list: [
      'netconfs',
      ({ netconf }, options) => {
        const families = ['inet', 'inet6', 'mpls'] as const
        return listAll(families.map((family) => netconf.list({ family }, options)))
      },
    ],
  },
  nsid: {
    groups: [groups.RTNLGRP_NSID],
    family: rtNsid,
    member: 'namespace',
    make: toNamespaceId,
    list: ['namespaces', ({ namespaces }, options) => listAll([namespaces.list({}, options)])],
  },
  prefix: {
    groups: [groups.RTNLGRP_IPV6_PREFIX],
    family: rtPrefix,
    member: 'announced',
    make: toAnnouncedPrefix,
  },
  stats: {
    groups: [groups.RTNLGRP_STATS],
    family: rtStats,
    member: 'statistics',
    make: toStatistics,
  },
}
