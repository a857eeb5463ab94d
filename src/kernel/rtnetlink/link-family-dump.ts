/**
 * RTM_GETLINK dumps of single address families: where IPv6 runs, and ports of bridges.
 *
 * Kernel: net/ipv6/addrconf.c inet6_dump_ifinfo(), inet6_valid_dump_ifinfo(); net/core/rtnetlink.c
 * rtnl_bridge_getlink(), valid_bridge_getlink_req() (Linux 6.18).
 */
import {
  BRIDGE_VLAN_INFO_RANGE_BEGIN,
  BRIDGE_VLAN_INFO_RANGE_END,
  RTEXT_FILTER_BRVLAN,
  RTEXT_FILTER_BRVLAN_COMPRESSED,
} from '../../families/rt-link.ts'
import { RTM_NEWLINK } from '../../families/rtnetlink.ts'
import { NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import { BridgeDevice } from '../net/kinds/bridge.ts'
import { BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED } from '../net/kinds/bridge-vlan.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { refusalOf } from '../netlink/extack.ts'
import { putBridgePort, putInet6Link } from './link-family.ts'
import { linkHeader } from './link-get.ts'
import { type LinkMessage, linkRequest } from './link-policy.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'

/** sizeof(struct ifinfomsg). */
const HEADER_SIZE = 16
/** Dumps that show VLANs show bridges, too. */
const VLAN_FILTERS = RTEXT_FILTER_BRVLAN | RTEXT_FILTER_BRVLAN_COMPRESSED

function* devices(ctx: RequestContext): Generator<NetDevice> {
  const { devices: all } = ctx.kernel.rtnl.stackOf(ctx.net)
  for (let dev = all.after(0); dev; dev = all.after(dev.ifindex)) yield dev
}

export const inet6LinkDump: DumpSource<NetDevice> = {
  name: 'RTM_GETLINK of AF_INET6',
  type: RTM_NEWLINK,
  *items(ctx) {
    if (ctx.strict) {
      if (payloadSize(ctx) < HEADER_SIZE) invalid('ipv6: Invalid header for link dump request')
      if (payloadSize(ctx) > HEADER_SIZE) invalid('ipv6: Invalid data after header')
      if (hasHeaderValues(ctx, 1, 15)) invalid('ipv6: Invalid values in header for dump request')
    }
    for (const dev of devices(ctx)) if (dev.inet6) yield dev
  },
  put: (w, dev) => putInet6Link(w, dev),
}

/** One bridge or port, and the VLANs that are wanted with it. */
interface BridgeItem {
  readonly dev: NetDevice
  readonly vlanInfo: VlanInfo[] | undefined
}
type VlanInfo = { flags: number; vid: number }

export const bridgePortDump: DumpSource<BridgeItem> = {
  name: 'RTM_GETLINK of AF_BRIDGE',
  type: RTM_NEWLINK,
  doneAlone: true,
  *items(ctx) {
    const { extMask = 0 } = ctx.strict ? checkBridgeDump(ctx) : glance(ctx)
    for (const dev of devices(ctx)) {
      const isBridge = dev instanceof BridgeDevice
      if (!dev.bridgePort && !(isBridge && extMask & VLAN_FILTERS)) continue
      yield { dev, vlanInfo: vlansOf(dev, extMask) }
    }
  },
  put: (w, { dev, vlanInfo }) => putBridgePort(w, dev, true, vlanInfo),
}

/** br_fill_ifvlaninfo() and br_fill_ifvlaninfo_compressed(): undefined when none are wanted. */
function vlansOf(dev: NetDevice, extMask: number): VlanInfo[] | undefined {
  if (!(extMask & VLAN_FILTERS)) return undefined
  const group = dev.bridgePort?.vlans ?? (dev as BridgeDevice).vlans
  const all = group.usable.map(({ vid, isUntagged }) => ({
    vid,
    flags:
      (vid === group.pvid ? BRIDGE_VLAN_INFO_PVID : 0) |
      (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0),
  }))
  if (extMask & RTEXT_FILTER_BRVLAN) return all
  const ranges: VlanInfo[] = []
  for (let i = 0; i < all.length; ) {
    let last = i
    const { vid, flags } = all[i] as VlanInfo
    while (
      all[last + 1]?.vid === (all[last] as VlanInfo).vid + 1 &&
      all[last + 1]?.flags === flags
    ) {
      last++
    }
    if (last === i) ranges.push({ vid, flags })
    else {
      ranges.push({ vid, flags: flags | BRIDGE_VLAN_INFO_RANGE_BEGIN })
      const end = (all[last] as VlanInfo).vid
      ranges.push({ vid: end, flags: flags | BRIDGE_VLAN_INFO_RANGE_END })
    }
    i = last + 1
  }
  return ranges
}

/** valid_bridge_getlink_req(). */
function checkBridgeDump(ctx: RequestContext): Partial<LinkMessage> {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for bridge link dump')
  if (hasHeaderValues(ctx, 1, 15)) invalid('Invalid values in header for bridge link dump request')
  const link = ctx.decode(linkRequest, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(link, [...linkHeader, 'extMask'])) {
    invalid('Unsupported attribute in bridge link dump request')
  }
  return link
}

/** What is wrong with a lax request is told with its success. */
function glance(ctx: RequestContext): Partial<LinkMessage> {
  try {
    return ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  } catch (error) {
    ctx.warning = refusalOf(ctx, error).extack?.message
    return {}
  }
}
