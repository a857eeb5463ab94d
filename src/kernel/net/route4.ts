/**
 * The way that a packet to an IPv4 address would take: what `ip route get` asks for.
 *
 * Kernel: net/ipv4/route.c ip_route_output_key_hash_rcu(), __mkroute_output();
 * net/ipv4/devinet.c inet_select_addr().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import {
  INADDR_BROADCAST,
  INADDR_LOOPBACK,
  type Ipv4,
  type Ipv6,
  isLoopback4,
  isMulticast4,
  isZeronet4,
} from './address.ts'
import {
  AF_INET,
  AF_INET6,
  IFF_LOOPBACK,
  LOOPBACK_IFINDEX,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Fib4Result, Flow4 } from './fib4-lookup.ts'
import type { NetStack } from './stack.ts'

/** 224.0.0.1: the one group that every device is in. */
const ALL_HOSTS: Ipv4 = 0xe0000001

/** In rtm_flags of an answer. */
export const RTCF_BROADCAST = 0x10000000
export const RTCF_MULTICAST = 0x20000000
export const RTCF_LOCAL = 0x80000000
export const RTCF_DOREDIRECT = 0x01000000

/** A way (struct rtable). */
export interface Way4 {
  readonly dev: NetDevice
  /** RTN_*. */
  readonly type: number
  /** RTCF_*. */
  readonly flags: number
  /** The source address that a packet would have. */
  readonly saddr: Ipv4
  /** The next hop, where it is not the destination itself. */
  readonly gateway: Ipv4 | undefined
  readonly gateway6: Ipv6 | undefined
  /** What the FIB said; absent where it was not asked, or did not know. */
  readonly found: Fib4Result | undefined
}

/**
 * ip_route_output_key_hash_rcu(). A flow without an interface of its own is looked up as from lo.
 * @throws NetlinkError ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENODEV
 */
export function routeOutput4(stack: NetStack, query: Flow4): Way4 {
  let { daddr, saddr = 0, oif = 0 } = query
  if (saddr !== 0) checkSource(stack, saddr)
  const out = oif === 0 ? undefined : outDevice(stack, oif)
  if (out && saddr === 0) {
    if (isMulticast4(daddr) || daddr === INADDR_BROADCAST) {
      const source = selectAddress4(stack, out, 0, RT_SCOPE_LINK)
      return way(out, RTN_UNICAST, { ...query, saddr: source }, undefined)
    }
    if (daddr === 0) saddr = selectAddress4(stack, out, 0, RT_SCOPE_HOST)
  }
  if (daddr === 0) {
    daddr = saddr || INADDR_LOOPBACK
    const dev = stack.loopback
    return way(dev, RTN_LOCAL, { ...query, daddr, saddr: daddr }, undefined)
  }
  let found: Fib4Result
  try {
    found = stack.fib4.lookup({ ...query, daddr, saddr, oif, iif: LOOPBACK_IFINDEX })
  } catch (error) {
    if (!out || !isNetlinkError(error)) throw error
    const source = saddr || selectAddress4(stack, out, 0, RT_SCOPE_LINK)
    return way(out, RTN_UNICAST, { ...query, daddr, saddr: source }, undefined)
  }
  const { info } = found.route
  if (found.type === RTN_LOCAL) {
    const source = saddr || info.prefsrc || daddr
    return way(stack.loopback, RTN_LOCAL, { ...query, daddr, saddr: source }, found)
  }
  const { dev, gateway } = found.nexthop
  if (!dev) throw new NetlinkError('ENETUNREACH')
  const source = saddr || info.prefsrc || selectAddress4(stack, dev, gateway, info.scope)
  return way(dev, found.type, { ...query, daddr, saddr: source }, found)
}

function checkSource(stack: NetStack, saddr: Ipv4): void {
  const isImpossible = isMulticast4(saddr) || saddr === INADDR_BROADCAST || isZeronet4(saddr)
  const isOurs = stack.devices
    .list()
    .some((dev) => dev.inet?.addresses.some(({ local }) => local === saddr))
  if (isImpossible) throw new NetlinkError('EINVAL')
  const isLocal = isOurs || stack.fib4.addressType(saddr) === RTN_LOCAL
  if (!isLocal) throw new NetlinkError('ENETUNREACH')
}

function outDevice(stack: NetStack, oif: number): NetDevice {
  const dev = stack.devices.byIndex(oif)
  if (!dev) throw new NetlinkError('ENODEV')
  if (!dev.isUp || !dev.inet) throw new NetlinkError('ENETUNREACH')
  return dev
}

/** __mkroute_output(). */
function way(dev: NetDevice, known: number, flow: Flow4, found: Fib4Result | undefined): Way4 {
  const { daddr, saddr = 0 } = flow
  if (isLoopback4(saddr) && !(dev.flags & IFF_LOOPBACK)) throw new NetlinkError('EINVAL')
  let type = known
  if (daddr === INADDR_BROADCAST) type = RTN_BROADCAST
  else if (isMulticast4(daddr)) type = RTN_MULTICAST
  else if (isZeronet4(daddr)) throw new NetlinkError('EINVAL')
  let flags = dev.flags & IFF_LOOPBACK ? RTCF_LOCAL : 0
  if (type === RTN_BROADCAST) flags |= RTCF_BROADCAST | RTCF_LOCAL
  if (type === RTN_MULTICAST) flags |= RTCF_MULTICAST | (daddr === ALL_HOSTS ? RTCF_LOCAL : 0)
  const nexthop = type === RTN_UNICAST ? found?.nexthop : undefined
  const uses = nexthop?.scope === RT_SCOPE_LINK ? nexthop : undefined
  return {
    dev,
    type,
    flags: flags >>> 0,
    saddr,
    gateway: uses?.gatewayFamily === AF_INET ? uses.gateway : undefined,
    gateway6: uses?.gatewayFamily === AF_INET6 ? uses.gateway6 : undefined,
    found,
  }
}

/**
 * inet_select_addr(): a source address on `dev`, in the subnet of `dst` where that is not 0, of
 * `scope` or wider; else one of another device, else 0.
 */
export function selectAddress4(stack: NetStack, dev: NetDevice, dst: Ipv4, scope: number): Ipv4 {
  const primaries = (each: NetDevice) =>
    (each.inet?.addresses ?? []).filter((ifa) => !ifa.isSecondary && ifa.scope <= scope)
  const own = primaries(dev)
  const match = own.find((ifa) => dst === 0 || ifa.matches(dst)) ?? own[0]
  if (match) return match.local
  for (const each of stack.devices.list()) {
    const other = primaries(each).find((ifa) => ifa.scope !== RT_SCOPE_LINK)
    if (other) return other.local
  }
  return 0
}
