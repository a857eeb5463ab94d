/**
 * What a link's networks are set up with: tables of neighbours, forwarding, labels of addresses,
 * multicast groups. Each is listed; few can be changed.
 */
import { rtAddr } from '../../families/rt-addr.ts'
import { rtAddrlabel } from '../../families/rt-addrlabel.ts'
import { rtNeightbl } from '../../families/rt-neightbl.ts'
import { rtNetconf } from '../../families/rt-netconf.ts'
import { AF_INET6, AF_MPLS } from '../../families/rtnetlink.ts'
import type { Reply } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links, withRest } from './door.ts'
import { netconfSubject } from './live-settings.ts'
import { type Scope, scopes } from './names.ts'
import { familyNumber, type IpFamily, ipFamily, parsePrefix } from './prefix.ts'

type DecodedTable = Reply<typeof rtNeightbl, 'getNeightbl', 'dump'>
type DecodedConfiguration = Reply<typeof rtNetconf, 'getNetconf'>
type DecodedLabel = Reply<typeof rtAddrlabel, 'getAddrlabel'>
type DecodedGroup = Reply<typeof rtAddr, 'getMulticast', 'dump'>

const FAMILY: ReadonlySet<string> = new Set(['family'])

/** A table of neighbours, or what one of its links has of its own. */
export interface NeighbourTable extends Omit<DecodedTable, 'family'> {
  family: IpFamily | number
}

export class NeighbourTableDoor {
  readonly #links: Links
  readonly #list = makeCall(rtNeightbl, 'getNeightbl', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  list(
    filter: { readonly family?: IpFamily | undefined } = {},
    options: DumpOptions = {},
  ): Dump<NeighbourTable> {
    const family = filter.family === undefined ? undefined : familyNumber(filter.family)
    const map = (decoded: DecodedTable): NeighbourTable | undefined => {
      if (family !== undefined && decoded.family !== family) return undefined
      return withRest({ family: ipFamily(decoded.family) ?? decoded.family }, decoded, FAMILY)
    }
    return this.#links.endpoint.dump(this.#list, { value: () => defined({ family }), map }, options)
  }
}

/** How a link forwards; `ifindex` is -1 for all of them, -2 for those to come. */
export interface Netconf extends Omit<DecodedConfiguration, 'family'> {
  family: IpFamily | 'mpls' | number
}

/** As its message says. */
export function toNetconf(decoded: DecodedConfiguration): Netconf {
  const own = ipFamily(decoded.family)
  const family = decoded.family === AF_MPLS ? 'mpls' : (own ?? decoded.family)
  return withRest({ family }, decoded, FAMILY)
}

export interface NetconfFilter {
  readonly family: IpFamily | 'mpls'
  readonly link?: LinkName | undefined
}

export class NetconfDoor {
  readonly #links: Links
  readonly #list = makeCall(rtNetconf, 'getNetconf', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Netconf> = {}, options: LiveOptions = {}): Live<Netconf> {
    const { session } = this.#links.endpoint
    return new Live(session, netconfSubject(this, toNetconf), checkMatch(match), options)
  }

  list(filter: NetconfFilter, options: DumpOptions = {}): Dump<Netconf> {
    const family = filter.family === 'mpls' ? AF_MPLS : familyNumber(filter.family)
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return { family }
    }
    const map = (decoded: DecodedConfiguration): Netconf | undefined => {
      // A family that Linux lacks is answered with all that it has.
      if (decoded.family !== family) return undefined
      if (ifindex !== undefined && decoded.ifindex !== ifindex) return undefined
      return toNetconf(decoded)
    }
    return this.#links.endpoint.dump(this.#list, { value, map }, options)
  }
}

/** The label that addresses of a prefix have. */
export interface AddressLabel {
  /** `2001:db8::/32`. */
  prefix: string
  label: number
  /** The link that it is for; absent for any. */
  ifindex?: number
}

/** A label to be had, or by what one is found. */
export interface NewAddressLabel {
  readonly prefix: string
  readonly label?: number | undefined
  readonly link?: LinkName | undefined
}

export class AddressLabelDoor {
  readonly #links: Links
  readonly #calls = {
    list: makeCall(rtAddrlabel, 'getAddrlabel', 'dump'),
    new: makeCall(rtAddrlabel, 'newAddrlabel', 'do'),
    delete: makeCall(rtAddrlabel, 'delAddrlabel', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  list(options: DumpOptions = {}): Dump<AddressLabel> {
    const map = ({
      address = '::',
      prefixlen,
      label = 0,
      ifindex,
    }: DecodedLabel): AddressLabel => ({
      prefix: `${address}/${prefixlen}`,
      label,
      ...(ifindex === 0 ? {} : { ifindex }),
    })
    return this.#links.endpoint.dump(
      this.#calls.list,
      { value: () => ({ family: AF_INET6 }), map },
      options,
    )
  }

  /** Adds a label. @throws NetlinkError EEXIST */
  add(label: NewAddressLabel, options: CallOptions = {}): Promise<void> {
    return this.#change(label, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(label: NewAddressLabel, options: CallOptions = {}): Promise<void> {
    return this.#change(label, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Takes a label away. @throws NetlinkError ESRCH */
  async delete(label: NewAddressLabel, options: CallOptions = {}): Promise<void> {
    const value = await this.#describe(label, options)
    await this.#links.endpoint.request(this.#calls.delete, value, options)
  }

  async #change(label: NewAddressLabel, flags: number, options: CallOptions): Promise<void> {
    const value = await this.#describe(label, options)
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }
  async #describe({ prefix, label, link }: NewAddressLabel, options: CallOptions): Promise<object> {
    const { address, length } = parsePrefix(prefix, 'prefix')
    const ifindex = await this.#links.indexIfAny(link, 'link', options)
    return { family: AF_INET6, prefixlen: length, address, ...defined({ label, ifindex }) }
  }
}

/** A multicast group that a link has joined. */
export interface MulticastAddress extends Omit<DecodedGroup, 'family' | 'scope' | 'ifaFlags'> {
  family: IpFamily
  ifindex: number
  /** The group. */
  multicast: string
  scope: Scope | number
}

export interface MulticastAddressFilter {
  readonly family?: IpFamily | undefined
  readonly link?: LinkName | undefined
}

const OF_GROUP: ReadonlySet<string> = new Set(['family', 'scope', 'ifaFlags'])

export class MulticastAddressDoor {
  readonly #links: Links
  readonly #list = makeCall(rtAddr, 'getMulticast', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /** IPv6's; IPv4's since Linux 6.15, before which the kernel refuses with EOPNOTSUPP. */
  list(filter: MulticastAddressFilter = {}, options: DumpOptions = {}): Dump<MulticastAddress> {
    const family = filter.family === undefined ? undefined : familyNumber(filter.family)
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return defined({ family, ifindex })
    }
    const map = (decoded: DecodedGroup): MulticastAddress | undefined => {
      const own = ipFamily(decoded.family)
      const isWanted =
        own !== undefined &&
        decoded.multicast !== undefined &&
        (ifindex === undefined || decoded.ifindex === ifindex) &&
        (family === undefined || decoded.family === family)
      if (!isWanted) return undefined
      return withRest({ family: own, scope: scopes.name(decoded.scope) }, decoded, OF_GROUP)
    }
    return this.#links.endpoint.dump(this.#list, { value, map }, options)
  }
}
