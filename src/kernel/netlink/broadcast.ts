/**
 * Multicast: to all members of a group but the sender, and notifications with their echo.
 *
 * Kernel: net/netlink/af_netlink.c netlink_broadcast_filtered(), do_one_broadcast(),
 * netlink_set_err(), nlmsg_notify() (Linux 6.12).
 */
import { nsCapable } from '../credentials.ts'
import { ENOBUFS, ESRCH } from '../errno.ts'
import { type Net, NSID_NONE } from '../net-namespace.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'
import { netlinkUnicast } from './unicast.ts'

/** Whether a member is skipped, silently. */
export type BroadcastFilter = (receiver: NetlinkSock, skb: Skb) => boolean

/** Whether what happens in `net` reaches `sk`. */
function isWithin(sk: NetlinkSock, net: Net): boolean {
  if (sk.net === net) return true
  return (
    sk.listenAllNsid &&
    sk.net.nsidOf(net) !== NSID_NONE &&
    nsCapable(sk.credentials, net.userNs, 'CAP_NET_BROADCAST')
  )
}

/**
 * Sends `skb`, whose truesize is set, to the members of `group` except `ssk` and the holder of
 * `portid`, and consumes it. A member without port counts as the holder of port 0.
 * @returns 0 when somebody got it, -ESRCH when nobody did, -ENOBUFS when it was lost to a member
 * that wants the sender to know (NETLINK_BROADCAST_ERROR).
 */
export function netlinkBroadcast(
  ssk: NetlinkSock,
  skb: Skb,
  portid: number,
  group: number,
  filter?: BroadcastFilter,
): number {
  const { net } = ssk
  const { truesize } = skb
  let delivered = false
  let failed = false
  for (const sk of ssk.table.members(group)) {
    if (sk === ssk || sk.portid === portid || sk.isClosed || !isWithin(sk, net)) continue
    if (filter?.(sk, skb)) continue
    const taken = sk.filter ? sk.accepts(skb) : skb.length
    if (taken === 0) continue
    if (sk.queue.hasRoom(truesize)) {
      const own = taken < skb.length || sk.net !== net ? part(skb, taken, sk, net) : share(skb)
      sk.netlink.deliverTap(own, sk)
      sk.queue.push(own)
      delivered = true
      sk.dataReady?.()
    } else {
      sk.overrun()
      failed ||= sk.broadcastError
    }
  }
  skb.free()
  if (failed) return -ENOBUFS
  return delivered ? 0 : -ESRCH
}

/** One more queue refers to the same bytes. */
function share(skb: Skb): Skb {
  skb.users++
  return skb
}

/** A copy for a receiver that takes less of it, or is in a namespace where `net` has an id. */
function part(skb: Skb, length: number, sk: NetlinkSock, net: Net): Skb {
  const copy = skb.copy(length)
  if (sk.net !== net) copy.nsid = sk.net.nsidOf(net)
  return copy
}

/**
 * netlink_set_err(): the next read of each member of `group` in the same namespace fails, except
 * that of the holder of `portid`. `errno` is positive.
 * @returns how many were left out because they want no ENOBUFS.
 */
export function netlinkSetErr(
  ssk: NetlinkSock,
  portid: number,
  group: number,
  errno: number,
): number {
  let spared = 0
  for (const sk of ssk.table.members(group)) {
    if (sk === ssk || sk.net !== ssk.net || sk.portid === portid) continue
    if (errno === ENOBUFS && sk.queue.noEnobufs) spared++
    else sk.setError(errno)
  }
  return spared
}

/**
 * nlmsg_notify(): a notification to `group`, 0 for none; with `report` (the request had
 * NLM_F_ECHO) a copy goes to `portid`, which then gets none as a member. Consumes `skb`.
 * @returns 0, or the first error; that nobody listens is none.
 */
export function nlmsgNotify(
  ssk: NetlinkSock,
  skb: Skb,
  portid: number,
  group: number,
  report: boolean,
): number {
  let error = 0
  if (group > 0) {
    if (report) skb.users++
    skb.dstGroup = group
    error = netlinkBroadcast(ssk, skb, report ? portid : 0, group)
    if (error === -ESRCH) error = 0
  }
  if (!report) {
    if (group === 0) skb.free()
    return error
  }
  const sent = netlinkUnicast(ssk, skb, portid)
  return error || Math.min(sent, 0)
}
