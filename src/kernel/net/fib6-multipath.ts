/**
 * Multipath requests: for IPv6, a route for each nexthop.
 *
 * Kernel: net/ipv6/route.c rtm_to_fib6_multipath_config(), ip6_route_multipath_add(),
 * ip6_route_multipath_del() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import {
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTNH_F_ONLINK,
} from './constants.ts'
import { checkConfig6, type Fib6Config, type Fib6Route, isSameNexthop6 } from './fib6-table.ts'

/** What of the FIB it takes. */
interface Fib {
  makeRoute(config: Fib6Config): Fib6Route
  link(route: Fib6Route, flags: number, origin?: object, isSilent?: boolean): void
  unlink(route: Fib6Route, origin?: object): void
  announce(event: 'NEWROUTE', route: Fib6Route, flags: number, origin?: object): void
}

/** The request for each of its nexthops alone. @throws NetlinkError EINVAL when there are none */
export function singleConfigs({ multipath = [], ...config }: Fib6Config): Fib6Config[] {
  if (multipath.length === 0) {
    throw new NetlinkError('EINVAL', 'Invalid nexthop configuration - no valid nexthops')
  }
  const { oif, gateway, flags = 0 } = config
  return multipath.map((way) => ({
    ...config,
    oif: way.oif || oif,
    gateway: way.gateway ?? gateway,
    flags: flags | ((way.flags ?? 0) & RTNH_F_ONLINK),
    weight: way.weight,
    encap: way.encap ?? config.encap,
  }))
}

/**
 * ip6_route_multipath_add(): all nexthops, and one announcement; where one is refused, those
 * before it are announced and taken back.
 * @throws NetlinkError as one of them is refused
 */
export function addMultipath(fib: Fib, config: Fib6Config, flags: number): void {
  const { origin } = config
  const isReplacing = (flags & NLM_F_REPLACE) !== 0
  const told = (isReplacing ? NLM_F_REPLACE : NLM_F_CREATE) | (flags & NLM_F_APPEND)
  const linked: Fib6Route[] = []
  const announce = (): void => {
    const [first] = linked
    const last = linked.at(-1)
    if (!first || !last) return
    const group = last.siblings
    const isGroup = flags & NLM_F_APPEND && group.length > 1
    const head = isGroup ? group[(group.indexOf(last) + 1) % group.length] : first
    fib.announce('NEWROUTE', head ?? first, told, origin)
  }
  try {
    for (const route of makeRoutes(fib, config)) {
      const rest = (flags & ~(NLM_F_EXCL | NLM_F_REPLACE)) | NLM_F_CREATE
      fib.link(route, linked.length === 0 ? flags : rest, origin, true)
      linked.push(route)
    }
  } catch (error) {
    announce()
    for (const route of linked) fib.unlink(route, origin)
    if (!isReplacing || linked.length === 0 || !isNetlinkError(error)) throw error
    const message = 'multipath route replace failed (check consistency of installed routes)'
    throw new NetlinkError(error.code, `ipv6: ${message}`)
  }
  announce()
}

function makeRoutes(fib: Fib, config: Fib6Config): Fib6Route[] {
  const singles = singleConfigs(config)
  if (singles.some(({ gateway }) => gateway === undefined)) {
    const message = 'Device only routes can not be added for IPv6 using the multipath API.'
    throw new NetlinkError('EINVAL', message)
  }
  checkConfig6(config)
  const routes: Fib6Route[] = []
  for (const single of singles) {
    const route = fib.makeRoute(single)
    if (routes.some((other) => isSameNexthop6(other, route))) throw new NetlinkError('EEXIST')
    routes.push(route)
  }
  return routes
}
