/**
 * RTM_NEWNEIGH, RTM_DELNEIGH and RTM_GETNEIGH of AF_BRIDGE: forwarding entries.
 *
 * Kernel: net/core/rtnetlink.c rtnl_fdb_add(), rtnl_fdb_del(), rtnl_fdb_get(), ndo_dflt_fdb_add();
 * net/bridge/br_fdb.c br_fdb_add(), br_fdb_delete(), br_fdb_get() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ndmsg, neighAttrs } from '../../families/rt-neigh.ts'
import {
  AF_BRIDGE,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
  RTNLGRP_NEIGH,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  binary,
  message,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
} from '../../schema/index.ts'
import { NLM_F_BULK, NLM_F_EXCL } from '../../wire/constants.ts'
import {
  ARPHRD_ETHER,
  ETH_ALEN,
  NTF_EXT_LEARNED,
  NTF_MASTER,
  NTF_SELF,
  NTF_USE,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
} from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { addUnicast, removeUnicast } from '../net/device-flags.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import type { BridgePort } from '../net/kinds/bridge-port.ts'
import type { RequestContext } from '../netlink/context.ts'
import { fdbDump } from './fdb-dump.ts'
import { flushFdb } from './fdb-flush.ts'
import { putFdbEntry, putRemoteEntry, putSelfEntry } from './neigh-fill.ts'
import { notify } from './notify.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'
import { spanOf } from './policy-types.ts'
import type { RtnlTable } from './table.ts'

/** sizeof(struct ndmsg). */
const HEADER_SIZE = 12
const FDB_SIZE = 72
const VLAN_VID_MASK = 4095
/** NTF_EXT_LOCKED. */
const NTF_EXT_LOCKED = 0x2

/** NDA_*, not judged beforehand. */
const fdbRequest = message(
  ndmsg,
  attrs('NDA_', {
    ...neighAttrs.definitions,
    dst: [1, binary],
    lladdr: [2, binary],
    cacheinfo: [3, spanOf(0)],
    probes: [4, spanOf(0)],
    vlan: [5, binary],
    linkNetnsid: [10, spanOf(0)],
    protocol: [12, spanOf(0)],
  }),
)
type Decoded = ReturnType<typeof fdbRequest.decode>

export function registerFdb(table: RtnlTable): void {
  table.register(AF_BRIDGE, RTM_NEWNEIGH, { doit: addEntry })
  table.register(AF_BRIDGE, RTM_DELNEIGH, { doit: deleteEntry, bulkDelete: true })
  table.register(AF_BRIDGE, RTM_GETNEIGH, { doit: getEntry, dumpit: fdbDump })
}

/** What rtnl_fdb_add() and rtnl_fdb_del() find out first. */
interface Target {
  readonly request: Decoded
  readonly dev: NetDevice
  readonly address: Uint8Array
  readonly vlan: number
}

function parse(ctx: RequestContext, verb: 'add' | 'delete'): Target {
  const isBulk = verb === 'delete' && (ctx.flags & NLM_F_BULK) !== 0
  const level = isBulk ? NL_VALIDATE_DEPRECATED_STRICT : NL_VALIDATE_LIBERAL
  const request = ctx.decode(fdbRequest, level)
  const { ifindex, lladdr } = request
  if (ifindex === 0) invalid('invalid ifindex')
  const dev = ctx.kernel.rtnl.stackOf(ctx.net).devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV', 'unknown ifindex')
  if (!isBulk && lladdr?.length !== ETH_ALEN) invalid('invalid address')
  if (dev.type !== ARPHRD_ETHER) invalid(`FDB ${verb} only supported for Ethernet devices`)
  const vlan = isBulk ? 0 : vidOf(request.vlan)
  return { request, dev, address: lladdr ?? new Uint8Array(ETH_ALEN), vlan }
}

/** fdb_vid_parse(). @throws NetlinkError EINVAL */
function vidOf(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0
  if (bytes.length !== 2) invalid('invalid vlan attribute size')
  const vid = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true)
  if (vid === 0 || vid >= VLAN_VID_MASK) invalid('invalid vlan id')
  return vid
}

