/**
 * The link-layer addresses that a device takes packets for beside its own, counted: those of
 * devices that stand on it, and of multicast groups.
 *
 * Kernel: net/core/dev_addr_lists.c; net/ipv6/mcast.c igmp6_group_added(), net/ipv4/igmp.c.
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import type { Ipv6 } from './address.ts'
import { ARPHRD_ETHER, IFF_LOOPBACK } from './constants.ts'
import type { NetDevice } from './device.ts'
import type { NetStack } from './stack.ts'

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

/** An IPv6 group as Ethernet carries it (ipv6_eth_mc_map()). */
function groupAddress6(low32: number): Uint8Array {
  return Uint8Array.of(
    0x33,
    0x33,
    low32 >>> 24,
    (low32 >>> 16) & 255,
    (low32 >>> 8) & 255,
    low32 & 255,
  )
}

const ALL_NODES6 = groupAddress6(1)
const ALL_HOSTS4 = Uint8Array.of(1, 0, 0x5e, 0, 0, 1)

/** addrconf_addr_solict_mult(): the group in which an address is asked for. */
function solicitedNode(address: Ipv6): Uint8Array {
  return groupAddress6((0xff000000 | Number(address & 0xffffffn)) >>> 0)
}

/** Registers that the groups of IP are heard on Ethernet devices. */
export function watchGroups(stack: NetStack): void {
  const hears = (dev: NetDevice): boolean =>
    dev.type === ARPHRD_ETHER && (dev.flags & IFF_LOOPBACK) === 0
  const hasAllNodes = new WeakSet<NetDevice>()
  const hasAllHosts = new WeakSet<NetDevice>()
  const set = (dev: NetDevice, known: WeakSet<NetDevice>, group: Uint8Array, on: boolean): void => {
    if (known.has(dev) === on) return
    if (on) {
      known.add(dev)
      dev.multicast.add(group)
    } else {
      known.delete(dev)
      dev.multicast.release(group)
    }
  }
  stack.chains.netdev.register({
    name: 'dev_mc',
    priority: -10,
    call(event, { dev }) {
      if (!hears(dev)) return NOTIFY_DONE
      if (event === 'NETDEV_REGISTER' || event === 'NETDEV_UP') {
        set(dev, hasAllNodes, ALL_NODES6, dev.inet6 !== undefined)
      }
      if (event === 'NETDEV_UP') set(dev, hasAllHosts, ALL_HOSTS4, dev.inet !== undefined)
      if (event === 'NETDEV_DOWN' || event === 'NETDEV_UNREGISTER') {
        set(dev, hasAllNodes, ALL_NODES6, false)
        set(dev, hasAllHosts, ALL_HOSTS4, false)
      }
      return NOTIFY_DONE
    },
  })
  stack.chains.inet6addr.register({
    name: 'addrconf_join_solict',
    call(event, { address, dev }) {
      if (!hears(dev)) return NOTIFY_DONE
      const group = solicitedNode(address)
      if (event === 'NETDEV_UP') dev.multicast.add(group)
      else dev.multicast.release(group)
      return NOTIFY_DONE
    },
  })
}
