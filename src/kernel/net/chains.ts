/**
 * What happens in the stack, told on notifier chains: the kernel's own chains for its parts, and
 * one chain an object for what user space is to hear.
 *
 * Kernel: include/linux/netdevice.h enum netdev_cmd; the announcements stand where Linux calls
 * rtmsg_ifinfo(), rtmsg_ifa(), rtmsg_fib(), __neigh_notify() and notify_rule_change().
 */
import { RawNotifierChain } from '../notifier/raw.ts'
import type { AnycastAddress } from './anycast6.ts'
import type { Devconf4 } from './devconf4.ts'
import type { Devconf6 } from './devconf6.ts'
import type { NetDevice } from './device.ts'
import type { FdbEntry } from './fdb.ts'
import type { RemoteEntry } from './fdb-ops.ts'
import type { Fib4Route } from './fib4-table.ts'
import type { Fib6Route } from './fib6-table.ts'
import type { Ifaddr4 } from './ifaddr4.ts'
import type { Ifaddr6 } from './ifaddr6.ts'
import type { BridgeDevice } from './kinds/bridge.ts'
import type { MdbGroup, MdbMember } from './kinds/bridge-mdb.ts'
import type { VlanGroup } from './kinds/bridge-vlan.ts'
import type { MulticastGroup } from './multicast.ts'
import type { Neighbour } from './neighbour.ts'
import type { Nexthop } from './nexthop.ts'
import type { FibRule } from './rule.ts'
import type { NetStack } from './stack.ts'

/** Who asked for a change. The stack passes it on and never looks into it. */
export type Origin = object | undefined

/** What happens to a device. */
export type NetdevEvent =
  | 'NETDEV_REGISTER'
  | 'NETDEV_UNREGISTER'
  | 'NETDEV_PRE_UP'
  | 'NETDEV_UP'
  | 'NETDEV_GOING_DOWN'
  | 'NETDEV_DOWN'
  | 'NETDEV_CHANGE'
  | 'NETDEV_CHANGENAME'
  | 'NETDEV_PRECHANGEMTU'
  | 'NETDEV_CHANGEMTU'
  | 'NETDEV_PRE_CHANGEADDR'
  | 'NETDEV_CHANGEADDR'
  | 'NETDEV_CHANGE_TX_QUEUE_LEN'
  | 'NETDEV_PRECHANGEUPPER'
  | 'NETDEV_CHANGEUPPER'
  | 'NETDEV_FEAT_CHANGE'
  | 'NETDEV_CHANGELOWERSTATE'
  | 'NETDEV_BONDING_FAILOVER'
  | 'NETDEV_POST_TYPE_CHANGE'
  | 'NETDEV_NOTIFY_PEERS'
  | 'NETDEV_RESEND_IGMP'

/** What netdev_chain carries (struct netdev_notifier_info and kin). */
export interface NetdevInfo {
  readonly dev: NetDevice
  /** NETDEV_CHANGE: IFF_* that changed. */
  readonly flagsChanged?: number
  /** NETDEV_CHANGEUPPER: the other one, and whether it came or went. */
  readonly upper?: NetDevice
  readonly linking?: boolean
}

/** A link as user space is to see it. */
export interface LinkNotice {
  readonly dev: NetDevice
  /** IFF_* for ifi_change; 0xffffffff for a link that comes or goes. */
  readonly change: number
  readonly origin?: Origin
  /** AF_BRIDGE for a port, AF_INET6 for the IPv6 side of a link; otherwise AF_UNSPEC. */
  readonly family?: number
  /** Where a link that leaves for another namespace goes, and its index there. */
  readonly newStack?: NetStack
  readonly newIfindex?: number
}

export interface AddrNotice {
  readonly ifa: Ifaddr4 | Ifaddr6
  readonly origin?: Origin
}

export interface RouteNotice {
  readonly route: Fib4Route | Fib6Route
  /** How it came in: NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_APPEND. */
  readonly flags: number
  readonly origin?: Origin
}

