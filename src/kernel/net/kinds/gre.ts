/**
 * gre, gretap and erspan: packets, or Ethernet's frames, in GRE over IPv4.
 *
 * Kernel: net/ipv4/ip_gre.c ipgre_tunnel_validate(), ipgre_netlink_parms(), ipgre_newlink(),
 * ipgre_changelink(), erspan_validate(), erspan_changelink() (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { type Ipv4, isMulticast4 } from '../address.ts'
import {
  ARPHRD_ETHER,
  ARPHRD_IPGRE,
  ARPHRD_NONE,
  ETH_ALEN,
  ETH_DATA_LEN,
  ETH_MIN_MTU,
  IFF_BROADCAST,
  IFF_MULTICAST,
} from '../constants.ts'
import type { NetDevice } from '../device.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import {
  checkErspan,
  checkEtherAddress,
  deleteTunnel,
  type EncapData,
  type Erspan,
  type ErspanData,
  erspanHeader,
  erspanOf,
  GRE_KNOWN,
  GRE_ROUTING,
  GRE_VERSION,
  greHeader,
  IPPROTO_GRE,
} from './tunnel.ts'
import {
  changeTunnel4,
  NO_PARAMS4,
  newTunnel4,
  Tunnel4Device,
  type Tunnel4Params,
  wayOf4,
} from './tunnel4.ts'

/** IFLA_GRE_*. */
export interface GreData extends EncapData, ErspanData {
  readonly link?: number
  readonly iflags?: number
  readonly oflags?: number
  readonly ikey?: number
  readonly okey?: number
  readonly local?: Ipv4
  readonly remote?: Ipv4
  readonly ttl?: number
  readonly tos?: number
  readonly pmtudisc?: number
  readonly collectMetadata?: unknown
  readonly ignoreDf?: number
  readonly fwmark?: number
}

/** Bytes of the header that ERSPAN stands behind: with a sequence number, but for the oldest. */
const ERSPAN_GRE_HEADER = 8
const ERSPAN_GRE_HEADER_0 = 4

export class GreDevice extends Tunnel4Device {
  override type = ARPHRD_IPGRE
  override address: Uint8Array = new Uint8Array(4)
  override broadcast: Uint8Array = new Uint8Array(4)
  override permanentAddress: Uint8Array = new Uint8Array(4)
  doesIgnoreDf = false

  override get headerLength(): number {
    return greHeader(this.params.oflags)
  }

  override init(): void {
    super.init()
    if (this.type === ARPHRD_ETHER || this.isExternal) return
    const { remote, local } = this.params
    if (!isMulticast4(remote)) return
    if (local === 0) throw new NetlinkError('EINVAL')
    this.flags = IFF_BROADCAST
  }

  /** Whoever sends to a group joins it where the way to it goes. @throws NetlinkError EADDRNOTAVAIL */
  override open(): void {
    const { params } = this
    if (this.type === ARPHRD_ETHER || !isMulticast4(params.remote)) return
    const real = wayOf4(this, { ...params, link: 0 })
    if (!real?.inet) throw new NetlinkError('EADDRNOTAVAIL')
  }

  /** ipgre_netlink_parms(). @throws NetlinkError EINVAL */
  take(data: GreData): { params: Tunnel4Params; fwmark: number } {
    const isWhole = data.pmtudisc === undefined || data.pmtudisc !== 0
    if (isWhole && (this.doesIgnoreDf || data.ignoreDf)) throw new NetlinkError('EINVAL')
    if (data.collectMetadata) {
      this.isExternal = true
      if (this.type === ARPHRD_IPGRE) this.type = ARPHRD_NONE
    }
    if (data.ignoreDf !== undefined) this.doesIgnoreDf = data.ignoreDf !== 0
    const params = {
      link: data.link ?? 0,
      iflags: (data.iflags ?? 0) & GRE_KNOWN,
      oflags: (data.oflags ?? 0) & GRE_KNOWN,
      ikey: data.ikey ?? 0,
      okey: data.okey ?? 0,
      local: data.local ?? 0,
      remote: data.remote ?? 0,
      ttl: data.ttl ?? 0,
      tos: data.tos ?? 0,
      isWhole,
      protocol: IPPROTO_GRE,
    }
    return { params, fwmark: data.fwmark ?? this.fwmark }
  }
}

