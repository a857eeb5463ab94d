/**
 * An IPv6 address, and the IPv6 side of a device.
 *
 * Kernel: include/net/if_inet6.h struct inet6_ifaddr, struct inet6_dev.
 */
import { type Ipv6, isLinkLocal6, isLoopback6 } from './address.ts'
import { AnycastAddresses } from './anycast6.ts'
import {
  AF_INET6,
  INFINITY_LIFE_TIME,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_SITE,
  RT_SCOPE_UNIVERSE,
} from './constants.ts'
import type { Devconf6 } from './devconf6.ts'
import type { NetDevice } from './device.ts'
import type { Fib6Route } from './fib6.ts'
import type { MulticastGroups } from './multicast.ts'
import { newGroups6 } from './multicast6.ts'

/** An address that is asked for, or how one to be deleted is described. */
export interface Ifaddr6Request {
  readonly ifindex: number
  readonly prefixlen: number
  readonly address?: Ipv6 | undefined
  readonly peer?: Ipv6 | undefined
  /** IFA_F_*. */
  readonly flags?: number | undefined
  readonly rtPriority?: number | undefined
  readonly proto?: number | undefined
  /** Seconds. */
  readonly validLft?: number | undefined
  readonly preferredLft?: number | undefined
  /** RT_SCOPE_*, where it is not what the address says. */
  readonly scope?: number | undefined
}

/** struct inet6_ifaddr. */
export class Ifaddr6 {
  readonly family = AF_INET6
  readonly dev: NetDevice
  readonly address: Ipv6
  peer: Ipv6 | undefined
  readonly prefixlen: number
  /** RT_SCOPE_*. */
  readonly scope: number
  flags: number
  rtPriority: number
  proto: number
  /** Seconds from `updated`. */
  validLft = INFINITY_LIFE_TIME
  preferredLft = INFINITY_LIFE_TIME
  /** Milliseconds since boot. */
  readonly created: number
  updated: number
  cancelTimer: (() => void) | undefined
  /** Its /128 route in table local, in the table or not. */
  route: Fib6Route
  /** Where duplicate address detection is. */
  dad: 'before' | 'waiting' | 'done' = 'before'
  cancelDad: (() => void) | undefined
  /** Of its device, also when that has no IPv6 any more. */
  readonly conf: Devconf6
  readonly groups: MulticastGroups
  readonly anycasts: AnycastAddresses
  isDead = false

  constructor(dev: NetDevice, address: Ipv6, request: Ifaddr6Request, route: Fib6Route) {
    this.dev = dev
    this.address = address
    this.peer = request.peer
    this.prefixlen = request.prefixlen
    this.scope = request.scope ?? scope6(address)
    this.flags = request.flags ?? 0
    this.rtPriority = request.rtPriority ?? 0
    this.proto = request.proto ?? 0
    this.created = dev.stack.now()
    this.updated = this.created
    this.route = route
    const idev = dev.inet6 as Inet6Device
    this.conf = idev.conf
    this.groups = idev.groups
    this.anycasts = idev.anycasts
  }
}

/** RT_SCOPE_* of an address. */
export function scope6(address: Ipv6): number {
  if (isLinkLocal6(address)) return RT_SCOPE_LINK
  if (isLoopback6(address)) return RT_SCOPE_HOST
  return address >> 118n === 0x3fbn ? RT_SCOPE_SITE : RT_SCOPE_UNIVERSE
}

/** IFLA_INET6_ADDR_GEN_MODE: how a link-local address is made. */
export const IN6_ADDR_GEN_MODE_EUI64 = 0
export const IN6_ADDR_GEN_MODE_NONE = 1
export const IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
export const IN6_ADDR_GEN_MODE_RANDOM = 3

/** The IPv6 side of a device (struct inet6_dev). */
export class Inet6Device {
  readonly dev: NetDevice
  /** Widest scope first, then newest first. */
  addresses: Ifaddr6[] = []
  /** Whether the link has been ready since it is up (IF_READY). */
  isReady = false
  readonly conf: Devconf6
  readonly groups: MulticastGroups
  readonly anycasts = new AnycastAddresses()
  /** Milliseconds since boot. */
  updated: number
  /** What its stable address ends with, once it was drawn. */
  drawnId: bigint | undefined

  constructor(dev: NetDevice) {
    this.dev = dev
    this.conf = dev.stack.netconf6.newConf(dev)
    this.groups = newGroups6(dev)
    this.updated = dev.stack.now()
  }

  /** Sysctl disable_ipv6. */
  get isDisabled(): boolean {
    return this.conf.get('disableIpv6') !== 0
  }

  /** Sysctl ignore_routes_with_linkdown. */
  get ignoreLinkdown(): boolean {
    return this.conf.get('ignoreRoutesWithLinkdown') !== 0
  }

  /** IN6_ADDR_GEN_MODE_*. */
  get addrGenMode(): number {
    return this.conf.get('addrGenMode')
  }
}
