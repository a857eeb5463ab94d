/**
 * Tunnels over IPv4, as far as their kinds are alike: found by addresses and key, as wide as the way
 * to the other end allows.
 *
 * Kernel: net/ipv4/ip_tunnel.c ip_tunnel_find(), ip_tunnel_bind_dev(), ip_tunnel_newlink(),
 * ip_tunnel_changelink(), ip_tunnel_update(), ip_tunnel_change_mtu() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../../errors.ts'
import { type Ipv4, isMulticast4 } from '../address.ts'
import {
  ARPHRD_ETHER,
  ETH_DATA_LEN,
  ETH_MIN_MTU,
  IFF_BROADCAST,
  IFF_POINTOPOINT,
} from '../constants.ts'
import { type NetDevice, setRandomAddress } from '../device.ts'
import { notifyStateChange } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { setMtu } from '../device-settings.ts'
import type { LinkRequest } from '../link-kind.ts'
import { routeOutput4 } from '../route4.ts'
import type { NetStack } from '../stack.ts'
import { ETH_HEADER, GRE_KEY, TunnelDevice, tunnelsOf } from './tunnel.ts'

/** Bytes of an IPv4 header. */
export const IP_HEADER = 20
const IP_MAX_MTU = 65_535

/** struct ip_tunnel_parm_kern: where it goes, and how its packets look. */
export interface Tunnel4Params {
  readonly link: number
  /** GRE_*. */
  readonly iflags: number
  readonly oflags: number
  readonly ikey: number
  readonly okey: number
  readonly local: Ipv4
  readonly remote: Ipv4
  readonly ttl: number
  readonly tos: number
  /** IP_DF: whether no router may take a packet apart. */
  readonly isWhole: boolean
  readonly protocol: number
}

export const NO_PARAMS4: Tunnel4Params = {
  link: 0,
  iflags: 0,
  oflags: 0,
  ikey: 0,
  okey: 0,
  local: 0,
  remote: 0,
  ttl: 0,
  tos: 0,
  isWhole: false,
  protocol: 0,
}

export function bytes4(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address)
}

/** A device of one of these kinds. */
export abstract class Tunnel4Device extends TunnelDevice {
  override mtu = 0
  override minMtu = 0
  override maxMtu = 0
  params: Tunnel4Params = NO_PARAMS4
  fwmark = 0

  override get link(): number {
    return this.params.link
  }

  /** Bytes in front of a packet, the IPv4 header apart. */
  get headerLength(): number {
    return 0
  }

  /** Bytes in front, and those of an inner Ethernet header. */
  get overhead(): number {
    const inner = this.type === ARPHRD_ETHER ? ETH_HEADER : 0
    return IP_HEADER + this.headerLength + inner
  }

  override init(): void {
    if (this.isExternal) this.isNetnsLocal = true
    if (this.type !== ARPHRD_ETHER) this.takeAddresses()
  }

  override changeMtu(mtu: number): void {
    if (mtu < ETH_MIN_MTU || mtu > IP_MAX_MTU - this.overhead) throw new NetlinkError('EINVAL')
    super.changeMtu(mtu)
  }

  /** The link-layer addresses are those of the two ends. */
  takeAddresses(): void {
    this.address = bytes4(this.params.local)
    this.broadcast = bytes4(this.params.remote)
  }

  /** What is said of it to another that is made: whether it has the same ends. */
  matches(type: number, params: Tunnel4Params): boolean {
    const own = this.params
    const isKeyed = (own.iflags & GRE_KEY) !== 0
    const isSameKey = params.iflags & GRE_KEY ? isKeyed && own.ikey === params.ikey : !isKeyed
    return (
      isSameKey &&
      own.local === params.local &&
      own.remote === params.remote &&
      own.link === params.link &&
      this.type === type
    )
  }
}

function kept(stack: NetStack, group: string): Tunnel4Device[] {
  return [...tunnelsOf(stack, group)] as Tunnel4Device[]
}

