/** Forwarding entries: behind which port of a bridge, or which tunnel's end, an Ethernet address is. */
import { EncodeError } from '../../errors.ts'
import { NTF_MASTER, NTF_SELF, rtNeigh } from '../../families/rt-neigh.ts'
import { AF_BRIDGE } from '../../families/rtnetlink.ts'
import type { Reply } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type LinkName, type Links, withRest } from './door.ts'
import { forwardingSubject } from './live-settings.ts'
import {
  type NeighbourFlag,
  type NeighbourState,
  neighbourFlags,
  neighbourStates,
} from './names.ts'

type Decoded = Reply<typeof rtNeigh, 'getNeigh'>

/** An entry, with all that the kernel says of it. */
export interface ForwardingEntry extends Omit<Decoded, 'family' | 'state' | 'type' | 'dst'> {
  /** The port, or the link that keeps the entry itself. */
  ifindex: number
  /** The Ethernet address. */
  lladdr?: string
  /** Of a tunnel: its other end. */
  destination?: string
  /** `permanent`: the link's own; `noarp`: set; else learned. */
  state: NeighbourState | number
  /** NTF_*. */
  flags: number
}

export interface ForwardingFilter {
  /** The port. */
  readonly link?: LinkName | undefined
  readonly bridge?: LinkName | undefined
}

/** Which entry is meant: one that was listed will do. */
export interface ForwardingName {
  readonly link?: LinkName | undefined
  readonly ifindex?: number | undefined
  readonly lladdr: string
  readonly vlan?: number | undefined
  /** NTF_*: `master` is the bridge's table, `self` the link's own. `master` unless given. */
  readonly flags?: number | readonly NeighbourFlag[] | undefined
}

export interface NewForwardingEntry extends ForwardingName {
  /** `noarp`, which nobody learns anew, unless given. */
  readonly state?: NeighbourState | number | undefined
  /** Of a tunnel: its other end. */
  readonly destination?: string | undefined
  readonly vni?: number | undefined
  readonly port?: number | undefined
  readonly nhId?: number | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set(['family', 'state', 'type', 'dst'])

/** An entry as its message says; undefined for neighbours. */
export function toForwardingEntry(decoded: Decoded): ForwardingEntry | undefined {
  if (decoded.family !== AF_BRIDGE) return undefined
  const { dst: destination, state } = decoded
  const named = defined({ destination, state: neighbourStates.name(state) })
  return withRest<ForwardingEntry>(named, decoded, TRANSLATED)
}

export class ForwardingDoor {
  readonly #links: Links
  readonly #calls = {
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
  live(match: Match<ForwardingEntry> = {}, options: LiveOptions = {}): Live<ForwardingEntry> {
    const { session } = this.#links.endpoint
    return new Live(session, forwardingSubject(this, toForwardingEntry), checkMatch(match), options)
  }

  list(filter: ForwardingFilter = {}, options: DumpOptions = {}): Dump<ForwardingEntry> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      const master = await this.#links.indexIfAny(filter.bridge, 'bridge', options)
      return defined({ family: AF_BRIDGE, viaIfindex: ifindex, master })
    }
    const map = (decoded: Decoded): ForwardingEntry | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? toForwardingEntry(decoded) : undefined
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** Adds an entry. @throws NetlinkError EEXIST and what the kernel refuses */
  add(entry: NewForwardingEntry, options: CallOptions = {}): Promise<void> {
    return this.#change(entry, NLM_F_CREATE | NLM_F_EXCL, options)
  }
  /** Adds it, or changes it when it is there. */
  replace(entry: NewForwardingEntry, options: CallOptions = {}): Promise<void> {
    return this.#change(entry, NLM_F_CREATE | NLM_F_REPLACE, options)
  }
  /** Takes an entry away. @throws NetlinkError ENOENT */
  async delete(entry: ForwardingName, options: CallOptions = {}): Promise<void> {
    const value = await this.#describe(entry, options)
    await this.#links.endpoint.request(this.#calls.delete, value, options)
  }

  async #change(entry: NewForwardingEntry, flags: number, options: CallOptions): Promise<void> {
    const { state = 'noarp', destination, vni, port, nhId } = entry
    const value = {
      ...(await this.#describe(entry, options)),
      state: neighbourStates.bits(state, 'state'),
      ...defined({ dst: destination, vni, port, nhId }),
    }
    await this.#links.endpoint.request(this.#calls.new, value, { ...options, flags })
  }

  async #describe(name: ForwardingName, options: CallOptions): Promise<object> {
    const link = name.link ?? name.ifindex
    if (link === undefined) throw new EncodeError('required', 'link')
    if (name.lladdr === undefined) throw new EncodeError('required', 'lladdr')
    const flags = neighbourFlags.bits(name.flags ?? NTF_MASTER, 'flags')
    return {
      family: AF_BRIDGE,
      ifindex: await this.#links.indexOf(link, 'link', options),
      flags: flags & (NTF_MASTER | NTF_SELF) ? flags : flags | NTF_MASTER,
      lladdr: name.lladdr,
      ...defined({ vlan: name.vlan }),
    }
  }
}
