/**
 * IPv6 addresses of devices, set by hand or made from the MAC address.
 *
 * Kernel: net/ipv6/addrconf.c inet6_rtm_newaddr(), inet6_addr_add(), ipv6_add_addr(),
 * ipv6_del_addr(), inet6_addr_modify(), addrconf_notify().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { type Ipv6, isLinkLocal6, isLoopback6, isMulticast6 } from './address.ts'
import { watchLifetime } from './address-lifetime.ts'
import { addInet6 } from './address6-device.ts'
import {
  IFA_F_DEPRECATED,
  IFA_F_HOMEADDRESS,
  IFA_F_MANAGETEMPADDR,
  IFA_F_MCAUTOJOIN,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_OPTIMISTIC,
  IFA_F_PERMANENT,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  INFINITY_LIFE_TIME,
  IPV6_MIN_MTU,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_SITE,
} from './constants.ts'
import { leaveSolicited, startDad, stopDad } from './dad.ts'
import type { NetDevice } from './device.ts'
import { Ifaddr6, type Ifaddr6Request, type Inet6Device } from './ifaddr6.ts'
import {
  addMulticastRoute,
  addPrefixRoute,
  changePrefixRoutes,
  cleanupPrefixRoute,
  makeHostRoute,
} from './ifaddr6-routes.ts'
import type { NetStack } from './stack.ts'

/** Flags that a request can set. */
const SETTABLE =
  IFA_F_NODAD |
  IFA_F_HOMEADDRESS |
  IFA_F_MANAGETEMPADDR |
  IFA_F_NOPREFIXROUTE |
  IFA_F_MCAUTOJOIN |
  IFA_F_OPTIMISTIC

/** The IPv6 addresses of one stack. */
export class Inet6 {
  readonly #stack: NetStack

  constructor(stack: NetStack) {
    this.#stack = stack
  }

  /** ipv6_chk_addr(): whether `address` can be used here; a link-local one on `dev` only. */
  hasAddress(address: Ipv6, dev: NetDevice): boolean {
    const isOfOne = isLinkLocal6(address) || isLoopback6(address)
    const devs = isOfOne ? [dev] : this.#stack.devices.list()
    const found = devs.map(({ inet6 }) => inet6?.addresses.find((ifa) => ifa.address === address))
    return found.some((ifa) => ifa && !(ifa.flags & IFA_F_TENTATIVE))
  }

  /**
   * inet6_rtm_newaddr(). `how`: NLM_F_EXCL and NLM_F_REPLACE.
   * @throws NetlinkError EINVAL, ENODEV, EACCES, EADDRNOTAVAIL, EEXIST
   */
  add(request: Ifaddr6Request, how = 0): void {
    const { address } = request
    if (address === undefined) throw new NetlinkError('EINVAL')
    const dev = this.#stack.devices.byIndex(request.ifindex)
    if (!dev) throw new NetlinkError('ENODEV', 'ipv6: Unable to find the interface')
    const flags = (request.flags ?? 0) & SETTABLE & ~IFA_F_OPTIMISTIC
    const idev = this.#ensureDevice(dev)
    const known = idev.addresses.find((ifa) => ifa.address === address)
    if (!known) {
      dev.validateIp(address)
      this.#addByHand(dev, idev, address, { ...request, flags })
    } else if (how & NLM_F_EXCL || !(how & NLM_F_REPLACE)) {
      throw new NetlinkError('EEXIST', 'ipv6: address already assigned')
    } else {
      this.#modify(known, { ...request, flags })
    }
  }

  /** inet6_addr_del(). @throws NetlinkError EINVAL, ENODEV, ENXIO, EADDRNOTAVAIL */
  delete(request: Ifaddr6Request): void {
    const { address, prefixlen } = request
    if (address === undefined) throw new NetlinkError('EINVAL')
    if (prefixlen > 128) throw new NetlinkError('EINVAL', 'ipv6: Invalid prefix length')
    const dev = this.#stack.devices.byIndex(request.ifindex)
    if (!dev) throw new NetlinkError('ENODEV', 'ipv6: Unable to find the interface')
    if (!dev.inet6) throw new NetlinkError('ENXIO', 'ipv6: IPv6 is disabled on this device')
    const found = dev.inet6.addresses.find(
      (ifa) => ifa.address === address && ifa.prefixlen === prefixlen,
    )
    if (!found) throw new NetlinkError('EADDRNOTAVAIL', 'ipv6: address not found')
    this.remove(found)
  }

