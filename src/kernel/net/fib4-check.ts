/**
 * Whether the nexthops of an IPv4 route lead anywhere.
 *
 * Kernel: net/ipv4/fib_semantics.c fib_create_info(), fib_check_nh(), fib_valid_prefsrc().
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import type { Ipv4 } from './address.ts'
import {
  AF_INET,
  AF_INET6,
  IFF_UP,
  LOOPBACK_IFINDEX,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_ANYCAST,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTNH_F_LINKDOWN,
  RTNH_F_ONLINK,
  RTNH_F_PERVASIVE,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Fib4 } from './fib4.ts'
import { type Fib4Config, type FibInfo, type Nexthop4, routeTypeError } from './fib4-info.ts'
import type { Fib4Result } from './fib4-lookup.ts'
import { checkNexthop6 } from './fib6-nexthop.ts'
import type { NetStack } from './stack.ts'

const INVALID_GATEWAY = 'Nexthop has invalid gateway'

/** Resolves the nexthops of `info`. @throws NetlinkError for a route that cannot be. */
export function checkInfo(stack: NetStack, info: FibInfo, config: Fib4Config): void {
  const { type, scope, nexthops } = info
  if (routeTypeError(type)) {
    if (config.gateway || config.gateway6 !== undefined || config.oif || config.multipath) {
      const message = 'Gateway, device and multipath can not be specified for this route type'
      throw new NetlinkError('EINVAL', message)
    }
    return
  }
  const known = [RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST]
  if (!known.includes(type)) throw new NetlinkError('EINVAL', 'Invalid route type')
  if (scope > RT_SCOPE_HOST) throw new NetlinkError('EINVAL', 'Invalid scope')
  if (info.nh) info.nh.check4(scope)
  else if (scope === RT_SCOPE_HOST) checkHostScope(stack, nexthops)
  else for (const nh of nexthops) checkNexthop(stack, nh, info)
  if (nexthops.every(({ flags }) => flags & RTNH_F_LINKDOWN)) info.flags |= RTNH_F_LINKDOWN
  if (info.prefsrc && !isValidPrefsrc(stack.fib4, info, config.dst)) {
    throw new NetlinkError('EINVAL', 'Invalid prefsrc address')
  }
}

/** A local address: one nexthop, a device that need not be up. */
function checkHostScope(stack: NetStack, nexthops: readonly Nexthop4[]): void {
  const [nh] = nexthops as [Nexthop4]
  if (nexthops.length !== 1) {
    throw new NetlinkError('EINVAL', 'Route with host scope can not have multiple nexthops')
  }
  if (nh.gatewayFamily) {
    throw new NetlinkError('EINVAL', 'Route with host scope can not have a gateway')
  }
  nh.scope = RT_SCOPE_NOWHERE
  nh.dev = stack.devices.byIndex(nh.oif)
  if (!nh.dev) throw new NetlinkError('ENODEV')
}

/** Of a route, what its nexthops depend on. */
export type NexthopScope = Pick<FibInfo, 'scope' | 'table'>

/** fib_check_nh(): finds the device and the scope of `nh`. @throws NetlinkError */
export function checkNexthop(stack: NetStack, nh: Nexthop4, info: NexthopScope): void {
  if (nh.gatewayFamily === AF_INET) {
    if (nh.flags & RTNH_F_ONLINK) checkOnlink(stack, nh, info.scope)
    else checkGateway(stack, nh, info)
  } else if (nh.gatewayFamily === AF_INET6) {
    const { oif, gateway6: gateway, flags } = nh
    nh.dev = checkNexthop6(stack, { oif, gateway, flags, table: info.table }).dev
    nh.oif = nh.dev.ifindex
    nh.scope = RT_SCOPE_LINK
  } else {
    checkDevice(stack, nh)
  }
  if (nh.dev && !nh.dev.hasCarrier && nh.gatewayFamily !== AF_INET6) nh.flags |= RTNH_F_LINKDOWN
}

/** A gateway that is said to be on the link. */
function checkOnlink(stack: NetStack, nh: Nexthop4, scope: number): void {
  if (scope >= RT_SCOPE_LINK) throw new NetlinkError('EINVAL', 'Nexthop has invalid scope')
  const dev = stack.devices.byIndex(nh.oif)
  if (!dev) throw new NetlinkError('ENODEV', 'Nexthop device required for onlink')
  if (!dev.isUp) throw new NetlinkError('ENETDOWN', 'Nexthop device is not up')
  if (stack.fib4.addressType(nh.gateway) !== RTN_UNICAST) {
    throw new NetlinkError('EINVAL', INVALID_GATEWAY)
  }
  nh.dev = dev
  nh.scope = RT_SCOPE_LINK
}

/** A gateway that has to be reached through a route of narrower scope. */
function checkGateway(stack: NetStack, nh: Nexthop4, info: NexthopScope): void {
  const flow = {
    daddr: nh.gateway,
    scope: Math.max(info.scope + 1, RT_SCOPE_LINK),
    oif: nh.oif,
    iif: LOOPBACK_IFINDEX,
    ignoreLinkdown: true,
  }
  let result: Fib4Result | undefined
  if (info.table !== RT_TABLE_MAIN)
    result = tryLookup(() => stack.fib4.tableLookup(info.table, flow))
  try {
    result ??= stack.fib4.lookup(flow)
  } catch (error) {
    throw isNetlinkError(error) ? new NetlinkError(error.code, INVALID_GATEWAY) : error
  }
  if (result.type !== RTN_UNICAST && result.type !== RTN_LOCAL) {
    throw new NetlinkError('EINVAL', INVALID_GATEWAY)
  }
  const dev = result.nexthop.dev
  if (!dev) throw new NetlinkError('EINVAL', 'No egress device for nexthop gateway')
  nh.scope = result.scope
  nh.oif = result.nexthop.oif
  nh.dev = dev
  if (!(dev.flags & IFF_UP)) throw new NetlinkError('ENETDOWN')
}

function tryLookup(look: () => Fib4Result | undefined): Fib4Result | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

/** fib_check_nh_nongw(): the device is all there is. */
function checkDevice(stack: NetStack, nh: Nexthop4): void {
  if (nh.flags & (RTNH_F_PERVASIVE | RTNH_F_ONLINK)) {
    const message = 'Invalid flags for nexthop - PERVASIVE and ONLINK can not be set'
    throw new NetlinkError('EINVAL', message)
  }
  const dev: NetDevice | undefined = stack.devices.byIndex(nh.oif)
  if (!dev?.inet) throw new NetlinkError('ENODEV')
  if (!dev.isUp) throw new NetlinkError('ENETDOWN', 'Device for nexthop is not up')
  nh.dev = dev
  nh.scope = RT_SCOPE_HOST
}

/** fib_valid_prefsrc(): an address of this host, or the one that a local route is about. */
function isValidPrefsrc(fib: Fib4, info: FibInfo, dst: Ipv4): boolean {
  const { type, prefsrc, table } = info
  if (type === RTN_LOCAL && dst && prefsrc === dst) return true
  if (table !== RT_TABLE_MAIN && table !== RT_TABLE_LOCAL) {
    if (fib.addressType(prefsrc, table) === RTN_LOCAL) return true
  }
  return fib.addressType(prefsrc) === RTN_LOCAL
}