/** rtnl_fdb_add(): to the bridge that a device is a port of, to the device itself, or to both. */
function addEntry(ctx: RequestContext): void {
  const target = parse(ctx, 'add')
  const { request, dev, address, vlan } = target
  const { flags } = request
  const isOfMaster = (!flags || (flags & NTF_MASTER) !== 0) && dev.bridgePort !== undefined
  if (isOfMaster) addToBridge(ctx, target)
  if (!(flags & NTF_SELF)) {
    if (!isOfMaster) throw new NetlinkError('EOPNOTSUPP')
    return
  }
  if (dev instanceof BridgeDevice) {
    addToBridge(ctx, target)
    return
  }
  if (dev.fdbOps) {
    dev.fdbOps.add(request, ctx.flags)
    return
  }
  addToDevice(ctx, target)
  notifySelf(ctx, RTM_NEWNEIGH, dev, address, vlan, request.state)
}

/** ndo_dflt_fdb_add(). */
function addToDevice(
  { flags: how }: RequestContext,
  { request, dev, address, vlan }: Target,
): void {
  const { state, flagsExt } = request
  const isStatic = state === 0 || (state & NUD_PERMANENT) !== 0
  if (!isStatic || flagsExt !== undefined || vlan !== 0) throw new NetlinkError('EINVAL')
  const list = isGroup(address) ? dev.multicast : dev.unicast
  try {
    list.addExclusive(address)
  } catch (error) {
    if (how & NLM_F_EXCL) throw error
    return
  }
  if (isGroup(address)) return
  // The list has it: only what follows from that is wanting.
  addUnicast(dev, address)
  dev.unicast.remove(address)
}

/** Whether it is a group's, but not one that bridges use among themselves. */
function isGroup(address: Uint8Array): boolean {
  const isLinkLocal = [0x01, 0x80, 0xc2, 0, 0].every((byte, i) => address[i] === byte)
  return ((address[0] as number) & 1) === 1 && !(isLinkLocal && (address[5] as number) < 16)
}

/** The bridge that a request is about, and the port, if it is not about the bridge itself. */
function bridgeOf(dev: NetDevice): { bridge: BridgeDevice; port: BridgePort | undefined } {
  if (dev instanceof BridgeDevice) return { bridge: dev, port: undefined }
  if (!dev.bridgePort) throw new NetlinkError('EINVAL')
  return { bridge: dev.bridgePort.bridge, port: dev.bridgePort }
}

/** br_fdb_add(): without a VLAN, to all that the port has. */
function addToBridge(ctx: RequestContext, { request, dev, address, vlan }: Target): void {
  const { state, flags, flagsExt = 0 } = request
  if (!(state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE))) throw new NetlinkError('EINVAL')
  if (!address.some((byte) => byte !== 0)) throw new NetlinkError('EINVAL')
  const { bridge, port } = bridgeOf(dev)
  if (flagsExt & NTF_EXT_LOCKED) invalid('Cannot add FDB entry with "locked" flag set')
  const { vlans } = port ?? bridge
  if (vlan !== 0 && !vlans.find(vlan)?.isUsable) throw new NetlinkError('EINVAL')
  const vids = vlan === 0 ? [0, ...vlans.usable.map(({ vid }) => vid)] : [vlan]
  for (const vid of vids) {
    const entry = { port: port?.dev, address, vlan: vid, state, flags }
    if (flags & NTF_USE) {
      if (!port) throw new NetlinkError('EINVAL')
    } else if (flags & NTF_EXT_LEARNED) {
      if (!port && !(state & NUD_PERMANENT)) invalid('FDB entry towards bridge must be permanent')
      bridge.fdb.learn(entry)
    } else bridge.fdb.add(entry, ctx.flags)
  }
}

/** rtnl_fdb_del(). */
function deleteEntry(ctx: RequestContext): void {
  const target = parse(ctx, 'delete')
  const { request, dev, address, vlan } = target
  const { flags } = request
  const isBulk = (ctx.flags & NLM_F_BULK) !== 0
  const isOfMaster = (!flags || (flags & NTF_MASTER) !== 0) && dev.bridgePort !== undefined
  const isOfSelf = (flags & NTF_SELF) !== 0
  if (!isOfMaster && !isOfSelf) throw new NetlinkError('EOPNOTSUPP')
  if (isBulk) {
    if (!isOfMaster && !(dev instanceof BridgeDevice)) throw new NetlinkError('EOPNOTSUPP')
    flushFdb(ctx, dev)
    return
  }
  if (isOfMaster) deleteFromBridge(target)
  if (!isOfSelf) return
  if (dev instanceof BridgeDevice) deleteFromBridge(target)
  else if (dev.fdbOps) dev.fdbOps.delete(request)
  else {
    if (!(request.state & NUD_PERMANENT)) throw new NetlinkError('EINVAL')
    if (isGroup(address)) dev.multicast.remove(address)
    else {
      dev.unicast.remove(address)
      removeUnicast(dev, new Uint8Array(0))
    }
    notifySelf(ctx, RTM_DELNEIGH, dev, address, vlan, request.state)
  }
}

