/**
 * sendmsg(2): a process sends a datagram.
 *
 * Kernel: net/netlink/af_netlink.c netlink_sendmsg() (Linux 6.12).
 */
import type { Credentials } from '../credentials.ts'
import { EBADF, EMSGSIZE, ENODATA, EPERM } from '../errno.ts'
import { netlinkBroadcast } from './broadcast.ts'
import { maySend } from './groups.ts'
import { autobind } from './port.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'
import { allocatedTruesize, userTruesize } from './truesize.ts'
import { netlinkUnicast, netlinkUnicastWait, type SendWait } from './unicast.ts'

/** Bytes of SO_SNDBUF that a datagram cannot use. */
const SEND_OVERHEAD = 32

/** A destination: a port, a group, or both; zeros are the kernel and no group. */
export interface Destination {
  readonly portid?: number
  /** A group's number, from 1. */
  readonly group?: number
}

/** Who sends. */
export interface Sender {
  /** Who makes the call: whether it may is judged by that. */
  readonly current: Credentials
  /** What the receiver is told of who sent it (SCM_CREDENTIALS), where that is something else. */
  readonly claimed?: Credentials | undefined
}

/**
 * Sends `parts` as one datagram: to `to`, else to where the socket is connected, else to the
 * kernel. With a group the multicast comes first and its outcome is forgotten; what is returned
 * is the unicast's. Binds the socket if it is not. Never waits.
 * @returns bytes sent, -ENODATA, -EPERM, -EMSGSIZE, or what `netlinkUnicast` returns.
 */
export function sendmsg(
  sock: NetlinkSock,
  parts: readonly Uint8Array[],
  to: Destination | undefined,
  sender: Sender,
): number {
  const skb = prepare(sock, parts, to, sender)
  return typeof skb === 'number' ? skb : netlinkUnicast(sock, skb, skb.dstPortid)
}

/** The same without MSG_DONTWAIT: see `netlinkUnicastWait`. */
export function sendmsgWait(
  sock: NetlinkSock,
  parts: readonly Uint8Array[],
  to: Destination | undefined,
  sender: Sender,
  wait: SendWait,
): number | Promise<number> {
  const skb = prepare(sock, parts, to, sender)
  return typeof skb === 'number' ? skb : netlinkUnicastWait(sock, skb, skb.dstPortid, wait)
}

/** All but the unicast. @returns the skb for it, or a negative errno. */
function prepare(
  sock: NetlinkSock,
  parts: readonly Uint8Array[],
  to: Destination | undefined,
  { current, claimed = current }: Sender,
): Skb | number {
  if (sock.isClosed) return -EBADF
  let length = 0
  for (let i = 0; i < parts.length; i++) length += (parts[i] as Uint8Array).length
  if (length === 0) return -ENODATA
  let { dstPortid: portid, dstGroup: group } = sock
  if (to) {
    portid = (to.portid ?? 0) >>> 0
    group = to.group ?? 0
    if ((portid !== 0 || group !== 0) && !maySend(sock, current)) return -EPERM
  }
  if (!sock.isBound) autobind(sock, current)
  if (length > sock.sendBuffer - SEND_OVERHEAD) return -EMSGSIZE

  const skb = sock.netlink.pool.alloc(length)
  for (let i = 0; i < parts.length; i++) skb.put(parts[i] as Uint8Array)
  skb.portid = sock.portid
  skb.dstPortid = portid
  skb.dstGroup = group
  skb.credentials = claimed
  skb.hasDestination = to !== undefined
  if (group === 0) {
    if (portid !== 0) skb.truesize = userTruesize(length)
    return skb
  }
  skb.truesize = allocatedTruesize(length)
  netlinkBroadcast(sock, skb.get(), portid, group)
  return skb
}
