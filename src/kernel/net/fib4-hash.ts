/**
 * The routes of one prefix length: from a prefix to the first of its routes.
 *
 * A hash with open addressing: keys lie in one array of numbers, so that a prefix that is not there
 * costs one look at memory, and one that is there two. A map of the language's costs three, and a
 * million of them in boxes.
 */
import type { Fib4Route } from './fib4-table.ts'

/** In place of a key where there is none; a prefix that is this very number stands aside. */
const EMPTY = 0x5bd1e995
const FIRST_SIZE = 8
/** 2^32 divided by the golden ratio: neighbours are scattered. */
const SCATTER = 0x9e3779b1 | 0

export class PrefixHash {
  size = 0
  #keys = new Int32Array(FIRST_SIZE).fill(EMPTY)
  #routes: (Fib4Route | undefined)[] = new Array<undefined>(FIRST_SIZE).fill(undefined)
  #shift = 32 - Math.log2(FIRST_SIZE)
  /** The routes of the prefix that looks like no key. */
  #aside: Fib4Route | undefined

  get(prefix: number): Fib4Route | undefined {
    const key = prefix | 0
    if (key === EMPTY) return this.#aside
    const keys = this.#keys
    const mask = keys.length - 1
    let at = Math.imul(key, SCATTER) >>> this.#shift
    for (;;) {
      const found = keys[at]
      if (found === key) return this.#routes[at]
      if (found === EMPTY) return undefined
      at = (at + 1) & mask
    }
  }

  set(prefix: number, route: Fib4Route): void {
    const key = prefix | 0
    if (key === EMPTY) {
      if (!this.#aside) this.size++
      this.#aside = route
      return
    }
    if (this.size * 5 >= this.#keys.length * 3) this.#grow()
    const at = this.#placeOf(key)
    if (this.#keys[at] === EMPTY) this.size++
    this.#keys[at] = key
    this.#routes[at] = route
  }

  delete(prefix: number): void {
    const key = prefix | 0
    if (key === EMPTY) {
      if (this.#aside) this.size--
      this.#aside = undefined
      return
    }
    const keys = this.#keys
    const mask = keys.length - 1
    let hole = this.#placeOf(key)
    if (keys[hole] === EMPTY) return
    this.size--
    // What stands behind and would not be found any more moves up.
    for (let at = (hole + 1) & mask; keys[at] !== EMPTY; at = (at + 1) & mask) {
      const home = Math.imul(keys[at] as number, SCATTER) >>> this.#shift
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      keys[hole] = keys[at] as number
      this.#routes[hole] = this.#routes[at]
      hole = at
    }
    keys[hole] = EMPTY
    this.#routes[hole] = undefined
  }

  /** Visits the first route of each prefix, in no order. Nothing may change meanwhile. */
  forEach(visit: (first: Fib4Route) => void): void {
    if (this.#aside) visit(this.#aside)
    for (const route of this.#routes) if (route) visit(route)
  }

  /** Copies prefixes and their first routes, in no order, from place `from` on; where they end. */
  copy(prefixes: Int32Array, firsts: Fib4Route[], from: number): number {
    let at = from
    if (this.#aside) {
      prefixes[at] = EMPTY
      firsts[at++] = this.#aside
    }
    const keys = this.#keys
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as number
      if (key === EMPTY) continue
      prefixes[at] = key
      firsts[at++] = this.#routes[i] as Fib4Route
    }
    return at
  }

  /** Where `key` is, or would be. */
  #placeOf(key: number): number {
    const keys = this.#keys
    const mask = keys.length - 1
    let at = Math.imul(key, SCATTER) >>> this.#shift
    while (keys[at] !== key && keys[at] !== EMPTY) at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const keys = this.#keys
    const routes = this.#routes
    this.#keys = new Int32Array(keys.length * 2).fill(EMPTY)
    this.#routes = new Array<undefined>(keys.length * 2).fill(undefined)
    this.#shift--
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as number
      if (key === EMPTY) continue
      const at = this.#placeOf(key)
      this.#keys[at] = key
      this.#routes[at] = routes[i]
    }
  }
}