/** br_fdb_delete(): without a VLAN, of all that the port has. */
function deleteFromBridge({ dev, address, vlan }: Target): void {
  const { bridge, port } = bridgeOf(dev)
  const { vlans } = port ?? bridge
  const vids = vlan === 0 ? [0, ...vlans.usable.map(({ vid }) => vid)] : [vlan]
  const deleted = vids.filter((vid) => bridge.fdb.delete(port?.dev, address, vid))
  if (deleted.length === 0) throw new NetlinkError('ENOENT')
}

/** rtnl_fdb_notify(). */
function notifySelf(
  ctx: RequestContext,
  type: number,
  dev: NetDevice,
  address: Uint8Array,
  _vlan: number,
  state: number,
): void {
  const sock = ctx.kernel.rtnl.socketOf(ctx.net)
  notify(sock, { type, group: RTNLGRP_NEIGH, size: FDB_SIZE }, (w) =>
    putSelfEntry(w, { ifindex: dev.ifindex, address, state }),
  )
}

/** rtnl_fdb_get(). */
function getEntry(ctx: RequestContext): void {
  const { ifindex, flags, lladdr, master = 0, vlan, vni } = parseGet(ctx)
  if (!lladdr) invalid('Missing lookup address for fdb get request')
  const stack = ctx.kernel.rtnl.stackOf(ctx.net)
  const dev = ifindex === 0 ? undefined : stack.devices.byIndex(ifindex)
  if (ifindex !== 0 && !dev) throw new NetlinkError('ENODEV', 'Unknown device ifindex')
  let asked: NetDevice | undefined
  if (master !== 0) {
    if (dev) invalid('Master and device are mutually exclusive')
    asked = stack.devices.byIndex(master)
    if (!asked) invalid('Invalid master ifindex')
  } else if (dev && (!flags || flags & NTF_MASTER)) {
    if (!dev.bridgePort) invalid('Device is not a bridge port')
    asked = dev.bridgePort.bridge
  } else asked = dev
  if (!asked) throw new NetlinkError('ENODEV', 'No device specified')
  if (asked.fdbOps) {
    const entry = asked.fdbOps.get(lladdr, vni)
    ctx.reply(RTM_NEWNEIGH, (w) => putRemoteEntry(w, entry, stack))
    return
  }
  if (!(asked instanceof BridgeDevice)) {
    throw new NetlinkError('EOPNOTSUPP', 'Fdb get operation not supported by device')
  }
  const entry = asked.fdb.find(lladdr, vidOf(vlan))
  if (!entry) throw new NetlinkError('ENOENT', 'Fdb entry not found')
  ctx.reply(RTM_NEWNEIGH, (w) => putFdbEntry(w, entry, stack))
}

/** valid_fdb_get_strict(). */
function parseGet(ctx: RequestContext): Decoded {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for fdb get request')
  if (hasHeaderValues(ctx, 1, 3) || hasHeaderValues(ctx, 8, 2) || hasHeaderValues(ctx, 11, 1)) {
    invalid('Invalid values in header for fdb get request')
  }
  if (ctx.view.getUint8(ctx.payload + 10) & ~(NTF_MASTER | NTF_SELF)) {
    invalid('Invalid flags in header for fdb get request')
  }
  const request = ctx.decode(fdbRequest, NL_VALIDATE_DEPRECATED_STRICT)
  if (request.lladdr && request.lladdr.length !== ETH_ALEN) {
    invalid('Invalid address in fdb get request')
  }
  const allowed = ['family', 'ifindex', 'state', 'flags', 'type', 'master', 'lladdr', 'vlan', 'vni']
  if (hasOthers(request, allowed)) invalid('Unsupported attribute in fdb get request')
  return request
}
