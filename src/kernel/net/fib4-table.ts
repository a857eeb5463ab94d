/**
 * One IPv4 routing table: routes by prefix, longest prefix first.
 *
 * Kernel: net/ipv4/fib_trie.c fib_table_insert(), fib_table_delete(), fib_table_lookup(). Linux
 * keeps a trie; here each prefix length has a map from the masked address to the routes of that
 * prefix, and a look-up tries the lengths, the longest first.
 */
import type { Ipv4 } from './address.ts'
import { AF_INET } from './constants.ts'
import { PrefixHash } from './fib4-hash.ts'
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
  readonly #byLength: (PrefixHash | undefined)[] = []
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
    return this.#byLength[length]?.get(dst)
  }

  /** The routes of the prefix of `length` in which `address` lies. */
  covering(address: Ipv4, length: number): Fib4Route | undefined {
    // A shift by 32 is none: the one prefix of length 0 is no number's upper bits.
    return this.#byLength[length]?.get(length === 0 ? 0 : address & (-1 << (32 - length)))
  }

  /** Visits all routes, in no order; they may be removed meanwhile. */
  forEach(visit: (route: Fib4Route) => void): void {
    for (const route of this.#all()) visit(route)
  }

  #all(): Fib4Route[] {
    const routes: Fib4Route[] = []
    for (const hash of this.#byLength) {
      hash?.forEach((first) => {
        for (let route: Fib4Route | undefined = first; route; route = route.next) routes.push(route)
      })
    }
    return routes
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
    let hash = this.#byLength[dstLen]
    if (!hash) {
      hash = new PrefixHash()
      this.#byLength[dstLen] = hash
      if (dstLen > 0) this.#lengths |= 1 << (dstLen - 1)
    }
    const first = hash.get(dst)
    if (!first || first === before) {
      route.next = first
      hash.set(dst, route)
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
    const hash = this.#byLength[dstLen]
    const first = hash?.get(dst)
    if (!hash || !first) return
    if (first !== route) {
      let previous = first
      while (previous.next && previous.next !== route) previous = previous.next
      previous.next = route.next
    } else if (route.next) {
      hash.set(dst, route.next)
    } else {
      hash.delete(dst)
      if (hash.size === 0) {
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
    for (const hash of this.#byLength) count += hash?.size ?? 0
    const keys = new Int32Array(count)
    const firsts = new Array<Fib4Route>(count)
    let at = 0
    for (let length = 32; length >= 0; length--) {
      at = this.#byLength[length]?.copy(keys, firsts, at) ?? at
    }
    const order = orderOf(keys)
    const routes = new Array<Fib4Route>(this.#size)
    let next = 0
    for (let i = 0; i < count; i++) {
      let route = firsts[order[i] as number]
      for (; route; route = route.next) routes[next++] = route
    }
    this.#sorted = routes
    return routes
  }
}

/**
 * The places of `keys`, read without a sign, by ascending key; those of equal keys as they stand: a
 * radix sort, from the last byte on.
 */
function orderOf(keys: Int32Array): Uint32Array {
  const { length } = keys
  let order = new Uint32Array(length)
  let next = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = i
  const starts = new Uint32Array(257)
  for (let shift = 0; shift < 32; shift += 8) {
    starts.fill(0)
    for (let i = 0; i < length; i++) count(starts, (((keys[i] as number) >>> shift) & 255) + 1)
    if (starts.includes(length)) continue
    for (let i = 1; i < 257; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number)
    for (let i = 0; i < length; i++) {
      const place = order[i] as number
      next[count(starts, ((keys[place] as number) >>> shift) & 255)] = place
    }
    const sorted = next
    next = order
    order = sorted
  }
  return order
}

/** One more; what it was before. */
function count(counts: Uint32Array, at: number): number {
  const before = counts[at] as number
  counts[at] = before + 1
  return before
}
