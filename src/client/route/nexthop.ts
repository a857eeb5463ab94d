/** Next hops that routes refer to by their ids, groups of them, and the buckets of resilient groups. */
import { EncodeError } from '../../errors.ts'
import { rtNexthop } from '../../families/rt-nexthop.ts'
import { AF_INET, AF_INET6, AF_UNSPEC } from '../../families/rtnetlink.ts'
import type { Reply, RequestInput } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links, withRest } from './door.ts'
import { nexthopSubject } from './live.ts'
import { type RouteProtocol, routeProtocols, type Scope, scopes } from './names.ts'
import { familyNumber, familyOf, type IpFamily } from './prefix.ts'

type Decoded = Reply<typeof rtNexthop, 'getNexthop'>
type Request = RequestInput<typeof rtNexthop, 'newNexthop'>
type Translated = 'family' | 'id' | 'scope' | 'protocol' | 'group' | 'resBucket'

/** A member of a group. */
export interface NexthopMember {
  readonly id: number
  /** Its share, beside the others' shares: 1 to 65,536. */
  readonly weight: number
}

/** A next hop, or a group of them, with all that the kernel says of it. */
export interface Nexthop extends Omit<Decoded, Translated> {
  /** Absent for groups, and for what has neither address nor family. */
  family?: IpFamily
  id: number
  scope: Scope | number
  /** Who installed it. */
  protocol: RouteProtocol | number
  /** RTNH_F_*. */
  flags: number
  gateway?: string
  /** Index of the link. */
  oif?: number
  group?: NexthopMember[]
}

/** Which next hops to list. All but `protocol` the kernel sorts out. */
export interface NexthopFilter {
  readonly family?: IpFamily | undefined
  readonly oif?: LinkName | undefined
  /** The bridge or VRF of the links that they go through. */
  readonly master?: LinkName | undefined
  /** Groups alone. */
  readonly groups?: boolean | undefined
  /** Those for forwarding entries of bridges alone. */
  readonly fdb?: boolean | undefined
  readonly protocol?: RouteProtocol | number | undefined
}

/** A next hop to be. */
export interface NewNexthop extends Omit<Request, Translated | 'oif' | 'groups' | 'master'> {
  /** Of `gateway`, or `inet`. */
  readonly family?: IpFamily | undefined
  /** A free number unless given. */
  readonly id?: number | undefined
  readonly protocol?: RouteProtocol | number | undefined
  readonly gateway?: string | undefined
  readonly oif?: LinkName | undefined
  /** Ids, or ids with weights. */
  readonly group?: readonly (number | NexthopMember)[] | undefined
}

/** A bucket of a resilient group. */
export interface NexthopBucket {
  /** The group. */
  id: number
  index: number
  /** Hundredths of a second since it was last used. */
  idleTime?: bigint
  /** The next hop that it leads to. */
  nhId?: number
  /** RTNH_F_*. */
  flags: number
}

const TRANSLATED: ReadonlySet<string> = new Set([
  'family',
  'id',
  'scope',
  'protocol',
  'group',
] satisfies (keyof Decoded)[])

/** A next hop as its message says. */
export function toNexthop(decoded: Decoded): Nexthop {
  const { id = 0, family, group } = decoded
  const hop: Partial<Nexthop> = { id }
  if (family === AF_INET) hop.family = 'inet'
  if (family === AF_INET6) hop.family = 'inet6'
  hop.scope = scopes.name(decoded.scope)
  hop.protocol = routeProtocols.name(decoded.protocol)
  if (group)
    hop.group = group.map(({ id: member, weight, weightHigh }) => ({
      id: member,
      weight: weightHigh * 256 + weight + 1,
    }))
  return withRest<Nexthop>(hop, decoded, TRANSLATED)
}

/** A bucket as its message says. */
export function toBucket({ id = 0, flags, resBucket = {} }: Decoded): NexthopBucket {
  const { index = 0, idleTime, nhId } = resBucket
  const bucket: NexthopBucket = { id, index, flags }
  if (idleTime !== undefined) bucket.idleTime = idleTime
  if (nhId !== undefined) bucket.nhId = nhId
  return bucket
}

