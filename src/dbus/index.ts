/** `nlkit/dbus`: D-Bus messages, match rules, and a bus. */
export { Bus, type BusOptions, type Driver } from './bus/bus.ts'
export { BUS_NAME, BUS_PATH } from './bus/bus-name.ts'
export { CallError } from './bus/call-error.ts'
export { dispatch, sendTo } from './bus/dispatch.ts'
export { BusError, ProtocolViolation } from './bus/errors.ts'
export { DEFAULT_LIMITS, type Limits } from './bus/limits.ts'
export {
  NAME_ALREADY_OWNER,
  NAME_EXISTS,
  NAME_FLAG_ALLOW_REPLACEMENT,
  NAME_FLAG_DO_NOT_QUEUE,
  NAME_FLAG_REPLACE_EXISTING,
  NAME_IN_QUEUE,
  NAME_NON_EXISTENT,
  NAME_NOT_OWNER,
  NAME_PRIMARY_OWNER,
  NAME_RELEASED,
} from './bus/name-registry.ts'
export type { Outgoing } from './bus/outgoing.ts'
export type { Peer, PeerCredentials, PeerDoor } from './bus/peer.ts'
export { openPolicy, type Passage, type Policy } from './bus/policy.ts'
export { driver } from './driver/driver.ts'
export { type MatchRule, MatchRuleError, parseMatchRule } from './match/rule.ts'
export * from './message/index.ts'
export { dbusModule } from './netlink/module.ts'
export { NetlinkBus, type NetlinkBusOptions, type Received } from './netlink-client/netlink-bus.ts'
