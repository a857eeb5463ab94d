/**
 * Links to RTNLGRP_LINK and RTNLGRP_IPV6_IFINFO.
 *
 * Kernel: net/core/rtnetlink.c rtnetlink_event(), rtmsg_ifinfo_build_skb(), if_nlmsg_size();
 * net/bridge/br_netlink.c br_info_notify(); net/ipv6/addrconf.c inet6_ifinfo_notify() (Linux 6.18).
 */
import {
  AF_BRIDGE,
  AF_INET6,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTNLGRP_IPV6_IFINFO,
  RTNLGRP_LINK,
} from '../../families/rtnetlink.ts'
import type { LinkNotice, NetdevEvent, NetdevInfo } from '../net/chains.ts'
import type { NetStack } from '../net/stack.ts'
import type { Net } from '../net-namespace.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { putBridgePort, putInet6Link } from './link-family.ts'
import { type LinkContext, putLink } from './link-fill.ts'
import { notify, requestOf } from './notify.ts'

/** What Linux allocates for a link: if_nlmsg_size(), inet6_if_nlmsg_size(), br_nlmsg_size(). */
const SIZE = 2000
const INET6_SIZE = 800
const BRIDGE_SIZE = 600

/** rtnetlink_event(): what user space hears of, although nobody announces it as such. */
const TOLD: ReadonlySet<NetdevEvent> = new Set<NetdevEvent>([
  'NETDEV_CHANGEMTU',
  'NETDEV_CHANGEADDR',
  'NETDEV_CHANGENAME',
  'NETDEV_FEAT_CHANGE',
  'NETDEV_CHANGEUPPER',
  'NETDEV_CHANGE_TX_QUEUE_LEN',
  'NETDEV_CHANGELOWERSTATE',
  'NETDEV_BONDING_FAILOVER',
  'NETDEV_POST_TYPE_CHANGE',
  'NETDEV_NOTIFY_PEERS',
  'NETDEV_RESEND_IGMP',
])

/** rtnl_get_event(): what of it is named in the message. */
const NAMED: Partial<Record<NetdevEvent, LinkContext['event']>> = {
  NETDEV_FEAT_CHANGE: 'features',
  NETDEV_BONDING_FAILOVER: 'bonding_failover',
  NETDEV_NOTIFY_PEERS: 'notify_peers',
  NETDEV_RESEND_IGMP: 'igmp_resend',
}

/** Announces what happens to the links of `stack` through `sock`. */
export function notifyLinks(stack: NetStack, net: Net, sock: KernelSocket): void {
  stack.chains.netdev.register({
    name: 'rtnetlink_dev_notifier',
    priority: 1,
    call(event, info) {
      if (TOLD.has(event)) notifyEvent(net, sock, event, info)
      return NOTIFY_DONE
    },
  })
  stack.chains.link.register({
    name: 'rtmsg_ifinfo',
    call(event, notice) {
      const type = event === 'NEWLINK' ? RTM_NEWLINK : RTM_DELLINK
      if (notice.family === AF_BRIDGE) notifyBridgePort(sock, type, notice)
      else if (notice.family === AF_INET6) notifyInet6(sock, type, notice)
      else notifyLink(net, sock, type, notice)
      return NOTIFY_DONE
    },
  })
}

function notifyEvent(net: Net, sock: KernelSocket, event: NetdevEvent, { dev }: NetdevInfo): void {
  if (dev.regState !== 'registered') return
  const what = { type: RTM_NEWLINK, group: RTNLGRP_LINK, size: SIZE }
  notify(sock, what, (w) => putLink(w, dev, { net, event: NAMED[event] }))
}

/** Who asked is told only if it wants to have its own change echoed. */
function notifyLink(net: Net, sock: KernelSocket, type: number, notice: LinkNotice): void {
  const { dev, change, newStack, newIfindex } = notice
  const origin = requestOf(notice.origin)?.echo ? notice.origin : undefined
  const context: LinkContext = {
    net,
    change,
    newNetnsid: newStack && net.assignNsid(newStack.owner as Net),
    newIfindex,
  }
  notify(sock, { type, group: RTNLGRP_LINK, origin, size: SIZE }, (w) => putLink(w, dev, context))
}

function notifyBridgePort(sock: KernelSocket, type: number, { dev }: LinkNotice): void {
  const what = { type, group: RTNLGRP_LINK, size: BRIDGE_SIZE }
  notify(sock, what, (w) => putBridgePort(w, dev, type === RTM_NEWLINK))
}

function notifyInet6(sock: KernelSocket, type: number, { dev }: LinkNotice): void {
  const what = { type, group: RTNLGRP_IPV6_IFINFO, size: INET6_SIZE }
  notify(sock, what, (w) => putInet6Link(w, dev))
}
