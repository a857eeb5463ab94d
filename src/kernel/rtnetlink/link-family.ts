/**
 * A link as single address families describe it: IPv6's part, and ports of bridges.
 *
 * Kernel: net/ipv6/addrconf.c inet6_fill_ifinfo(); net/bridge/br_netlink.c br_fill_ifinfo()
 * (Linux 6.18).
 */
import { rtLink } from '../../families/rt-link.ts'
import { AF_BRIDGE, AF_INET6 } from '../../families/rtnetlink.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import { describeInet6 } from './af-spec.ts'
import { fillBridgePort } from './link-bridge.ts'
import type { LinkValue } from './link-fill.ts'

const message = rtLink.ops.getLink.do.reply

/** inet6_fill_ifinfo(): a link that IPv6 runs on. */
export function putInet6Link(w: Writer, dev: NetDevice): void {
  message.encode(w, {
    family: AF_INET6,
    ...common(dev),
    ifname: dev.name,
    address: dev.address.length > 0 ? dev.address : undefined,
    mtu: dev.mtu,
    link: linkOf(dev),
    operstate: dev.reportedOperstate,
    protinfo: describeInet6(dev) as LinkValue['protinfo'],
  })
}

/** br_fill_ifinfo(): a port of a bridge with its settings unless it is leaving, or a bridge. */
export function putBridgePort(
  w: Writer,
  dev: NetDevice,
  withSettings: boolean,
  vlanInfo?: readonly { flags: number; vid: number }[],
): void {
  const { bridgePort } = dev
  message.encode(w, {
    family: AF_BRIDGE,
    ...common(dev),
    ifname: dev.name,
    master: (bridgePort?.bridge ?? dev).ifindex,
    mtu: dev.mtu,
    operstate: dev.reportedOperstate,
    address: dev.address.length > 0 ? dev.address : undefined,
    link: linkOf(dev),
    protinfo: (withSettings && bridgePort
      ? fillBridgePort(bridgePort)
      : undefined) as LinkValue['protinfo'],
    afSpec: vlanInfo && ({ vlanInfo } as LinkValue['afSpec']),
  })
}

function common(dev: NetDevice) {
  return { type: dev.type, ifindex: dev.ifindex, flags: dev.reportedFlags, change: 0 }
}

/** dev_get_iflink(), where it is not the device itself. */
function linkOf(dev: NetDevice): number | undefined {
  const { lower } = dev
  return lower === dev || lower?.ifindex === dev.ifindex ? undefined : (lower?.ifindex ?? 0)
}
