/**
 * sit: IPv6 in IPv4, between two hosts, between many by addresses that say where (6rd, ISATAP).
 *
 * Kernel: net/ipv6/sit.c ipip6_newlink(), ipip6_changelink(), ipip6_tunnel_bind_dev(),
 * ipip6_tunnel_locate(), ipip6_tunnel_update_6rd() (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { type Ipv4, type Ipv6, prefix4, prefix6 } from '../address.ts'
import { ARPHRD_SIT, ETH_DATA_LEN, IFF_POINTOPOINT, IPV6_MIN_MTU } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { notifyStateChange } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import type { LinkKind } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import { type IptunData, iptunParams } from './ipip.ts'
import {
  deleteTunnel,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  IPPROTO_MPLS,
  TunnelDevice,
  tunnelsOf,
} from './tunnel.ts'
import { bytes4, IP_HEADER, NO_PARAMS4, type Tunnel4Params, wayOf4 } from './tunnel4.ts'

const IP6_MAX_MTU = 65_575
const SIT_ISATAP = 1
const DEFAULT_TTL = 64

/** Which addresses say themselves where their packets go (struct ip_tunnel_6rd_parm). */
export interface Rapid {
  readonly prefix: Ipv6
  readonly relayPrefix: Ipv4
  readonly prefixlen: number
  readonly relayPrefixlen: number
}

/** 2002::/16: 6to4. */
export const SIXTOFOUR: Rapid = {
  prefix: 0x2002n << 112n,
  relayPrefix: 0,
  prefixlen: 16,
  relayPrefixlen: 0,
}

/** IFLA_IPTUN_*, of sit. */
export interface SitData extends IptunData {
  readonly prefix6rd?: Ipv6
  readonly relayPrefix6rd?: Ipv4
  readonly prefixlen6rd?: number
  readonly relayPrefixlen6rd?: number
}

export class SitDevice extends TunnelDevice {
  override type = ARPHRD_SIT
  override mtu = ETH_DATA_LEN - IP_HEADER
  override minMtu = IPV6_MIN_MTU
  override maxMtu = IP6_MAX_MTU - IP_HEADER
  override address: Uint8Array = new Uint8Array(4)
  override broadcast: Uint8Array = new Uint8Array(4)
  override permanentAddress: Uint8Array = new Uint8Array(4)
  params: Tunnel4Params = NO_PARAMS4
  fwmark = 0
  rapid: Rapid = SIXTOFOUR

  override get link(): number {
    return this.params.link
  }

  /** IFF_ISATAP: its own address is made of its IPv4 address. */
  override get isIsatap(): boolean {
    return (this.params.iflags & SIT_ISATAP) !== 0
  }

  override init(): void {
    this.takeAddresses()
    this.bind()
  }

  takeAddresses(): void {
    this.address = bytes4(this.params.local)
    this.broadcast = bytes4(this.params.remote)
  }

  /** ipip6_tunnel_bind_dev(). */
  bind(): void {
    if (this.params.remote !== 0) this.flags |= IFF_POINTOPOINT
    const real = wayOf4(this, this.params)
    if (!real || real.vrfTable !== undefined) return
    this.mtu = Math.max(IPV6_MIN_MTU, real.mtu - IP_HEADER)
  }

  /** ipip6_tunnel_update_6rd(). @throws NetlinkError EINVAL */
  setRapid(rapid: Rapid): void {
    const { prefix, prefixlen, relayPrefix, relayPrefixlen } = rapid
    const isTooLong = relayPrefixlen > 32 || prefixlen + (32 - relayPrefixlen) > 64
    if (isTooLong || prefix6(prefix, prefixlen) !== prefix) throw new NetlinkError('EINVAL')
    if (prefix4(relayPrefix, relayPrefixlen) !== relayPrefix) throw new NetlinkError('EINVAL')
    this.rapid = rapid
    notifyStateChange(this)
  }

  /** ipip6_tunnel_update(). */
  update(params: Tunnel4Params, fwmark: number): void {
    const isMoved = this.params.link !== params.link || this.fwmark !== fwmark
    const { iflags, protocol } = this.params
    this.params = { ...params, iflags, protocol }
    this.fwmark = fwmark
    this.takeAddresses()
    if (isMoved) this.bind()
    notifyStateChange(this)
  }
}

