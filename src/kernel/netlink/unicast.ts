/**
 * Unicast: to the one socket that has a port.
 *
 * Kernel: net/netlink/af_netlink.c netlink_unicast(), netlink_getsockbyportid() (Linux 6.12).
 */
import { EAGAIN, ECONNREFUSED } from '../errno.ts'
import { deliverToKernel } from './input.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'

/**
 * Sends `skb`, whose truesize is set, from `ssk` to `portid` and consumes it. Never waits.
 * @returns the number of bytes; -ECONNREFUSED when nobody has the port, or when its holder is
 * connected to somebody else; -EAGAIN when the queue is full (a kernel's message is then lost to
 * an overrun).
 */
export function netlinkUnicast(ssk: NetlinkSock, skb: Skb, portid: number): number {
  const sk = ssk.ports.get(portid)
  if (!sk || (sk.isConnected && sk.dstPortid !== ssk.portid)) {
    skb.free()
    return -ECONNREFUSED
  }
  if (sk.isKernel) return deliverToKernel(sk, skb, ssk)
  if (!sk.queue.hasRoom(skb.truesize)) {
    if (ssk.isKernel) sk.overrun()
    skb.free()
    return -EAGAIN
  }
  sk.queue.push(skb)
  sk.dataReady?.()
  return skb.length
}
