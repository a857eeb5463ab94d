/** rtnetlink under the kernel's names. Kernel: include/net/rtnetlink.h, net/core/rtnetlink.c. */
import { NLMSG_HDRLEN } from '../../wire/constants.ts'
import { EMSGSIZE } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { NetDevice } from '../net/device.ts'
import type { Net } from '../net-namespace.ts'
import { Skb } from '../netlink/skb.ts'
import { putLink } from '../rtnetlink/link-fill.ts'
import { type dumpit_func, rawDump } from './dump.ts'
import { errnoOf } from './errno.ts'
import { type netlink_ext_ack, type rcv_callback, refuse } from './netlink.ts'
import { nlmsghdr } from './nlmsghdr.ts'
import {
  nlmsg_cancel,
  nlmsg_end,
  nlmsg_put,
  type sk_buff,
  skb_put,
  skb_tailroom,
} from './sk-buff.ts'

/** One row for rtnl_register_many() (struct rtnl_msg_handler). */
export interface rtnl_msg_handler {
  readonly protocol: number
  readonly msgtype: number
  readonly doit?: rcv_callback | null
  readonly dumpit?: dumpit_func | null
}

export function rtnetlinkOf(kernel: Kernel) {
  function rtnl_register(
    protocol: number,
    msgtype: number,
    doit: rcv_callback | null,
    dumpit: dumpit_func | null,
    _calcit?: unknown,
  ): number {
    return errnoOf(() =>
      kernel.rtnl.register(protocol, msgtype, {
        doit:
          doit === null
            ? undefined
            : (ctx) => {
                const extack: netlink_ext_ack = {}
                const nlh = new nlmsghdr(ctx.skb.bytes.subarray(0, ctx.end), ctx.start)
                const err = doit(ctx.skb, nlh, extack)
                if (err < 0) throw refuse(err, extack)
              },
        dumpit: dumpit === null ? undefined : rawDump(`message type ${msgtype}`, msgtype, dumpit),
      }),
    )
  }
  return {
    /**
     * rtnl_register(). `calcit` went with 5.x and is not called. @returns 0.
     * @throws TypeError for a family or a type that no message can have.
     */
    rtnl_register,
    /** rtnl_register_many(), since 6.13. */
    rtnl_register_many(handlers: readonly rtnl_msg_handler[]): number {
      for (const { protocol, msgtype, doit = null, dumpit = null } of handlers) {
        rtnl_register(protocol, msgtype, doit, dumpit)
      }
      return 0
    },
    /** rtnl_unregister(). @returns 0 or -ENOENT. */
    rtnl_unregister: (protocol: number, msgtype: number): number =>
      errnoOf(() => kernel.rtnl.unregister(protocol, msgtype)),
    /** A device of a namespace by its name: dev_get_by_name(). */
    dev_get_by_name: (net: Net, name: string): NetDevice | null =>
      kernel.rtnl.stackOf(net).devices.byName(name) ?? null,
    /** rtnl_fill_ifinfo(): a message about a link. @returns 0 or -EMSGSIZE. */
    rtnl_fill_ifinfo(
      skb: sk_buff,
      dev: NetDevice,
      type: number,
      pid: number,
      seq: number,
      change: number,
      flags: number,
      ext_filter_mask: number,
    ): number {
      const nlh = nlmsg_put(skb, pid, seq, type, 0, flags)
      if (nlh === null) return -EMSGSIZE
      const body = new Skb()
      putLink(body, dev, { net: kernel.initNet, change, extMask: ext_filter_mask })
      if (skb_tailroom(skb) < body.length) {
        nlmsg_cancel(skb, nlh)
        return -EMSGSIZE
      }
      skb_put(skb, body.length).set(body.peek())
      nlmsg_end(skb, nlh)
      return 0
    },
    /** rtnl_notify(): to the group; `nlh` is the request's header, whose NLM_F_ECHO asks for a copy. */
    rtnl_notify(
      skb: sk_buff,
      net: Net,
      pid: number,
      group: number,
      nlh: nlmsghdr | null,
      _flags: number,
    ): void {
      const report = nlh !== null && (nlh.nlmsg_flags & 8) !== 0
      kernel.rtnl.socketOf(net).notify(skb, { group, portid: pid, report })
    },
    /** Bytes of a message's header. */
    NLMSG_HDRLEN,
  }
}
