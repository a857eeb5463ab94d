/**
 * How the smaller tables of NETLINK_ROUTE are kept: how links forward, numbers of namespaces,
 * forwarding entries, multicast routes.
 */
import { isNetlinkError } from '../../errors.ts'
import { rtNeigh } from '../../families/rt-neigh.ts'
import { rtNetconf } from '../../families/rt-netconf.ts'
import { rtNsid } from '../../families/rt-nsid.ts'
import { rtRoute } from '../../families/rt-route.ts'
import {
  RTNLGRP_IPV4_MROUTE,
  RTNLGRP_IPV4_NETCONF,
  RTNLGRP_IPV6_MROUTE,
  RTNLGRP_IPV6_NETCONF,
  RTNLGRP_MPLS_NETCONF,
  RTNLGRP_NEIGH,
  RTNLGRP_NSID,
} from '../../families/rtnetlink.ts'
import type { Dump } from '../dump.ts'
import type { Subject } from '../live-subject.ts'
import type { ForwardingDoor, ForwardingEntry } from './forwarding.ts'
import { type Make, plainEffect, Reader, withoutEnd } from './live.ts'
import type { MulticastRoute, MulticastRouteDoor } from './multicast-route.ts'
import type { NamespaceDoor, NamespaceId } from './namespace.ts'
import type { Netconf, NetconfDoor } from './table.ts'

/** All of each; nothing of a kernel that knows no such things. */
export async function listAll<T>(dumps: readonly Dump<T>[]): Promise<T[]> {
  const found: T[] = []
  for (const dump of dumps)
    try {
      found.push(...(await dump.toArray()))
    } catch (error) {
      if (!isNetlinkError(error, 'EOPNOTSUPP')) throw error
    }
  return found
}

/** Linux tells of a change what has changed alone. */
export function netconfSubject(door: NetconfDoor, toNetconf: Make<Netconf>): Subject<Netconf> {
  const reader = new Reader(rtNetconf, toNetconf)
  const keyOf = ({ family, ifindex }: Netconf): string => `${family} ${ifindex}`
  return {
    groups: [RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_MPLS_NETCONF],
    keyMembers: ['family', 'ifindex'],
    restless: new Set(),
    keyOf,
    list(_match, options) {
      const families = ['inet', 'inet6', 'mpls'] as const
      return listAll(families.map((family) => door.list({ family }, options)))
    },
    effect(m, known) {
      const read = reader.read(m)
      if (!read) return 'nothing'
      const key = keyOf(read.item)
      if (!read.isNew) return { key, items: [], hasEnded: true }
      return { key, items: [{ ...known(key)[0], ...read.item }] }
    },
  }
}

export function namespaceSubject(
  door: NamespaceDoor,
  toNamespaceId: Make<NamespaceId>,
): Subject<NamespaceId> {
  const keyOf = ({ nsid }: NamespaceId): string => `${nsid}`
  return {
    groups: [RTNLGRP_NSID],
    keyMembers: ['nsid'],
    restless: new Set(),
    keyOf,
    list: (_match, options) => door.list({}, options).toArray(),
    effect: plainEffect(new Reader(rtNsid, toNamespaceId), keyOf),
  }
}

/** An address is once in a bridge's VLAN, behind whichever port; a link's own are the link's. */
export function forwardingSubject(
  door: ForwardingDoor,
  toEntry: Make<ForwardingEntry>,
): Subject<ForwardingEntry> {
  const keyOf = (entry: ForwardingEntry): string => {
    const { ifindex, master, lladdr, vlan = 0, destination = '', vni = 0, port = 0 } = entry
    const where = master === undefined ? `link ${ifindex}` : `bridge ${master}`
    return `${where} ${lladdr} ${vlan} ${destination} ${vni} ${port} ${entry.viaIfindex ?? 0}`
  }
  const effect = plainEffect(new Reader(rtNeigh, toEntry), keyOf)
  return {
    groups: [RTNLGRP_NEIGH],
    keyMembers: ['master', 'lladdr', 'vlan'],
    restless: new Set(['cacheinfo']),
    // A link's own multicast addresses Linux does not announce.
    looksAgain: true,
    keyOf,
    list: (_match, options) => listAll([door.list({}, options)]),
    effect: (m, known) => withoutEnd(effect(m, known)),
  }
}

export function multicastRouteSubject(
  door: MulticastRouteDoor,
  toMulticastRoute: Make<MulticastRoute>,
): Subject<MulticastRoute> {
  const keyOf = ({ family, table, source, group }: MulticastRoute): string =>
    `${family} ${table} ${source} ${group}`
  const effect = plainEffect(new Reader(rtRoute, toMulticastRoute), keyOf)
  return {
    groups: [RTNLGRP_IPV4_MROUTE, RTNLGRP_IPV6_MROUTE],
    keyMembers: ['family', 'table', 'source', 'group'],
    restless: new Set(['packets', 'bytes', 'wrongIf', 'age']),
    // A link that goes takes itself out of them without a word.
    looksAgain: true,
    keyOf,
    list(_match, options) {
      const families = ['inet', 'inet6'] as const
      return listAll(families.map((family) => door.list({ family }, options)))
    },
    effect: (m, known) => withoutEnd(effect(m, known)),
  }
}
