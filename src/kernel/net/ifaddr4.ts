/**
 * An IPv4 address, and the IPv4 side of a device.
 *
 * Kernel: include/linux/inetdevice.h struct in_ifaddr, struct in_device.
 */
import { type Ipv4, samePrefix4 } from './address.ts'
import { AF_INET, IFA_F_SECONDARY, IFNAMSIZ, INFINITY_LIFE_TIME } from './constants.ts'
import type { Devconf4 } from './devconf4.ts'
import type { NetDevice } from './device.ts'
import type { MulticastGroups } from './multicast.ts'
import { newGroups4 } from './multicast4.ts'

/** An address that is asked for, or how one to be deleted is described. */
export interface Ifaddr4Request {
  readonly ifindex: number
  readonly prefixlen: number
  readonly local?: Ipv4 | undefined
  /** The peer's, or the same as `local`. */
  readonly address?: Ipv4 | undefined
  readonly broadcast?: Ipv4 | undefined
  readonly label?: string | undefined
  readonly scope?: number | undefined
  /** IFA_F_*. */
  readonly flags?: number | undefined
  readonly rtPriority?: number | undefined
  readonly proto?: number | undefined
  /** Seconds. */
  readonly validLft?: number | undefined
  readonly preferredLft?: number | undefined
}

/** struct in_ifaddr. */
export class Ifaddr4 {
  readonly family = AF_INET
  readonly dev: NetDevice
  readonly local: Ipv4
  readonly address: Ipv4
  readonly prefixlen: number
  /** 0: none. */
  readonly broadcast: Ipv4
  readonly scope: number
  label: string
  flags: number
  rtPriority: number
  proto: number
  /** Seconds from `updated`. */
  validLft = INFINITY_LIFE_TIME
  preferredLft = INFINITY_LIFE_TIME
  /** Milliseconds since boot. */
  readonly created: number
  updated: number
  /** Stops what waits for the end of its life. */
  cancelTimer: (() => void) | undefined

  constructor(dev: NetDevice, local: Ipv4, request: Ifaddr4Request) {
    this.dev = dev
    this.local = local
    this.address = request.address ?? local
    this.prefixlen = request.prefixlen
    this.broadcast = request.broadcast ?? 0
    this.scope = request.scope ?? 0
    this.label = (request.label ?? dev.name).slice(0, IFNAMSIZ - 1)
    this.flags = request.flags ?? 0
    this.rtPriority = request.rtPriority ?? 0
    this.proto = request.proto ?? 0
    this.created = dev.stack.now()
    this.updated = this.created
  }

  get isSecondary(): boolean {
    return (this.flags & IFA_F_SECONDARY) !== 0
  }

  /** inet_ifa_match(): whether `address` is in its subnet. */
  matches(address: Ipv4): boolean {
    return samePrefix4(address, this.address, this.prefixlen)
  }

  /** Whether `other` is in the same subnet, with the same mask. */
  sharesSubnet(other: Ifaddr4): boolean {
    return this.prefixlen === other.prefixlen && this.matches(other.address)
  }
}

/** The IPv4 side of a device (struct in_device). */
export class InDevice {
  readonly dev: NetDevice
  addresses: Ifaddr4[] = []
  /** Whether it is being taken apart: nothing is promoted any more. */
  isDead = false
  readonly conf: Devconf4
  readonly groups: MulticastGroups

  constructor(dev: NetDevice) {
    this.dev = dev
    this.groups = newGroups4(dev)
    this.conf = dev.stack.netconf4.newConf(dev)
  }

  /** IN_DEV_PROMOTE_SECONDARIES(). */
  get promoteSecondaries(): boolean {
    return this.#isSet('promoteSecondaries')
  }

  /** IN_DEV_IGNORE_ROUTES_WITH_LINKDOWN(). */
  get ignoreLinkdown(): boolean {
    return this.#isSet('ignoreRoutesWithLinkdown')
  }

  /** IN_DEV_ORCONF(): here, or for all devices. */
  #isSet(name: 'promoteSecondaries' | 'ignoreRoutesWithLinkdown'): boolean {
    return this.conf.get(name) !== 0 || this.dev.stack.netconf4.all.get(name) !== 0
  }

  /** inet_ifa_byprefix(): the first address of a subnet. */
  byPrefix(prefix: Ipv4, length: number): Ifaddr4 | undefined {
    return this.addresses.find((ifa) => ifa.prefixlen === length && ifa.matches(prefix))
  }
}
