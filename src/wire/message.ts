/**
 * Messages in a datagram.
 *
 *   +---------+---------+---------+---------+---------+- - - - -+
 *   | u32 len | u16 type| u16 flgs| u32 seq | u32 pid | payload |
 *   +---------+---------+---------+---------+---------+- - - - -+
 *
 * Source: RFC 3549 §2.3.2; include/uapi/linux/netlink.h.
 */
import { align4 } from './align.ts'
import { NLMSG_HDRLEN } from './constants.ts'
import { HOST_LE } from './order.ts'

/** A view of all of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Walks the messages of one datagram without allocating.
 *
 * Stops at the first header that does not fit, as netlink_rcv_skb() does; `leftover` then says how
 * many bytes were not understood. The last message need not be padded. A `size` beyond the view, as
 * receiving into too small a buffer gives, is cut to what is there.
 */
export class MessageWalker {
  /** Shares memory with the datagram. */
  view: DataView
  /** Bytes of the datagram that are there, which may be fewer than were sent. */
  size: number
  /** Where the current message's header and payload start, and where its payload ends. */
  start = 0
  payload = 0
  end = 0
  /** The current header's fields; `portid` is nlmsg_pid. */
  type = 0
  flags = 0
  seq = 0
  portid = 0
  /** Where the next message starts. */
  following = 0

  constructor(view: DataView, size: number = view.byteLength) {
    this.view = view
    this.size = Math.min(size, view.byteLength)
  }
  /** Starts again on another datagram. */
  reset(view: DataView, size: number = view.byteLength): this {
    this.view = view
    this.size = Math.min(size, view.byteLength)
    this.start = this.payload = this.end = this.following = 0
    return this
  }
  /** Moves to the next message; false when there is none. */
  next(): boolean {
    const at = this.following
    const left = this.size - at
    if (left < NLMSG_HDRLEN) return false
    const length = this.view.getUint32(at, HOST_LE)
    if (length < NLMSG_HDRLEN || length > left) return false
    this.start = at
    this.payload = at + NLMSG_HDRLEN
    this.end = at + length
    const word = this.view.getUint32(at + 4, HOST_LE)
    this.type = HOST_LE ? word & 0xffff : word >>> 16
    this.flags = HOST_LE ? word >>> 16 : word & 0xffff
    this.seq = this.view.getUint32(at + 8, HOST_LE)
    this.portid = this.view.getUint32(at + 12, HOST_LE)
    this.following = Math.min(this.size, at + align4(length))
    return true
  }
  /** Bytes behind the last message that was walked. */
  get leftover(): number {
    return this.size - this.following
  }
}
