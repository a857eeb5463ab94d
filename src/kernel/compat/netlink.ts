/**
 * The kernel's side of netlink under its own names.
 *
 * Kernel: include/linux/netlink.h, net/netlink/af_netlink.c (Linux 6.12), and the older forms that
 * texts still show.
 */
import { errnoName } from '../../errno.ts'
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { EINTR } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import type { NetlinkNotify } from '../netlink/notify.ts'
import { HANDLED, NO_ACK, netlinkRcvSkb } from '../netlink/rcv.ts'
import type { NetlinkSock } from '../netlink/sock.ts'
import { trimmedTruesize } from '../netlink/truesize.ts'
import { netlinkUnicastWait } from '../netlink/unicast.ts'
import { errnoAfter, errnoOf } from './errno.ts'
import { nlmsghdr } from './nlmsghdr.ts'
import { blockOf, type notifier_block } from './notifier.ts'
import type { sk_buff } from './sk-buff.ts'

export { NETLINK_URELEASE } from '../netlink/notify.ts'

/** struct netlink_notify. */
export type netlink_notify = NetlinkNotify

/** NL_CFG_F_*. */
export const NL_CFG_F_NONROOT_RECV = 1
export const NL_CFG_F_NONROOT_SEND = 2
/** Do not wait (MSG_DONTWAIT). */
export const MSG_DONTWAIT = 0x40

/** struct netlink_kernel_cfg. */
export interface netlink_kernel_cfg {
  readonly groups?: number
  readonly flags?: number
  /** Gets each datagram in its sender's call; absent: user space cannot write. */
  readonly input?: (skb: sk_buff) => void | Promise<void>
  /** @returns 0 or a negative errno, which refuses the membership. */
  readonly bind?: (net: Net, group: number) => number
  readonly unbind?: (net: Net, group: number) => void
}
/** `input` as it was before 2.6.24: datagrams lie in the socket's queue. */
export type input_of_2005 = (sk: sock, len: number) => void

/** Datagrams that lie in a kernel socket's queue at most; what comes then is lost. */
const MOST_QUEUED = 1024

/** struct sock of a kernel socket. */
export class sock {
  readonly socket: KernelSocket
  /** sk->sk_receive_queue, for the older `input` and for kernel threads. */
  readonly sk_receive_queue: sk_buff[] = []
  /** Kernel threads that sleep in skb_recv_datagram(). */
  readonly sleepers: (() => void)[] = []

  constructor(create: (self: () => sock) => KernelSocket) {
    this.socket = create(() => this)
  }
}

/** skb_dequeue(): the oldest datagram, null when there is none. It is the caller's to free. */
export function skb_dequeue(queue: sk_buff[]): sk_buff | null {
  return queue.shift() ?? null
}
/** wake_up_interruptible(): kernel threads that sleep on the socket go on. */
export function wake_up_interruptible(sk: sock): void {
  for (const wake of sk.sleepers.splice(0)) wake()
}
/** skb_recv_datagram(): sleeps until it is woken and a datagram is there. Null when the socket is closed. */
export async function skb_recv_datagram(sk: sock): Promise<sk_buff | null> {
  for (;;) {
    const skb = skb_dequeue(sk.sk_receive_queue)
    if (skb || sk.socket.isClosed) return skb
    await new Promise<void>((resolve) => sk.sleepers.push(resolve))
  }
}

/** What a handler of netlink_rcv_skb() gets: who asked is in NETLINK_CB(skb). */
export type rcv_callback = (skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) => number
/** struct netlink_ext_ack: what explains a refusal. */
export interface netlink_ext_ack {
  _msg?: string
}
/** NL_SET_ERR_MSG(). */
export function NL_SET_ERR_MSG(extack: netlink_ext_ack, text: string): void {
  extack._msg = text
}

/** The refusal that a negative errno stands for. */
export function refuse(err: number, extack: netlink_ext_ack = {}): NetlinkError {
  const { _msg } = extack
  return _msg === undefined
    ? new NetlinkError(errnoName(err))
    : new NetlinkError(errnoName(err), _msg)
}

/** netlink_rcv_skb(): `cb` for each request; 0 is acknowledged where asked, -EINTR never. */
export function netlink_rcv_skb(skb: sk_buff, cb: rcv_callback): number {
  void netlinkRcvSkb(skb, (ctx) => {
    const extack: netlink_ext_ack = {}
    const bytes = ctx.skb.bytes.subarray(0, ctx.end)
    const err = cb(ctx.skb, new nlmsghdr(bytes, ctx.start), extack)
    if (err === -EINTR) return NO_ACK
    if (err < 0) throw refuse(err, extack)
    if (extack._msg !== undefined) ctx.warn(extack._msg)
    return HANDLED
  })
  return 0
}

