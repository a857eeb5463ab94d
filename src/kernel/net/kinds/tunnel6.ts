/**
 * Tunnels over IPv6, as far as their kinds are alike: found by addresses, as wide as the way to the
 * other end allows.
 *
 * Kernel: net/ipv6/ip6_tunnel.c ip6_tnl_get_cap(), ip6_tnl_link_config(), ip6_tnl_change_mtu(),
 * ip6_tnl_dev_setup() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../../errors.ts'
import { type Ipv6, isLinkLocal6, isLoopback6, isMulticast6 } from '../address.ts'
import { ETH_MIN_MTU, IFF_POINTOPOINT, IPV6_MIN_MTU } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { routeOutput6 } from '../route6.ts'
import { IPPROTO_IPV6, TunnelDevice } from './tunnel.ts'

/** Bytes of an IPv6 header, and of the option that says how often it may be wrapped. */
export const IP6_HEADER = 40
const ENCAP_LIMIT_OPTION = 8
export const IP6_MAX_MTU = 65_575
const IP_MAX_MTU = 65_535

const IP6_TNL_F_IGN_ENCAP_LIMIT = 0x1
const IP6_TNL_F_CAP_XMIT = 0x10000
const IP6_TNL_F_CAP_RCV = 0x20000
const IP6_TNL_F_CAP_PER_PACKET = 0x40000
const CAPABILITIES = IP6_TNL_F_CAP_XMIT | IP6_TNL_F_CAP_RCV | IP6_TNL_F_CAP_PER_PACKET

/** struct __ip6_tnl_parm: where it goes, and how its packets look. */
export interface Tunnel6Params {
  readonly link: number
  readonly local: Ipv6
  readonly remote: Ipv6
  /** 0 for that of the packet inside. */
  readonly hopLimit: number
  readonly encapLimit: number
  /** Traffic class and flow label. */
  readonly flowinfo: number
  /** IP6_TNL_F_*. */
  readonly flags: number
  readonly proto: number
  /** GRE_*. */
  readonly iflags: number
  readonly oflags: number
  readonly ikey: number
  readonly okey: number
  readonly fwmark: number
}

export const NO_PARAMS6: Tunnel6Params = {
  link: 0,
  local: 0n,
  remote: 0n,
  hopLimit: 0,
  encapLimit: 0,
  flowinfo: 0,
  flags: 0,
  proto: 0,
  iflags: 0,
  oflags: 0,
  ikey: 0,
  okey: 0,
  fwmark: 0,
}

export function bytes6(address: Ipv6): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, address >> 64n)
  view.setBigUint64(8, address & 0xffffffffffffffffn)
  return bytes
}

/** ip6_tnl_get_cap(): what the two ends let it do. */
function capabilities({ local, remote, link }: Tunnel6Params): number {
  if (local === 0n || remote === 0n) return IP6_TNL_F_CAP_PER_PACKET
  const ends = [local, remote]
  if (ends.some(isLoopback6) || (ends.some(isLinkLocal6) && link === 0)) return 0
  const send = isMulticast6(local) ? 0 : IP6_TNL_F_CAP_XMIT
  return send | (isMulticast6(remote) ? 0 : IP6_TNL_F_CAP_RCV)
}

/** A device of one of these kinds, for packets. */
export abstract class Tunnel6Device extends TunnelDevice {
  override address: Uint8Array = new Uint8Array(16)
  override broadcast: Uint8Array = new Uint8Array(16)
  override permanentAddress: Uint8Array = new Uint8Array(16)
  params: Tunnel6Params = NO_PARAMS6

  override get link(): number {
    return this.params.link
  }

  /** Bytes in front of a packet, the inner Ethernet header included. */
  get overhead(): number {
    return IP6_HEADER
  }

  /** Those of the option that ends endless wrapping, where it is sent. */
  get limitOption(): number {
    return this.params.flags & IP6_TNL_F_IGN_ENCAP_LIMIT ? 0 : ENCAP_LIMIT_OPTION
  }

  /** What its own IPv6 address is made of: six bytes that are drawn. */
  drawPermanentAddress(): void {
    const drawn = this.stack.random(6).slice()
    drawn[0] = ((drawn[0] as number) & 0xfe) | 0x02
    this.permanentAddress = new Uint8Array(16)
    this.permanentAddress.set(drawn)
    this.addressSource = 'random'
  }

  /** The addresses of a link are the two ends, and the ends say what it can do. */
  takeEnds(): void {
    this.address = bytes6(this.params.local)
    this.broadcast = bytes6(this.params.remote)
    if (this.judgeEnds() === (IP6_TNL_F_CAP_XMIT | IP6_TNL_F_CAP_RCV)) this.flags |= IFF_POINTOPOINT
    else this.flags &= ~IFF_POINTOPOINT
  }

  /** @returns IP6_TNL_F_CAP_XMIT and IP6_TNL_F_CAP_RCV */
  judgeEnds(): number {
    const able = capabilities(this.params)
    this.params = { ...this.params, flags: (this.params.flags & ~CAPABILITIES) | able }
    return able & (IP6_TNL_F_CAP_XMIT | IP6_TNL_F_CAP_RCV)
  }

  get canSend(): boolean {
    return (this.params.flags & IP6_TNL_F_CAP_XMIT) !== 0
  }

  /** rt6_lookup(): the device through which it would send. */
  get way(): NetDevice | undefined {
    const { remote, local, link } = this.params
    try {
      return routeOutput6(this.home, { daddr: remote, saddr: local, oif: link }).dev
    } catch (error) {
      if (!isNetlinkError(error)) throw error
      return undefined
    }
  }

  /** ip6_tnl_change_mtu(). @throws NetlinkError EINVAL */
  override changeMtu(mtu: number): void {
    const { proto } = this.params
    const least = proto === IPPROTO_IPV6 ? IPV6_MIN_MTU : ETH_MIN_MTU
    const most = proto === IPPROTO_IPV6 || proto === 0 ? IP6_MAX_MTU : IP_MAX_MTU
    if (mtu < least || mtu > most - this.overhead) throw new NetlinkError('EINVAL')
    super.changeMtu(mtu)
  }
}
