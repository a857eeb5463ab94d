/**
 * Which of a prefix's routes a packet takes.
 *
 * Kernel: net/ipv6/route.c rt6_select(), find_rr_leaf(), rt6_score_route() (Linux 6.18, with
 * CONFIG_IPV6_ROUTER_PREF).
 */
import { NUD_FAILED, RTNH_F_DEAD, RTNH_F_LINKDOWN } from './constants.ts'
import type { Fib6Route } from './fib6-table.ts'

/** How a way is chosen. */
export interface Choice6 {
  /** The interface to leave by; on the way in, the one that a packet came by. */
  readonly oif?: number | undefined
  /** Only that interface will do (RT6_LOOKUP_F_IFACE); otherwise it is merely preferred. */
  readonly isStrict?: boolean | undefined
  /** A gateway that did not answer will not do (RT6_LOOKUP_F_REACHABLE). */
  readonly isReachable?: boolean | undefined
  /** Interfaces without a carrier count, whatever they say (RT6_LOOKUP_F_IGNORE_LINKSTATE). */
  readonly ignoresLinkstate?: boolean | undefined
}

const NO_MATCH = -1

/** The best of `routes`: one of the lowest metric, and only if none of those will do, another. */
export function selectRoute(routes: readonly Fib6Route[], choice: Choice6): Fib6Route | undefined {
  const [first] = routes
  if (!first) return undefined
  if (routes.length === 1) return scoreOf(first, choice) === NO_MATCH ? undefined : first
  return (
    best(
      routes.filter(({ metric }) => metric === first.metric),
      choice,
    ) ??
    best(
      routes.filter(({ metric }) => metric !== first.metric),
      choice,
    )
  )
}

function best(routes: readonly Fib6Route[], choice: Choice6): Fib6Route | undefined {
  let found: Fib6Route | undefined
  let highest = NO_MATCH
  for (const route of routes) {
    const score = scoreOf(route, choice)
    if (score <= highest) continue
    highest = score
    found = route
  }
  return found
}

function scoreOf({ nexthop, pref }: Fib6Route, choice: Choice6): number {
  const { dev, flags, gateway } = nexthop
  if (flags & RTNH_F_DEAD) return NO_MATCH
  if (flags & RTNH_F_LINKDOWN && dev.inet6?.ignoreLinkdown && !choice.ignoresLinkstate) {
    return NO_MATCH
  }
  const isWanted = !choice.oif || dev.ifindex === choice.oif
  if (!isWanted && choice.isStrict) return NO_MATCH
  if (choice.isReachable && gateway !== undefined) {
    const neigh = dev.stack.ndisc.find(gateway, dev)
    if (neigh && !neigh.isValid && neigh.state & NUD_FAILED) return NO_MATCH
  }
  // ICMPV6_ROUTER_PREF_*: high (1), medium (0), low (3).
  return ((pref ^ 2) << 2) | (isWanted ? 2 : 0)
}
