/**
 * ip6tnl and vti6: packets in IPv6; the second for those that IPsec protects.
 *
 * Kernel: net/ipv6/ip6_tunnel.c ip6_tnl_newlink(), ip6_tnl_changelink(), ip6_tnl0_update(),
 * ip6_tnl_link_config(); net/ipv6/ip6_vti.c vti6_newlink(), vti6_changelink(), vti6_link_config()
 * (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../../errors.ts'
import type { Ipv6 } from '../address.ts'
import { ARPHRD_TUNNEL6, ETH_DATA_LEN, ETH_MIN_MTU, IPV6_MIN_MTU } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { notifyStateChange } from '../device-flags.ts'
import { registerDevice } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import { deleteTunnel, type EncapData, IPPROTO_IPIP, IPPROTO_IPV6, tunnelsOf } from './tunnel.ts'
import {
  IP6_HEADER,
  IP6_MAX_MTU,
  NO_PARAMS6,
  Tunnel6Device,
  type Tunnel6Params,
} from './tunnel6.ts'

const IP_MAX_MTU = 65_535
/** LL_MAX_HEADER: what a link layer may put in front. */
const LINK_HEADER = 128

/** IFLA_IPTUN_*, of ip6tnl. */
export interface Ip6tnlData extends EncapData {
  readonly link?: number
  readonly local?: Ipv6
  readonly remote?: Ipv6
  readonly ttl?: number
  readonly encapLimit?: number
  readonly flowinfo?: number
  readonly flags?: number
  readonly proto?: number
  readonly fwmark?: number
  readonly collectMetadata?: unknown
}

/** ip6_tnl_netlink_parms(). */
function paramsOf(data: Ip6tnlData): Tunnel6Params {
  return {
    ...NO_PARAMS6,
    link: data.link ?? 0,
    local: data.local ?? 0n,
    remote: data.remote ?? 0n,
    hopLimit: data.ttl ?? 0,
    encapLimit: data.encapLimit ?? 0,
    flowinfo: data.flowinfo ?? 0,
    flags: data.flags ?? 0,
    proto: data.proto ?? 0,
    fwmark: data.fwmark ?? 0,
  }
}

/** ip6_tnl_locate(), ip6gre's and vti6's likewise: by the ends, and the device where that counts. */
export function findTunnel6(
  stack: NetStack,
  group: string,
  { local, remote, link }: Tunnel6Params,
): Tunnel6Device | undefined {
  return ([...tunnelsOf(stack, group)] as Tunnel6Device[]).find(({ params: own }) => {
    const isSame = own.local === local && own.remote === remote
    return isSame && (group === 'vti6' || own.link === link)
  })
}

export class Ip6tnlDevice extends Tunnel6Device {
  override type = ARPHRD_TUNNEL6
  override minMtu = ETH_MIN_MTU
  override maxMtu = IP6_MAX_MTU - IP6_HEADER

  override init(): void {
    this.mtu = ETH_DATA_LEN - this.overhead - this.limitOption
    if (this.isExternal) this.isNetnsLocal = true
    this.configure()
  }

  /** ip6_tnl_link_config(). */
  configure(): void {
    this.takeEnds()
    if (!this.canSend) return
    const real = this.way ?? this.home.devices.byIndex(this.link)
    if (!real) return
    const mtu = Math.min(real.mtu, IP6_MAX_MTU) - this.overhead - this.limitOption
    this.mtu = Math.max(IPV6_MIN_MTU, mtu)
  }

  /** ip6_tnl_update(). */
  update(params: Tunnel6Params): void {
    this.params = params
    this.configure()
    notifyStateChange(this)
  }
}

function setup(
  stack: NetStack,
  name: string,
  kind: LinkKind,
  Device: new (stack: NetStack, name: string, kind: LinkKind) => Tunnel6Device,
): Tunnel6Device {
  const dev = new Device(stack, name, kind)
  dev.drawPermanentAddress()
  return dev
}

/** ip6_tnl_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as Ip6tnlDevice
  const data = (request.data ?? {}) as Ip6tnlData
  dev.home = request.linkStack ?? dev.stack
  dev.setEncap(data)
  dev.params = paramsOf(data)
  dev.isExternal = Boolean(data.collectMetadata)
  const all = tunnelsOf(dev.home, 'ip6tnl')
  const isTaken = dev.isExternal
    ? [...all].some(({ isExternal }) => isExternal)
    : findTunnel6(dev.home, 'ip6tnl', dev.params) !== undefined
  if (isTaken) throw new NetlinkError('EEXIST')
  registerDevice(dev)
  all.add(dev)
  setAskedMtu(dev, request)
}

/** A size that does not fit is passed over. */
export function setAskedMtu(dev: Tunnel6Device, { mtu }: LinkRequest): void {
  if (mtu === undefined) return
  try {
    dev.changeMtu(mtu)
  } catch (error) {
    if (!isNetlinkError(error)) throw error
  }
}

