/** Traffic control: queueing disciplines, their classes, and filters. */
import { rtTc, TC_H_INGRESS, TC_H_ROOT } from '../../families/rt-tc.ts'
import type { Reply } from '../../schema/index.ts'
import { type Call, makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { defined, type LinkName, type Links, withRest } from './door.ts'

type Decoded = Reply<typeof rtTc, 'getQdisc'>
type Translated = 'family' | 'handle' | 'parent' | 'options'

/** What qdiscs, classes and filters have in common. */
interface TrafficControl extends Omit<Decoded, Translated> {
  /** The link. */
  ifindex: number
  kind: string
  /** `1:` or `1:10`; of filters a number. */
  handle: string
  /** Where it hangs: `root`, `ingress`, or a handle. */
  parent: string
  /** What only its kind has, as the schema names it. */
  options?: Record<string, unknown>
}
/** A queueing discipline. */
export interface Qdisc extends TrafficControl {}
/** A class of one. */
export interface TrafficClass extends TrafficControl {}
/** A filter. */
export interface Filter extends TrafficControl {
  /** ETH_P_*: for packets of that protocol. */
  protocol: number
  /** Lower ones are asked first. */
  priority: number
  /** Its own number, as its kind means it. */
  id: number
}

/** `root`, `ingress`, `1:`, `1:10`, in the kernel's number's place. */
function handleName(handle: number): string {
  if (handle === TC_H_ROOT) return 'root'
  if (handle === 0) return 'none'
  if (handle === TC_H_INGRESS) return 'ingress'
  const [major, minor] = [handle >>> 16, handle & 0xffff]
  return `${major === 0 ? '' : major.toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

const TRANSLATED: ReadonlySet<string> = new Set(['family', 'handle', 'parent'])

function toTrafficControl(decoded: Decoded): TrafficControl {
  const { handle, parent } = decoded
  const names = { handle: handleName(handle), parent: handleName(parent) }
  return withRest<TrafficControl>(names, decoded, TRANSLATED)
}

/** Bytes of a 16 bit number, swapped: the protocol stands in network order. */
function swapped(number: number): number {
  return ((number & 0xff) << 8) | ((number >> 8) & 0xff)
}

function toFilter(decoded: Decoded): Filter {
  const { info, handle } = decoded
  const filter = toTrafficControl(decoded) as Filter
  filter.protocol = swapped(info & 0xffff)
  filter.priority = info >>> 16
  filter.id = handle
  return filter
}

export interface QdiscFilter {
  readonly link?: LinkName | undefined
  /** Also those that the kernel keeps to itself. */
  readonly invisible?: boolean | undefined
}

export class QdiscDoor {
  readonly #links: Links
  readonly #list = makeCall(rtTc, 'getQdisc', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /** Qdiscs of all links, or of one. */
  list(filter: QdiscFilter = {}, options: DumpOptions = {}): Dump<Qdisc> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return defined({ ifindex, dumpInvisible: filter.invisible || undefined })
    }
    const map = (decoded: Decoded): Qdisc | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? toTrafficControl(decoded) : undefined
    return this.#links.endpoint.dump(this.#list, { value, map }, options)
  }
}

/** Whose classes or filters: those of a link. */
export interface OfLink {
  readonly link: LinkName
  /** The qdisc or class: TC_H_ROOT, TC_H_INGRESS, or a handle's number. */
  readonly parent?: number | undefined
}

function listOfLink<T>(
  links: Links,
  call: Call,
  { link, parent }: OfLink,
  map: (decoded: Decoded) => T,
  options: DumpOptions,
): Dump<T> {
  const value = async () => {
    const ifindex = await links.indexOf(link, 'link', options)
    return defined({ ifindex, parent })
  }
  return links.endpoint.dump(call, { value, map }, options)
}

export class TrafficClassDoor {
  readonly #links: Links
  readonly #list = makeCall(rtTc, 'getTclass', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /** Classes of a link. */
  list(filter: OfLink, options: DumpOptions = {}): Dump<TrafficClass> {
    return listOfLink(this.#links, this.#list, filter, toTrafficControl, options)
  }
}

export class FilterDoor {
  readonly #links: Links
  readonly #list = makeCall(rtTc, 'getTfilter', 'dump')

  constructor(links: Links) {
    this.#links = links
  }

  /** Filters of a link's qdisc or class, of its root qdisc unless `parent` is given. */
  list(filter: OfLink, options: DumpOptions = {}): Dump<Filter> {
    return listOfLink(this.#links, this.#list, filter, toFilter, options)
  }
}
