/**
 * RTM_GETLINK dumps of single address families: where IPv6 runs, and ports of bridges.
 *
 * Kernel: net/ipv6/addrconf.c inet6_dump_ifinfo(), inet6_valid_dump_ifinfo(); net/core/rtnetlink.c
 * rtnl_bridge_getlink(), valid_bridge_getlink_req() (Linux 6.18).
 */
import { RTM_NEWLINK } from '../../families/rtnetlink.ts'
import { NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_LIBERAL } from '../../schema/index.ts'
import type { NetDevice } from '../net/device.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { refusalOf } from '../netlink/extack.ts'
import { putBridgePort, putInet6Link } from './link-family.ts'
import { linkHeader } from './link-get.ts'
import { linkRequest } from './link-policy.ts'
import { hasHeaderValues, hasOthers, invalid, payloadSize } from './parse.ts'

/** sizeof(struct ifinfomsg). */
const HEADER_SIZE = 16

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

export const bridgePortDump: DumpSource<NetDevice> = {
  name: 'RTM_GETLINK of AF_BRIDGE',
  type: RTM_NEWLINK,
  doneAlone: true,
  *items(ctx) {
    if (ctx.strict) checkBridgeDump(ctx)
    else glance(ctx)
    for (const dev of devices(ctx)) if (dev.bridgePort) yield dev
  },
  put: (w, dev) => putBridgePort(w, dev, true),
}

/** valid_bridge_getlink_req(). */
function checkBridgeDump(ctx: RequestContext): void {
  if (payloadSize(ctx) < HEADER_SIZE) invalid('Invalid header for bridge link dump')
  if (hasHeaderValues(ctx, 1, 15)) invalid('Invalid values in header for bridge link dump request')
  const link = ctx.decode(linkRequest, NL_VALIDATE_DEPRECATED_STRICT)
  if (hasOthers(link, [...linkHeader, 'extMask'])) {
    invalid('Unsupported attribute in bridge link dump request')
  }
}

/** What is wrong with a lax request is told with its success. */
function glance(ctx: RequestContext): void {
  try {
    ctx.decode(linkRequest, NL_VALIDATE_LIBERAL)
  } catch (error) {
    ctx.warning = refusalOf(ctx, error).extack?.message
  }
}
