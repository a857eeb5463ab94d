/** What the doors to NETLINK_ROUTE's objects share: links by name, one of a list. */
import { EncodeError, isNetlinkError, NetlinkError } from '../../errors.ts'
import { RTEXT_FILTER_SKIP_STATS, rtLink } from '../../families/rt-link.ts'
import { makeCall } from '../call.ts'
import type { Endpoint } from '../endpoint.ts'
import { didYouMean } from '../nearest.ts'
import type { CallOptions } from '../options.ts'

/** A link by its name, or by its index. */
export type LinkName = string | number

/** Longest name that IFLA_IFNAME takes, bytes; longer ones are alternative names. */
const MOST_IFNAME = 15

/** What of a link's message these doors read of it to find it. */
interface FoundLink {
  readonly ifindex: number
  readonly ifname?: string
  readonly linkinfo?: { readonly kind?: string; readonly slaveKind?: string }
}

/** The attribute that carries a name. */
export function nameAttribute(name: string): { ifname: string } | { altIfname: string } {
  return name.length > MOST_IFNAME ? { altIfname: name } : { ifname: name }
}

export class Links {
  readonly endpoint: Endpoint
  readonly #get = makeCall(rtLink, 'getLink', 'do')
  readonly #list = makeCall(rtLink, 'getLink', 'dump')

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }

  /** A link's index, asked of the kernel. @throws NetlinkError ENODEV, with a hint. */
  async indexOf(link: LinkName, path: string, options: CallOptions = {}): Promise<number> {
    if (typeof link === 'number') return link
    if (typeof link !== 'string') throw new EncodeError('a name or an index expected', path)
    return (await this.find(link, options)).ifindex
  }
  /** The same where there may be no link at all. */
  indexIfAny(
    link: LinkName | undefined,
    path: string,
    options: CallOptions = {},
  ): number | undefined | Promise<number> {
    return typeof link === 'string' ? this.indexOf(link, path, options) : link
  }

  async find(link: LinkName, options: CallOptions): Promise<FoundLink> {
    const target = typeof link === 'number' ? { ifindex: link } : nameAttribute(link)
    const { signal, timeout } = options
    const value = { ...target, extMask: RTEXT_FILTER_SKIP_STATS }
    try {
      const reply = await this.endpoint.request(this.#get, value, { signal, timeout })
      return reply as FoundLink
    } catch (error) {
      throw await this.explain(error, link, options)
    }
  }

  /** ENODEV about a link that was named gets that name, and the nearest there is. */
  async explain(error: unknown, link: LinkName, options: CallOptions): Promise<unknown> {
    if (!isNetlinkError(error, 'ENODEV') || typeof link !== 'string') return error
    const { extack, request, cause } = error
    const hint = didYouMean(link, await this.#names(options))
    const message = `there is no link named ${JSON.stringify(link)}`
    return new NetlinkError('ENODEV', { extack, request, cause, message, hint })
  }

  #names({ signal, timeout }: CallOptions): Promise<string[]> {
    const listing = {
      value: () => ({ extMask: RTEXT_FILTER_SKIP_STATS }),
      map: ({ ifname }: FoundLink) => ifname,
    }
    const names = this.endpoint.dump(this.#list, listing, { signal, timeout })
    return names.toArray().catch(() => [])
  }
}

/** The object without the members that are undefined. */
export function defined<T extends object>(object: T): T {
  const all = Object.entries(object)
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as T
}

/**
 * Adds to `item` what `decoded` has, but for the members in `translated`. Twice as fast as object
 * rest and spread, which tables of a million routes feel.
 */
export function withRest<T extends object>(
  item: object,
  decoded: object,
  translated: ReadonlySet<string>,
): T {
  const to = item as Record<string, unknown>
  const from = decoded as Record<string, unknown>
  for (const name in from) if (!translated.has(name)) to[name] = from[name]
  return item as T
}

/** The one that is looked for in a list. @throws NetlinkError with `code` when it is not there. */
export function found<T>(item: T | undefined, code: string, message: string): T {
  if (item === undefined) throw new NetlinkError(code, { message })
  return item
}
