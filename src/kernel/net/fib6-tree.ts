/**
 * Routes by prefix, longest first; a prefix can have a tree of its own, by source.
 *
 * Kernel: net/ipv6/ip6_fib.c fib6_node_lookup_1(), fib6_backtrack(), fib6_walk_continue(), with
 * CONFIG_IPV6_SUBTREES. Linux keeps radix trees; here each prefix length has a map from the prefix
 * to its node.
 */
import { type Ipv6, prefix6 } from './address.ts'
import type { Fib6Route } from './fib6-table.ts'

/** A prefix that has routes: those from anywhere by ascending metric, and those by source. */
export interface Fib6Node {
  readonly prefix: Ipv6
  readonly length: number
  readonly routes: Fib6Route[]
  subtree: Fib6Tree | undefined
}

export class Fib6Tree {
  readonly #byLength: (Map<Ipv6, Fib6Node> | undefined)[] = []
  /** The lengths that there are, the longest first. */
  #lengths: number[] = []
  #sorted: readonly Fib6Node[] | undefined

  get isEmpty(): boolean {
    return this.#lengths.length === 0
  }

  /** The node of exactly this prefix. */
  at(prefix: Ipv6, length: number): Fib6Node | undefined {
    return this.#byLength[length]?.get(prefix6(prefix, length))
  }

  /** The node of exactly this prefix, made if need be. */
  make(prefix: Ipv6, length: number): Fib6Node {
    let map = this.#byLength[length]
    if (!map) {
      map = new Map()
      this.#byLength[length] = map
      this.#lengths = [...this.#lengths, length].sort((a, b) => b - a)
    }
    const key = prefix6(prefix, length)
    let node = map.get(key)
    if (!node) {
      node = { prefix: key, length, routes: [], subtree: undefined }
      map.set(key, node)
      this.#sorted = undefined
    }
    return node
  }

  /** Takes a node out when nothing is left of it. */
  prune(node: Fib6Node): void {
    if (node.subtree?.isEmpty) node.subtree = undefined
    if (node.routes.length > 0 || node.subtree) return
    const map = this.#byLength[node.length]
    map?.delete(node.prefix)
    this.#sorted = undefined
    if (map?.size !== 0) return
    this.#byLength[node.length] = undefined
    this.#lengths = this.#lengths.filter((length) => length !== node.length)
  }

  /** Whether there is a node that `address` lies in. */
  covers(address: Ipv6): boolean {
    return this.#lengths.some((length) => this.at(address, length))
  }

  /** The first answer of `visit` to the routes of one prefix after the other, the longest first. */
  search<T>(
    address: Ipv6,
    source: Ipv6,
    visit: (routes: readonly Fib6Route[]) => T | undefined,
  ): T | undefined {
    for (const length of this.#lengths) {
      const node = this.at(address, length)
      if (!node) continue
      if (node.subtree) {
        // Where sources matter, and none fits, the prefix itself counts for nothing.
        if (!node.subtree.covers(source)) continue
        const found = node.subtree.search(source, 0n, visit)
        if (found !== undefined) return found
      }
      if (node.routes.length === 0) continue
      const found = visit(node.routes)
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * All nodes as Linux walks its tree: what lies inside a prefix before the prefix itself. The list
   * is kept until the tree changes and must not be changed.
   */
  nodes(): readonly Fib6Node[] {
    if (this.#sorted) return this.#sorted
    const nodes: Fib6Node[] = []
    for (const map of this.#byLength) if (map) nodes.push(...map.values())
    this.#sorted = nodes.sort(compare)
    return this.#sorted
  }

  /** All routes, as they are walked; those by source stand before what lies inside their prefix. */
  walk(): Fib6Route[] {
    const routes: Fib6Route[] = []
    const nodes = this.nodes()
    const told = new Set<Fib6Node>()
    const bySource = nodes.filter(({ subtree }) => subtree).reverse()
    for (const node of nodes) {
      // Ancestors with sources come first, the outermost in front.
      for (const outer of bySource) {
        if (told.has(outer) || !contains(outer, node)) continue
        told.add(outer)
        for (const route of outer.subtree?.walk() ?? []) routes.push(route)
      }
      for (const route of node.routes) routes.push(route)
    }
    return routes
  }

  /**
   * Whether Linux's tree has a node for this prefix: where routes are, at its root, and where the
   * ways to longer prefixes part.
   */
  hasNode(address: Ipv6, length: number): boolean {
    if (length === 0 || this.at(address, length)) return true
    const prefix = prefix6(address, length)
    const halves = new Set<boolean>()
    for (const node of this.nodes()) {
      if (node.length <= length || prefix6(node.prefix, length) !== prefix) continue
      halves.add(prefix6(node.prefix, length + 1) === prefix)
    }
    return halves.size === 2
  }
}

function contains(outer: Fib6Node, inner: Fib6Node): boolean {
  return outer.length <= inner.length && prefix6(inner.prefix, outer.length) === outer.prefix
}

function compare(a: Fib6Node, b: Fib6Node): number {
  const length = Math.min(a.length, b.length)
  const left = prefix6(a.prefix, length)
  const right = prefix6(b.prefix, length)
  if (left === right) return b.length - a.length
  return left < right ? -1 : 1
}