/** ip_tunnel_find(). */
export function findTunnel4(
  stack: NetStack,
  group: string,
  type: number,
  params: Tunnel4Params,
): Tunnel4Device | undefined {
  return kept(stack, group).find((each) => each.matches(type, params))
}

/** The device through which `dev` would send, as far as that is known. */
export function wayOf4(dev: TunnelDevice, params: Tunnel4Params): NetDevice | undefined {
  const { home } = dev
  const { local, remote, tos, link } = params
  if (remote !== 0) {
    try {
      const flow = { daddr: remote, saddr: local, dscp: tos & 0xfc, oif: link }
      return routeOutput4(home, flow).dev
    } catch (error) {
      if (!isNetlinkError(error)) throw error
    }
  }
  return link === 0 ? undefined : home.devices.byIndex(link)
}

/** ip_tunnel_bind_dev(). @returns the size of packets that fits its way */
export function bindTunnel4(dev: Tunnel4Device): number {
  if (dev.params.remote !== 0 && dev.type !== ARPHRD_ETHER) dev.flags |= IFF_POINTOPOINT
  const real = wayOf4(dev, dev.params)
  const mtu = real ? Math.min(real.mtu, IP_MAX_MTU) : ETH_DATA_LEN
  return Math.max(ETH_MIN_MTU, mtu - dev.overhead)
}

/** ip_tunnel_newlink(). @throws NetlinkError EEXIST, or what a registration is refused with */
export function newTunnel4(dev: Tunnel4Device, request: LinkRequest): void {
  dev.home = request.linkStack ?? dev.stack
  const group = dev.tunnelGroup
  const isTaken = dev.isExternal
    ? kept(dev.home, group).some(({ isExternal }) => isExternal)
    : findTunnel4(dev.home, group, dev.type, dev.params) !== undefined
  if (isTaken) throw new NetlinkError('EEXIST')
  registerDevice(dev)
  if (dev.type === ARPHRD_ETHER && !request.address) setRandomAddress(dev)
  const fitting = bindTunnel4(dev)
  const asked = Math.min(Math.max(dev.mtu, ETH_MIN_MTU), IP_MAX_MTU - dev.overhead)
  try {
    setMtu(dev, request.mtu === undefined ? fitting : asked)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  tunnelsOf(dev.home, group).add(dev)
}

/** Whether a device is of one sender or of many does not change. @throws NetlinkError EINVAL */
export function checkEnds(dev: NetDevice, remote: Ipv4): void {
  const one = remote === 0 ? 0 : IFF_POINTOPOINT
  const wanted = isMulticast4(remote) ? IFF_BROADCAST : one
  if ((dev.flags ^ wanted) & (IFF_POINTOPOINT | IFF_BROADCAST)) throw new NetlinkError('EINVAL')
}

/** ip_tunnel_changelink(). @throws NetlinkError EINVAL, EEXIST */
export function changeTunnel4(dev: Tunnel4Device, params: Tunnel4Params, fwmark: number): void {
  if (dev.isFallback) throw new NetlinkError('EINVAL')
  const other = findTunnel4(dev.home, dev.tunnelGroup, dev.type, params)
  if (other && other !== dev) throw new NetlinkError('EEXIST')
  if (!other && dev.type !== ARPHRD_ETHER) checkEnds(dev, params.remote)
  updateTunnel4(dev, params, fwmark)
}

/** ip_tunnel_update(): the flags of GRE stay. */
export function updateTunnel4(dev: Tunnel4Device, params: Tunnel4Params, fwmark: number): void {
  const { iflags, oflags, protocol, link } = dev.params
  const isMoved = link !== params.link || dev.fwmark !== fwmark
  dev.params = { ...params, iflags, oflags, protocol }
  if (dev.type !== ARPHRD_ETHER) dev.takeAddresses()
  dev.fwmark = fwmark
  if (isMoved) dev.mtu = bindTunnel4(dev)
  notifyStateChange(dev)
}
