/** nlkit/kernel: a kernel of your own, in this process. */
export * from './cbus/index.ts'
export type { CancelTimer, Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export * from './connector/index.ts'
export { type Capability, type Credentials, UserNamespace } from './credentials.ts'
export type {
  FamilyHandlers,
  FamilyOptions,
  Hooks,
  NotifyOptions,
  OpOptions,
  Validation,
} from './genetlink/family.ts'
export type { Genetlink } from './genetlink/genetlink.ts'
export type { RegisteredFamily } from './genetlink/registered-family.ts'
export { type KeptForSockets, SocketData } from './genetlink/socket-data.ts'
export { Kernel, type KernelInit, type TransportInit } from './kernel.ts'
export {
  type DeviceType,
  Kobject,
  type KobjectInit,
  type Kobjects,
  Kset,
  type KsetUeventOps,
  type Ktype,
  type UeventEnv,
} from './kobject/index.ts'
export type { Kthread, ThreadFunction } from './kthread.ts'
export {
  defineModule,
  type Exports,
  type ExportsOf,
  type Extern,
  type Externs,
  extern,
  type Imported,
  isModuleDefinition,
  type ModuleContext,
  type ModuleDefinition,
  type ParamTypes,
} from './module/definition.ts'
export {
  formatLsmod,
  formatModinfo,
  formatProcModules,
  type ModuleInfo,
  type ModuleStatus,
} from './module/list.ts'
export type { Loaded, ModuleRequest, Modules, RmmodOptions } from './module/loader.ts'
export {
  type KernelModule,
  MODULE_STATE_COMING,
  MODULE_STATE_GOING,
  MODULE_STATE_LIVE,
  MODULE_STATE_UNFORMED,
  type ModuleOwner,
  type ModuleState,
} from './module/module.ts'
export { type ParamInput, type ParamType, type ParamValues, param } from './module/parameters.ts'
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
export { formatProcNetNetlink } from './netlink/proc-netlink.ts'
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
export { formatDmesg, formatKmsg } from './printk/format.ts'
export * from './printk/log.ts'
export { WaitQueue } from './wait-queue.ts'