class GretapDevice extends GreDevice {
  override type = ARPHRD_ETHER
  override flags = IFF_BROADCAST | IFF_MULTICAST
  override mtu = ETH_DATA_LEN
  override minMtu = ETH_MIN_MTU
  override address: Uint8Array = new Uint8Array(ETH_ALEN)
  override broadcast: Uint8Array = new Uint8Array(ETH_ALEN).fill(0xff)
  override permanentAddress: Uint8Array = new Uint8Array(ETH_ALEN)
  override defaultQdisc = 'fq_codel'
}

export class ErspanDevice extends GretapDevice {
  erspan: Erspan = { version: 1, index: 0, dir: 0, hwid: 0 }

  override get headerLength(): number {
    const { version } = this.erspan
    return (version === 0 ? ERSPAN_GRE_HEADER_0 : ERSPAN_GRE_HEADER) + erspanHeader(version)
  }

  override take(data: GreData): { params: Tunnel4Params; fwmark: number } {
    const taken = super.take(data)
    this.erspan = erspanOf(data, this.erspan)
    return taken
  }
}

/** ipgre_tunnel_validate(). */
function validate({ data }: LinkRequest): void {
  if (!data) return
  const { iflags = 0, oflags = 0, collectMetadata, encapType } = data as GreData
  const isUnknown = ((iflags | oflags) & (GRE_VERSION | GRE_ROUTING)) !== 0
  if (isUnknown || (collectMetadata && encapType)) throw new NetlinkError('EINVAL')
}

/** ipgre_tap_validate(). */
function validateTap(request: LinkRequest): void {
  checkEtherAddress(request)
  if ((request.data as GreData | undefined)?.remote === 0) throw new NetlinkError('EINVAL')
  validate(request)
}

/** erspan_validate(). */
function validateErspan(request: LinkRequest): void {
  if (!request.data) return
  validateTap(request)
  checkErspan(request.data as GreData)
}

/** ipgre_newlink(), erspan_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as GreDevice
  const data = (request.data ?? {}) as GreData
  dev.setEncap(data)
  if (request.data) {
    const { params, fwmark } = dev.take(data)
    dev.params = params
    dev.fwmark = fwmark
  } else dev.params = { ...NO_PARAMS4, protocol: IPPROTO_GRE }
  newTunnel4(dev, request)
}

/** ipgre_changelink(): with its header, the room for packets changes. */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as GreDevice
  const data = (request ?? {}) as GreData
  dev.setEncap(data)
  const { params, fwmark } = dev.take(data)
  changeTunnel4(dev, params, fwmark)
  retakeHeader(dev, params)
}

/** ipgre_link_update(): with other flags, and the room that their header leaves. */
export function retakeHeader(dev: GreDevice, { iflags, oflags }: Tunnel4Params): void {
  const before = dev.headerLength
  dev.params = { ...dev.params, iflags, oflags }
  if (dev instanceof ErspanDevice) return
  dev.mtu = Math.max(ETH_MIN_MTU, dev.mtu - (dev.headerLength - before))
}

type Constructor = new (stack: NetStack, name: string, kind: LinkKind) => GreDevice

function kindOf(
  kind: string,
  Device: Constructor,
  check: (request: LinkRequest) => void,
): LinkKind {
  const self: LinkKind = {
    kind,
    validate: check,
    setup: (stack, name) => new Device(stack, name, self),
    newlink,
    changelink,
    dellink: deleteTunnel,
  }
  return self
}

export const gre = kindOf('gre', GreDevice, validate)
export const gretap = kindOf('gretap', GretapDevice, validateTap)
export const erspan = kindOf('erspan', ErspanDevice, validateErspan)