/** ipip6_tunnel_locate(). */
export function findSit(stack: NetStack, params: Tunnel4Params): SitDevice | undefined {
  const { local, remote, link } = params
  return ([...tunnelsOf(stack, 'sit')] as SitDevice[]).find(
    ({ params: own }) => own.local === local && own.remote === remote && own.link === link,
  )
}

/** ipip6_tunnel_create(): what has no prefix of its own has that of sit0. */
export function createSit(dev: SitDevice): void {
  const all = tunnelsOf(dev.home, 'sit')
  const first = ([...all] as SitDevice[]).find(({ isFallback }) => isFallback)
  registerDevice(dev)
  dev.rapid = first?.rapid ?? SIXTOFOUR
  all.add(dev)
}

function paramsOf(data: SitData | undefined): Tunnel4Params {
  const base = { ttl: DEFAULT_TTL, protocol: IPPROTO_IPV6 }
  return data ? iptunParams(data, base) : { ...NO_PARAMS4, ...base }
}

/** ipip6_netlink_6rd_parms(). */
function rapidOf(data: SitData): Rapid | undefined {
  const { prefix6rd, relayPrefix6rd, prefixlen6rd, relayPrefixlen6rd } = data
  const given = [prefix6rd, relayPrefix6rd, prefixlen6rd, relayPrefixlen6rd]
  if (given.every((each) => each === undefined)) return undefined
  return {
    prefix: prefix6rd ?? 0n,
    relayPrefix: relayPrefix6rd ?? 0,
    prefixlen: prefixlen6rd ?? 0,
    relayPrefixlen: relayPrefixlen6rd ?? 0,
  }
}

/** ipip6_newlink(). */
function newlink(created: NetDevice, request: Parameters<NonNullable<LinkKind['newlink']>>[1]) {
  const dev = created as SitDevice
  const data = request.data as SitData | undefined
  dev.home = request.linkStack ?? dev.stack
  dev.params = paramsOf(data)
  dev.fwmark = data?.fwmark ?? 0
  dev.setEncap(data ?? {})
  if (findSit(dev.home, dev.params)) throw new NetlinkError('EEXIST')
  createSit(dev)
  const { mtu } = request
  if (mtu !== undefined && mtu >= IPV6_MIN_MTU && mtu <= IP6_MAX_MTU) dev.mtu = mtu
  try {
    const rapid = rapidOf(data ?? {})
    if (rapid) dev.setRapid(rapid)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
}

/** Whether there is one other end does not change. @throws NetlinkError EINVAL */
function checkOne(dev: SitDevice, { remote }: Tunnel4Params): void {
  const isOfOne = (dev.flags & IFF_POINTOPOINT) !== 0
  if (isOfOne !== (remote !== 0)) throw new NetlinkError('EINVAL')
}

/** ipip6_tunnel_change(): by ioctl. @throws NetlinkError ENOENT, EEXIST, EINVAL */
export function changeSit(dev: SitDevice, params: Tunnel4Params): void {
  const found = findSit(dev.home, params)
  if (dev.isFallback) {
    if (!found) throw new NetlinkError('ENOENT')
    return
  }
  if (found && found !== dev) throw new NetlinkError('EEXIST')
  if (!found) checkOne(dev, params)
  dev.update(params, dev.fwmark)
}

/** ipip6_changelink(). @throws NetlinkError EINVAL, EEXIST */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as SitDevice
  const data = (request ?? {}) as SitData
  if (dev.isFallback) throw new NetlinkError('EINVAL')
  dev.setEncap(data)
  const params = paramsOf(data)
  checkOne(dev, params)
  const other = findSit(dev.home, params)
  if (other && other !== dev) throw new NetlinkError('EEXIST')
  dev.update(params, data.fwmark ?? dev.fwmark)
  const rapid = rapidOf(data)
  if (rapid) dev.setRapid(rapid)
}

export const sit: LinkKind = {
  kind: 'sit',
  validate({ data }) {
    const { proto = 0 } = (data ?? {}) as SitData
    const known = [0, IPPROTO_IPV6, IPPROTO_IPIP, IPPROTO_MPLS]
    if (!known.includes(proto)) throw new NetlinkError('EINVAL')
  },
  setup: (stack, name) => new SitDevice(stack, name, sit),
  newlink,
  changelink,
  dellink: deleteTunnel,
}
