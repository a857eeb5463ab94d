/**
 * The kernel's own socket of a protocol in one namespace: what netlink_kernel_create() returns.
 *
 * Kernel: include/linux/netlink.h, net/netlink/af_netlink.c.
 */

import { NetlinkError } from '../../errors.ts'
import { NLMSG_HDRLEN } from '../../wire/constants.ts'
import { KERNEL_CREDENTIALS } from '../credentials.ts'
import type { Net } from '../net-namespace.ts'
import { WaitQueue } from '../wait-queue.ts'
import { type BroadcastFilter, netlinkBroadcast, netlinkSetErr, nlmsgNotify } from './broadcast.ts'
import type { Netlink } from './netlink.ts'
import { insertPort } from './port.ts'
import { releaseSock } from './release.ts'
import { Skb } from './skb.ts'
import { type Input, NetlinkSock } from './sock.ts'
import type { ProtocolConfig, ProtocolTable } from './table.ts'
import { trimmedTruesize, userTruesize } from './truesize.ts'
import { netlinkUnicast } from './unicast.ts'

/** How a kernel socket is made (struct netlink_kernel_cfg). */
export interface KernelSocketConfig extends ProtocolConfig {
  /**
   * Gets every datagram, in the sender's call. The skb is borrowed: what is to outlive the call
   * is a copy (`skb.copy()`). A promise holds up the sender's next datagram until it is settled.
   * Absent: nobody may write (ECONNREFUSED).
   */
  readonly input?: Input
}

/** Whom a multicast goes to. */
export interface BroadcastTarget {
  /** The group's number, from 1. */
  readonly group: number
  /** The holder of this port gets none. */
  readonly portid?: number
  /** Members for which it is true get none (netlink_broadcast_filtered). */
  readonly filter?: BroadcastFilter
}

/** Whom a notification goes to. */
export interface NotifyTarget {
  /** The group's number; 0 for none. */
  readonly group: number
  /** Who asked for the change. */
  readonly portid?: number
  /** The request had NLM_F_ECHO: `portid` gets a copy of its own. */
  readonly report?: boolean
}

export class KernelSocket extends NetlinkSock {
  /** sk_sleep: who waits for what `enqueue` puts in the queue. */
  readonly wait = new WaitQueue()

  constructor(netlink: Netlink, net: Net, table: ProtocolTable, config: KernelSocketConfig) {
    super(netlink, net, table, KERNEL_CREDENTIALS, true)
    this.input = config.input
    insertPort(this, 0)
  }
  /**
   * netlink_unicast(): sends one datagram to a port, without waiting. Bytes are copied; a skb is
   * consumed.
   * @returns the number of bytes, -ECONNREFUSED when nobody has the port, or -EAGAIN when its
   * queue is full, which is an overrun there.
   */
  unicast(data: Uint8Array | Skb, portid: number): number {
    return netlinkUnicast(this, this.#skb(data), portid)
  }
  /**
   * netlink_broadcast(): sends one datagram to the members of a group. Bytes are copied; a skb is
   * consumed.
   * @returns 0, -ESRCH when nobody got it, or -ENOBUFS (see `netlinkBroadcast`).
   */
  broadcast(data: Uint8Array | Skb, { group, portid = 0, filter }: BroadcastTarget): number {
    const skb = this.#skb(data)
    skb.dstGroup = group
    return netlinkBroadcast(this, skb, portid, group, filter)
  }
  /** nlmsg_notify(): a multicast, and a copy for who asked with NLM_F_ECHO. */
  notify(data: Uint8Array | Skb, { group, portid = 0, report = false }: NotifyTarget): number {
    return nlmsgNotify(this, this.#skb(data), portid, group, report)
  }
  /** netlink_set_err(): the members' next read fails with the positive `errno`. */
  setErr(portid: number, group: number, errno: number): number {
    return netlinkSetErr(this, portid, group, errno)
  }
  /** netlink_has_listeners(): whether `group` has a member, in whatever namespace. */
  hasListeners(group: number): boolean {
    return this.table.members(group).length > 0
  }
  /**
   * skb_queue_tail(&sk->sk_receive_queue): keeps what `input` was given for a kernel thread, which
   * `wait.wakeUp()` wakes. The queue is bounded as a process' is.
   * @returns false when there is no room: the datagram is lost, and counted in `queue.drops`.
   */
  enqueue(skb: Skb): boolean {
    if (skb.truesize === 0) skb.truesize = userTruesize(skb.length)
    if (this.isClosed || !this.queue.hasRoom(skb.truesize)) {
      this.queue.drops++
      return false
    }
    this.queue.push(skb.get())
    return true
  }
  /** skb_dequeue(&sk->sk_receive_queue): the oldest one, whose reference is the caller's. */
  dequeue(): Skb | undefined {
    return this.queue.shift()
  }
  /**
   * skb_recv_datagram(): sleeps until there is something in the queue, and takes it; the reference
   * is the caller's (`skb.free()`).
   * @throws NetlinkError NETLINK_CLOSED when the socket is released; the signal's reason.
   */
  async receive(signal?: AbortSignal): Promise<Skb> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.isClosed) {
        throw new NetlinkError('NETLINK_CLOSED', { message: 'the kernel socket is released' })
      }
      const skb = this.queue.shift()
      if (skb) return skb
      await this.wait.waitEvent(() => this.isClosed || this.queue.length > 0, signal)
    }
  }
  /**
   * nlmsg_new(): an empty skb to fill and to send. It grows when `size` bytes of payload do not
   * do; a receiver's queue counts at least half of `size`.
   */
  alloc(size = 0): Skb {
    const room = NLMSG_HDRLEN + size
    const skb = this.netlink.pool.alloc(room)
    skb.room = room
    return skb
  }
  /** netlink_kernel_release(). Harmless when repeated. @returns false then. */
  release(): boolean {
    const isFirst = releaseSock(this)
    this.wait.wakeUp()
    return isFirst
  }

  #skb(data: Uint8Array | Skb): Skb {
    let skb = data
    if (!(skb instanceof Skb)) {
      skb = this.netlink.pool.alloc(data.length)
      skb.put(data as Uint8Array)
    }
    if (skb.truesize === 0)
      skb.truesize = trimmedTruesize(skb.length, Math.max(skb.length, skb.room))
    return skb
  }
}
