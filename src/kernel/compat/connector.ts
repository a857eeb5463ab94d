/** Connector, CBUS and uevents under the kernel's names. Kernel: include/linux/connector.h, lib/kobject_uevent.c. */

import type { KobjectAction } from '../../families/uevent.ts'
import { NETLINK_KOBJECT_UEVENT } from '../../wire/constants.ts'
import type { CnParms } from '../connector/connector.ts'
import type { CnMsg } from '../connector/message.ts'
import type { Kernel } from '../kernel.ts'
import type { Kobject } from '../kobject/kobject.ts'
import { errnoOf } from './errno.ts'
import { strcpy } from './nlmsghdr.ts'
import { alloc_skb, skb_put } from './sk-buff.ts'

/** struct cb_id. */
export interface cb_id {
  readonly idx: number
  readonly val: number
}
/** struct cn_msg; `len` is the data's own. */
export interface cn_msg {
  readonly id: cb_id
  readonly seq?: number
  readonly ack?: number
  readonly flags?: number
  readonly data: Uint8Array
}
/** BUFFER_SIZE: bytes of a uevent's environment. */
const BUFFER_SIZE = 2048

const flat = ({ id, seq = 0, ack = 0, flags = 0, data }: cn_msg) => ({
  idx: id.idx,
  val: id.val,
  seq,
  ack,
  flags,
  data,
})
const nested = ({ idx, val, seq, ack, flags, data }: CnMsg): cn_msg => ({
  id: { idx, val },
  seq,
  ack,
  flags,
  data,
})

export function connectorOf(kernel: Kernel) {
  return {
    /** cn_add_callback(). @returns 0, -EINVAL when the id is taken. */
    cn_add_callback: (
      id: cb_id,
      name: string,
      callback: (msg: cn_msg, nsp: CnParms) => void,
    ): number =>
      errnoOf(() =>
        kernel.connector.addCallback(id, name, (msg, nsp) => callback(nested(msg), nsp)),
      ),
    /** cn_del_callback(). */
    cn_del_callback: (id: cb_id): void => kernel.connector.delCallback(id),
    /** cn_netlink_send(). @returns 0 or more, or a negative errno. */
    cn_netlink_send: (msg: cn_msg, portid: number, group: number, _gfp_mask: number): number =>
      kernel.connector.netlinkSend(flat(msg), { portid, group }),
    /** cbus_insert(). @returns 0 or a negative errno. */
    cbus_insert: (msg: cn_msg, _gfp_flags: number): number => kernel.cbus.insert(flat(msg)),
    /**
     * send_uevent() of 2005: `signal@obj` and the environment behind its first two entries, to
     * group 1. @returns as netlink_broadcast().
     */
    send_uevent(signal: string, obj: string, envp: readonly string[], gfp_mask: number): number {
      const uevent_sock = kernel.netlink.kernelSocket(kernel.initNet, NETLINK_KOBJECT_UEVENT)
      if (!uevent_sock) return -19
      const skb = alloc_skb(signal.length + 1 + obj.length + 1 + BUFFER_SIZE, gfp_mask)
      const put = (text: string) =>
        strcpy(skb_put(skb, new TextEncoder().encode(text).length + 1), text)
      put(`${signal}@${obj}`)
      for (const line of envp.slice(2)) put(line)
      return uevent_sock.broadcast(skb, { group: 1 })
    },
    /** kobject_uevent_env(). @returns 0 or a negative errno. */
    kobject_uevent_env: (
      kobj: Kobject,
      action: KobjectAction,
      envp: readonly string[] = [],
    ): number => errnoOf(() => kobj.uevent(action, envp)),
  }
}
