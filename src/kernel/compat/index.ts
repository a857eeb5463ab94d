/**
 * nlkit/kernel/compat: the kernel's own names, for those who come with C in hand.
 *
 *   const { netlink_kernel_create, netlink_unicast, init_net } = compat(kernel)
 *
 * Thin: every function is a few lines over `nlkit/kernel`, which nlkit itself uses. What C does
 * with pointers is done with values, a function returns a negative errno where it refuses, and
 * null where C has NULL. Names that Linux has dropped are here with what came after them.
 */
export { type Compat, compat } from './compat.ts'
export type { cb_id, cn_msg } from './connector.ts'
export type { dumpit_func, netlink_callback } from './dump.ts'
export {
  GENL_ID_GENERATE,
  type genl_family,
  type genl_info,
  type genl_multicast_group,
  type genl_ops,
} from './genetlink.ts'
export { kbuild, type ModuleMacros } from './module.ts'
export {
  type input_of_2005,
  MSG_DONTWAIT,
  NETLINK_URELEASE,
  NL_CFG_F_NONROOT_RECV,
  NL_CFG_F_NONROOT_SEND,
  NL_SET_ERR_MSG,
  type netlink_ext_ack,
  type netlink_kernel_cfg,
  type netlink_notify,
  netlink_rcv_skb,
  type netlink_sock,
  nlk_sk,
  type rcv_callback,
  skb_dequeue,
  skb_recv_datagram,
  sock,
  wake_up_interruptible,
} from './netlink.ts'
export * from './nlmsghdr.ts'
export * from './notifier.ts'
export {
  AF_NETLINK,
  type iovec,
  type msghdr,
  Process,
  SOCK_DGRAM,
  SOCK_RAW,
  type sockaddr_nl,
} from './process.ts'
export type { rtnl_msg_handler } from './rtnetlink.ts'
export * from './sk-buff.ts'