/** ip6_tnl0_update(): of the one that came with the module, what is inside alone. */
function changeFallback(dev: Ip6tnlDevice, params: Tunnel6Params, isExternal: boolean): void {
  const { flags } = dev.params
  const { proto } = params
  const isOther = (Object.keys(NO_PARAMS6) as (keyof Tunnel6Params)[]).some(
    (name) => name !== 'proto' && name !== 'flags' && params[name] !== NO_PARAMS6[name],
  )
  if (isOther || isExternal || params.flags !== flags) throw new NetlinkError('EINVAL')
  dev.params = { ...dev.params, proto }
  notifyStateChange(dev)
}

/** ip6_tnl_changelink(). @throws NetlinkError EINVAL, EEXIST */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as Ip6tnlDevice
  const data = (request ?? {}) as Ip6tnlData
  const params = paramsOf(data)
  const isExternal = Boolean(data.collectMetadata)
  if (dev.isFallback) {
    changeFallback(dev, params, isExternal)
    return
  }
  dev.setEncap(data)
  if (isExternal) throw new NetlinkError('EINVAL')
  const other = findTunnel6(dev.home, 'ip6tnl', params)
  if (other && other !== dev) throw new NetlinkError('EEXIST')
  dev.update(params)
}

export const ip6tnl: LinkKind = {
  kind: 'ip6tnl',
  validate({ data }) {
    const { proto = 0 } = (data ?? {}) as Ip6tnlData
    if (![0, IPPROTO_IPV6, IPPROTO_IPIP].includes(proto)) throw new NetlinkError('EINVAL')
  },
  setup: (stack, name) => setup(stack, name, ip6tnl, Ip6tnlDevice),
  newlink,
  changelink,
  dellink: deleteTunnel,
}

/** IFLA_VTI_*, of vti6. */
export interface Vti6Data {
  readonly link?: number
  readonly local?: Ipv6
  readonly remote?: Ipv6
  readonly ikey?: number
  readonly okey?: number
  readonly fwmark?: number
}

export class Vti6Device extends Tunnel6Device {
  override type = ARPHRD_TUNNEL6
  override mtu = 0
  override minMtu = ETH_MIN_MTU
  override maxMtu = IP_MAX_MTU - IP6_HEADER

  override init(): void {
    this.configure(true)
  }

  /** vti6_link_config(). */
  configure(keepsMtu: boolean): void {
    this.takeEnds()
    if (keepsMtu && this.mtu !== 0) {
      this.mtu = Math.min(Math.max(this.mtu, this.minMtu), this.maxMtu)
      return
    }
    const way = this.canSend ? this.way : undefined
    const real = way ?? this.home.devices.byIndex(this.link)
    const mtu = (real?.mtu ?? ETH_DATA_LEN - LINK_HEADER) - IP6_HEADER
    this.mtu = Math.max(ETH_MIN_MTU, mtu)
  }

  override changeMtu(mtu: number): void {
    this.mtu = mtu
  }

  /** vti6_update(). */
  update(params: Tunnel6Params): void {
    const { flags } = this.params
    this.params = { ...params, flags }
    this.configure(false)
    notifyStateChange(this)
  }
}

/** vti6_netlink_parms(). */
function vtiParams(data: Vti6Data): Tunnel6Params {
  const { link = 0, local = 0n, remote = 0n, ikey = 0, okey = 0, fwmark = 0 } = data
  return { ...NO_PARAMS6, link, local, remote, ikey, okey, fwmark, proto: IPPROTO_IPV6 }
}

export const vti6: LinkKind = {
  kind: 'vti6',
  setup: (stack, name) => setup(stack, name, vti6, Vti6Device),
  newlink(created, request) {
    const dev = created as Vti6Device
    dev.home = request.linkStack ?? dev.stack
    dev.params = vtiParams((request.data ?? {}) as Vti6Data)
    if (findTunnel6(dev.home, 'vti6', dev.params)) throw new NetlinkError('EEXIST')
    registerDevice(dev)
    tunnelsOf(dev.home, 'vti6').add(dev)
  },
  changelink(changed, request) {
    const dev = changed as Vti6Device
    if (dev.isFallback) throw new NetlinkError('EINVAL')
    const params = vtiParams((request ?? {}) as Vti6Data)
    const other = findTunnel6(dev.home, 'vti6', params)
    if (other && other !== dev) throw new NetlinkError('EEXIST')
    dev.update(params)
  },
  dellink: deleteTunnel,
}
