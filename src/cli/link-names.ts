/** Links by index: what addresses, routes, neighbours and other links refer to. */
import { isNetlinkError, type Link } from '../index.ts'
import { namespaceNames } from './namespace-names.ts'
import type { Connection } from './session.ts'

export class LinkNames {
  readonly #links = new Map<number, Link>()
  #namespaces: ReadonlyMap<number, string> = new Map()

  /** All links of a kernel. */
  static async load(nl: Connection): Promise<LinkNames> {
    const names = new LinkNames()
    names.replace(await nl.links.list().toArray())
    if (names.links().some(({ linkNetnsid }) => linkNetnsid !== undefined))
      names.#namespaces = await namespaceNames(nl)
    return names
  }

  /** Asks for those links of `indexes` that it has not heard of, as ip(8) does. */
  async ensure(nl: Connection, indexes: readonly number[]): Promise<void> {
    for (const ifindex of indexes) {
      if (ifindex <= 0 || this.#links.has(ifindex)) continue
      try {
        this.learn(await nl.links.get(ifindex))
      } catch (error) {
        if (!isNetlinkError(error, 'ENODEV')) throw error
      }
    }
  }

  /** Reads the names of namespaces anew. */
  async learnNamespaces(nl: Connection): Promise<void> {
    this.#namespaces = await namespaceNames(nl)
  }

  learn(link: Link): void {
    this.#links.set(link.ifindex, link)
  }

  forget({ ifindex }: Link): void {
    this.#links.delete(ifindex)
  }

  replace(links: readonly Link[]): void {
    this.#links.clear()
    for (const link of links) this.learn(link)
  }

  /** What was last heard of the link. */
  link(ifindex: number): Link | undefined {
    return this.#links.get(ifindex)
  }

  /** All of them, in the kernel's order. */
  links(): Link[] {
    return [...this.#links.values()]
  }

  /** The link's name; `if` and the index for one that is not there, `*` for none, as ip(8) has it. */
  name(ifindex: number): string {
    if (ifindex === 0) return '*'
    return this.#links.get(ifindex)?.ifname ?? `if${ifindex}`
  }

  /** The name of the network namespace that has the number `id` here, where it has one. */
  namespace(id: number): string | undefined {
    return this.#namespaces.get(id)
  }

  /** Whether the link is known to be down. */
  isDown(ifindex: number): boolean {
    return this.#links.get(ifindex)?.up === false
  }
}
