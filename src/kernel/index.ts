/** nlkit/kernel: a kernel of your own, in this process. */
export type { CancelTimer, Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export { type Capability, type Credentials, UserNamespace } from './credentials.ts'
export type {
  FamilyHandlers,
  FamilyOptions,
  NotifyOptions,
  OpOptions,
  Validation,
} from './genetlink/family.ts'
export type { Genetlink } from './genetlink/genetlink.ts'
export type { RegisteredFamily } from './genetlink/registered-family.ts'
export { Kernel, type KernelInit, type TransportInit } from './kernel.ts'
export { Net } from './net-namespace.ts'
export type { BroadcastFilter } from './netlink/broadcast.ts'
export type { RequestContext } from './netlink/context.ts'
export { type DumpSource, startDump } from './netlink/dump.ts'
export type { DoHandler, DumpHandler, Handlers, OpCodec } from './netlink/handler.ts'
export { handleDo, handleDump } from './netlink/handler.ts'
export type {
  BroadcastTarget,
  KernelSocket,
  KernelSocketConfig,
  NotifyTarget,
} from './netlink/kernel-socket.ts'
export type { Netlink } from './netlink/netlink.ts'
export { NETLINK_URELEASE, type NetlinkNotify } from './netlink/notify.ts'
export {
  HANDLED,
  type Handled,
  NO_ACK,
  netlinkRcvSkb,
  type RequestHandler,
} from './netlink/rcv.ts'
export type { Skb } from './netlink/skb.ts'
export type { NetlinkSock } from './netlink/sock.ts'
export type { UserSocket } from './netlink/user-socket.ts'
export * from './notifier/index.ts'
export type { Pernet, PernetOperations } from './pernet.ts'
export type { LogEntry, LogLevel } from './printk/log.ts'