  /** ipv6_del_addr(). */
  remove(ifa: Ifaddr6): void {
    if (ifa.isDead) return
    ifa.isDead = true
    const idev = ifa.dev.inet6
    const hadPrefix = ifa.flags & IFA_F_PERMANENT && !(ifa.flags & IFA_F_NOPREFIXROUTE)
    idev?.addresses.splice(idev.addresses.indexOf(ifa), 1)
    stopDad(ifa)
    ifa.cancelTimer?.()
    this.notify('DELADDR', ifa)
    this.#stack.chains.inet6addr.call('NETDEV_DOWN', ifa)
    if (hadPrefix) cleanupPrefixRoute(ifa)
    this.#stack.fib6.forgetPrefsrc(ifa.address)
  }

  /**
   * __ipv6_ifa_notify(): user space hears; an address that comes brings its host route, one that
   * goes takes it away. `NOTE` only tells.
   */
  notify(event: 'NEWADDR' | 'DELADDR' | 'NOTE', ifa: Ifaddr6): void {
    const { fib6, chains } = this.#stack
    chains.addr.call(event === 'DELADDR' ? 'DELADDR' : 'NEWADDR', { ifa })
    if (event === 'NEWADDR') {
      if (!ifa.route.isLinked) quietly(() => fib6.link(ifa.route, 0))
      if (ifa.conf.get('forwarding')) ifa.anycasts.join(ifa)
      if (ifa.peer !== undefined) addPrefixRoute(ifa, ifa.peer, 128)
    } else if (event === 'DELADDR') {
      if (ifa.conf.get('forwarding')) ifa.anycasts.leave(ifa)
      leaveSolicited(ifa)
      if (ifa.peer !== undefined) cleanupPrefixRoute(ifa, ifa.peer, 128)
      fib6.unlink(ifa.route)
    }
  }

