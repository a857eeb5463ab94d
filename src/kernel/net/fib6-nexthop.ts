/**
 * The nexthop of an IPv6 route, and whether it leads anywhere.
 *
 * Kernel: net/ipv6/route.c fib6_nh_init(), ip6_validate_gw(), ip6_route_check_nh().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { type Ipv6, isLinkLocal6, isMulticast6 } from './address.ts'
import { RT_TABLE_MAIN, RTN_UNICAST, RTNH_F_LINKDOWN, RTNH_F_ONLINK } from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Fib6Result } from './fib6.ts'
import type { Encap } from './lwtunnel.ts'
import type { NetStack } from './stack.ts'

/** One way out (struct fib6_nh). */
export interface Nexthop6 {
  readonly dev: NetDevice
  readonly gateway: Ipv6 | undefined
  /** RTNH_F_*. */
  flags: number
  /** From 1. */
  readonly weight: number
  readonly encap: Encap | undefined
}

/** A nexthop that is asked for. */
export interface Nexthop6Request {
  readonly oif?: number | undefined
  readonly gateway?: Ipv6 | undefined
  readonly flags?: number | undefined
  readonly weight?: number | undefined
  readonly encap?: Encap | undefined
  readonly table?: number | undefined
  /** Whether the route rejects: it is put on lo. */
  readonly isReject?: boolean | undefined
  /** A local route: it does not matter whether the device has a carrier. */
  readonly isLocal?: boolean | undefined
  /** Whether the device may be down, as for an address's own route. */
  readonly ignoresDown?: boolean | undefined
}

/** fib6_nh_init(). @throws NetlinkError ENODEV, ENETDOWN, EINVAL, EHOSTUNREACH, EACCES */
export function checkNexthop6(stack: NetStack, request: Nexthop6Request): Nexthop6 {
  const { gateway, flags = 0, weight = 1, encap } = request
  let dev: NetDevice | undefined
  if (request.oif) {
    dev = stack.devices.byIndex(request.oif)
    if (!dev?.inet6) throw new NetlinkError('ENODEV')
  }
  const isOnlink = (flags & RTNH_F_ONLINK) !== 0
  if (isOnlink) {
    if (!dev) throw new NetlinkError('ENODEV', 'Nexthop device required for onlink')
    if (!dev.isUp) throw new NetlinkError('ENETDOWN', 'Nexthop device is not up')
  }
  if (request.isReject) {
    if (!stack.loopback.inet6) throw new NetlinkError('ENODEV')
    const kept = flags & RTNH_F_ONLINK
    return { dev: stack.loopback, gateway: undefined, flags: kept, weight, encap }
  }
  if (gateway !== undefined) dev = validateGateway(stack, request, gateway, dev)
  if (!dev) throw new NetlinkError('ENODEV')
  if (!dev.inet6 || dev.inet6.isDisabled) {
    throw new NetlinkError('EACCES', 'IPv6 is disabled on nexthop device')
  }
  if (!dev.isUp && !request.ignoresDown) {
    throw new NetlinkError('ENETDOWN', 'Nexthop device is not up')
  }
  const isDown = !request.isLocal && !dev.hasCarrier
  const kept = (flags & RTNH_F_ONLINK) | (isDown ? RTNH_F_LINKDOWN : 0)
  return { dev, gateway, flags: kept, weight, encap }
}

/** ip6_validate_gw(): the device through which the gateway is reached. */
function validateGateway(
  stack: NetStack,
  request: Nexthop6Request,
  gateway: Ipv6,
  given: NetDevice | undefined,
): NetDevice {
  if (given && isOwnAddress(stack, gateway, given)) localGateway()
  let dev = given
  if (!isLinkLocal6(gateway)) {
    if (isMulticast6(gateway) || gateway === 0n) {
      throw new NetlinkError('EINVAL', 'Invalid gateway address')
    }
    if (given && (request.flags ?? 0) & RTNH_F_ONLINK) checkOnlink(stack, gateway, given)
    else dev = reach(stack, request, gateway, dev)
  }
  if (!dev) throw new NetlinkError('EINVAL', 'Egress device not specified')
  if (dev === stack.loopback) {
    const message = 'Egress device can not be loopback device for this route'
    throw new NetlinkError('EINVAL', message)
  }
  if (!given && isOwnAddress(stack, gateway, dev)) localGateway()
  return dev
}

function localGateway(): never {
  throw new NetlinkError('EINVAL', 'Gateway can not be a local address')
}

/** ipv6_chk_addr_and_flags(): a link-local address counts on its own device, others on any. */
function isOwnAddress(stack: NetStack, address: Ipv6, dev: NetDevice): boolean {
  const devs = isLinkLocal6(address) ? [dev] : stack.devices.list()
  return devs.some((each) => each.inet6?.addresses.some((ifa) => ifa.address === address))
}

/** ip6_route_check_nh_onlink(). */
function checkOnlink(stack: NetStack, gateway: Ipv6, dev: NetDevice): void {
  const flow = { daddr: gateway, oif: dev.ifindex, ignoresLinkstate: true }
  const found = tryLookup(() => stack.fib6.tableLookup(RT_TABLE_MAIN, flow))
  if (!found || found.route.isReject || found.route.dst === 0n) return
  if (found.route.type !== RTN_UNICAST || found.route.nexthop.dev !== dev) {
    throw new NetlinkError('EINVAL', 'Nexthop has invalid gateway or device mismatch')
  }
}

/** ip6_route_check_nh(): a route without a gateway of its own. */
function reach(
  stack: NetStack,
  { oif = 0, table = 0 }: Nexthop6Request,
  gateway: Ipv6,
  dev: NetDevice | undefined,
): NetDevice {
  const flow = { daddr: gateway, oif, isStrict: true }
  const isWay = (found: Fib6Result | undefined): found is Fib6Result =>
    found !== undefined && !found.route.isReject && found.route.nexthop.gateway === undefined
  const inTable = { ...flow, ignoresLinkstate: true }
  let found = table ? tryLookup(() => stack.fib6.tableLookup(table, inTable)) : undefined
  if (!isWay(found) || (dev && dev !== found.route.nexthop.dev)) {
    found = tryLookup(() => stack.fib6.lookup(flow))
  }
  if (!isWay(found) || (dev && dev !== found.route.nexthop.dev)) {
    throw new NetlinkError('EHOSTUNREACH')
  }
  return found.route.nexthop.dev
}

function tryLookup(look: () => Fib6Result | undefined): Fib6Result | undefined {
  try {
    return look()
  } catch (error) {
    if (isNetlinkError(error)) return undefined
    throw error
  }
}
