/** Bridges: what they keep about their ports, about VLANs, and about multicast groups. */
import {
  RTEXT_FILTER_BRVLAN,
  RTEXT_FILTER_BRVLAN_COMPRESSED,
  rtLink,
} from '../../families/rt-link.ts'
import { ETH_P_IP, ETH_P_IPV6, MCAST_INCLUDE, MDB_PERMANENT, rtMdb } from '../../families/rt-mdb.ts'
import {
  BRIDGE_VLANDB_DUMPF_GLOBAL,
  BRIDGE_VLANDB_DUMPF_STATS,
  rtVlan,
} from '../../families/rt-vlan.ts'
import { AF_BRIDGE } from '../../families/rtnetlink.ts'
import { formatIpv4, formatIpv6, formatMac, type Reply } from '../../schema/index.ts'
import { viewOf } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { defined, type LinkName, type Links } from './door.ts'
import { type Link, toPort } from './link.ts'

type DecodedLink = Reply<typeof rtLink, 'getLink'>
type DecodedVlan = Reply<typeof rtVlan, 'getVlan', 'dump'>
type DecodedMdb = Reply<typeof rtMdb, 'getMdb', 'dump'>
type Entry = NonNullable<DecodedVlan['entry']>[number]
type Option = NonNullable<DecodedVlan['globalOptions']>[number]
type Info = NonNullable<
  NonNullable<NonNullable<DecodedMdb['mdb']>['entry']>[number]['info']
>[number]
type Port = NonNullable<NonNullable<DecodedMdb['router']>['port']>[number]

export interface BridgePortFilter {
  /** The port, or the bridge itself. */
  readonly link?: LinkName | undefined
  /** With their VLANs, in `afSpec`: each, or those that are alike as the first and the last. */
  readonly vlans?: 'each' | 'ranges' | undefined
}

export interface BridgeVlanFilter {
  /** The port, or the bridge itself. */
  readonly link?: LinkName | undefined
  /** With what was counted. */
  readonly statistics?: boolean | undefined
}

/** A VLAN of a port, or several that are alike. */
export interface BridgeVlan extends Omit<Entry, 'info' | 'range'> {
  vid: number
  /** The last one of those that are alike. */
  last?: number
  /** BRIDGE_VLAN_INFO_*. */
  flags: number
}
/** The VLANs of a port, or of a bridge itself. */
export interface BridgeVlans {
  ifindex: number
  vlans: BridgeVlan[]
}

/** How a bridge deals with multicast in a VLAN, or in several that are alike. */
export interface BridgeVlanOptions extends Omit<Option, 'id' | 'range'> {
  vid: number
  last?: number
}

/** A port that has joined a multicast group. */
export interface BridgeGroup {
  /** The port; the bridge itself where it has joined. */
  ifindex: number
  /** An IP address, or an Ethernet address. */
  group: string
  /** Of those who send to it, where only one is meant. */
  source?: string
  vid?: number
  permanent: boolean
  /** MDB_FLAGS_*. */
  flags: number
  filterMode?: 'include' | 'exclude'
  sources: readonly { readonly address?: string; readonly timer?: number }[]
  /** RTPROT_*: who has put it there. */
  protocol?: string | number
  /** Hundredths of a second until it is forgotten; 0 for ever. */
  timer?: number
}
/** A port behind which a multicast router is. */
export interface BridgeRouter extends Port {}
/** The multicast groups of a bridge. */
export interface BridgeGroups {
  /** The bridge. */
  ifindex: number
  groups: BridgeGroup[]
  routers: BridgeRouter[]
}

export interface BridgeFilter {
  readonly bridge?: LinkName | undefined
}

function toVlan({ info, range, ...rest }: Entry): BridgeVlan {
  const vlan = { vid: info?.vid ?? 0, last: range, flags: info?.flags ?? 0 }
  return { ...defined(vlan), ...rest } as BridgeVlan
}

function toOptions({ id = 0, range, ...rest }: Option): BridgeVlanOptions {
  return { ...defined({ vid: id, last: range }), ...rest } as BridgeVlanOptions
}