export class NexthopDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtNexthop, 'getNexthop', 'do'),
    list: makeCall(rtNexthop, 'getNexthop', 'dump'),
    new: makeCall(rtNexthop, 'newNexthop', 'do'),
    delete: makeCall(rtNexthop, 'delNexthop', 'do'),
    buckets: makeCall(rtNexthop, 'getNexthopBucket', 'dump'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Nexthop> = {}, options: LiveOptions = {}): Live<Nexthop> {
    const { session } = this.#links.endpoint
    return new Live(session, nexthopSubject(this, toNexthop), checkMatch(match), options)
  }

  list(filter: NexthopFilter = {}, options: DumpOptions = {}): Dump<Nexthop> {
    const { groups, fdb } = filter
    let family: number | undefined
    let oif: number | undefined
    let protocol: number | undefined
    const value = async () => {
      family = filter.family === undefined ? undefined : familyNumber(filter.family)
      protocol =
        filter.protocol === undefined
          ? undefined
          : routeProtocols.number(filter.protocol, 'protocol')
      oif = await this.#links.indexIfAny(filter.oif, 'oif', options)
      const master = await this.#links.indexIfAny(filter.master, 'master', options)
      return defined({ family, oif, master, groups: groups || undefined, fdb: fdb || undefined })
    }
    const map = (decoded: Decoded): Nexthop | undefined => {
      const isWanted =
        (family === undefined || decoded.family === family) &&
        (oif === undefined || decoded.oif === oif) &&
        (protocol === undefined || decoded.protocol === protocol) &&
        (!groups || decoded.group !== undefined) &&
        (!fdb || decoded.fdb === true)
      return isWanted ? toNexthop(decoded) : undefined
    }
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** One next hop. @throws NetlinkError ENOENT */
  async get(id: number, options: CallOptions = {}): Promise<Nexthop> {
    const reply = await this.#links.endpoint.request(this.#calls.get, { id }, options)
    return toNexthop(reply as Decoded)
  }

  /** Buckets of resilient groups, of one of them if `id` is given. */
  buckets(id?: number, options: DumpOptions = {}): Dump<NexthopBucket> {
    const value = () => defined({ id })
    return this.#links.endpoint.dump(this.#calls.buckets, { value, map: toBucket }, options)
  }

  /** Adds a next hop. @throws NetlinkError EEXIST, EINVAL and what the kernel refuses */
  add(hop: NewNexthop, options: CallOptions = {}): Promise<void> {
    return this.#change(hop, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Changes the next hop of this id. @throws NetlinkError ENOENT */
  set(hop: NewNexthop, options: CallOptions = {}): Promise<void> {
    return this.#change(hop, NLM_F_REPLACE, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(hop: NewNexthop, options: CallOptions = {}): Promise<void> {
    return this.#change(hop, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Deletes a next hop, and the routes through it. @throws NetlinkError ENOENT */
  async delete({ id }: { readonly id: number }, options: CallOptions = {}): Promise<void> {
    await this.#links.endpoint.request(this.#calls.delete, { id }, options)
  }

  async #change(hop: NewNexthop, flags: number, options: CallOptions): Promise<void> {
    const { family, protocol = 'boot', oif, group, gateway, id, ...rest } = hop
    if (group?.length === 0) throw new EncodeError('a group has members', 'group')
    const own = family ?? (gateway === undefined ? 'inet' : familyOf(gateway, 'gateway'))
    const value = defined({
      ...rest,
      family: group || (hop.fdb === true && gateway === undefined) ? AF_UNSPEC : familyNumber(own),
      protocol: routeProtocols.number(protocol, 'protocol'),
      id,
      gateway,
      oif: await this.#links.indexIfAny(oif, 'oif', options),
      group: group?.map(describeMember),
    })
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }
}

function describeMember(member: number | NexthopMember) {
  const { id, weight } = typeof member === 'number' ? { id: member, weight: 1 } : member
  const share = weight - 1
  if (!(share >= 0 && share <= 0xffff)) throw new EncodeError('1 to 65,536 expected', 'weight')
  return { id, weight: share & 0xff, weightHigh: share >> 8 }
}
