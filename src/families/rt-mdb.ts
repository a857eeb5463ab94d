/**
 * rt-mdb: which multicast groups a bridge hands on through which ports, and where its routers are.
 *
 * Kernel: include/uapi/linux/if_bridge.h; net/bridge/br_mdb.c br_mdb_dump() (Linux 6.18). One
 * message a bridge. Timers are in hundredths of a second.
 */
import {
  attrs,
  be16,
  binary,
  embedded,
  ipAddress,
  message,
  multi,
  named,
  nest,
  rawFamily,
  struct,
  u8,
  u16,
  u32,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import * as routeConstants from './rt-route-constants.ts'
import { addressFamily, RTM_DELMDB, RTM_GETMDB, RTM_NEWMDB, RTNLGRP_MDB } from './rtnetlink.ts'

/** Of `state`. */
export const MDB_TEMPORARY = 0
export const MDB_PERMANENT = 1
/** Of `flags`. */
export const MDB_FLAGS_OFFLOAD = 1
export const MDB_FLAGS_FAST_LEAVE = 2
export const MDB_FLAGS_STAR_EXCL = 4
export const MDB_FLAGS_BLOCKED = 8
/** Of a router's `type`. */
export const MDB_RTR_TYPE_DISABLED = 0
export const MDB_RTR_TYPE_TEMP_QUERY = 1
export const MDB_RTR_TYPE_PERM = 2
export const MDB_RTR_TYPE_TEMP = 3
/** Of `proto` (linux/if_ether.h). */
export const ETH_P_IP = 0x0800
export const ETH_P_IPV6 = 0x86dd
/** Of `groupMode` (linux/in.h). */
export const MCAST_EXCLUDE = 0
export const MCAST_INCLUDE = 1

export const brPortMsg = struct('br_port_msg', { family: addressFamily, pad: 3, ifindex: u32 })

export const brMdbEntry = struct('br_mdb_entry', {
  /** The port; the bridge itself for its own. */
  ifindex: u32,
  state: u8,
  flags: u8,
  vid: u16,
  /** An address of `proto`, from its first byte on. */
  addr: binary.exact(16),
  /** ETH_P_IP, ETH_P_IPV6, or 0 for an Ethernet address. */
  proto: be16,
  pad: 2,
})

const sourceAttrs = attrs('MDBA_MDB_SRCATTR_', { address: [1, ipAddress], timer: [2, u32] })
const sourceListAttrs = attrs('MDBA_MDB_SRCLIST_', { entry: [1, multi(nest(sourceAttrs))] })

const entryDefinitions = {
  timer: [1, u32],
  srcList: [2, nest(sourceListAttrs)],
  /** Whether the list has who may send, or who may not. */
  groupMode: [3, u8],
  source: [4, ipAddress],
  rtprot: [5, named(u8, routeConstants, 'RTPROT_')],
} as const

/** A port that has joined a group. */
const mdbEntry = message(brMdbEntry, attrs('MDBA_MDB_EATTR_', entryDefinitions))

const routerAttrs = attrs('MDBA_ROUTER_PATTR_', {
  timer: [1, u32],
  type: [2, u8],
  inetTimer: [3, u32],
  inet6Timer: [4, u32],
  vid: [5, u16],
})
/** A port behind which a multicast router is. */
const routerPort = message(struct('router_port', { ifindex: u32 }), routerAttrs)

const groupAttrs = attrs('MDBA_MDB_ENTRY_', { info: [1, multi(embedded(mdbEntry))] })

/** Ports behind which routers are. */
const routerPortAttrs = attrs('MDBA_ROUTER_', { port: [1, multi(embedded(routerPort))] })

const mdbDefinitions = {
  mdb: [1, nest(attrs('MDBA_MDB_', { entry: [1, multi(nest(groupAttrs))] }))],
  router: [2, nest(routerPortAttrs)],
} as const
export interface MdbDefinitions extends Readonly<typeof mdbDefinitions> {}
export const mdbAttrs = attrs('MDBA_', mdbDefinitions as MdbDefinitions)

const mdb = message(brPortMsg, mdbAttrs)

export const rtMdb = rawFamily({
  name: 'rt-mdb',
  protocol: NETLINK_ROUTE,
  groups: { mdb: RTNLGRP_MDB },
  ops: {
    getMdb: {
      cmd: RTM_GETMDB,
      /** Of VXLANs; bridges answer with RTM_GETMDB. */
      replyCmd: RTM_NEWMDB,
      constant: 'RTM_GETMDB',
      dump: { request: message(brPortMsg, attrs('MDBA_', {})), reply: mdb },
    },
  },
  notifications: {
    newMdb: { cmd: RTM_NEWMDB, group: 'mdb', body: mdb },
    delMdb: { cmd: RTM_DELMDB, group: 'mdb', body: mdb },
  },
})
