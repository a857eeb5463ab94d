/**
 * Notifications: what happens in the stack becomes messages to the groups of NETLINK_ROUTE.
 *
 * Kernel: net/core/rtnetlink.c rtnl_notify().
 */
import type { Writer } from '../../wire/writer.ts'
import type { Origin } from '../net/chains.ts'
import { RequestContext } from '../netlink/context.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'

/** One notification. */
export interface Notification {
  /** nlmsg_type, nlmsg_flags. */
  readonly type: number
  readonly flags?: number
  readonly group: number
  /** Who asked for the change: the message carries its port and sequence number. */
  readonly origin?: Origin
  /** In place of the request's sequence number: such a message is no echo of the request either. */
  readonly seq?: number
  /** Bytes that Linux allocates for the payload: what the receivers' queues count. */
  readonly size: number
}

/** The request that a change is due to, if one is. */
export function requestOf(origin: Origin): RequestContext | undefined {
  return origin instanceof RequestContext ? origin : undefined
}

/**
 * rtnl_notify(): to the group, and to the requester if it wants an echo. `put` writes what follows
 * nlmsghdr; nothing is written where nobody listens.
 */
export function notify(sock: KernelSocket, what: Notification, put: (w: Writer) => void): void {
  const request = requestOf(what.origin)
  const report = what.seq === undefined && (request?.echo ?? false)
  if (!report && !sock.hasListeners(what.group)) return
  const portid = request?.portid ?? 0
  const skb = sock.alloc(what.size)
  const mark = skb.messageStart(what.type, what.flags ?? 0, what.seq ?? request?.seq ?? 0, portid)
  put(skb)
  skb.messageEnd(mark)
  sock.notify(skb, { group: what.group, portid, report })
}
