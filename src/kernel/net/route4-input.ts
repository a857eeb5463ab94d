/**
 * The way of an IPv4 packet that comes in: to this host, through it, or nowhere.
 *
 * Kernel: net/ipv4/route.c ip_route_input_rcu(), ip_route_input_slow(), ip_mc_validate_source(),
 * __mkroute_input(); net/ipv4/fib_frontend.c fib_validate_source() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { INADDR_BROADCAST, type Ipv4, isLoopback4, isMulticast4, isZeronet4 } from './address.ts'
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
import type { Devconf4Name } from './devconf4.ts'
import type { NetDevice } from './device.ts'
import type { Fib4Result, Flow4 } from './fib4-lookup.ts'
import type { InDevice } from './ifaddr4.ts'
import { RTCF_BROADCAST, RTCF_DOREDIRECT, RTCF_LOCAL, RTCF_MULTICAST, type Way4 } from './route4.ts'
import type { NetStack } from './stack.ts'

/** 224.0.0.0/24: groups of the link. */
const isLocalMulticast = (address: Ipv4): boolean => (address & 0xffffff00) >>> 0 === 0xe0000000

/** Whose packets come in, as rules see it (sock_net_uid()). */
const ROOT = 0

interface Incoming {
  readonly stack: NetStack
  readonly dev: NetDevice
  readonly inet: InDevice
  readonly flow: Flow4
  readonly saddr: Ipv4
}

/** IN_DEV_ORCONF(): on for the device, or for all. */
function isOn({ stack, inet }: Incoming, name: Devconf4Name): boolean {
  return inet.conf.get(name) !== 0 || stack.netconf4.all.get(name) !== 0
}

const martian = (): never => {
  throw new NetlinkError('EINVAL')
}

/**
 * @throws NetlinkError ENODEV, EHOSTUNREACH where nothing is forwarded, EINVAL for an address that
 * nobody can have or that may not come in there, or what the FIB answers.
 */
export function routeInput4(stack: NetStack, flow: Flow4): Way4 {
  const { daddr, iif = 0, saddr = 0 } = flow
  const dev = stack.devices.byIndex(iif)
  if (!dev) throw new NetlinkError('ENODEV')
  if (!dev.inet) throw new NetlinkError('EINVAL')
  const incoming: Incoming = { stack, dev, inet: dev.inet, flow, saddr }
  if (isMulticast4(daddr)) return multicastWay(incoming)
  if (isMulticast4(saddr) || saddr === INADDR_BROADCAST) martian()
  if (daddr === INADDR_BROADCAST || (saddr === 0 && daddr === 0)) return broadcastWay(incoming)
  if (isZeronet4(saddr) || isZeronet4(daddr)) martian()
  const mayLoop = isOn(incoming, 'routeLocalnet')
  if (!mayLoop && (isLoopback4(daddr) || isLoopback4(saddr)) && !(dev.flags & IFF_LOOPBACK))
    martian()
  return unicastWay(incoming)
}

function unicastWay(incoming: Incoming): Way4 {
  const { stack, inet, flow } = incoming
  const isForwarding = inet.conf.get('forwarding') !== 0
  let found: Fib4Result
  try {
    found = stack.fib4.lookup({ ...flow, oif: 0, uid: ROOT })
  } catch (error) {
    if (isForwarding || !isNetlinkError(error)) throw error
    throw new NetlinkError('EHOSTUNREACH')
  }
  if (found.type === RTN_BROADCAST) return broadcastWay(incoming, found)
  if (found.type === RTN_LOCAL) {
    validateSource(incoming, 0)
    return localWay(incoming, RTN_LOCAL, 0, found)
  }
  if (!isForwarding) throw new NetlinkError('EHOSTUNREACH')
  if (found.type !== RTN_UNICAST) martian()
  return forwardedWay(incoming, found)
}

function localWay(
  { stack, saddr }: Incoming,
  type: number,
  flags: number,
  found: Fib4Result | undefined,
): Way4 {
  const none = { gateway: undefined, gateway6: undefined }
  return { dev: stack.loopback, type, flags: (flags | RTCF_LOCAL) >>> 0, saddr, ...none, found }
}

function broadcastWay(incoming: Incoming, found?: Fib4Result): Way4 {
  if (!isZeronet4(incoming.saddr)) validateSource(incoming, 0)
  return localWay(incoming, RTN_BROADCAST, RTCF_BROADCAST, found)
}

