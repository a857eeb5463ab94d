/**
 * The link-layer addresses that a device takes packets for beside its own, counted: those of
 * devices that stand on it, and of multicast groups.
 *
 * Kernel: net/core/dev_addr_lists.c.
 */
import { NetlinkError } from '../../errors.ts'

interface Entry {
  readonly address: Uint8Array
  count: number
}

/** A list of addresses, in the order in which they came (struct netdev_hw_addr_list). */
export class HardwareAddresses {
  readonly #entries = new Map<string, Entry>()
  /** Those that user space added, which it may add once. */
  readonly #exclusive = new Set<string>()

  get size(): number {
    return this.#entries.size
  }

  list(): Uint8Array[] {
    return [...this.#entries.values()].map(({ address }) => address)
  }

  add(address: Uint8Array): void {
    const key = address.join(':')
    const known = this.#entries.get(key)
    if (known) known.count++
    else this.#entries.set(key, { address: address.slice(), count: 1 })
  }

  /** __hw_addr_add_excl(). @throws NetlinkError EEXIST */
  addExclusive(address: Uint8Array): void {
    const key = address.join(':')
    if (this.#entries.has(key)) throw new NetlinkError('EEXIST')
    this.add(address)
    this.#exclusive.add(key)
  }

  /** @throws NetlinkError ENOENT */
  remove(address: Uint8Array): void {
    const key = address.join(':')
    const known = this.#entries.get(key)
    if (!known) throw new NetlinkError('ENOENT')
    this.#exclusive.delete(key)
    if (--known.count === 0) this.#entries.delete(key)
  }

  /** Takes one reference away where there is one. */
  release(address: Uint8Array): void {
    if (this.#entries.has(address.join(':'))) this.remove(address)
  }
}
