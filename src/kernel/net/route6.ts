/**
 * The way that a packet to an IPv6 address would take: what `ip -6 route get` asks for.
 *
 * Kernel: net/ipv6/route.c ip6_route_output_flags(), ip6_rt_get_dev_rcu(); net/ipv6/addrconf.c
 * ipv6_dev_get_saddr(), ipv6_get_saddr_eval().
 */
import { NetlinkError } from '../../errors.ts'
import { type Ipv6, isLinkLocal6, isLoopback6, isMulticast6, prefix6 } from './address.ts'
import {
  IFA_F_DADFAILED,
  IFA_F_DEPRECATED,
  IFA_F_TENTATIVE,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_SITE,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Fib6Result, Flow6 } from './fib6.ts'
import { type Ifaddr6, scope6 } from './ifaddr6.ts'
import type { NetStack } from './stack.ts'

/** A way (struct rt6_info). */
export interface Way6 {
  readonly dev: NetDevice
  /** The next hop, where it is not the destination itself. */
  readonly gateway: Ipv6 | undefined
  /** The source address that a packet would have, where there is one. */
  readonly saddr: Ipv6 | undefined
  readonly found: Fib6Result
}

/**
 * ip6_route_output_flags(); with `iif`, ip6_route_input_lookup().
 * @throws NetlinkError ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENODEV
 */
export function routeOutput6(stack: NetStack, query: Flow6): Way6 {
  const { iif = 0 } = query
  if (iif !== 0 && !stack.devices.byIndex(iif)) throw new NetlinkError('ENODEV')
  const { daddr, oif, saddr } = query
  const isBound = !iif && oif !== undefined && oif !== 0 && !saddr
  const isStrict = isBound || isMulticast6(daddr) || isLinkLocal6(daddr) || isLoopback6(daddr)
  const found = stack.fib6.lookup({ ...query, isStrict, isReachable: true })
  const { nexthop, prefsrc, isOwn } = found.route
  return {
    dev: isOwn ? stack.loopback : nexthop.dev,
    gateway: nexthop.gateway,
    saddr: prefsrc ?? selectAddress6(stack, nexthop.dev, daddr),
    found,
  }
}

/** ipv6_dev_get_saddr(): the best source address for `daddr` out of `dev` (RFC 6724). */
export function selectAddress6(stack: NetStack, dev: NetDevice, daddr: Ipv6): Ipv6 | undefined {
  const isOfLink = isMulticast6(daddr) || reach(daddr) <= REACH_LINK
  const devs = isOfLink ? [dev] : stack.devices.list()
  let best: Ifaddr6 | undefined
  let bestScore: readonly number[] = []
  for (const ifa of devs.flatMap((each) => each.inet6?.addresses ?? [])) {
    if (ifa.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) || isMulticast6(ifa.address)) continue
    const score = scoreOf(ifa, dev, daddr)
    if (best && compareScores(score, bestScore) <= 0) continue
    best = ifa
    bestScore = score
  }
  return best?.address
}

/** The rules of RFC 6724, section 5, in their order; more is better. */
function scoreOf(ifa: Ifaddr6, dev: NetDevice, daddr: Ipv6): readonly number[] {
  const scope = reach(ifa.address)
  return [
    ifa.address === daddr ? 1 : 0,
    scope >= reach(daddr) ? -scope : scope - 128,
    ifa.flags & IFA_F_DEPRECATED ? 0 : 1,
    ifa.dev === dev ? 1 : 0,
    labelOf(ifa.address) === labelOf(daddr) ? 1 : 0,
    Math.min(commonBits(ifa.address, daddr), ifa.prefixlen),
  ]
}

function compareScores(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - (b[i] ?? 0)
  return 0
}

/** IPV6_ADDR_SCOPE_LINKLOCAL. */
const REACH_LINK = 2

/** IPV6_ADDR_SCOPE_*: how far an address reaches. */
function reach(address: Ipv6): number {
  if (isMulticast6(address)) return Number((address >> 112n) & 15n)
  const scope = scope6(address)
  if (scope === RT_SCOPE_LINK || scope === RT_SCOPE_HOST) return REACH_LINK
  return scope === RT_SCOPE_SITE ? 5 : 14
}

function commonBits(a: Ipv6, b: Ipv6): number {
  const difference = a ^ b
  return difference === 0n ? 128 : 128 - difference.toString(2).length
}

/** Default labels (net/ipv6/addrlabel.c): prefix, length, label. */
const LABELS: readonly (readonly [prefix: Ipv6, length: number, label: number])[] = [
  [1n, 128, 0],
  [0xffff00000000n, 96, 4],
  [0n, 96, 3],
  [0x20010000n << 96n, 32, 6],
  [0x20010010n << 96n, 28, 7],
  [0x2002n << 112n, 16, 2],
  [0xfec0n << 112n, 10, 11],
  [0xfc00n << 112n, 7, 5],
]

function labelOf(address: Ipv6): number {
  const found = LABELS.find(([prefix, length]) => prefix6(address, length) === prefix)
  return found ? found[2] : 1
}