/** Only groups that the device is in come in: nobody routes them here. */
function multicastWay(incoming: Incoming): Way4 {
  const { saddr, inet, flow } = incoming
  if (!inet.groups.list().some(({ address }) => address === flow.daddr)) martian()
  if (isMulticast4(saddr) || saddr === INADDR_BROADCAST) martian()
  if (isLoopback4(saddr) && !isOn(incoming, 'routeLocalnet')) martian()
  if (isZeronet4(saddr)) {
    if (!isLocalMulticast(flow.daddr)) martian()
  } else validateSource(incoming, 0)
  return localWay(incoming, RTN_MULTICAST, RTCF_MULTICAST, undefined)
}

/** __mkroute_input(). */
function forwardedWay(incoming: Incoming, found: Fib4Result): Way4 {
  const { dev: out, gateway, gateway6, gatewayFamily, scope } = found.nexthop
  if (!out) throw new NetlinkError('EINVAL')
  const isNear = validateSource(incoming, out.ifindex)
  const uses = scope === RT_SCOPE_LINK
  const mayRedirect = isNear && out === incoming.dev && isOn(incoming, 'sendRedirects')
  const gateway4 = uses && gatewayFamily === AF_INET ? gateway : undefined
  const isSent =
    mayRedirect &&
    (isOn(incoming, 'sharedMedia') || isOnlink(incoming, incoming.saddr, gateway4 ?? 0))
  return {
    dev: out,
    type: RTN_UNICAST,
    flags: isSent ? RTCF_DOREDIRECT : 0,
    saddr: incoming.saddr,
    gateway: gateway4,
    gateway6: uses && gatewayFamily === AF_INET6 ? gateway6 : undefined,
    found,
  }
}

/** inet_addr_onlink(). */
function isOnlink({ inet }: Incoming, a: Ipv4, b: Ipv4): boolean {
  return inet.addresses.some(
    (ifa) => !ifa.isSecondary && ifa.matches(a) && (b === 0 || ifa.matches(b)),
  )
}

/**
 * fib_validate_source(): whether a packet from there may come in here. @returns whether the sender
 * is on the link. @throws NetlinkError EINVAL if it may not.
 */
function validateSource(incoming: Incoming, oif: number): boolean {
  const { stack, dev, inet, saddr } = incoming
  const filter = Math.max(inet.conf.get('rpFilter'), stack.netconf4.all.get('rpFilter'))
  if (filter === 0 && (dev.ifindex !== oif || !isOn(incoming, 'sendRedirects'))) {
    if (isOn(incoming, 'acceptLocal')) return false
    if (!stack.rules4.isCustom) {
      const isOurs = stack.devices
        .list()
        .some((each) => each.inet?.addresses.some(({ local }) => local === saddr))
      return isOurs ? martian() : false
    }
  }
  return isReachedThere(incoming, oif, filter)
}

/** __fib_validate_source(). */
function isReachedThere(incoming: Incoming, oif: number, filter: number): boolean {
  const { stack, dev, inet, flow, saddr } = incoming
  const back: Flow4 = {
    daddr: saddr,
    saddr: flow.daddr,
    dscp: flow.dscp,
    oif: 0,
    iif: oif || LOOPBACK_IFINDEX,
    mark: isOn(incoming, 'srcVmark') ? flow.mark : 0,
  }
  const found = lookup(stack, back)
  const refuseIfFiltered = (): boolean => (filter === 0 ? false : martian())
  if (!found) return refuseIfFiltered()
  if (found.type !== RTN_UNICAST && (found.type !== RTN_LOCAL || !isOn(incoming, 'acceptLocal')))
    martian()
  const isThere =
    found.route.info.nexthops.some((nexthop) => nexthop.dev === dev) ||
    (found.type === RTN_LOCAL && dev === stack.loopback)
  if (isThere) return found.nexthop.scope >= RT_SCOPE_HOST
  if (inet.addresses.length === 0) return refuseIfFiltered()
  if (filter === 1) martian()
  const there = lookup(stack, { ...back, oif: dev.ifindex, ignoreLinkdown: true })
  return there?.type === RTN_UNICAST && there.nexthop.scope >= RT_SCOPE_HOST
}

function lookup(stack: NetStack, flow: Flow4): Fib4Result | undefined {
  try {
    return stack.fib4.lookup(flow)
  } catch (error) {
    if (isNetlinkError(error)) return undefined
    throw error
  }
}