export interface NeighNotice {
  readonly neigh: Neighbour | FdbEntry
  readonly origin?: Origin
}

export interface RuleNotice {
  readonly rule: FibRule
  readonly origin?: Origin
}

/** A group that a device joined or left. */
export interface MulticastNotice {
  readonly group: MulticastGroup
}

/** An anycast address that a device has, or has no more. */
export interface AnycastNotice {
  readonly anycast: AnycastAddress
}

/** A setting that user space hears of (NETCONFA_*). */
export type NetconfAttribute =
  | 'forwarding'
  | 'rpFilter'
  | 'proxyNeigh'
  | 'ignoreRoutesWithLinkdown'
  | 'forceForwarding'

export interface NetconfNotice {
  readonly family: number
  /** A device's, NETCONFA_IFINDEX_ALL or NETCONFA_IFINDEX_DEFAULT. */
  readonly ifindex: number
  /** Absent: the settings are gone. */
  readonly conf?: Devconf4 | Devconf6
  /** What of it changed. */
  readonly what?: NetconfAttribute | 'all'
}

export interface NexthopNotice {
  readonly nexthop: Nexthop
  /** Of a resilient group: which of its buckets changed hands. */
  readonly bucket?: number
  readonly origin?: Origin
}

/** VLANs of a bridge or of a port, from `vid` to `last`. */
export interface BrvlanNotice {
  readonly dev: NetDevice
  readonly group: VlanGroup
  readonly vid: number
  readonly last: number
  /** What they have for all ports. */
  readonly isGlobal?: boolean
}

/** A group of a bridge, and who is in it from now on, or no longer. */
export interface MdbNotice {
  readonly bridge: BridgeDevice
  readonly group: MdbGroup
  readonly member: MdbMember
}

/** The chains of one stack. */
export class StackChains {
  readonly netdev = new RawNotifierChain<NetdevEvent, NetdevInfo>('netdev_chain')
  readonly inetaddr = new RawNotifierChain<'NETDEV_UP' | 'NETDEV_DOWN', Ifaddr4>('inetaddr_chain')
  readonly inet6addr = new RawNotifierChain<'NETDEV_UP' | 'NETDEV_DOWN', Ifaddr6>('inet6addr_chain')
  readonly link = new RawNotifierChain<'NEWLINK' | 'DELLINK', LinkNotice>('link_chain')
  readonly addr = new RawNotifierChain<'NEWADDR' | 'DELADDR', AddrNotice>('addr_chain')
  readonly route = new RawNotifierChain<'NEWROUTE' | 'DELROUTE', RouteNotice>('route_chain')
  readonly neigh = new RawNotifierChain<'NEWNEIGH' | 'DELNEIGH', NeighNotice>('neigh_chain')
  readonly netconf = new RawNotifierChain<'NEWNETCONF' | 'DELNETCONF', NetconfNotice>(
    'netconf_chain',
  )
  readonly nexthop = new RawNotifierChain<
    'NEWNEXTHOP' | 'DELNEXTHOP' | 'NEWNEXTHOPBUCKET',
    NexthopNotice
  >('nexthop_chain')
  readonly multicast = new RawNotifierChain<'NEWMULTICAST' | 'DELMULTICAST', MulticastNotice>(
    'multicast_chain',
  )
  readonly anycast = new RawNotifierChain<'NEWANYCAST' | 'DELANYCAST', AnycastNotice>(
    'anycast_chain',
  )
  readonly remoteFdb = new RawNotifierChain<'NEWNEIGH' | 'DELNEIGH', RemoteEntry>(
    'remote_fdb_chain',
  )
  readonly brvlan = new RawNotifierChain<'NEWVLAN' | 'DELVLAN', BrvlanNotice>('brvlan_chain')
  readonly mdb = new RawNotifierChain<'NEWMDB' | 'DELMDB', MdbNotice>('mdb_chain')
  readonly rule = new RawNotifierChain<'NEWRULE' | 'DELRULE', RuleNotice>('rule_chain')
}
