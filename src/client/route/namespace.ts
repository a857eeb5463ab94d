/** Network namespaces that a namespace knows by a number. */
import { NETNSA_NSID_NOT_ASSIGNED, rtNsid } from '../../families/rt-nsid.ts'
import type { Reply } from '../../schema/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, type Links } from './door.ts'
import { namespaceSubject } from './live-settings.ts'

type Decoded = Reply<typeof rtNsid, 'getNsid'>

/** A namespace by its number. */
export interface NamespaceId {
  /** In the namespace that was asked, or in the one named `targetNsid`; absent when it has none. */
  nsid?: number
  /** In the namespace that was asked, beside the one in `targetNsid`. */
  currentNsid?: number
}

/** Which namespace: a process's, or one that a descriptor is open to. */
export interface NamespaceName {
  readonly pid?: number | undefined
  readonly fd?: number | undefined
  readonly nsid?: number | undefined
  /** By whose numbers. */
  readonly targetNsid?: number | undefined
}

/** As its message says. */
export function toNamespaceId({ nsid, currentNsid }: Decoded): NamespaceId {
  const assigned = nsid === NETNSA_NSID_NOT_ASSIGNED ? undefined : nsid
  return defined({ nsid: assigned, currentNsid }) as NamespaceId
}

export class NamespaceDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtNsid, 'getNsid', 'do'),
    list: makeCall(rtNsid, 'getNsid', 'dump'),
    new: makeCall(rtNsid, 'newNsid', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<NamespaceId> = {}, options: LiveOptions = {}): Live<NamespaceId> {
    const { session } = this.#links.endpoint
    return new Live(session, namespaceSubject(this, toNamespaceId), checkMatch(match), options)
  }

  /** All that have a number. */
  list(
    filter: Pick<NamespaceName, 'targetNsid'> = {},
    options: DumpOptions = {},
  ): Dump<NamespaceId> {
    const value = () => defined({ targetNsid: filter.targetNsid })
    return this.#links.endpoint.dump(this.#calls.list, { value, map: toNamespaceId }, options)
  }

  /** The number of one. @throws NetlinkError ESRCH, EINVAL (no namespace is open there) */
  async get(name: NamespaceName, options: CallOptions = {}): Promise<NamespaceId> {
    const reply = await this.#links.endpoint.request(this.#calls.get, defined(name), options)
    return toNamespaceId(reply as Decoded)
  }

  /** Gives one a number; the next free one unless given. @throws NetlinkError EEXIST, ENOSPC */
  async add(
    name: Pick<NamespaceName, 'pid' | 'fd' | 'nsid'>,
    options: CallOptions = {},
  ): Promise<void> {
    const value = { nsid: NETNSA_NSID_NOT_ASSIGNED, ...defined(name) }
    await this.#links.endpoint.request(this.#calls.new, value, options)
  }
}
