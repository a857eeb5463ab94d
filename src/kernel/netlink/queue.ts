/**
 * The receive queue: datagrams in order, counted in bytes, and what happens when there is no room.
 *
 * Kernel: net/netlink/af_netlink.c netlink_attachskb(), netlink_overrun(), netlink_rcv_wake().
 */
import { ENOBUFS } from '../errno.ts'
import type { Skb } from './skb.ts'

/** SO_RCVBUF of a new socket, as accounted (net.core.rmem_default). */
const DEFAULT_RECEIVE_BUFFER = 212992
const FIRST_SLOTS = 4

/** sk_receive_queue, sk_rmem_alloc, sk_err and the congestion bit of one socket. */
export class ReceiveQueue {
  /** sk_rcvbuf: bytes that may be queued. */
  limit = DEFAULT_RECEIVE_BUFFER
  /** sk_rmem_alloc: bytes that are queued. */
  bytes = 0
  /** sk_err: a positive errno that the next read reports, once; 0 for none. */
  error = 0
  /** sk_drops: datagrams that were lost here. */
  drops = 0
  /** NETLINK_S_CONGESTED: nothing is taken until the reader has emptied the queue. */
  isCongested = false
  /** NETLINK_F_RECV_NO_ENOBUFS: lose without a word. */
  noEnobufs = false
  /** Datagrams that are queued. */
  length = 0
  #slots: (Skb | undefined)[] = new Array(FIRST_SLOTS)
  #first = 0

  /** Whether a datagram of `truesize` bytes is taken: an empty queue takes one of any size. */
  hasRoom(truesize: number): boolean {
    return !this.isCongested && (this.bytes === 0 || this.bytes + truesize <= this.limit)
  }
  /** Appends, whatever the limit says; the caller's reference goes into the queue. */
  push(skb: Skb): void {
    if (this.length === this.#slots.length) this.#grow()
    this.#slots[(this.#first + this.length++) & (this.#slots.length - 1)] = skb
    this.bytes += skb.truesize
  }
  /** The oldest datagram, left where it is. */
  peek(): Skb | undefined {
    return this.length === 0 ? undefined : this.#slots[this.#first]
  }
  /** Takes the oldest datagram; the reference is the caller's. */
  shift(): Skb | undefined {
    if (this.length === 0) return undefined
    const skb = this.#slots[this.#first] as Skb
    this.#slots[this.#first] = undefined
    this.#first = (this.#first + 1) & (this.#slots.length - 1)
    this.length--
    this.bytes -= skb.truesize
    return skb
  }
  /** A datagram is lost: the reader learns of the first one of a congestion, unless it will not. */
  overrun(): void {
    this.drops++
    if (this.noEnobufs || this.isCongested) return
    this.isCongested = true
    this.error = ENOBUFS
  }
  /** After each read: an empty queue ends the congestion. */
  wake(): void {
    if (this.length === 0) this.isCongested = false
  }
  /** Drops everything. */
  purge(): void {
    for (let skb = this.shift(); skb; skb = this.shift()) skb.free()
    this.#slots = new Array(FIRST_SLOTS)
    this.#first = 0
  }

  #grow(): void {
    const size = this.#slots.length
    const slots: (Skb | undefined)[] = new Array(size * 2)
    for (let i = 0; i < size; i++) slots[i] = this.#slots[(this.#first + i) & (size - 1)]
    this.#slots = slots
    this.#first = 0
  }
}
