/**
 * What devices that are tunnels have in common: where they are kept, what they are sent through,
 * how they look as links.
 *
 * Kernel: net/ipv4/ip_tunnel.c ip_tunnel_get_iflink(), ip_tunnel_get_link_net(),
 * ip_tunnel_encap_setup(), ip_tunnel_dellink() (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { ARPHRD_ETHER, IFF_NOARP } from '../constants.ts'
import { isValidEtherAddress, NetDevice } from '../device.ts'
import type { LinkRequest } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'

const GRE_CSUM = 0x8000
export const GRE_ROUTING = 0x4000
export const GRE_KEY = 0x2000
const GRE_SEQ = 0x1000
export const GRE_VERSION = 0x0007
/** Bits of a header of GRE that a tunnel keeps (gre_flags_to_tnl_flags()). */
export const GRE_KNOWN = 0xff07

export const IPPROTO_IPIP = 4
export const IPPROTO_IPV6 = 41
export const IPPROTO_GRE = 47
export const IPPROTO_MPLS = 137

/** ETH_HLEN. */
export const ETH_HEADER = 14

/** What is put in front of a tunnel's header (struct ip_tunnel_encap). */
export interface TunnelEncap {
  /** TUNNEL_ENCAP_*. */
  readonly type: number
  /** TUNNEL_ENCAP_FLAG_*. */
  readonly flags: number
  readonly sport: number
  readonly dport: number
}

const NO_ENCAP: TunnelEncap = { type: 0, flags: 0, sport: 0, dport: 0 }

/** What requests say of it. */
export interface EncapData {
  readonly encapType?: number
  readonly encapFlags?: number
  readonly encapSport?: number
  readonly encapDport?: number
}

/** A tunnel: of IPv4 or IPv6, for packets or for Ethernet's frames. */
export abstract class TunnelDevice extends NetDevice {
  override flags = IFF_NOARP
  /** The namespace whose packets it sends: that in which it was made. */
  home: NetStack
  /** Made with its module, and not to be taken away (fb_tunnel_dev). */
  isFallback = false
  /** Whether each packet says where it goes (collect_md). */
  isExternal = false
  encap: TunnelEncap = NO_ENCAP

  constructor(...args: ConstructorParameters<typeof NetDevice>) {
    super(...args)
    this.home = this.stack
  }

  /** The index of the device to send through; 0 for any. */
  abstract get link(): number

  override get lower(): NetDevice | undefined {
    return this.home.devices.byIndex(this.link)
  }

  override get iflink(): { readonly ifindex: number; readonly stack: NetStack } {
    return { ifindex: this.link, stack: this.home }
  }

  override validateAddress(): void {
    if (this.type !== ARPHRD_ETHER || isValidEtherAddress(this.address)) return
    throw new NetlinkError('EADDRNOTAVAIL')
  }

  override changeAddress(address: Uint8Array): void {
    if (this.type !== ARPHRD_ETHER) throw new NetlinkError('EOPNOTSUPP')
    super.changeAddress(address)
  }

  override uninit(): void {
    tunnelsOf(this.home, this.tunnelGroup).delete(this)
  }

  /** Tunnels of one group are told apart by their addresses. */
  get tunnelGroup(): string {
    return this.kind?.kind ?? ''
  }

  /** ip_tunnel_encap_setup(). @throws NetlinkError EINVAL for what no module offers */
  setEncap({ encapType, encapFlags, encapSport, encapDport }: EncapData): void {
    const given = [encapType, encapFlags, encapSport, encapDport]
    if (given.every((each) => each === undefined)) return
    if (encapType) throw new NetlinkError('EINVAL')
    this.encap = {
      type: 0,
      flags: encapFlags ?? 0,
      sport: encapSport ?? 0,
      dport: encapDport ?? 0,
    }
  }
}

const registry = new WeakMap<NetStack, Map<string, Set<TunnelDevice>>>()

/** The tunnels of a namespace, by group, wherever their devices are now. */
export function tunnelsOf(stack: NetStack, group: string): Set<TunnelDevice> {
  const groups = registry.get(stack) ?? new Map<string, Set<TunnelDevice>>()
  registry.set(stack, groups)
  const found = groups.get(group) ?? new Set()
  groups.set(group, found)
  return found
}

/** All tunnels of a namespace that ends. */
export function allTunnels(stack: NetStack): TunnelDevice[] {
  return [...(registry.get(stack)?.values() ?? [])].flatMap((each) => [...each])
}

/** The kind's dellink: what came with the module stays, without a word. */
export function deleteTunnel(dev: NetDevice): readonly NetDevice[] {
  return (dev as TunnelDevice).isFallback ? [] : [dev]
}

/** Of Ethernet's kinds. @throws NetlinkError EINVAL, EADDRNOTAVAIL */
export function checkEtherAddress({ address }: LinkRequest): void {
  if (!address) return
  if (address.length !== 6) throw new NetlinkError('EINVAL')
  if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
}

/** gre_calc_hlen(): bytes of a header with these bits. */
export function greHeader(flags: number): number {
  const words = [GRE_CSUM, GRE_KEY, GRE_SEQ].filter((bit) => flags & bit).length
  return 4 + 4 * words
}

/** What requests say of ERSPAN. */
export interface ErspanData {
  readonly erspanVer?: number
  readonly erspanIndex?: number
  readonly erspanDir?: number
  readonly erspanHwid?: number
}

/** Of a device: what its version does not have is 0. */
export interface Erspan {
  readonly version: number
  readonly index: number
  readonly dir: number
  readonly hwid: number
}

const SESSION_MASK = 0x3ff
const INDEX_MASK = 0xfffff
const DIR_MASK = 0x1
const HWID_MASK = 0x3f

/** erspan_hdr_len(). */
export function erspanHeader(version: number): number {
  return [0, 8, 12][version] ?? 0
}

/** What the two validate() of ERSPAN ask of flags and keys. @throws NetlinkError EINVAL */
export function checkErspan(data: {
  readonly iflags?: number
  readonly oflags?: number
  readonly ikey?: number
  readonly okey?: number
  readonly collectMetadata?: unknown
}): void {
  const { iflags = 0, oflags = 0, ikey = 0, okey = 0, collectMetadata } = data
  const isPlain = (iflags | oflags) === (GRE_SEQ | GRE_KEY)
  const isShort = (ikey & ~SESSION_MASK) === 0 && (okey & ~SESSION_MASK) === 0
  if ((!collectMetadata && !isPlain) || !isShort) throw new NetlinkError('EINVAL')
}

/** erspan_netlink_parms(), ip6erspan_set_version(). @throws NetlinkError EINVAL */
export function erspanOf(data: ErspanData, old: Erspan): Erspan {
  const version = data.erspanVer ?? old.version
  const { erspanIndex = old.index, erspanDir = old.dir, erspanHwid = old.hwid } = data
  const isIndex = version === 1
  const isHardware = version === 2
  const isBad =
    version > 2 ||
    (isIndex && erspanIndex & ~INDEX_MASK) ||
    (isHardware && (erspanDir & ~DIR_MASK || erspanHwid & ~HWID_MASK))
  if (isBad) throw new NetlinkError('EINVAL')
  return {
    version,
    index: isIndex ? erspanIndex : old.index,
    dir: isHardware ? erspanDir : old.dir,
    hwid: isHardware ? erspanHwid : old.hwid,
  }
}
