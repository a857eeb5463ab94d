/**
 * IPv6 follows its devices: it comes and goes with them, and gives those that are ready addresses
 * of their own.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_notify(), addrconf_ifdown(), addrconf_init_auto_addrs(),
 * addrconf_link_ready() (Linux 6.18).
 */
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { IN6ADDR_LOOPBACK, type Ipv6 } from './address.ts'
import type { Inet6 } from './address6.ts'
import type { NetdevEvent, NetdevInfo } from './chains.ts'
import {
  AF_INET6,
  ARPHRD_IP6GRE,
  ARPHRD_IPGRE,
  ARPHRD_NONE,
  ARPHRD_SIT,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_STABLE_PRIVACY,
  IFA_F_TENTATIVE,
  IFAPROT_KERNEL_LL,
  IFAPROT_KERNEL_LO,
  IFF_LOOPBACK,
  IFF_MULTICAST,
  IFF_NOARP,
  IFF_POINTOPOINT,
  IPV6_MIN_MTU,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RTNH_F_DEAD,
  RTNH_F_LINKDOWN,
} from './constants.ts'
import { restartDad, startDad, stopDad } from './dad.ts'
import type { NetDevice } from './device.ts'
import {
  IN6_ADDR_GEN_MODE_EUI64,
  IN6_ADDR_GEN_MODE_NONE,
  IN6_ADDR_GEN_MODE_RANDOM,
  Inet6Device,
} from './ifaddr6.ts'
import { addDevicePrefix, addMulticastRoute, addPrefixRoute } from './ifaddr6-routes.ts'
import { ipv4Of, isAutoconfigured, LINK_LOCAL, linkLocalOf } from './link-local6.ts'
import { joinAllNodes, leaveAllNodes } from './multicast6.ts'
import type { NetStack } from './stack.ts'

/** ipv6_add_dev(). */
export function addInet6(dev: NetDevice): Inet6Device {
  const idev = new Inet6Device(dev)
  dev.inet6 = idev
  dev.stack.netconf6.announce(dev)
  joinAllNodes(dev, isRouter(dev, idev))
  return idev
}

/** The devices of one stack, as IPv6 sees them. */
export class Addrconf {
  readonly #stack: NetStack
  readonly #inet6: Inet6

  constructor(stack: NetStack, inet6: Inet6) {
    this.#stack = stack
    this.#inet6 = inet6
    stack.chains.netdev.register({
      name: 'ipv6_dev_notf',
      call: (event, info) => {
        this.#deviceEvent(event, info.dev, info)
        return NOTIFY_DONE
      },
    })
  }

  /** dev_disable_change(): as if the device went down, or came up. */
  disable(dev: NetDevice, off: boolean): void {
    this.#deviceEvent(off ? 'NETDEV_DOWN' : 'NETDEV_UP', dev)
  }

