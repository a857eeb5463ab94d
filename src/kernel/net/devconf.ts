/**
 * The settings of one address family on one device, or those that all have, or those that a new
 * device begins with: integers by name.
 *
 * Kernel: include/linux/inetdevice.h struct ipv4_devconf, include/linux/ipv6.h struct ipv6_devconf.
 */

let changes = 0

/** One set of settings. */
export class Devconf<Name extends string> {
  readonly #values: Record<Name, number>
  /** What was set by hand, or is no longer to follow the defaults (`state` of struct ipv4_devconf). */
  readonly #pinned: Set<Name>
  /** Another number after each change, and in each set. */
  version = ++changes

  constructor(values: Readonly<Record<Name, number>>, pinned: Iterable<Name> = []) {
    this.#values = { ...values }
    this.#pinned = new Set(pinned)
  }

  get(name: Name): number {
    return this.#values[name]
  }

  set(name: Name, value: number): void {
    this.#values[name] = value
    this.version = ++changes
  }

  pin(name: Name): void {
    this.#pinned.add(name)
  }

  /** ipv4_devconf_setall(): none of it follows the defaults any more. */
  pinAll(): void {
    for (const name of Object.keys(this.#values)) this.#pinned.add(name as Name)
  }

  isPinned(name: Name): boolean {
    return this.#pinned.has(name)
  }

  /** All of it. Not to be changed. */
  values(): Readonly<Record<Name, number>> {
    return this.#values
  }

  /** The same, to be changed apart. */
  copy(): Devconf<Name> {
    return new Devconf(this.#values, this.#pinned)
  }
}
