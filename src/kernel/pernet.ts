/**
 * Pernet operations: what each network namespace gets at its birth and gives back at its end.
 *
 * Kernel: net/core/net_namespace.c register_pernet_subsys(), net_generic().
 */
import type { Net } from './net-namespace.ts'

/** What a part of the kernel wants to have in every namespace. */
export interface PernetOperations<T> {
  /** Makes the namespace's state; what it throws ends the namespace, or the registration. */
  init(net: Net): T
  /** Gives it back. */
  exit?(net: Net, state: T): void
}

/** A registration; the state of each namespace is found through it (net_generic()). */
export class Pernet<T> {
  readonly #operations: PernetOperations<T>
  readonly #states = new Map<Net, T>()

  constructor(operations: PernetOperations<T>) {
    this.#operations = operations
  }
  /** The state of `net`. @throws TypeError when it has none: not yet, or no longer. */
  of(net: Net): T {
    const state = this.#states.get(net)
    if (state === undefined && !this.#states.has(net)) {
      throw new TypeError(`nothing is registered in namespace ${net.name ?? net.cookie}`)
    }
    return state as T
  }
  /** Whether `net` has its state. */
  has(net: Net): boolean {
    return this.#states.has(net)
  }
  /** Runs `init` in `net`. */
  enter(net: Net): void {
    this.#states.set(net, this.#operations.init(net))
  }
  /** Runs `exit` in `net`, once. */
  leave(net: Net): void {
    if (!this.#states.has(net)) return
    const state = this.#states.get(net) as T
    try {
      this.#operations.exit?.(net, state)
    } finally {
      this.#states.delete(net)
    }
  }
}

/** All registrations of a kernel, in their order. */
export class PernetList {
  readonly #list: Pernet<unknown>[] = []

  /** Adds one and runs its `init` in `nets`; when one throws, the others are undone. */
  register<T>(operations: PernetOperations<T>, nets: Iterable<Net>): Pernet<T> {
    const pernet = new Pernet(operations)
    const done: Net[] = []
    try {
      for (const net of nets) {
        pernet.enter(net)
        done.push(net)
      }
    } catch (error) {
      for (const net of done.reverse()) pernet.leave(net)
      throw error
    }
    this.#list.push(pernet as Pernet<unknown>)
    return pernet
  }
  /** Takes one away and runs its `exit` in `nets`. Harmless when repeated. @returns false then. */
  unregister<T>(pernet: Pernet<T>, nets: Iterable<Net>): boolean {
    const at = this.#list.indexOf(pernet as Pernet<unknown>)
    if (at < 0) return false
    this.#list.splice(at, 1)
    for (const net of nets) pernet.leave(net)
    return true
  }
  /** setup_net(): a namespace is born; when one `init` throws, those before it are undone. */
  setup(net: Net): void {
    try {
      for (const pernet of this.#list) pernet.enter(net)
    } catch (error) {
      this.cleanup(net)
      throw error
    }
  }
  /** cleanup_net(): the last registered leaves first. */
  cleanup(net: Net): void {
    for (const pernet of this.#list.toReversed()) pernet.leave(net)
  }
}