  /** ipv6_find_idev(). */
  #ensureDevice(dev: NetDevice): Inet6Device {
    if (!dev.inet6) {
      if (dev.mtu < IPV6_MIN_MTU) throw new NetlinkError('EINVAL')
      addInet6(dev)
    }
    const idev = dev.inet6 as Inet6Device
    if (dev.isUp) idev.groups.up()
    return idev
  }

  /** inet6_addr_add(). */
  #addByHand(dev: NetDevice, idev: Inet6Device, address: Ipv6, request: Ifaddr6Request): void {
    const { prefixlen, flags = 0 } = request
    const { validLft = INFINITY_LIFE_TIME, preferredLft = INFINITY_LIFE_TIME } = request
    if (prefixlen > 128) throw new NetlinkError('EINVAL', 'ipv6: Invalid prefix length')
    checkLifetime(validLft, preferredLft)
    if (flags & IFA_F_MANAGETEMPADDR && prefixlen !== 64) {
      const message = 'ipv6: address with "mngtmpaddr" flag must have a prefix length of 64'
      throw new NetlinkError('EINVAL', message)
    }
    if (idev.isDisabled) throw new NetlinkError('EACCES', 'ipv6: IPv6 is disabled on this device')
    if (!(dev.flags & IFF_LOOPBACK)) addMulticastRoute(dev)
    if (flags & IFA_F_MCAUTOJOIN && !isMulticast6(address)) {
      throw new NetlinkError('EINVAL', 'ipv6: Multicast auto join failed')
    }
    const ifa = this.insert(idev, address, request, validLft, preferredLft)
    if (!(flags & IFA_F_NOPREFIXROUTE)) {
      addPrefixRoute(ifa, address, prefixlen, expiryOf(ifa))
    }
    if (!(flags & IFA_F_NODAD)) this.notify('NOTE', ifa)
    this.startDad(ifa)
  }

  /** ipv6_add_addr(). */
  insert(
    idev: Inet6Device,
    address: Ipv6,
    request: Ifaddr6Request,
    valid = INFINITY_LIFE_TIME,
    preferred = INFINITY_LIFE_TIME,
  ): Ifaddr6 {
    const { dev } = idev
    const { flags = 0 } = request
    if (address === 0n) throw new NetlinkError('EADDRNOTAVAIL', 'ipv6: Invalid address')
    if (isMulticast6(address) && !(flags & IFA_F_MCAUTOJOIN)) {
      const message = 'ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag'
      throw new NetlinkError('EADDRNOTAVAIL', message)
    }
    if (isLoopback6(address) && !(dev.flags & IFF_LOOPBACK)) {
      const message = 'ipv6: Cannot assign loopback address on this device'
      throw new NetlinkError('EADDRNOTAVAIL', message)
    }
    const route = makeHostRoute(dev, address)
    const ifa = new Ifaddr6(dev, address, request, route)
    setLifetime(ifa, valid, preferred)
    if (!(flags & IFA_F_NODAD)) ifa.flags |= IFA_F_TENTATIVE
    const rank = width(ifa.scope)
    const at = idev.addresses.findIndex((other) => rank >= width(other.scope))
    idev.addresses.splice(at < 0 ? idev.addresses.length : at, 0, ifa)
    this.#watch(ifa)
    this.#stack.chains.inet6addr.call('NETDEV_UP', ifa)
    return ifa
  }

  /** inet6_addr_modify(). */
  #modify(ifa: Ifaddr6, request: Ifaddr6Request): void {
    const { flags = 0, peer, rtPriority, proto = 0 } = request
    const { validLft = INFINITY_LIFE_TIME, preferredLft = INFINITY_LIFE_TIME } = request
    checkLifetime(validLft, preferredLft)
    if (flags & IFA_F_MANAGETEMPADDR && ifa.prefixlen !== 64) throw new NetlinkError('EINVAL')
    const hadPrefix = (ifa.flags & (IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE)) === IFA_F_PERMANENT
    if (peer !== undefined && peer !== ifa.peer) {
      if (ifa.peer !== undefined) cleanupPrefixRoute(ifa, ifa.peer, ifa.prefixlen)
      ifa.peer = peer
    }
    const replaced =
      IFA_F_DEPRECATED |
      IFA_F_PERMANENT |
      IFA_F_NODAD |
      IFA_F_HOMEADDRESS |
      IFA_F_MANAGETEMPADDR |
      IFA_F_NOPREFIXROUTE
    ifa.flags = (ifa.flags & ~replaced) | flags
    ifa.proto = proto
    if (rtPriority) ifa.rtPriority = rtPriority
    setLifetime(ifa, validLft, preferredLft)
    this.#watch(ifa)
    if (!(ifa.flags & IFA_F_TENTATIVE)) this.notify('NOTE', ifa)
    if (!(flags & IFA_F_NOPREFIXROUTE)) changePrefixRoutes(ifa, hadPrefix, expiryOf(ifa))
    else if (hadPrefix) cleanupPrefixRoute(ifa)
  }

  #watch(ifa: Ifaddr6): void {
    watchLifetime(this.#stack, ifa, {
      deprecated: () => this.notify('NOTE', ifa),
      expired: () => this.remove(ifa),
    })
  }

  /** addrconf_dad_start(). */
  startDad(ifa: Ifaddr6): void {
    ifa.dad = 'before'
    this.#stack.defer(() => startDad(this, ifa))
  }
}

/** Addresses of a wider scope come first on a device. */
function width(scope: number): number {
  return scope === RT_SCOPE_LINK || scope === RT_SCOPE_HOST ? 2 : scope === RT_SCOPE_SITE ? 5 : 14
}

function checkLifetime(valid: number, preferred: number): void {
  if (valid === 0 || preferred > valid) {
    throw new NetlinkError('EINVAL', 'ipv6: address lifetime invalid')
  }
}

/** Seconds from now. */
function setLifetime(ifa: Ifaddr6, valid: number, preferred: number): void {
  ifa.validLft = valid
  ifa.preferredLft = preferred
  if (valid === INFINITY_LIFE_TIME) ifa.flags |= IFA_F_PERMANENT
  if (preferred === 0) ifa.flags |= IFA_F_DEPRECATED
  ifa.updated = ifa.dev.stack.now()
}

/** When the prefix route of `ifa` ends, in seconds from now. */
function expiryOf(ifa: Ifaddr6): number | undefined {
  return ifa.validLft === INFINITY_LIFE_TIME ? undefined : ifa.validLft
}

function quietly(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!isNetlinkError(error)) throw error
  }
}