function groupAddress(addr: Uint8Array, proto: number): string {
  const view = viewOf(addr)
  if (proto === ETH_P_IP) return formatIpv4(view, 0)
  return proto === ETH_P_IPV6 ? formatIpv6(view, 0) : formatMac(view, 0, 6)
}

function toGroup(info: Info): BridgeGroup {
  const { ifindex, state, flags, vid, addr, proto, groupMode, source, srcList, rtprot } = info
  const mode = groupMode === MCAST_INCLUDE ? 'include' : 'exclude'
  return defined({
    ifindex,
    group: groupAddress(addr, proto),
    source,
    vid: vid || undefined,
    permanent: (state & MDB_PERMANENT) !== 0,
    flags,
    filterMode: groupMode === undefined ? undefined : mode,
    sources: srcList?.entry ?? [],
    protocol: rtprot,
    timer: info.timer,
  }) as BridgeGroup
}

function toGroups({ ifindex, mdb, router }: DecodedMdb): BridgeGroups {
  const groups = (mdb?.entry ?? []).flatMap(({ info = [] }) => info.map(toGroup))
  return { ifindex, groups, routers: router?.port ?? [] }
}

const EXT_MASKS = { each: RTEXT_FILTER_BRVLAN, ranges: RTEXT_FILTER_BRVLAN_COMPRESSED } as const

/** What bridges keep besides forwarding entries, which `forwarding` has. */
export class BridgeDoor {
  readonly #links: Links
  readonly #calls = {
    ports: makeCall(rtLink, 'getLink', 'dump'),
    vlans: makeCall(rtVlan, 'getVlan', 'dump'),
    groups: makeCall(rtMdb, 'getMdb', 'dump'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /** Ports, with what their bridge keeps about each in `protinfo`; with VLANs bridges, too. */
  ports(filter: BridgePortFilter = {}, options: DumpOptions = {}): Dump<Link> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return defined({ family: AF_BRIDGE, extMask: filter.vlans && EXT_MASKS[filter.vlans] })
    }
    const map = (decoded: DecodedLink): Link | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? toPort(decoded) : undefined
    return this.#links.endpoint.dump(this.#calls.ports, { value, map }, options)
  }

  /**
   * VLANs of ports and of bridges themselves.
   * @throws NetlinkError EOPNOTSUPP (the kernel's bridges tell no VLANs apart)
   */
  vlans(filter: BridgeVlanFilter = {}, options: DumpOptions = {}): Dump<BridgeVlans> {
    const flags = filter.statistics ? BRIDGE_VLANDB_DUMPF_STATS : undefined
    const map = ({ ifindex, entry = [] }: DecodedVlan) => ({ ifindex, vlans: entry.map(toVlan) })
    return this.#vlans(filter.link, flags, map, options)
  }

  /** What bridges keep about each VLAN as a whole. @throws NetlinkError as vlans() */
  vlanOptions(
    { bridge }: BridgeFilter = {},
    options: DumpOptions = {},
  ): Dump<{ ifindex: number; vlans: BridgeVlanOptions[] }> {
    const map = ({ ifindex, globalOptions = [] }: DecodedVlan) => {
      return { ifindex, vlans: globalOptions.map(toOptions) }
    }
    return this.#vlans(bridge, BRIDGE_VLANDB_DUMPF_GLOBAL, map, options)
  }

  /** Multicast groups that ports have joined, and where routers are; an item a bridge. */
  groups({ bridge }: BridgeFilter = {}, options: DumpOptions = {}): Dump<BridgeGroups> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(bridge, 'bridge', options)
      return { family: AF_BRIDGE }
    }
    const map = (decoded: DecodedMdb): BridgeGroups | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? toGroups(decoded) : undefined
    return this.#links.endpoint.dump(this.#calls.groups, { value, map }, options)
  }

  #vlans<T>(
    link: LinkName | undefined,
    flags: number | undefined,
    describe: (decoded: DecodedVlan) => T,
    options: DumpOptions,
  ): Dump<T> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(link, 'link', options)
      return defined({ family: AF_BRIDGE, ifindex, flags })
    }
    const map = (decoded: DecodedVlan): T | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? describe(decoded) : undefined
    return this.#links.endpoint.dump(this.#calls.vlans, { value, map }, options)
  }
}
