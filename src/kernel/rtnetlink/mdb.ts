/**
 * RTM_NEWMDB, RTM_DELMDB and RTM_GETMDB: the multicast groups of bridges.
 *
 * Kernel: net/core/rtnetlink.c rtnl_mdb_add(), rtnl_mdb_dump(), rtnl_validate_mdb_entry();
 * net/bridge/br_mdb.c br_mdb_config_init(), __mdb_fill_info() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import {
  AF_BRIDGE,
  RTM_DELMDB,
  RTM_GETMDB,
  RTM_NEWMDB,
  RTNLGRP_MDB,
} from '../../families/rtnetlink.ts'
import { attrs, binary, message, nest, s32, struct, u8 } from '../../schema/index.ts'
import { NLM_F_REPLACE } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { MdbNotice } from '../net/chains.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import {
  checkMdbSource,
  ETH_P_IP,
  ETH_P_IPV6,
  MDB_PERMANENT,
  type MdbEntry,
  type MdbGroup,
  type MdbMember,
  type MdbRequest,
} from '../net/kinds/bridge-mdb.ts'
import type { NetStack } from '../net/stack.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import type { KernelSocket } from '../netlink/kernel-socket.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { notify } from './notify.ts'
import { invalid, payloadSize } from './parse.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct br_port_msg). */
const HEADER_SIZE = 8
/** sizeof(struct br_mdb_entry). */
const ENTRY_SIZE = 28
const SIZE = 128
const MDBA_MDB = 1
const MDBA_MDB_ENTRY = 1
const MDBA_MDB_ENTRY_INFO = 1
const EATTR_TIMER = 1
const EATTR_GROUP_MODE = 3
const EATTR_SOURCE = 4
const EATTR_RTPROT = 5
const MDB_TEMPORARY = 0
const VLAN_VID_MASK = 4095
const RTPROT_STATIC = 4
const MCAST_EXCLUDE = 0
const MCAST_INCLUDE = 1
/** IGMP and MLD from these versions on know of sources. */
const IGMP_WITH_SOURCES = 3
const MLD_WITH_SOURCES = 2

const header = struct('br_port_msg', { family: u8, pad1: 1, pad2: 2, ifindex: s32 })
const entryAttrs = attrs('MDBE_ATTR_', { source: [1, binary], rtprot: [4, u8] })
const request = message(
  header,
  attrs('MDBA_SET_', { entry: [1, binary], entryAttrs: [2, nest(entryAttrs)] }),
)

export function registerMdbs(table: RtnlTable): void {
  table.register(AF_BRIDGE, RTM_NEWMDB, { doit: (ctx) => change(ctx, true) })
  table.register(AF_BRIDGE, RTM_DELMDB, { doit: (ctx) => change(ctx, false) })
  table.register(AF_BRIDGE, RTM_GETMDB, { dumpit: mdbDump })
}

/** br_mdb_notify(). */
export function notifyMdbs(stack: NetStack, sock: KernelSocket): void {
  stack.chains.mdb.register({
    name: 'br_mdb_notify',
    call(event, { bridge, group, member }: MdbNotice) {
      const type = event === 'NEWMDB' ? RTM_NEWMDB : RTM_DELMDB
      notify(sock, { type, group: RTNLGRP_MDB, size: SIZE }, (w) => {
        putHeader(w, bridge)
        const mdb = w.attrStart(MDBA_MDB)
        const entry = w.attrStart(MDBA_MDB_ENTRY)
        putMember(w, bridge, group, member)
        w.attrEnd(entry)
        w.attrEnd(mdb)
      })
      return NOTIFY_DONE
    },
  })
}

function putHeader(w: Writer, { ifindex }: NetDevice): void {
  w.u8(AF_BRIDGE)
  w.u8(0)
  w.u16(0)
  w.u32(ifindex)
}

const bytesOf = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 255n))

const lengthOf = (proto: number): number => (proto === ETH_P_IP ? 4 : proto === 0 ? 6 : 16)

/** __mdb_fill_info(). */
function putMember(w: Writer, bridge: BridgeDevice, group: MdbGroup, member: MdbMember): void {
  const { proto, address, vid, source } = group
  const { port, isPermanent, protocol, expires } = member
  const info = w.attrStart(MDBA_MDB_ENTRY_INFO)
  w.u32(port?.dev.ifindex ?? bridge.ifindex)
  w.u8(isPermanent ? MDB_PERMANENT : MDB_TEMPORARY)
  w.u8(0)
  w.u16(vid)
  const bytes = new Uint8Array(16)
  bytes.set(bytesOf(address, lengthOf(proto)))
  w.put(bytes)
  w.u16(proto, false)
  w.u16(0)
  const left = expires === 0 ? 0 : Math.max(0, Math.floor((expires - bridge.stack.now()) / 10))
  w.attrU32(EATTR_TIMER, left)
  if (source !== undefined) w.attrBytes(EATTR_SOURCE, bytesOf(source, lengthOf(proto)))
  if (port) {
    putU8(w, EATTR_RTPROT, protocol)
    if (showsSources(bridge, proto))
      putU8(w, EATTR_GROUP_MODE, source === undefined ? MCAST_EXCLUDE : MCAST_INCLUDE)
  }
  w.attrEnd(info)
}

