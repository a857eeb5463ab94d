/**
 * RTM_SETLINK and RTM_DELLINK of AF_BRIDGE: ports of bridges, and VLANs.
 *
 * Kernel: net/core/rtnetlink.c rtnl_bridge_setlink(), rtnl_bridge_dellink(); net/bridge/br_netlink.c
 * br_setlink(), br_dellink(), br_afspec() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { ifinfomsg } from '../../families/rt-link.ts'
import { AF_BRIDGE } from '../../families/rtnetlink.ts'
import { attrs, message } from '../../schema/index.ts'
import { align4 } from '../../wire/align.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import { changePort, setPortState } from '../net/kinds/bridge-options.ts'
import type { BridgePort } from '../net/kinds/bridge-port.ts'
import {
  addBridgeVlan,
  addPortVlan,
  announceVlan,
  BRIDGE_VLAN_INFO_BRENTRY,
  BRIDGE_VLAN_INFO_MASTER,
  BRIDGE_VLAN_INFO_PVID,
  checkVid,
  deleteBridgeVlan,
  deletePortVlan,
} from '../net/kinds/bridge-vlan.ts'
import type { RequestContext } from '../netlink/context.ts'
import { portRequest } from './link-bridge.ts'
import { invalid, parseNested, payloadSize } from './parse.ts'

/** sizeof(struct ifinfomsg). */
const HEADER_SIZE = 16
const IFLA_PROTINFO = 12
const IFLA_AF_SPEC = 26
const NLA_F_NESTED = 0x8000

const IFLA_BRIDGE_FLAGS = 0
const IFLA_BRIDGE_MODE = 1
const IFLA_BRIDGE_VLAN_INFO = 2
const IFLA_BRIDGE_VLAN_TUNNEL_INFO = 3
const BRIDGE_FLAGS_MASTER = 1
const BRIDGE_FLAGS_SELF = 2

const RANGE_BEGIN = 0x8
const RANGE_END = 0x10

const header = message(ifinfomsg, attrs('', {}))

/** An attribute as it stands in the datagram. */
interface Attribute {
  readonly type: number
  readonly isNested: boolean
  /** Its payload. */
  readonly at: number
  readonly end: number
}

/** nla_for_each_attr(): as far as they are whole. */
function* walk({ view }: RequestContext, from: number, end: number): Generator<Attribute> {
  for (let at = from; end - at >= NLA_HDRLEN; ) {
    const length = view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > end - at) return
    const type = view.getUint16(at + 2, HOST_LE)
    const isNested = (type & NLA_F_NESTED) !== 0
    yield { type: type & NLA_TYPE_MASK, isNested, at: at + NLA_HDRLEN, end: at + length }
    at += align4(length)
  }
}

interface Target {
  readonly dev: NetDevice
  readonly flags: number
  readonly protinfo: Attribute | undefined
  readonly afSpec: Attribute | undefined
}

function parse(ctx: RequestContext): Target {
  if (payloadSize(ctx) < HEADER_SIZE) throw new NetlinkError('EINVAL')
  const { family, ifindex } = header.decode(ctx.view, ctx.payload, ctx.payload + HEADER_SIZE)
  if (family !== AF_BRIDGE) throw new NetlinkError('EPFNOSUPPORT')
  const dev = ctx.kernel.rtnl.stackOf(ctx.net).devices.byIndex(ifindex)
  if (!dev) throw new NetlinkError('ENODEV', 'unknown ifindex')
  const all = [...walk(ctx, ctx.payload + HEADER_SIZE, ctx.end)]
  const protinfo = all.find(({ type }) => type === IFLA_PROTINFO)
  const afSpec = all.find(({ type }) => type === IFLA_AF_SPEC)
  return { dev, flags: flagsOf(ctx, afSpec), protinfo, afSpec }
}

/** IFLA_BRIDGE_FLAGS: to whom a request goes. */
function flagsOf(ctx: RequestContext, afSpec: Attribute | undefined): number {
  let flags: number | undefined
  for (const { type, at, end } of afSpec ? walk(ctx, afSpec.at, afSpec.end) : []) {
    if (type !== IFLA_BRIDGE_FLAGS && type !== IFLA_BRIDGE_MODE) continue
    if (end - at < 2) throw new NetlinkError('EINVAL')
    if (type === IFLA_BRIDGE_FLAGS) flags ??= ctx.view.getUint16(at, HOST_LE)
  }
  return flags ?? 0
}

/** To the bridge that the device is a port of, and to the device itself. */
function dispatch(target: Target, act: () => void): void {
  const { dev, flags } = target
  if (!flags || flags & BRIDGE_FLAGS_MASTER) {
    if (!(dev.master instanceof BridgeDevice)) throw new NetlinkError('EOPNOTSUPP')
    act()
  }
  if (!(flags & BRIDGE_FLAGS_SELF)) return
  if (!(dev instanceof BridgeDevice)) throw new NetlinkError('EOPNOTSUPP')
  act()
}