  /** addrconf_notify(). */
  #deviceEvent(event: NetdevEvent, dev: NetDevice, info?: NetdevInfo): void {
    switch (event) {
      case 'NETDEV_REGISTER':
        if (dev.mtu >= IPV6_MIN_MTU && !dev.inet6) addInet6(dev)
        return
      case 'NETDEV_UP':
        if (dev.hasNoAddrconf || dev.inet6?.isDisabled) return
        this.#restore(dev)
        if (isLinkReady(dev)) this.#linkReady(dev)
        return
      case 'NETDEV_CHANGE':
        if (dev.hasNoAddrconf || dev.inet6?.isDisabled) return
        if (!isLinkReady(dev)) this.#stack.fib6.markDevice(dev, RTNH_F_LINKDOWN, 0)
        else if (dev.inet6?.isReady) {
          dev.inet6.groups.up()
          if ((info?.flagsChanged ?? 0) & IFF_NOARP) this.#restartDad(dev.inet6)
          this.#stack.fib6.markDevice(dev, 0, RTNH_F_LINKDOWN)
        } else this.#linkReady(dev)
        return
      case 'NETDEV_CHANGEMTU':
        if (dev.mtu < IPV6_MIN_MTU) this.#shutDown(dev, !(dev.flags & IFF_LOOPBACK))
        else if (dev.inet6) dev.inet6.conf.set('mtu6', dev.mtu)
        else {
          addInet6(dev)
          if (dev.isUp && isLinkReady(dev)) this.#linkReady(dev)
        }
        return
      case 'NETDEV_CHANGEUPPER':
        if (info?.upper?.vrfTable !== undefined) this.#shutDown(dev, false)
        return
      case 'NETDEV_DOWN':
        this.#shutDown(dev, false)
        return
      case 'NETDEV_UNREGISTER':
        this.#shutDown(dev, true)
        return
      case 'NETDEV_CHANGENAME':
        if (!dev.inet6) return
        this.#stack.netconf6.withdraw(dev)
        this.#stack.netconf6.announce(dev)
        return
    }
  }

  /** addrconf_permanent_addr(): what was set while the device was down. */
  #restore(dev: NetDevice): void {
    for (const ifa of [...(dev.inet6?.addresses ?? [])]) {
      if (!(ifa.flags & IFA_F_PERMANENT)) continue
      if (!(ifa.flags & IFA_F_NOPREFIXROUTE)) addPrefixRoute(ifa, ifa.address, ifa.prefixlen)
      if (ifa.dad === 'before') this.#inet6.startDad(ifa)
    }
  }

  /** The device can be used: it gets its own addresses, and the others are tried. */
  #linkReady(dev: NetDevice): void {
    if (dev.mtu >= IPV6_MIN_MTU && !dev.inet6) addInet6(dev)
    const { inet6: idev } = dev
    if (!idev) return
    idev.isReady = true
    this.makeAddresses(dev)
    for (const ifa of idev.addresses) {
      if (ifa.flags & IFA_F_TENTATIVE && ifa.dad === 'waiting') startDad(this.#inet6, ifa)
    }
    this.#stack.fib6.markDevice(dev, 0, RTNH_F_DEAD | RTNH_F_LINKDOWN)
    idev.updated = this.#stack.now()
    this.#stack.chains.link.call('NEWLINK', { dev, change: 0, family: AF_INET6 })
  }

  /** addrconf_dad_run(): all addresses are tried again. */
  #restartDad({ addresses }: Inet6Device): void {
    for (const ifa of addresses) restartDad(this.#inet6, ifa)
  }

  /** addrconf_init_auto_addrs(): a VRF has none. */
  makeAddresses(dev: NetDevice): void {
    const { inet6: idev } = dev
    if (!idev || dev.vrfTable !== undefined) return
    if (dev.flags & IFF_LOOPBACK) {
      this.#settle(idev, IN6ADDR_LOOPBACK, 128, { proto: IFAPROT_KERNEL_LO })
    } else if (dev.type === ARPHRD_SIT) this.#configureSit(idev)
    else if (dev.type === ARPHRD_IPGRE || dev.type === ARPHRD_IP6GRE) this.#configureGre(idev)
    else if (isAutoconfigured(dev)) this.#configure(idev)
  }

  /** add_addr(): an address that nobody is asked about. */
  #settle(idev: Inet6Device, address: Ipv6, prefixlen: number, more: object): void {
    if (idev.addresses.some((ifa) => ifa.address === address)) return
    const request = { ifindex: idev.dev.ifindex, prefixlen, ...more }
    const ifa = this.#inet6.insert(idev, address, request)
    ifa.flags &= ~IFA_F_TENTATIVE
    ifa.dad = 'done'
    this.#inet6.notify('NEWADDR', ifa)
  }

  /** addrconf_dev_config(): what has no number of its own draws one. */
  #configure(idev: Inet6Device): void {
    const { dev } = idev
    if (dev.isUp) idev.groups.up()
    addMulticastRoute(dev)
    if (dev.type === ARPHRD_NONE && idev.addrGenMode === IN6_ADDR_GEN_MODE_EUI64) {
      idev.conf.set('addrGenMode', IN6_ADDR_GEN_MODE_RANDOM)
    }
    this.#addLinkLocal(idev, false)
  }

  /** addrconf_gre_config(). */
  #configureGre(idev: Inet6Device): void {
    const { dev, addrGenMode } = idev
    if (dev.isUp) idev.groups.up()
    addMulticastRoute(dev)
    const isEndless = dev.type === ARPHRD_IPGRE && ipv4Of(dev.address) === 0
    if (isEndless && addrGenMode === IN6_ADDR_GEN_MODE_EUI64) this.#addFrom4(idev)
    else this.#addLinkLocal(idev, true)
  }

  /** addrconf_sit_config(). */
  #configureSit(idev: Inet6Device): void {
    const { dev } = idev
    if (dev.isUp) idev.groups.up()
    if (dev.isIsatap) {
      this.#addLinkLocal(idev, false)
      return
    }
    this.#addFrom4(idev)
    if (dev.flags & IFF_POINTOPOINT) addMulticastRoute(dev)
  }

  /** addrconf_addr_gen(). */
  #addLinkLocal(idev: Inet6Device, withRoute: boolean): void {
    const { dev } = idev
    const address = linkLocalOf(idev)
    if (address === undefined) {
      if (withRoute && idev.addrGenMode === IN6_ADDR_GEN_MODE_EUI64) {
        addDevicePrefix(dev, LINK_LOCAL, 64)
      }
      return
    }
    if (idev.addresses.some((ifa) => ifa.address === address)) return
    const isDrawn = idev.addrGenMode === IN6_ADDR_GEN_MODE_RANDOM
    const flags = isDrawn ? IFA_F_STABLE_PRIVACY : 0
    const request = { ifindex: dev.ifindex, prefixlen: 64, proto: IFAPROT_KERNEL_LL, flags }
    const ifa = this.#inet6.insert(idev, address, request)
    addPrefixRoute(ifa, address, 64)
    this.#inet6.startDad(ifa)
  }

  /** add_v4_addrs(): addresses that IPv4 addresses are in; its own, or those of all devices. */
  #addFrom4(idev: Inet6Device): void {
    const { dev } = idev
    const isOfOne = (dev.flags & IFF_POINTOPOINT) !== 0
    const isCompatible = !isOfOne && dev.type === ARPHRD_SIT
    if (!isCompatible && idev.addrGenMode === IN6_ADDR_GEN_MODE_NONE) return
    const head = isCompatible ? 0n : LINK_LOCAL
    const length = isCompatible ? 96 : 64
    const add = (ipv4: number, scope?: number): void => {
      const address = head | BigInt(ipv4)
      this.#settle(idev, address, length, { scope })
      addDevicePrefix(dev, address, length)
    }
    const scope = isCompatible ? undefined : RT_SCOPE_LINK
    const own = ipv4Of(dev.address)
    if (own !== 0) {
      add(own, scope)
      return
    }
    for (const { inet, isUp } of this.#stack.devices.list()) {
      if (!isUp) continue
      for (const ifa of inet?.addresses ?? []) {
        const isOfHost = ifa.scope >= RT_SCOPE_HOST
        if (ifa.scope === RT_SCOPE_LINK || (isOfHost && isOfOne)) continue
        add(ifa.local, isOfHost ? RT_SCOPE_HOST : scope)
      }
    }
  }

  /** addrconf_ifdown(): routes, then neighbours, then addresses go. */
  #shutDown(dev: NetDevice, isEnd: boolean): void {
    this.#stack.fib6.deviceDown(dev, isEnd ? 'unregister' : 'down')
    this.#stack.ndisc.flush(dev)
    const { inet6: idev } = dev
    if (!idev) return
    if (isEnd) dev.inet6 = undefined
    const wasReady = idev.isReady
    idev.isReady = false
    for (const ifa of [...idev.addresses]) {
      stopDad(ifa)
      ifa.cancelTimer?.()
      ifa.isDead = true
      this.#inet6.notify('DELADDR', ifa)
      this.#stack.chains.inet6addr.call('NETDEV_DOWN', ifa)
    }
    idev.addresses = []
    if (isEnd) leaveAllNodes(idev.groups, isRouter(dev, idev))
    else if (wasReady) idev.groups.down()
    idev.updated = this.#stack.now()
    if (isEnd) this.#stack.netconf6.withdraw(dev)
  }
}

/** Whether routers' groups are joined from the start. */
function isRouter(dev: NetDevice, { conf }: Inet6Device): boolean {
  return conf.get('forwarding') !== 0 && (dev.flags & IFF_MULTICAST) !== 0
}

/** addrconf_link_ready(). */
function isLinkReady(dev: NetDevice): boolean {
  return dev.isOperUp && dev.isActive
}
