/** Links: the network interfaces of a kernel. */
import { EncodeError, isNetlinkError } from '../../errors.ts'
import { IFF_UP, rtLink } from '../../families/rt-link.ts'
import { AF_BRIDGE, AF_UNSPEC } from '../../families/rtnetlink.ts'
import type { Reply, RequestInput } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links, nameAttribute, withRest } from './door.ts'
import { linkSubject } from './live.ts'
import { type LinkType, linkTypes } from './names.ts'

type Decoded = Reply<typeof rtLink, 'getLink'>
type Request = RequestInput<typeof rtLink, 'newLink'>

/** A link, with all that the kernel says of it. */
export interface Link
  extends Omit<Decoded, 'family' | 'type' | 'ifname' | 'carrier' | 'protoDown' | 'linkinfo'> {
  /** Its number, for life. */
  ifindex: number
  ifname: string
  /** The driver's kind, such as `veth`; hardware has none. */
  kind?: string
  /** What only links of its kind have. */
  data?: Record<string, unknown>
  /** The kind of its master, and what its master keeps about it. */
  slaveKind?: string
  slaveData?: Record<string, unknown>
  /** Counters that only links of its kind have. */
  xstats?: Record<string, unknown>
  /** IFF_UP: whether it is switched on. Whether packets can pass is `operstate`. */
  up: boolean
  /** IFF_*. */
  flags: number
  /** The hardware. */
  type: LinkType | number
  carrier?: boolean
  protoDown?: boolean
}

/** Which links to list. Kinds and masters are sorted out by the kernel. */
export interface LinkFilter {
  readonly kind?: string | undefined
  /** The bridge, bond or VRF. */
  readonly master?: LinkName | undefined
  readonly up?: boolean | undefined
  readonly group?: number | undefined
}

/** What a link can be made with, or be changed to. */
export interface LinkChanges
  extends Omit<
    Request,
    'family' | 'type' | 'ifindex' | 'master' | 'link' | 'carrier' | 'protoDown' | 'linkinfo'
  > {
  readonly up?: boolean | undefined
  /** null: none any more. */
  readonly master?: LinkName | null | undefined
  readonly carrier?: boolean | undefined
  readonly protoDown?: boolean | undefined
  /** What only links of its kind have. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** What its master keeps about it. */
  readonly slaveData?: Readonly<Record<string, unknown>> | undefined
}

