/**
 * recvmsg(2): a process takes a datagram; a dump that runs goes on.
 *
 * Kernel: net/netlink/af_netlink.c netlink_recvmsg() (Linux 6.12).
 */
import { EAGAIN, EBADF } from '../errno.ts'
import { netlinkDump } from './dump.ts'
import type { Skb } from './skb.ts'
import type { NetlinkSock } from './sock.ts'
import { MAX_DUMP_SIZE } from './truesize.ts'

/** Longest datagram that is copied word by word: a part of it as an array would cost more. */
const SHORT = 512

/**
 * The datagram in front, for a look: it stays in the queue until `consume`.
 * @returns the skb; or a negative errno: what the socket has to report, -EAGAIN when it is empty.
 */
export function nextDatagram(sock: NetlinkSock): Skb | number {
  if (sock.isClosed) return -EBADF
  const { queue } = sock
  if (queue.error) {
    const errno = queue.error
    queue.error = 0
    sock.rcvWake()
    return -errno
  }
  const skb = queue.peek()
  if (skb) return skb
  sock.rcvWake()
  return -EAGAIN
}

/** Copies what fits of `skb` into `buffer`, whose length the next dump is sized by. */
export function copyDatagram(sock: NetlinkSock, skb: Skb, buffer: Uint8Array): void {
  const room = Math.min(buffer.length, MAX_DUMP_SIZE)
  if (room > sock.maxReceiveLength) sock.maxReceiveLength = room
  const { length, bytes } = skb
  const copied = Math.min(length, buffer.length)
  if (copied > SHORT) {
    buffer.set(bytes.subarray(0, copied))
    return
  }
  let { readView: to } = sock
  if (!to || sock.readBuffer !== buffer || sock.readLength !== buffer.length) {
    to = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    sock.readBuffer = buffer
    sock.readLength = buffer.length
    sock.readView = to
  }
  const { view: from } = skb
  let at = 0
  for (; at + 4 <= copied; at += 4) to.setInt32(at, from.getInt32(at, true), true)
  for (; at < copied; at++) buffer[at] = bytes[at] as number
}

/** Takes the datagram in front out of the queue, and lets a dump make its next step. */
export function consumeDatagram(sock: NetlinkSock): void {
  const { queue } = sock
  queue.shift()?.free()
  if (sock.dump && queue.bytes <= queue.limit / 2) {
    const failed = netlinkDump(sock)
    if (failed) queue.error = -failed
  }
  sock.rcvWake()
}
