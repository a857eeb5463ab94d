/** nlkit: a typed client for the kernel's netlink, and the errors that it throws. */
export type { BatchDoors, BatchOptions } from './client/batch.ts'
export type { DumpOptions } from './client/cursor.ts'
export type { DatagramEvents, LossEvent } from './client/datagrams.ts'
export type { DatagramReport, OverrunReport } from './client/diagnostics.ts'
export type { Dump } from './client/dump.ts'
export type { EventOptions, Events, OverrunSource } from './client/events.ts'
export type { FamilyClient, FamilyDumpOptions, FamilyEvent } from './client/family.ts'
export type { Live, LiveOptions } from './client/live.ts'
export type { Match } from './client/match.ts'
export type { Change } from './client/mirror.ts'
export type { Netlink } from './client/netlink.ts'
export { type KernelLike, type OpenOptions, open } from './client/open.ts'
export type { CallOptions, RequestOptions } from './client/options.ts'
export type {
  ProcessEvent,
  ProcessEventName,
  ProcessWatchOptions,
} from './client/processes.ts'
export type { Address, AddressFilter, AddressName, NewAddress } from './client/route/address.ts'
export type { AnnouncedPrefix } from './client/route/announced-prefix.ts'
export type {
  BridgeFilter,
  BridgeGroup,
  BridgeGroups,
  BridgePortFilter,
  BridgeRouter,
  BridgeVlan,
  BridgeVlanFilter,
  BridgeVlanOptions,
  BridgeVlans,
} from './client/route/bridge.ts'
export type { LinkName } from './client/route/door.ts'
export type {
  ForwardingEntry,
  ForwardingFilter,
  ForwardingName,
  NewForwardingEntry,
} from './client/route/forwarding.ts'
export type { Link, LinkChanges, LinkFilter, NewLink } from './client/route/link.ts'
export type { MulticastRoute, MulticastRouteFilter } from './client/route/multicast-route.ts'
export type {
  AddressFlag,
  LinkType,
  NeighbourFlag,
  NeighbourState,
  RouteProtocol,
  RouteType,
  RuleAction,
  Scope,
  Table,
} from './client/route/names.ts'
export type { NamespaceId, NamespaceName } from './client/route/namespace.ts'
export type {
  Neighbour,
  NeighbourFilter,
  NeighbourName,
  NewNeighbour,
} from './client/route/neighbour.ts'
export type { NewNextHop, NextHop } from './client/route/next-hop.ts'
export type {
  NewNexthop,
  Nexthop,
  NexthopBucket,
  NexthopFilter,
  NexthopMember,
} from './client/route/nexthop.ts'
export type { IpFamily } from './client/route/prefix.ts'
export type {
  Route,
  RouteDescription,
  RouteFamily,
  RouteFilter,
  RouteQuery,
} from './client/route/route.ts'
export type { Rule, RuleDescription, RuleFilter } from './client/route/rule.ts'
export type { Statistics, StatisticsFilter } from './client/route/statistics.ts'
export type {
  AddressLabel,
  MulticastAddress,
  MulticastAddressFilter,
  NeighbourTable,
  Netconf,
  NetconfFilter,
  NewAddressLabel,
} from './client/route/table.ts'
export type {
  Filter,
  OfLink,
  Qdisc,
  QdiscFilter,
  TrafficClass,
} from './client/route/traffic-control.ts'
export type { Topic } from './client/topics.ts'
export type { KobjectEvent } from './client/uevents.ts'
export type { ChangeEvent, OverrunEvent, ResyncEvent, WatchEvent } from './client/watch.ts'
export { type ErrnoName, errnoName, errnoNumber, errnoText } from './errno.ts'
export {
  type ClientFault,
  DecodeError,
  EncodeError,
  type Extack,
  isNetlinkError,
  NetlinkError,
  type NetlinkErrorInit,
  type PolicyDescription,
} from './errors.ts'
