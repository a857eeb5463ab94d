/**
 * The routes that IPv4 addresses bring with them and take away.
 *
 * Kernel: net/ipv4/fib_frontend.c fib_magic(), fib_add_ifaddr(), fib_del_ifaddr(),
 * fib_modify_prefix_metric().
 */
import { isNetlinkError } from '../../errors.ts'
import { INADDR_BROADCAST, type Ipv4, isZeronet4, mask4, prefix4 } from './address.ts'
import {
  IFA_F_NOPREFIXROUTE,
  IFF_LOOPBACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_UNICAST,
  RTPROT_KERNEL,
} from './constants.ts'
import type { Ifaddr4 } from './ifaddr4.ts'

/** fib_magic(): one route, added or deleted; that it is there already, or not at all, is fine. */
function routeOf(
  action: 'insert' | 'delete',
  type: number,
  dst: Ipv4,
  dstLen: number,
  ifa: Ifaddr4,
  priority = 0,
): void {
  const { dev } = ifa
  const config = {
    table: dev.l3mdevTable ?? (type === RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL),
    protocol: RTPROT_KERNEL,
    type,
    scope: type === RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK,
    dst,
    dstLen,
    priority,
    prefsrc: ifa.local,
    oif: dev.ifindex,
  }
  try {
    if (action === 'insert') dev.stack.fib4.insert(config, NLM_F_CREATE | NLM_F_APPEND)
    else dev.stack.fib4.delete(config)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
  }
}

/** Whether a primary address has a route to its subnet. */
function hasSubnet(ifa: Ifaddr4): boolean {
  const prefix = prefix4(ifa.address, ifa.prefixlen)
  return !isZeronet4(prefix) && (prefix !== ifa.local || ifa.prefixlen < 32)
}

function prefixType(ifa: Ifaddr4): number {
  return ifa.dev.flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST
}

/** The last address of the subnet of `ifa`. */
function broadcastOf(ifa: Ifaddr4): Ipv4 {
  return (ifa.address | ~mask4(ifa.prefixlen)) >>> 0
}

/** fib_add_ifaddr(): the local route at once, the others while the device is up. */
export function addIfaddrRoutes(ifa: Ifaddr4): void {
  const { dev } = ifa
  const prefix = prefix4(ifa.address, ifa.prefixlen)
  const primary = ifa.isSecondary ? dev.inet?.byPrefix(prefix, ifa.prefixlen) : ifa
  if (!primary) return
  routeOf('insert', RTN_LOCAL, ifa.local, 32, primary)
  if (!dev.isUp) return
  if (ifa.broadcast !== 0 && ifa.broadcast !== INADDR_BROADCAST) {
    routeOf('insert', RTN_BROADCAST, ifa.broadcast, 32, primary)
  }
  if (ifa.isSecondary || !hasSubnet(ifa)) return
  if (!(ifa.flags & IFA_F_NOPREFIXROUTE)) {
    routeOf('insert', prefixType(ifa), prefix, ifa.prefixlen, primary, ifa.rtPriority)
  }
  if (ifa.prefixlen < 31) routeOf('insert', RTN_BROADCAST, broadcastOf(ifa), 32, primary)
}

/** fib_modify_prefix_metric(): the new route first, then the old one goes. */
export function changePrefixMetric(ifa: Ifaddr4, metric: number): void {
  if (!ifa.dev.isUp || ifa.isSecondary || ifa.flags & IFA_F_NOPREFIXROUTE || !hasSubnet(ifa)) return
  const prefix = prefix4(ifa.address, ifa.prefixlen)
  routeOf('insert', prefixType(ifa), prefix, ifa.prefixlen, ifa, metric)
  routeOf('delete', prefixType(ifa), prefix, ifa.prefixlen, ifa, ifa.rtPriority)
}

/**
 * fib_del_ifaddr(): takes away what no other address of the device needs. With `gone`, the
 * primary of a subnet whose secondaries are promoted, that subnet counts as deleted already.
 */
export function deleteIfaddrRoutes(ifa: Ifaddr4, gone?: Ifaddr4): void {
  const { dev } = ifa
  const { inet, stack } = dev
  const any = prefix4(ifa.address, ifa.prefixlen)
  const primary = ifa.isSecondary ? inet?.byPrefix(any, ifa.prefixlen) : ifa
  if (!primary || (ifa.isSecondary && gone && gone !== primary)) return
  const hasRoutes = !ifa.isSecondary && hasSubnet(ifa)
  if (hasRoutes && !(ifa.flags & IFA_F_NOPREFIXROUTE)) {
    routeOf('delete', prefixType(ifa), any, ifa.prefixlen, primary)
  }
  const others = inet && !inet.isDead ? stillNeeded(inet.addresses, ifa, primary, gone) : []
  const needed = new Set(others.flatMap(broadcastsOf))
  if (!needed.has(ifa.broadcast)) routeOf('delete', RTN_BROADCAST, ifa.broadcast, 32, primary)
  if (hasRoutes && ifa.prefixlen < 31) {
    const broadcast = broadcastOf(ifa)
    if (!needed.has(broadcast)) routeOf('delete', RTN_BROADCAST, broadcast, 32, primary)
    if (!needed.has(any)) routeOf('delete', RTN_BROADCAST, any, 32, primary)
  }
  if (others.some((other) => other.local === ifa.local)) return
  routeOf('delete', RTN_LOCAL, ifa.local, 32, primary)
  const isPromotion = inet?.addresses.includes(ifa) ?? false
  if (!isPromotion && stack.fib4.addressType(ifa.local, dev.l3mdevTable) !== RTN_LOCAL) {
    stack.fib4.syncDownAddress(ifa.local, dev.l3mdevTable)
  }
}

/** The addresses of the device whose routes have the same source as those of `ifa`. */
function stillNeeded(
  addresses: readonly Ifaddr4[],
  ifa: Ifaddr4,
  primary: Ifaddr4,
  gone: Ifaddr4 | undefined,
): Ifaddr4[] {
  return addresses.filter((other) => {
    if (other === ifa || (gone && other.sharesSubnet(gone))) return false
    if (!other.isSecondary) return other.local === primary.local
    if (other.sharesSubnet(primary)) return true
    const its = addresses.find((each) => !each.isSecondary && each.sharesSubnet(other))
    return its !== undefined && its !== primary && its.local === primary.local
  })
}

/** The broadcast addresses that an address has: its own, and as a primary those of its subnet. */
function broadcastsOf(ifa: Ifaddr4): Ipv4[] {
  const prefix = prefix4(ifa.address, ifa.prefixlen)
  const isOfSubnet = !ifa.isSecondary && ifa.prefixlen < 31 && !isZeronet4(prefix)
  return isOfSubnet ? [ifa.broadcast, broadcastOf(ifa), prefix] : [ifa.broadcast]
}