/** A link to be made. */
export interface NewLink extends LinkChanges {
  readonly kind?: string | undefined
  /** A number of one's own choice. */
  readonly ifindex?: number | undefined
  /** What it stands on, such as a VLAN's parent. */
  readonly link?: LinkName | undefined
  /** The other end of a veth or netkit. */
  readonly peer?: Omit<NewLink, 'kind' | 'peer'> | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set([
  'family',
  'type',
  'ifindex',
  'ifname',
  'linkinfo',
  'carrier',
  'protoDown',
] satisfies (keyof Decoded)[])

/** A link as its message says; undefined for what bridges say of their ports (AF_BRIDGE). */
export function toLink(decoded: Decoded): Link | undefined {
  return decoded.family === AF_UNSPEC ? describe(decoded) : undefined
}

/** What a bridge says of a port, or of itself: little of a link, and what it keeps about it. */
export function toPort(decoded: Decoded): Link | undefined {
  return decoded.family === AF_BRIDGE ? describe(decoded) : undefined
}

function describe(decoded: Decoded): Link {
  const { ifindex, ifname = '', flags, carrier, protoDown } = decoded
  const info = (decoded.linkinfo ?? {}) as Partial<Link>
  const link: Partial<Link> = { ifindex, ifname }
  if (info.kind !== undefined) link.kind = info.kind
  link.up = (flags & IFF_UP) !== 0
  link.type = linkTypes.name(decoded.type)
  if (carrier !== undefined) link.carrier = carrier !== 0
  if (protoDown !== undefined) link.protoDown = protoDown !== 0
  const whole = withRest<Link>(link, decoded, TRANSLATED)
  if (info.data !== undefined) whole.data = info.data
  if (info.xstats !== undefined) whole.xstats = info.xstats
  if (info.slaveKind !== undefined) whole.slaveKind = info.slaveKind
  if (info.slaveData !== undefined) whole.slaveData = info.slaveData
  return whole
}

export class LinkDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtLink, 'getLink', 'do'),
    list: makeCall(rtLink, 'getLink', 'dump'),
    new: makeCall(rtLink, 'newLink', 'do'),
    delete: makeCall(rtLink, 'delLink', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Link> = {}, options: LiveOptions = {}): Live<Link> {
    const { session } = this.#links.endpoint
    return new Live(session, linkSubject(this, toLink), checkMatch(match), options)
  }

  list(filter: LinkFilter = {}, options: DumpOptions = {}): Dump<Link> {
    const { kind, up, group } = filter
    let master: number | undefined
    const value = async () => {
      master = await this.#links.indexIfAny(filter.master, 'master', options)
      return defined({ master, linkinfo: kind === undefined ? undefined : { kind } })
    }
    const map = (decoded: Decoded): Link | undefined => {
      const link = toLink(decoded)
      const isWanted =
        (kind === undefined || link?.kind === kind) &&
        (master === undefined || link?.master === master) &&
        (up === undefined || link?.up === up) &&
        (group === undefined || link?.group === group)
      return isWanted ? link : undefined
    }
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** One link. @throws NetlinkError ENODEV when it is not there, with a hint. */
  async get(link: LinkName, options: CallOptions = {}): Promise<Link> {
    try {
      const { endpoint } = this.#links
      return toLink((await endpoint.request(this.#calls.get, target(link), options)) as Decoded)!
    } catch (error) {
      throw await this.#links.explain(error, link, options)
    }
  }

  /** Makes a link. @throws NetlinkError EEXIST, EOPNOTSUPP (no such kind) and what its kind refuses */
  async add(link: NewLink, options: CallOptions = {}): Promise<void> {
    const value = await this.#describe(link, { kind: link.kind }, options)
    const flags = NLM_F_CREATE | NLM_F_EXCL
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }

  /**
   * Makes a link, or changes the one of this name and kind to what is given; its peer and what it
   * stands on stay as they are.
   * @throws NetlinkError EEXIST when a link of another kind has the name
   */
  async replace(
    link: NewLink & { readonly ifname: string },
    options: CallOptions = {},
  ): Promise<void> {
    try {
      await this.add(link, options)
    } catch (error) {
      if (!isNetlinkError(error, 'EEXIST')) throw error
      const { ifname, kind, ifindex: _index, link: _lower, peer: _peer, ...changes } = link
      const known = await this.#links.find(ifname, options)
      if (kind !== undefined && known.linkinfo?.kind !== kind) throw error
      await this.set(ifname, changes, options)
    }
  }

  /** Changes a link: what is not named stays as it is. @throws NetlinkError ENODEV, EINVAL, ... */
  async set(link: LinkName, changes: LinkChanges, options: CallOptions = {}): Promise<void> {
    const { ifname, data, slaveData } = changes
    const needsIndex = ifname !== undefined && typeof link === 'string'
    const needsKind = data !== undefined || slaveData !== undefined
    const known = needsIndex || needsKind ? await this.#links.find(link, options) : undefined
    const value = await this.#describe(changes, known?.linkinfo ?? {}, options)
    const whom = known ? { ifindex: known.ifindex } : target(link)
    try {
      await this.#links.endpoint.request(this.#calls.new, { ...value, ...whom }, options)
    } catch (error) {
      throw await this.#links.explain(error, link, options)
    }
  }

  /** Deletes a link, and with a veth its peer. @throws NetlinkError ENODEV, EOPNOTSUPP */
  async delete(link: LinkName, options: CallOptions = {}): Promise<void> {
    try {
      await this.#links.endpoint.request(this.#calls.delete, target(link), options)
    } catch (error) {
      throw await this.#links.explain(error, link, options)
    }
  }

  /** What is asked for, as RTM_NEWLINK has it. */
  async #describe(
    wanted: NewLink,
    { kind, slaveKind }: Kinds,
    options: CallOptions,
  ): Promise<object> {
    const { data, slaveData, peer, kind: _kind, link: lower, ...plain } = wanted
    const { up, master, carrier, protoDown, flags = 0, change = 0, ...rest } = plain
    if (data !== undefined && kind === undefined)
      throw new EncodeError('only links of a kind have data of a kind', 'data')
    const end = peer && (await this.#describe(peer, {}, options))
    const linkinfo = defined({
      kind,
      data: end ? { ...data, [PEER[kind ?? ''] ?? 'peer']: end } : data,
      slaveKind: slaveData && slaveKind,
      slaveData,
    })
    return defined({
      ...rest,
      flags: up ? flags | IFF_UP : flags,
      change: up === undefined ? change : change | IFF_UP,
      link: await this.#links.indexIfAny(lower, 'link', options),
      master: master === null ? 0 : await this.#links.indexIfAny(master, 'master', options),
      carrier: carrier === undefined ? undefined : Number(carrier),
      protoDown: protoDown === undefined ? undefined : Number(protoDown),
      linkinfo: Object.keys(linkinfo).length > 0 ? linkinfo : undefined,
    })
  }
}

/** What decides the form of kinds' data. */
interface Kinds {
  readonly kind?: string | undefined
  readonly slaveKind?: string | undefined
}

/** What the attribute with the other end is called where it is not `peer`. */
const PEER: Readonly<Record<string, string>> = { netkit: 'peerInfo' }

/** Whom a request is about. */
function target(link: LinkName): object {
  if (typeof link === 'number') return { ifindex: link }
  if (typeof link === 'string') return nameAttribute(link)
  throw new EncodeError('a name or an index expected', 'link')
}
