/**
 * The routes that IPv6 addresses and devices bring with them.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_prefix_route(), addrconf_add_mroute(),
 * cleanup_prefix_route(), modify_prefix_route(); net/ipv6/route.c addrconf_f6i_alloc().
 */
import { isNetlinkError } from '../../errors.ts'
import { type Ipv6, prefix6, samePrefix6 } from './address.ts'
import {
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_ANYCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTPROT_KERNEL,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Fib6Config, Fib6Route } from './fib6.ts'
import type { Ifaddr6 } from './ifaddr6.ts'

/** Metric of the routes that addresses make. */
const IP6_RT_PRIO_ADDRCONF = 256
/** ff00::/8. */
const MULTICAST: Ipv6 = 0xffn << 120n

/** ip6_route_add() as the kernel asks for it: that the route is there is fine. */
function addQuietly(dev: NetDevice, config: Fib6Config): void {
  const { fib6 } = dev.stack
  try {
    fib6.link(fib6.makeRoute(config), 0)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
  }
}

/** The /128 route in table local, in no table yet; the device need not be up. */
export function makeHostRoute(
  dev: NetDevice,
  address: Ipv6,
  type: 'local' | 'anycast' = 'local',
): Fib6Route {
  return dev.stack.fib6.makeRoute({
    dst: address,
    dstLen: 128,
    table: dev.l3mdevTable ?? RT_TABLE_LOCAL,
    type: type === 'local' ? RTN_LOCAL : RTN_ANYCAST,
    protocol: RTPROT_KERNEL,
    oif: dev.ifindex,
    metric: 0,
    ignoresDown: true,
  })
}

/** ff00::/8 through a device. */
export function addMulticastRoute(dev: NetDevice): void {
  addQuietly(dev, {
    dst: MULTICAST,
    dstLen: 8,
    table: dev.l3mdevTable ?? RT_TABLE_LOCAL,
    type: RTN_MULTICAST,
    protocol: RTPROT_KERNEL,
    oif: dev.ifindex,
    metric: IP6_RT_PRIO_ADDRCONF,
  })
}

/** The route to a prefix, ending in `expires` seconds where that is given. */
export function addPrefixRoute(ifa: Ifaddr6, prefix: Ipv6, length: number, expires?: number): void {
  addQuietly(ifa.dev, {
    dst: prefix,
    dstLen: length,
    table: ifa.dev.l3mdevTable ?? RT_TABLE_MAIN,
    type: RTN_UNICAST,
    protocol: RTPROT_KERNEL,
    oif: ifa.dev.ifindex,
    metric: ifa.rtPriority || IP6_RT_PRIO_ADDRCONF,
    expires,
  })
}

/** The same of a prefix that no address is behind. */
export function addDevicePrefix(dev: NetDevice, prefix: Ipv6, length: number): void {
  addQuietly(dev, {
    dst: prefix6(prefix, length),
    dstLen: length,
    table: dev.l3mdevTable ?? RT_TABLE_MAIN,
    type: RTN_UNICAST,
    protocol: RTPROT_KERNEL,
    oif: dev.ifindex,
    metric: IP6_RT_PRIO_ADDRCONF,
  })
}

function findPrefixRoute(ifa: Ifaddr6, prefix: Ipv6, length: number): Fib6Route | undefined {
  const { l3mdevTable = RT_TABLE_MAIN, stack } = ifa.dev
  const routes = stack.fib6.table(l3mdevTable)?.at({ dst: prefix, dstLen: length }) ?? []
  return routes.find(({ nexthop }) => nexthop.dev === ifa.dev && nexthop.gateway === undefined)
}

/** Takes the prefix route of `ifa` away, unless another address of the device needs it. */
export function cleanupPrefixRoute(ifa: Ifaddr6, prefix?: Ipv6, length = ifa.prefixlen): void {
  const { dev } = ifa
  const others =
    prefix === undefined
      ? (dev.inet6?.addresses ?? []).filter(
          (other) =>
            other !== ifa &&
            other.prefixlen === length &&
            samePrefix6(other.address, ifa.address, length),
        )
      : []
  if (others.some(({ flags }) => flags & (IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE))) return
  const route = findPrefixRoute(ifa, prefix ?? ifa.address, length)
  if (!route) return
  const { fib6 } = dev.stack
  if (others.length === 0) {
    fib6.unlink(route)
  } else if (route.expires === undefined) {
    const ends = others.map((other) => other.updated + other.validLft * 1000)
    fib6.expire(route, (Math.max(...ends) - dev.stack.now()) / 1000)
  }
}

/**
 * inet6_addr_modify(), as far as routes go: the one to the prefix and the one to the peer's. `had`:
 * whether the address had them until now.
 */
export function changePrefixRoutes(ifa: Ifaddr6, had: boolean, expires: number | undefined): void {
  const { address, peer, prefixlen } = ifa
  const isKnown = had && changePrefixRoute(ifa, address, expires)
  if (!isKnown) addPrefixRoute(ifa, address, prefixlen, expires)
  if (peer === undefined) return
  const isPeerKnown = had && changePrefixRoute(ifa, peer, expires)
  if (!isPeerKnown) addPrefixRoute(ifa, peer, prefixlen, expires)
}

/**
 * modify_prefix_route(): a new metric is a new route, another life is the same one's. False when
 * there is no such route.
 */
function changePrefixRoute(ifa: Ifaddr6, prefix: Ipv6, expires: number | undefined): boolean {
  const { fib6 } = ifa.dev.stack
  const route = findPrefixRoute(ifa, prefix, ifa.prefixlen)
  if (!route) return false
  if (route.metric === (ifa.rtPriority || IP6_RT_PRIO_ADDRCONF)) {
    fib6.expire(route, expires)
  } else {
    fib6.unlink(route)
    addPrefixRoute(ifa, prefix, ifa.prefixlen, expires)
  }
  return true
}
