/**
 * The sockets of NETLINK_KOBJECT_UEVENT, one a namespace: who hears of what, and what a privileged
 * process may tell in the kernel's name.
 *
 * Kernel: lib/kobject_uevent.c uevent_net_init(), kobject_uevent_net_broadcast(),
 * uevent_net_rcv_skb() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { UEVENT_BUFFER_SIZE, UEVENT_GROUP_KERNEL } from '../../families/uevent.ts'
import { NETLINK_KOBJECT_UEVENT, NLMSG_HDRLEN } from '../../wire/constants.ts'
import { type Credentials, KERNEL_CREDENTIALS } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { HANDLED, type Handled, netlinkRcvSkb } from '../netlink/rcv.ts'
import type { Pernet } from '../pernet.ts'

export class UeventSockets {
  readonly #kernel: Kernel
  readonly #sockets: Pernet<KernelSocket>
  /** uevent_seqnum: the number of the last event, over all namespaces. */
  seqnum = 0n

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    const handle = (ctx: RequestContext): Handled => this.#inject(ctx)
    this.#sockets = kernel.registerPernet<KernelSocket>({
      init: (net) =>
        kernel.netlink.create(net, NETLINK_KOBJECT_UEVENT, {
          groups: 1,
          nonrootRecv: true,
          input: (skb) => netlinkRcvSkb(skb, handle),
        }),
      exit: (_, sock) => sock.release(),
    })
  }
  /**
   * Tells `lines` to the listeners of one namespace; without one to those of every namespace that
   * belongs to the first user namespace. That nobody listens, or loses it, is no matter.
   */
  broadcast(lines: readonly string[], net: Net | undefined): void {
    const { initUserNs } = this.#kernel
    const nets = net ? [net] : this.#kernel.nets().filter(({ userNs }) => userNs === initUserNs)
    for (const each of nets) {
      if (!this.#sockets.has(each)) continue
      const sock = this.#sockets.of(each)
      if (!sock.hasListeners(UEVENT_GROUP_KERNEL)) continue
      const skb = sock.alloc()
      skb.credentials = net ? rootOf(net, this.#kernel) : KERNEL_CREDENTIALS
      for (const line of lines) skb.string(line)
      sock.broadcast(skb, { group: UEVENT_GROUP_KERNEL })
    }
  }

  /** uevent_net_rcv_skb(): the whole datagram but its header goes out with a number of its own. */
  #inject(ctx: RequestContext): Handled {
    const { sock, skb } = ctx
    if (!ctx.capable('CAP_SYS_ADMIN')) {
      throw new NetlinkError('EPERM', 'missing CAP_SYS_ADMIN capability')
    }
    const seqnum = `SEQNUM=${++this.seqnum}`
    if (skb.length + seqnum.length + 1 > UEVENT_BUFFER_SIZE) {
      throw new NetlinkError('EINVAL', 'uevent message too big')
    }
    const copy = sock.alloc()
    copy.put(skb.peek().subarray(NLMSG_HDRLEN))
    copy.string(seqnum)
    copy.credentials = skb.credentials
    sock.broadcast(copy, { group: UEVENT_GROUP_KERNEL })
    return HANDLED
  }
}

/** Who is root in the namespace's user namespace, as the first one sees it. */
function rootOf({ userNs }: Net, { initUserNs }: Kernel): Credentials {
  if (userNs === initUserNs) return KERNEL_CREDENTIALS
  return { ...KERNEL_CREDENTIALS, uid: userNs.owner, gid: userNs.owner }
}