function putU8(w: Writer, type: number, value: number): void {
  const mark = w.attrStart(type)
  w.u8(value)
  w.attrEnd(mark)
}

function showsSources({ options }: BridgeDevice, proto: number): boolean {
  if (proto === ETH_P_IP) return options.mcastIgmpVersion === IGMP_WITH_SOURCES
  return proto === ETH_P_IPV6 && options.mcastMldVersion === MLD_WITH_SOURCES
}

const mdbDump: DumpSource<BridgeDevice> = {
  name: 'RTM_GETMDB',
  type: RTM_GETMDB,
  start(ctx) {
    if (!ctx.strict) return
    if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for mdb dump request')
    if (ctx.view.getInt32(ctx.payload + 4, HOST_LE) !== 0)
      invalid('Filtering by device index is not supported for mdb dump request')
    if (payloadSize(ctx) > HEADER_SIZE) invalid('Invalid data after header in mdb dump request')
  },
  *items(ctx) {
    const { devices } = ctx.kernel.rtnl.stackOf(ctx.net)
    for (let dev = devices.after(0); dev; dev = devices.after(dev.ifindex))
      if (dev instanceof BridgeDevice) yield dev
  },
  put(w, bridge) {
    putHeader(w, bridge)
    if (!bridge.options.mcastSnooping) return
    const mdb = w.attrStart(MDBA_MDB)
    for (const entry of bridge.mdb.list()) putEntry(w, bridge, entry)
    w.attrEnd(mdb)
  },
}

function putEntry(w: Writer, bridge: BridgeDevice, { group, members }: MdbEntry): void {
  const mark = w.attrStart(MDBA_MDB_ENTRY)
  for (const member of members) putMember(w, bridge, group, member)
  w.attrEnd(mark)
}

/** rtnl_mdb_add(), rtnl_mdb_del(). */
function change(ctx: RequestContext, isNew: boolean): void {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const { ifindex, entry, entryAttrs: more } = ctx.decode(request)
  if (entry) validateEntry(entry)
  if (ifindex === 0) invalid('Invalid ifindex')
  const { devices } = ctx.kernel.rtnl.stackOf(ctx.net)
  const dev = devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV', "Device doesn't exist")
  if (!entry) invalid('Missing MDBA_SET_ENTRY attribute')
  if (!(dev instanceof BridgeDevice))
    throw new NetlinkError('EOPNOTSUPP', 'Device does not support MDB operations')
  const wanted = readRequest(dev, entry, more)
  if (isNew) dev.mdb.add({ ...wanted, isReplace: (ctx.flags & NLM_F_REPLACE) !== 0 })
  else dev.mdb.delete(wanted)
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

/** rtnl_validate_mdb_entry(). */
function validateEntry(entry: Uint8Array): void {
  if (entry.length !== ENTRY_SIZE) invalid('Invalid attribute length')
  const view = viewOf(entry)
  const [state, first = 0] = [entry[4] as number, entry[8]]
  const proto = view.getUint16(24)
  const low = view.getUint32(8)
  if (view.getUint32(0, HOST_LE) === 0) invalid('Zero entry ifindex is not allowed')
  if (proto === ETH_P_IP) {
    if (low >>> 28 !== 0xe && low !== 0)
      invalid('IPv4 entry group address is not multicast or 0.0.0.0')
    if (low >>> 8 === 0xe00000) invalid('IPv4 entry group address is local multicast')
  } else if (proto === ETH_P_IPV6) {
    if (numberOf(entry.subarray(8, 24)) === (0xff02n << 112n) + 1n)
      invalid('IPv6 entry group address is link-local all nodes')
  } else if (proto === 0) {
    if ((first & 1) === 0) invalid('L2 entry group is not multicast')
  } else invalid('Unknown entry protocol')
  if (state !== MDB_PERMANENT && state !== MDB_TEMPORARY) invalid('Unknown entry state')
  if (view.getUint16(6, HOST_LE) >= VLAN_VID_MASK) invalid('Invalid entry VLAN id')
}

/** br_mdb_config_init(). */
function readRequest(
  bridge: BridgeDevice,
  entry: Uint8Array,
  more: { readonly source?: Uint8Array | undefined; readonly rtprot?: number | undefined } = {},
): Omit<MdbRequest, 'isReplace'> {
  const view = viewOf(entry)
  if (!bridge.isUp) invalid('bridge: Bridge device is not running')
  if (!bridge.options.mcastSnooping) invalid("bridge: Bridge's multicast processing is disabled")
  const ifindex = view.getUint32(0, HOST_LE)
  const dev = bridge.stack.devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV', "bridge: Port net device doesn't exist")
  const port = dev === bridge ? undefined : dev.bridgePort
  if (dev !== bridge && !port) invalid('bridge: Net device is not a bridge port')
  if (port && port.bridge !== bridge) invalid('bridge: Port belongs to a different bridge device')
  const proto = view.getUint16(24)
  const address = numberOf(entry.subarray(8, 8 + lengthOf(proto)))
  const { source: bytes, rtprot = RTPROT_STATIC } = more
  const source = bytes && numberOf(bytes)
  if (bytes && source !== undefined) checkMdbSource(proto, source, bytes.length)
  const group = { proto, address, vid: view.getUint16(6, HOST_LE), source: source || undefined }
  return { group, port, isPermanent: entry[4] === MDB_PERMANENT, protocol: rtprot }
}
