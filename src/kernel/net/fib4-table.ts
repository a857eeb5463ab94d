/**
 * One IPv4 routing table: routes by prefix, longest prefix first.
 *
 * Kernel: net/ipv4/fib_trie.c fib_table_insert(), fib_table_delete(), fib_table_lookup(). Linux
 * keeps a trie; here each prefix length has a map from the masked address to the routes of that
 * prefix, and a look-up tries the lengths, the longest first.
 */
import { type Ipv4, prefix4 } from './address.ts'
import { AF_INET } from './constants.ts'
import type { FibInfo } from './fib4-info.ts'

/** A route (struct fib_alias). */
export class Fib4Route {
  readonly family = AF_INET
  readonly table: number
  readonly dst: Ipv4
  readonly dstLen: number
  readonly dscp: number
  readonly info: FibInfo
  /** The next route of the same prefix. */
  next: Fib4Route | undefined
  /** Whether it was taken out: dumps that hold it pass over it. */
  isGone = false

  constructor(table: number, dst: Ipv4, dstLen: number, dscp: number, info: FibInfo) {
    this.table = table
    this.dst = dst
    this.dstLen = dstLen
    this.dscp = dscp
    this.info = info
  }

  /** Whether both have the same key: prefix, dscp and priority. */
  hasKeyOf(dscp: number, priority: number): boolean {
    return this.dscp === dscp && this.info.priority === priority
  }
}

/** A table. */
export class Fib4Table {
  readonly id: number
  /** By prefix length; keys are addresses as signed numbers, which maps hold without boxes. */
  readonly #byLength: (Map<number, Fib4Route> | undefined)[] = []
  /** Bit n-1: there are prefixes of length n; those of length 0 have no bit. */
  #lengths = 0
  #size = 0
  #sorted: readonly Fib4Route[] | undefined

  constructor(id: number) {
    this.id = id
  }

  /** How many routes there are. */
  get size(): number {
    return this.#size
  }

  /** Bit n-1 is set when there are prefixes of length n; those of length 0 have no bit. */
  get lengths(): number {
    return this.#lengths
  }

  /** The first route to exactly this prefix; the others hang on its `next`. */
  at(dst: Ipv4, length: number): Fib4Route | undefined {
    return this.#byLength[length]?.get(dst | 0)
  }

  /** The routes of the prefix of `length` in which `address` lies. */
  covering(address: Ipv4, length: number): Fib4Route | undefined {
    const map = this.#byLength[length]
    return map?.get(prefix4(address, length) | 0)
  }

  /** Visits all routes, in no order; they may be removed meanwhile. */
  forEach(visit: (route: Fib4Route) => void): void {
    for (const map of this.#byLength) {
      for (const first of map?.values() ?? []) {
        let next: Fib4Route | undefined
        for (let route: Fib4Route | undefined = first; route; route = next) {
          next = route.next
          visit(route)
        }
      }
    }
  }

  /**
   * The first route whose key is this one, or the one before which it would stand: dscp
   * descending, then priority ascending.
   */
  find(dst: Ipv4, length: number, dscp: number, priority: number): Fib4Route | undefined {
    for (let route = this.at(dst, length); route; route = route.next) {
      if (route.dscp > dscp) continue
      if (route.info.priority >= priority || route.dscp < dscp) return route
    }
    return undefined
  }

  /** Puts `route` in before `before`, at the end of its prefix without one. */
  insert(route: Fib4Route, before: Fib4Route | undefined): void {
    const { dst, dstLen } = route
    let map = this.#byLength[dstLen]
    if (!map) {
      map = new Map()
      this.#byLength[dstLen] = map
      if (dstLen > 0) this.#lengths |= 1 << (dstLen - 1)
    }
    const first = map.get(dst | 0)
    if (!first || first === before) {
      route.next = first
      map.set(dst | 0, route)
    } else {
      let previous = first
      while (previous.next && previous.next !== before) previous = previous.next
      route.next = previous.next
      previous.next = route
    }
    this.#size++
    this.#sorted = undefined
  }

  /** Puts `route` in the place of `old`. */
  replace(old: Fib4Route, route: Fib4Route): void {
    this.insert(route, old)
    this.remove(old)
  }

  remove(route: Fib4Route): void {
    const { dst, dstLen } = route
    const map = this.#byLength[dstLen]
    const first = map?.get(dst | 0)
    if (!map || !first) return
    if (first !== route) {
      let previous = first
      while (previous.next && previous.next !== route) previous = previous.next
      previous.next = route.next
    } else if (route.next) {
      map.set(dst | 0, route.next)
    } else {
      map.delete(dst | 0)
      if (map.size === 0) {
        this.#byLength[dstLen] = undefined
        if (dstLen > 0) this.#lengths &= ~(1 << (dstLen - 1))
      }
    }
    route.isGone = true
    this.#size--
    this.#sorted = undefined
  }

  /**
   * All routes as a dump shows them: prefixes ascending, the longer first where two begin alike.
   * The list is kept until the table changes and must not be changed.
   */
  sorted(): readonly Fib4Route[] {
    if (this.#sorted) return this.#sorted
    let count = 0
    for (const map of this.#byLength) count += map?.size ?? 0
    const keys = new Float64Array(count)
    let at = 0
    for (const [length, map] of this.#byLength.entries()) {
      for (const key of map?.keys() ?? []) keys[at++] = (key >>> 0) * 64 + (32 - length)
    }
    keys.sort()
    const routes: Fib4Route[] = []
    for (const key of keys) {
      const length = 32 - (key % 64)
      let route = this.#byLength[length]?.get(Math.floor(key / 64) | 0)
      for (; route; route = route.next) routes.push(route)
    }
    this.#sorted = routes
    return routes
  }
}