/** struct netlink_sock, as far as it is anybody's business. */
export interface netlink_sock {
  readonly portid: number
  readonly dst_portid: number
  readonly dst_group: number
  /** Groups 1 to 32. */
  readonly groups: number
  readonly ngroups: number
  readonly bound: boolean
}
/** nlk_sk(): the netlink part of a socket. */
export function nlk_sk(sk: sock | NetlinkSock): netlink_sock {
  const own = 'socket' in sk ? (sk.socket as NetlinkSock) : sk
  return {
    portid: own.portid,
    dst_portid: own.dstPortid,
    dst_group: own.dstGroup,
    groups: own.groupMask,
    ngroups: own.table.groups,
    bound: own.isBound,
  }
}

function releaseSock(sk: sock): void {
  sk.socket.release()
  for (const skb of sk.sk_receive_queue.splice(0)) skb.free()
  wake_up_interruptible(sk)
}

/** netlink_kernel_create(), in both its forms, and what sends and releases. */
export function netlinkOf(kernel: Kernel) {
  function create(net: Net, unit: number, cfg: netlink_kernel_cfg | undefined): sock | null {
    const { groups, flags = 0, input, bind, unbind } = cfg ?? {}
    const hooks = {
      ...(bind && {
        bind: (where: Net, group: number) => {
          const err = bind(where, group)
          if (err < 0) throw refuse(err)
        },
      }),
      ...(unbind && { unbind: (where: Net, group: number) => unbind(where, group) }),
    }
    try {
      const socket = kernel.netlink.create(net, unit, {
        ...hooks,
        ...(groups !== undefined && { groups }),
        ...(input && { input }),
        nonrootRecv: (flags & NL_CFG_F_NONROOT_RECV) !== 0,
        nonrootSend: (flags & NL_CFG_F_NONROOT_SEND) !== 0,
      })
      return new sock(() => socket)
    } catch (error) {
      if (isNetlinkError(error)) return null
      throw error
    }
  }

  /** netlink_kernel_create(). @returns null for a unit that is taken or out of range. */
  function netlink_kernel_create(net: Net, unit: number, cfg?: netlink_kernel_cfg): sock | null
  function netlink_kernel_create(unit: number, input: input_of_2005 | null): sock | null
  function netlink_kernel_create(
    first: Net | number,
    second: number | input_of_2005 | null,
    cfg?: netlink_kernel_cfg,
  ): sock | null {
    if (typeof first !== 'number') return create(first, second as number, cfg)
    if (typeof second !== 'function') return create(kernel.initNet, first, undefined)
    const made: { sk: sock | null } = { sk: null }
    made.sk = create(kernel.initNet, first, {
      input(skb) {
        const { sk } = made
        if (!sk || sk.sk_receive_queue.length >= MOST_QUEUED) return
        sk.sk_receive_queue.push(skb.copy())
        second(sk, skb.length)
      },
    })
    return made.sk
  }

  return {
    init_net: kernel.initNet,
    netlink_kernel_create,
    /** netlink_kernel_release(). Threads that sleep on the socket wake. */
    netlink_kernel_release: releaseSock,
    /** sock_release(), as older texts close a kernel socket. */
    sock_release: releaseSock,
    /**
     * netlink_unicast(): to one port. @returns bytes, -ECONNREFUSED when nobody has it; when it is
     * full -EAGAIN with `nonblock`, otherwise a promise, as it waits.
     */
    netlink_unicast(
      ssk: sock,
      skb: sk_buff,
      portid: number,
      nonblock: number,
    ): number | Promise<number> {
      if (nonblock) return ssk.socket.unicast(skb, portid)
      skb.truesize ||= trimmedTruesize(skb.length, Math.max(skb.length, skb.room))
      return netlinkUnicastWait(ssk.socket, skb, portid, { timeout: Number.POSITIVE_INFINITY })
    },
    /** netlink_broadcast(): to a group, by its number. @returns 0, -ESRCH or -ENOBUFS. */
    netlink_broadcast(
      ssk: sock,
      skb: sk_buff,
      portid: number,
      group: number,
      _allocation: number,
    ): number {
      return ssk.socket.broadcast(skb, { group, portid })
    },
    /** netlink_has_listeners(). */
    netlink_has_listeners: (sk: sock, group: number): number =>
      sk.socket.hasListeners(group) ? 1 : 0,
    /** netlink_set_err(): `code` is negative, as in Linux. */
    netlink_set_err: (ssk: sock, portid: number, group: number, code: number): number =>
      ssk.socket.setErr(portid, group, -code),
    /** nlmsg_notify(). */
    nlmsg_notify: (
      sk: sock,
      skb: sk_buff,
      portid: number,
      group: number,
      report: number,
      _flags: number,
    ): number => sk.socket.notify(skb, { group, portid, report: report !== 0 }),
    /** netlink_register_notifier(): NETLINK_URELEASE with struct netlink_notify. */
    netlink_register_notifier: (nb: notifier_block): number =>
      errnoOf(() => kernel.netlink.notifier.register(blockOf(nb))),
    /** netlink_unregister_notifier(). */
    netlink_unregister_notifier: (nb: notifier_block): Promise<number> =>
      errnoAfter(async () => kernel.netlink.notifier.unregister(blockOf(nb))),
  }
}