/** rtnl_bridge_setlink(). @throws NetlinkError */
export function setBridgeLink(ctx: RequestContext): void {
  const target = parse(ctx)
  const { dev, protinfo, afSpec } = target
  dispatch(target, () => {
    if (!protinfo && !afSpec) return
    const port = dev.bridgePort
    if (!port && !afSpec) throw new NetlinkError('EINVAL')
    let isChanged = false
    try {
      if (port && protinfo) {
        setPort(ctx, port, protinfo)
        isChanged = true
      }
      if (afSpec) isChanged = changeVlans(ctx, target, afSpec, true) || isChanged
    } finally {
      if (isChanged) port?.announce()
    }
  })
}

/** rtnl_bridge_dellink(). @throws NetlinkError */
export function deleteBridgeLink(ctx: RequestContext): void {
  const target = parse(ctx)
  const { dev, afSpec } = target
  dispatch(target, () => {
    if (afSpec && changeVlans(ctx, target, afSpec, false)) dev.bridgePort?.announce()
  })
}

/** Old programs send the state alone. */
function setPort(ctx: RequestContext, port: BridgePort, span: Attribute): void {
  if (span.isNested) {
    changePort(port, parseNested(ctx, span, portRequest))
    return
  }
  if (span.end - span.at < 1) throw new NetlinkError('EINVAL')
  setPortState(port, ctx.view.getUint8(span.at))
}

/** struct bridge_vlan_info. */
interface VlanInfo {
  readonly flags: number
  readonly vid: number
}

/** br_afspec(): whether something changed. */
function changeVlans(
  ctx: RequestContext,
  { dev }: Target,
  span: Attribute,
  isSet: boolean,
): boolean {
  let isChanged = false
  let first: VlanInfo | undefined
  for (const { type, at, end } of walk(ctx, span.at, span.end)) {
    if (type === IFLA_BRIDGE_VLAN_TUNNEL_INFO) throw new NetlinkError('EOPNOTSUPP')
    if (type !== IFLA_BRIDGE_VLAN_INFO) continue
    if (end - at !== 4) throw new NetlinkError('EINVAL')
    const info = {
      flags: ctx.view.getUint16(at, HOST_LE),
      vid: ctx.view.getUint16(at + 2, HOST_LE),
    }
    checkVid(info.vid)
    if (info.flags & RANGE_BEGIN) {
      checkRange(info, first)
      first = info
      continue
    }
    if (first) checkRange(info, first)
    const { vid } = first ?? info
    isChanged = changeRange(dev, vid, info.vid, (first ?? info).flags, isSet) || isChanged
    first = undefined
  }
  return isChanged
}

/** br_vlan_valid_range(). */
function checkRange(info: VlanInfo, first: VlanInfo | undefined): void {
  if (info.flags & BRIDGE_VLAN_INFO_PVID) invalid("bridge: Pvid isn't allowed in a range")
  if (!first) return
  if (info.flags & RANGE_BEGIN) invalid('bridge: Found a new vlan range start while processing one')
  if (!(info.flags & RANGE_END)) invalid('bridge: Vlan range end flag is missing')
  if (info.vid <= first.vid) invalid('bridge: End vlan id is less than or equal to start vlan id')
}

/** br_vlan_info() of each; those that changed are told together. */
function changeRange(
  dev: NetDevice,
  from: number,
  to: number,
  given: number,
  isSet: boolean,
): boolean {
  if (!dev.stack.hasBridgeVlans) throw new NetlinkError('EOPNOTSUPP')
  const flags = given & ~(RANGE_BEGIN | RANGE_END)
  const of = dev.bridgePort ?? (dev as BridgeDevice)
  const changed: number[] = []
  try {
    for (let vid = from; vid <= to; vid++) {
      if (isSet ? addOne(of, vid, flags) : deleteOne(of, vid, flags)) changed.push(vid)
    }
  } finally {
    tellRanges(of, changed, isSet ? 'NEWVLAN' : 'DELVLAN')
  }
  return changed.length > 0
}

function addOne(of: BridgePort | BridgeDevice, vid: number, flags: number): boolean {
  if (of instanceof BridgeDevice) return addBridgeVlan(of, vid, flags | BRIDGE_VLAN_INFO_BRENTRY)
  return addPortVlan(of, vid, flags)
}

function deleteOne(of: BridgePort | BridgeDevice, vid: number, flags: number): boolean {
  if (of instanceof BridgeDevice) return deleteBridgeVlan(of, vid)
  const wasThere = deletePortVlan(of, vid)
  return (flags & BRIDGE_VLAN_INFO_MASTER && deleteBridgeVlan(of.bridge, vid)) || wasThere
}

function tellRanges(
  of: BridgePort | BridgeDevice,
  vids: readonly number[],
  event: 'NEWVLAN' | 'DELVLAN',
): void {
  for (let i = 0; i < vids.length; ) {
    let last = i
    while (vids[last + 1] === (vids[last] as number) + 1) last++
    announceVlan(event, of, vids[i] as number, vids[last])
    i = last + 1
  }
}
