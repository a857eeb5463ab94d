/** Links as `ip -j link` prints them, field for field. */
import * as constants from '../families/rt-link-constants.ts'
import type { Link } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { GROUPS } from './names.ts'

const { IFF_POINTOPOINT, IFF_RUNNING, IFF_UP } = constants

/** Interface flags in the order in which ip(8) prints them; RUNNING shows as its absence. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [constants.IFF_LOOPBACK, 'LOOPBACK'],
  [constants.IFF_BROADCAST, 'BROADCAST'],
  [constants.IFF_POINTOPOINT, 'POINTOPOINT'],
  [constants.IFF_MULTICAST, 'MULTICAST'],
  [constants.IFF_NOARP, 'NOARP'],
  [constants.IFF_ALLMULTI, 'ALLMULTI'],
  [constants.IFF_PROMISC, 'PROMISC'],
  [constants.IFF_MASTER, 'MASTER'],
  [constants.IFF_SLAVE, 'SLAVE'],
  [constants.IFF_DEBUG, 'DEBUG'],
  [constants.IFF_DYNAMIC, 'DYNAMIC'],
  [constants.IFF_AUTOMEDIA, 'AUTOMEDIA'],
  [constants.IFF_PORTSEL, 'PORTSEL'],
  [constants.IFF_NOTRAILERS, 'NOTRAILERS'],
  [constants.IFF_UP, 'UP'],
  [constants.IFF_LOWER_UP, 'LOWER_UP'],
  [constants.IFF_DORMANT, 'DORMANT'],
  [constants.IFF_ECHO, 'ECHO'],
]
const NAMED_FLAGS = FLAGS.reduce((bits, [bit]) => bits | bit, IFF_RUNNING)

/** Hardware that ip(8) does not call as the kernel's constant does. */
const LINK_TYPES: Readonly<Record<string, string>> = {
  tunnel: 'ipip',
  ipgre: 'gre',
  ip6gre: 'gre6',
  ieee80211: 'ieee802.11',
}

/** A link's flags as ip(8) names them: NO-CARRIER, the set ones, M-DOWN for a peer that is down. */
export function flagNames(link: Link, names: LinkNames): string[] {
  const { flags } = link
  const found = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
  if ((flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) === 0) found.unshift('NO-CARRIER')
  const rest = (flags & ~NAMED_FLAGS) >>> 0
  if (rest !== 0) found.push(rest.toString(16))
  if (link.link && link.linkNetnsid === undefined && names.isDown(link.link)) found.push('M-DOWN')
  return found
}

function linkTypeName(type: Link['type']): string {
  return typeof type === 'number' ? `[${type}]` : (LINK_TYPES[type] ?? type)
}

/** What a link stands on, or its peer: a name, or an index where the name is of another namespace. */
export function parentFields(link: Link, names: LinkNames): object {
  if (link.link === undefined) return {}
  if (link.linkNetnsid !== undefined) return { link_index: link.link }
  return { link: link.link === 0 ? null : names.name(link.link) }
}

export function statisticsJson({ stats64: s }: Link): object {
  if (!s) return {}
  return {
    stats64: {
      rx: {
        bytes: s.rxBytes,
        packets: s.rxPackets,
        errors: s.rxErrors,
        dropped: s.rxDropped,
        over_errors: s.rxOverErrors,
        multicast: s.multicast,
        ...(s.rxCompressed ? { compressed: s.rxCompressed } : {}),
      },
      tx: {
        bytes: s.txBytes,
        packets: s.txPackets,
        errors: s.txErrors,
        dropped: s.txDropped,
        carrier_errors: s.txCarrierErrors,
        collisions: s.collisions,
        ...(s.txCompressed ? { compressed: s.txCompressed } : {}),
      },
    },
  }
}

/** How `ip -d` adds to a link, as far as it concerns every kind. */
export function detailsJson(link: Link): object {
  return {
    promiscuity: link.promiscuity,
    allmulti: link.allmulti,
    min_mtu: link.minMtu,
    max_mtu: link.maxMtu,
    ...(link.kind === undefined ? {} : { linkinfo: { info_kind: link.kind } }),
    num_tx_queues: link.numTxQueues,
    num_rx_queues: link.numRxQueues,
    gso_max_size: link.gsoMaxSize,
    gso_max_segs: link.gsoMaxSegs,
    tso_max_size: link.tsoMaxSize,
    tso_max_segs: link.tsoMaxSegs,
    gro_max_size: link.groMaxSize,
  }
}

function upper(name: string | number | undefined): string | undefined {
  return name?.toString().toUpperCase()
}

function hardwareJson(link: Link): object {
  const isPointToPoint = (link.flags & IFF_POINTOPOINT) !== 0
  return {
    link_type: linkTypeName(link.type),
    ...(link.address === undefined ? {} : { address: link.address }),
    ...(isPointToPoint && link.broadcast !== undefined ? { link_pointtopoint: true } : {}),
    ...(link.broadcast === undefined ? {} : { broadcast: link.broadcast }),
  }
}

interface LinkJsonOptions {
  readonly details?: boolean
  readonly statistics?: boolean
}

/** The members with which both `ip link` and `ip addr` begin. */
export function headJson(link: Link, names: LinkNames): Record<string, unknown> {
  return {
    ifindex: link.ifindex,
    ...parentFields(link, names),
    ifname: link.ifname,
    flags: flagNames(link, names),
    mtu: link.mtu,
    ...(link.qdisc === undefined ? {} : { qdisc: link.qdisc }),
    ...(link.master === undefined ? {} : { master: names.name(link.master) }),
    operstate: upper(link.operstate),
    linkmode: upper(link.linkmode),
    ...(link.group === undefined ? {} : { group: GROUPS.name(link.group) }),
    ...(link.txqlen ? { txqlen: link.txqlen } : {}),
    ...hardwareJson(link),
    ...(link.linkNetnsid === undefined ? {} : { link_netnsid: link.linkNetnsid }),
    ...(link.protoDown ? { proto_down: true } : {}),
  }
}

/** Other names of the link. */
export function altnamesJson({ propList }: Link): object {
  return propList?.altIfname?.length ? { altnames: propList.altIfname } : {}
}

/** One element of `ip -j link show`. */
export function linkJson(link: Link, names: LinkNames, options: LinkJsonOptions = {}): object {
  return {
    ...headJson(link, names),
    ...(options.details ? detailsJson(link) : {}),
    ...(link.ifalias === undefined ? {} : { ifalias: link.ifalias }),
    ...(options.statistics ? statisticsJson(link) : {}),
    ...altnamesJson(link),
  }
}

/** One element of `ip -j -br link show`. */
export function briefLinkJson(link: Link, names: LinkNames): object {
  return {
    ...parentFields(link, names),
    ifname: link.ifname,
    operstate: upper(link.operstate),
    ...(link.address === undefined ? {} : { address: link.address }),
    flags: flagNames(link, names),
  }
}
