/**
 * ipip and vti: packets in IPv4; the second for those that IPsec protects.
 *
 * Kernel: net/ipv4/ipip.c, net/ipv4/ip_vti.c, net/ipv4/ip_tunnel_core.c ip_tunnel_netlink_parms()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import type { Ipv4 } from '../address.ts'
import { ARPHRD_TUNNEL, IFF_POINTOPOINT } from '../constants.ts'
import type { LinkKind } from '../link-kind.ts'
import { deleteTunnel, type EncapData, IPPROTO_IPIP, IPPROTO_MPLS } from './tunnel.ts'
import {
  changeTunnel4,
  NO_PARAMS4,
  newTunnel4,
  Tunnel4Device,
  type Tunnel4Params,
} from './tunnel4.ts'

/** IFLA_IPTUN_*, as ipip and sit have them. */
export interface IptunData extends EncapData {
  readonly link?: number
  readonly local?: Ipv4
  readonly remote?: Ipv4
  readonly ttl?: number
  readonly tos?: number
  readonly pmtudisc?: number
  readonly flags?: number
  readonly proto?: number
  readonly fwmark?: number
  readonly collectMetadata?: unknown
}

/** ip_tunnel_netlink_parms(): what is not said has the value of `base`. */
export function iptunParams(data: IptunData, base: Partial<Tunnel4Params>): Tunnel4Params {
  const { ttl = base.ttl ?? 0 } = data
  return {
    ...NO_PARAMS4,
    link: data.link ?? 0,
    local: data.local ?? 0,
    remote: data.remote ?? 0,
    ttl,
    tos: data.tos ?? 0,
    isWhole: Boolean(data.ttl) || data.pmtudisc === undefined || data.pmtudisc !== 0,
    iflags: data.flags ?? 0,
    protocol: data.proto ?? base.protocol ?? 0,
  }
}

export class IpipDevice extends Tunnel4Device {
  override type = ARPHRD_TUNNEL
  override address: Uint8Array = new Uint8Array(4)
  override broadcast: Uint8Array = new Uint8Array(4)
  override permanentAddress: Uint8Array = new Uint8Array(4)
}

export const ipip: LinkKind = {
  kind: 'ipip',
  validate({ data }) {
    const { proto = 0 } = (data ?? {}) as IptunData
    if (![0, IPPROTO_IPIP, IPPROTO_MPLS].includes(proto)) throw new NetlinkError('EINVAL')
  },
  setup: (stack, name) => new IpipDevice(stack, name, ipip),
  newlink(created, request) {
    const dev = created as IpipDevice
    const data = (request.data ?? {}) as IptunData
    dev.setEncap(data)
    dev.params = request.data
      ? iptunParams(data, { protocol: IPPROTO_IPIP })
      : { ...NO_PARAMS4, protocol: IPPROTO_IPIP }
    dev.fwmark = data.fwmark ?? 0
    dev.isExternal = Boolean(data.collectMetadata)
    newTunnel4(dev, request)
  },
  changelink(changed, request) {
    const dev = changed as IpipDevice
    const data = (request ?? {}) as IptunData
    dev.setEncap(data)
    const params = iptunParams(data, { protocol: IPPROTO_IPIP })
    const isOfOne = (dev.flags & IFF_POINTOPOINT) !== 0
    if (data.collectMetadata || isOfOne !== (params.remote !== 0)) throw new NetlinkError('EINVAL')
    changeTunnel4(dev, params, data.fwmark ?? dev.fwmark)
  },
  dellink: deleteTunnel,
}

/** IFLA_VTI_*, of vti. */
export interface VtiData {
  readonly link?: number
  readonly ikey?: number
  readonly okey?: number
  readonly local?: Ipv4
  readonly remote?: Ipv4
  readonly fwmark?: number
}

function vtiParams(data: VtiData): Tunnel4Params {
  const { link = 0, ikey = 0, okey = 0, local = 0, remote = 0 } = data
  return { ...NO_PARAMS4, link, ikey, okey, local, remote, protocol: IPPROTO_IPIP }
}

export class VtiDevice extends IpipDevice {}

export const vti: LinkKind = {
  kind: 'vti',
  setup: (stack, name) => new VtiDevice(stack, name, vti),
  newlink(created, request) {
    const dev = created as VtiDevice
    const data = (request.data ?? {}) as VtiData
    dev.params = vtiParams(data)
    dev.fwmark = data.fwmark ?? 0
    newTunnel4(dev, request)
  },
  changelink(changed, request) {
    const dev = changed as VtiDevice
    const data = (request ?? {}) as VtiData
    changeTunnel4(dev, vtiParams(data), data.fwmark ?? dev.fwmark)
  },
  dellink: deleteTunnel,
}
