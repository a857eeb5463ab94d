/**
 * The multicast groups that a device has joined in one address family, as far as both families are
 * alike: users are counted, the newest group is first, reports follow.
 *
 * Kernel: net/ipv6/mcast.c struct ifmcaddr6, net/ipv4/igmp.c struct ip_mc_list.
 */
import type { Ipv4, Ipv6 } from './address.ts'
import { ARPHRD_ETHER, IFF_LOOPBACK } from './constants.ts'
import type { NetDevice } from './device.ts'
import { multicastAddress } from './neighbour.ts'

/** One group on one device. */
export interface MulticastGroup {
  readonly family: number
  readonly dev: NetDevice
  readonly address: Ipv4 | Ipv6
  users: number
  /** Milliseconds since boot. */
  readonly created: number
  readonly updated: number
}

/** How a family does it. */
export interface MulticastRules {
  readonly family: number
  /** Whether the device's link layer has to listen, too. */
  isLinkWide(address: Ipv4 | Ipv6): boolean
  /** Whether other hosts are told of the group. */
  isReported(address: Ipv4 | Ipv6): boolean
  /** Sends a report; a neighbour entry for its destination is what is left of it here. */
  report(dev: NetDevice): void
  /** Milliseconds until a report is repeated, at most. */
  repeatAfter(dev: NetDevice): number
}

/** A report goes out a tick after the change, and once again later (Robustness Variable). */
const FIRST_REPORT = 10
const ROBUSTNESS = 2

/** The groups of one device. */
export class MulticastGroups {
  readonly #dev: NetDevice
  readonly #rules: MulticastRules
  #groups: MulticastGroup[] = []
  #reports = 0
  #cancelReport: (() => void) | undefined

  constructor(dev: NetDevice, rules: MulticastRules) {
    this.#dev = dev
    this.#rules = rules
  }

  /** The newest first. */
  list(): readonly MulticastGroup[] {
    return this.#groups
  }

  /** ipv6_dev_mc_inc(), ip_mc_inc_group(). */
  join(address: Ipv4 | Ipv6): void {
    const known = this.#groups.find((group) => group.address === address)
    if (known) {
      known.users++
      return
    }
    const dev = this.#dev
    const { family } = this.#rules
    const now = dev.stack.now()
    const group = { family, dev, address, users: 1, created: now, updated: now }
    this.#groups.unshift(group)
    if (this.#isHeard(address)) dev.multicast.add(multicastAddress(family, address))
    this.#changed(address)
    dev.stack.chains.multicast.call('NEWMULTICAST', { group })
  }

  /** ipv6_dev_mc_dec(), ip_mc_dec_group(). */
  leave(address: Ipv4 | Ipv6): void {
    const group = this.#groups.find((each) => each.address === address)
    if (!group || --group.users > 0) return
    const { family } = this.#rules
    this.#groups = this.#groups.filter((each) => each !== group)
    this.#forget(group)
    this.#changed(address)
    this.#dev.stack.chains.multicast.call('DELMULTICAST', { group: { ...group, family } })
  }

  /** ipv6_mc_up(): all groups are reported anew. */
  up(): void {
    for (const { address } of this.#groups) this.#changed(address)
  }

  /** ipv6_mc_down(): nothing is reported any more. */
  down(): void {
    this.#cancelReport?.()
    this.#cancelReport = undefined
  }

  /** What is left goes without a word. */
  destroy(): void {
    this.down()
    for (const group of this.#groups) this.#forget(group)
    this.#groups = []
  }

  /** ipv6_mc_dad_complete(): what there is to report is reported at once. */
  report(): void {
    if (this.#groups.some(({ address }) => this.#rules.isReported(address))) {
      this.#rules.report(this.#dev)
    }
  }

  #forget({ address }: MulticastGroup): void {
    const { family } = this.#rules
    if (!this.#isHeard(address)) return
    this.#dev.multicast.release(multicastAddress(family, address))
  }

  /** Whether the device's link layer listens. */
  #isHeard(address: Ipv4 | Ipv6): boolean {
    const { type, flags } = this.#dev
    const isEther = type === ARPHRD_ETHER && (flags & IFF_LOOPBACK) === 0
    return isEther && this.#rules.isLinkWide(address)
  }

  /** mld_ifc_event(), igmp_ifc_event(). */
  #changed(address: Ipv4 | Ipv6): void {
    if (!this.#dev.isUp || !this.#rules.isReported(address)) return
    this.#reports = ROBUSTNESS
    this.#schedule(FIRST_REPORT)
  }

  #schedule(ms: number): void {
    this.#cancelReport?.()
    const { stack } = this.#dev
    this.#cancelReport = stack.setTimer(() => {
      this.#cancelReport = undefined
      if (!this.#dev.isUp) return
      this.#rules.report(this.#dev)
      if (--this.#reports > 0) this.#schedule(randomBelow(this.#dev, this.#rules))
    }, ms)
  }
}

function randomBelow(dev: NetDevice, rules: MulticastRules): number {
  return dev.stack.chance() * rules.repeatAfter(dev)
}
