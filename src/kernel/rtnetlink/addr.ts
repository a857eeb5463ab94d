/**
 * Addresses: the message types, and the groups that hear of changes.
 *
 * Kernel: net/ipv4/devinet.c devinet_init(), rtmsg_ifa(), inet_nlmsg_size(); net/ipv6/addrconf.c
 * addrconf_init(), inet6_ifa_notify(), inet6_ifaddr_msgsize() (Linux 6.18).
 */
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
} from '../../families/rtnetlink.ts'
import type { NetStack } from '../net/stack.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { addr4Dump, deleteAddr4, newAddr4, putAddr4 } from './addr4.ts'
import { addr6Dump, deleteAddr6, getAddr6, newAddr6, putAddr6 } from './addr6.ts'
import { notify } from './notify.ts'
import { dumpAllFamilies } from './rcv.ts'
import type { RtnlTable } from './table.ts'

/** inet_nlmsg_size() and inet6_ifaddr_msgsize(), without the nlmsghdr. */
const SIZE4 = 100
const SIZE6 = 92

export function registerAddrs(table: RtnlTable): void {
  table.register(AF_INET, RTM_NEWADDR, { doit: newAddr4 })
  table.register(AF_INET, RTM_DELADDR, { doit: deleteAddr4 })
  table.register(AF_INET, RTM_GETADDR, { dumpit: addr4Dump })
  table.register(AF_INET6, RTM_NEWADDR, { doit: newAddr6 })
  table.register(AF_INET6, RTM_DELADDR, { doit: deleteAddr6 })
  table.register(AF_INET6, RTM_GETADDR, { doit: getAddr6, dumpit: addr6Dump })
  const dumpit = dumpAllFamilies(table, RTM_GETADDR, RTM_NEWADDR)
  table.register(AF_UNSPEC, RTM_GETADDR, { dumpit })
}

/** Announces what happens to the addresses of `stack` through `sock`. */
export function notifyAddrs(stack: NetStack, sock: KernelSocket): void {
  stack.chains.addr.register({
    name: 'rtmsg_ifa',
    call(event, { ifa, origin }) {
      const type = event === 'NEWADDR' ? RTM_NEWADDR : RTM_DELADDR
      if (ifa.family === AF_INET) {
        const what = { type, group: RTNLGRP_IPV4_IFADDR, origin, size: SIZE4 }
        notify(sock, what, (w) => putAddr4(w, ifa))
      } else {
        const what = { type, group: RTNLGRP_IPV6_IFADDR, size: SIZE6 }
        notify(sock, what, (w) => putAddr6(w, ifa))
      }
      return NOTIFY_DONE
    },
  })
}
