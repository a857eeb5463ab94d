/**
 * Routes: the message types, and the groups that hear of changes.
 *
 * Kernel: net/ipv4/fib_frontend.c ip_fib_init(); net/ipv4/fib_semantics.c rtmsg_fib(),
 * fib_nlmsg_size(); net/ipv6/ip6_fib.c fib6_init(); net/ipv6/route.c inet6_rt_notify(),
 * rt6_nlmsg_size() (Linux 6.18).
 */
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_ROUTE,
} from '../../families/rtnetlink.ts'
import type { NetStack } from '../net/stack.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { dumpAllFamilies } from './rcv.ts'
import { route4Dump, route6Dump } from './route-dump.ts'
import { deleteRoute4, newRoute4 } from './route4.ts'
import { putRoute4 } from './route4-fill.ts'
import { getRoute4 } from './route4-get.ts'
import { deleteRoute6, getRoute6, newRoute6 } from './route6.ts'
import { putRoute6 } from './route6-fill.ts'
import type { RtnlTable } from './table.ts'

/** fib_nlmsg_size(), rt6_nlmsg_size(), without next hops; and one next hop. */
const SIZE4 = 212
const SIZE6 = 312
const NEXTHOP_SIZE = 40

export function registerRoutes(table: RtnlTable): void {
  table.register(AF_INET, RTM_NEWROUTE, { doit: newRoute4 })
  table.register(AF_INET, RTM_DELROUTE, { doit: deleteRoute4 })
  table.register(AF_INET, RTM_GETROUTE, { doit: getRoute4, dumpit: route4Dump })
  table.register(AF_INET6, RTM_NEWROUTE, { doit: newRoute6 })
  table.register(AF_INET6, RTM_DELROUTE, { doit: deleteRoute6 })
  table.register(AF_INET6, RTM_GETROUTE, { doit: getRoute6, dumpit: route6Dump })
  const dumpit = dumpAllFamilies(table, RTM_GETROUTE, RTM_NEWROUTE)
  table.register(AF_UNSPEC, RTM_GETROUTE, { dumpit })
}

/** Announces what happens to the routes of `stack` through `sock`. */
export function notifyRoutes(stack: NetStack, sock: KernelSocket): void {
  stack.chains.route.register({
    name: 'rtmsg_fib',
    call(event, { route, flags, origin }) {
      const type = event === 'NEWROUTE' ? RTM_NEWROUTE : RTM_DELROUTE
      const what = { type, flags, origin }
      if (route.family === AF_INET) {
        const size = SIZE4 + NEXTHOP_SIZE * (route.info.nexthops.length - 1)
        notify(sock, { ...what, group: RTNLGRP_IPV4_ROUTE, size }, (w) => putRoute4(w, route))
      } else {
        const size = SIZE6 + NEXTHOP_SIZE * (route.siblings.length - 1)
        notify(sock, { ...what, group: RTNLGRP_IPV6_ROUTE, size }, (w) =>
          putRoute6(w, route, event === 'DELROUTE'),
        )
      }
      return NOTIFY_DONE
    },
  })
}
