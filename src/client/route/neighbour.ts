/** Neighbours: who is behind a network address on a link (ARP and NDP). */
import { EncodeError } from '../../errors.ts'
import { NTF_PROXY, rtNeigh } from '../../families/rt-neigh.ts'
import type { Reply } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links, withRest } from './door.ts'
import { neighbourSubject } from './live.ts'
import {
  type NeighbourFlag,
  type NeighbourState,
  neighbourFlags,
  neighbourStates,
  type RouteType,
  routeTypes,
} from './names.ts'
import { familyNumber, familyOf, type IpFamily, ipFamily } from './prefix.ts'

type Decoded = Reply<typeof rtNeigh, 'getNeigh'>

/** A neighbour, with all that the kernel says of it. */
export interface Neighbour extends Omit<Decoded, 'family' | 'state' | 'type' | 'dst'> {
  family: IpFamily
  /** The link behind which it is. */
  ifindex: number
  /** Its network address. */
  destination: string
  /** Its link-layer address, once known. */
  lladdr?: string
  state: NeighbourState | number
  /** NTF_*. */
  flags: number
  type: RouteType | number
}

/** Which neighbours to list. Links and families are sorted out by the kernel. */
export interface NeighbourFilter {
  readonly link?: LinkName | undefined
  readonly family?: IpFamily | undefined
  readonly state?: NeighbourState | number | undefined
  /** The entries for which we answer, instead of the neighbours. */
  readonly proxy?: boolean | undefined
}

/** Which neighbour is meant: one that was listed will do. */
export interface NeighbourName {
  /** The link, or its index in `ifindex`. */
  readonly link?: LinkName | undefined
  readonly ifindex?: number | undefined
  readonly destination: string
  /** NTF_*, or their names: `proxy` is another table. */
  readonly flags?: number | readonly NeighbourFlag[] | undefined
}

/** A neighbour to be known. */
export interface NewNeighbour extends NeighbourName {
  readonly lladdr?: string | undefined
  /** `permanent` unless given. */
  readonly state?: NeighbourState | number | undefined
  /** RTPROT_*: who says so. */
  readonly protocol?: number | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set(['family', 'state', 'type', 'dst'])

/** A neighbour as its message says; undefined for bridges' forwarding entries and other families. */
export function toNeighbour(decoded: Decoded): Neighbour | undefined {
  const { dst: destination, state, type } = decoded
  const family = ipFamily(decoded.family)
  if (family === undefined || destination === undefined) return undefined
  const names = { state: neighbourStates.name(state), type: routeTypes.name(type) }
  return withRest<Neighbour>({ family, destination, ...names }, decoded, TRANSLATED)
}

export class NeighbourDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtNeigh, 'getNeigh', 'do'),
    list: makeCall(rtNeigh, 'getNeigh', 'dump'),
    new: makeCall(rtNeigh, 'newNeigh', 'do'),
    delete: makeCall(rtNeigh, 'delNeigh', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Neighbour> = {}, options: LiveOptions = {}): Live<Neighbour> {
    const { session } = this.#links.endpoint
    return new Live(session, neighbourSubject(this, toNeighbour), checkMatch(match), options)
  }

  list(filter: NeighbourFilter = {}, options: DumpOptions = {}): Dump<Neighbour> {
    let family: number | undefined
    let state: number | undefined
    let ifindex: number | undefined
    const flags = filter.proxy ? NTF_PROXY : 0
    const value = async () => {
      family = filter.family === undefined ? undefined : familyNumber(filter.family)
      state = filter.state === undefined ? undefined : neighbourStates.bits(filter.state, 'state')
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return defined({ family, flags, viaIfindex: ifindex })
    }
    const map = (decoded: Decoded): Neighbour | undefined => {
      const isWanted =
        (ifindex === undefined || decoded.ifindex === ifindex) &&
        (family === undefined || decoded.family === family) &&
        (state === undefined || decoded.state === state || (decoded.state & state) !== 0)
      return isWanted ? toNeighbour(decoded) : undefined
    }
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** One neighbour. @throws NetlinkError ENOENT when it is not known. */
  async get(neighbour: NeighbourName, options: CallOptions = {}): Promise<Neighbour> {
    const value = await this.#describe(neighbour, options)
    return toNeighbour(
      (await this.#links.endpoint.request(this.#calls.get, value, options)) as Decoded,
    )!
  }

  /** Makes a neighbour known. @throws NetlinkError EEXIST and what the kernel refuses */
  add(neighbour: NewNeighbour, options: CallOptions = {}): Promise<void> {
    return this.#change(neighbour, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Changes a neighbour that is known. @throws NetlinkError ENOENT */
  set(neighbour: NewNeighbour, options: CallOptions = {}): Promise<void> {
    return this.#change(neighbour, NLM_F_REPLACE, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(neighbour: NewNeighbour, options: CallOptions = {}): Promise<void> {
    return this.#change(neighbour, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Forgets a neighbour. @throws NetlinkError ENOENT */
  async delete(neighbour: NeighbourName, options: CallOptions = {}): Promise<void> {
    const value = await this.#describe(neighbour, options)
    await this.#links.endpoint.request(this.#calls.delete, value, options)
  }

  async #change(wanted: NewNeighbour, flags: number, options: CallOptions): Promise<void> {
    const { lladdr, state = 'permanent', protocol } = wanted
    const value = {
      ...(await this.#describe(wanted, options)),
      state: neighbourStates.bits(state, 'state'),
      ...defined({ lladdr, protocol }),
    }
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }

  async #describe(name: NeighbourName, options: CallOptions): Promise<object> {
    const { destination, flags = 0 } = name
    const link = name.link ?? name.ifindex
    if (link === undefined) throw new EncodeError('required', 'link')
    if (destination === undefined) throw new EncodeError('required', 'destination')
    return {
      family: familyNumber(familyOf(destination, 'destination')),
      ifindex: await this.#links.indexOf(link, 'link', options),
      flags: neighbourFlags.bits(flags, 'flags'),
      dst: destination,
    }
  }
}
