/**
 * ip6gre, ip6gretap and ip6erspan: packets, or Ethernet's frames, in GRE over IPv6.
 *
 * Kernel: net/ipv6/ip6_gre.c ip6gre_newlink(), ip6gre_changelink(), ip6gre_tunnel_find(),
 * ip6gre_tnl_link_config(), ip6erspan_tap_validate() (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import type { Ipv6 } from '../address.ts'
import {
  ARPHRD_ETHER,
  ARPHRD_IP6GRE,
  ETH_ALEN,
  ETH_DATA_LEN,
  ETH_MIN_MTU,
  IFF_BROADCAST,
  IFF_MULTICAST,
  IPV6_MIN_MTU,
} from '../constants.ts'
import { type NetDevice, setRandomAddress } from '../device.ts'
import { registerDevice } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import type { NetStack } from '../stack.ts'
import { setAskedMtu } from './ip6tnl.ts'
import {
  checkErspan,
  checkEtherAddress,
  deleteTunnel,
  type EncapData,
  type Erspan,
  type ErspanData,
  ETH_HEADER,
  erspanHeader,
  erspanOf,
  GRE_KNOWN,
  GRE_ROUTING,
  GRE_VERSION,
  greHeader,
  tunnelsOf,
} from './tunnel.ts'
import { IP6_HEADER, NO_PARAMS6, Tunnel6Device, type Tunnel6Params } from './tunnel6.ts'

const ERSPAN_GRE_HEADER = 8
/** The three kinds are told apart by what they carry, and kept together. */
const GROUP = 'ip6gre'

/** IFLA_GRE_*, over IPv6. */
export interface Ip6greData extends EncapData, ErspanData {
  readonly link?: number
  readonly iflags?: number
  readonly oflags?: number
  readonly ikey?: number
  readonly okey?: number
  readonly local?: Ipv6
  readonly remote?: Ipv6
  readonly ttl?: number
  readonly encapLimit?: number
  readonly flowinfo?: number
  readonly flags?: number
  readonly fwmark?: number
  readonly collectMetadata?: unknown
}

export class Ip6greDevice extends Tunnel6Device {
  override type = ARPHRD_IP6GRE
  override minMtu = 0
  override maxMtu = 0

  override get tunnelGroup(): string {
    return GROUP
  }

  get greLength(): number {
    return greHeader(this.params.oflags)
  }

  override get overhead(): number {
    const inner = this.type === ARPHRD_ETHER ? ETH_HEADER : 0
    return IP6_HEADER + this.greLength + inner
  }

  override init(): void {
    this.mtu = ETH_DATA_LEN - this.overhead - this.limitOption
    if (this.isExternal) this.isNetnsLocal = true
    else if (this.type !== ARPHRD_ETHER) this.takeAddresses()
  }

  takeAddresses(): void {
    const { flags } = this
    this.takeEnds()
    this.flags = flags
  }

  /** ip6gre_tnl_link_config(). */
  configure(setsMtu: boolean): void {
    if (this.type === ARPHRD_ETHER) this.judgeEnds()
    else this.takeEnds()
    const real = this.canSend ? this.way : undefined
    if (!real || !setsMtu) return
    this.mtu = Math.max(IPV6_MIN_MTU, real.mtu - this.overhead - this.limitOption)
  }

  /** What a request says beside the ends. @throws NetlinkError EINVAL */
  take(_data: Ip6greData): void {}
}

class Ip6gretapDevice extends Ip6greDevice {
  override type = ARPHRD_ETHER
  override flags = IFF_BROADCAST | IFF_MULTICAST
  override minMtu = ETH_MIN_MTU
  override address: Uint8Array = new Uint8Array(ETH_ALEN)
  override broadcast: Uint8Array = new Uint8Array(ETH_ALEN).fill(0xff)
  override permanentAddress: Uint8Array = new Uint8Array(ETH_ALEN)
  override defaultQdisc = 'fq_codel'
}

export class Ip6erspanDevice extends Ip6gretapDevice {
  erspan: Erspan = { version: 1, index: 0, dir: 0, hwid: 0 }

  override get greLength(): number {
    return ERSPAN_GRE_HEADER + erspanHeader(this.erspan.version)
  }

  override take(data: Ip6greData): void {
    this.erspan = erspanOf(data, { version: 1, index: 0, dir: 0, hwid: 0 })
  }
}

/** ip6gre_tunnel_validate(). */
function validate({ data }: LinkRequest): void {
  const { iflags = 0, oflags = 0 } = (data ?? {}) as Ip6greData
  if ((iflags | oflags) & (GRE_VERSION | GRE_ROUTING)) throw new NetlinkError('EINVAL')
}

/** ip6gre_tap_validate(). */
function validateTap(request: LinkRequest): void {
  checkEtherAddress(request)
  if ((request.data as Ip6greData | undefined)?.remote === 0n) throw new NetlinkError('EINVAL')
  validate(request)
}

/** ip6erspan_tap_validate(). */
function validateErspan(request: LinkRequest): void {
  const data = request.data as Ip6greData | undefined
  if (!data) return
  validateTap(request)
  checkErspan(data)
  if (data.erspanVer === 0) throw new NetlinkError('EINVAL')
  erspanOf({ ...data, erspanVer: data.erspanVer ?? 0 }, { version: 0, index: 0, dir: 0, hwid: 0 })
}

/** ip6gre_netlink_parms(). */
function paramsOf(data: Ip6greData): Tunnel6Params {
  return {
    ...NO_PARAMS6,
    link: data.link ?? 0,
    iflags: (data.iflags ?? 0) & GRE_KNOWN,
    oflags: (data.oflags ?? 0) & GRE_KNOWN,
    ikey: data.ikey ?? 0,
    okey: data.okey ?? 0,
    local: data.local ?? 0n,
    remote: data.remote ?? 0n,
    hopLimit: data.ttl ?? 0,
    encapLimit: data.encapLimit ?? 0,
    flowinfo: data.flowinfo ?? 0,
    flags: data.flags ?? 0,
    fwmark: data.fwmark ?? 0,
  }
}

/** ip6gre_tunnel_find(). */
export function findIp6gre(
  stack: NetStack,
  type: number,
  { local, remote, link, ikey }: Tunnel6Params,
): Ip6greDevice | undefined {
  return ([...tunnelsOf(stack, GROUP)] as Ip6greDevice[]).find(({ params: own, type: its }) => {
    const isSameWay = own.local === local && own.remote === remote && own.link === link
    return isSameWay && own.ikey === ikey && its === type
  })
}

/** ip6gre_newlink(), ip6gre_tap_newlink(), ip6erspan_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as Ip6greDevice
  const data = (request.data ?? {}) as Ip6greData
  dev.home = request.linkStack ?? dev.stack
  dev.params = paramsOf(data)
  dev.isExternal = Boolean(data.collectMetadata)
  dev.take(data)
  const all = tunnelsOf(dev.home, GROUP)
  const isErspan = (each: object) => each instanceof Ip6erspanDevice
  const isTaken = dev.isExternal
    ? [...all].some((each) => each.isExternal && isErspan(each) === isErspan(dev))
    : findIp6gre(dev.home, dev.type, dev.params) !== undefined
  if (isTaken) throw new NetlinkError('EEXIST')
  dev.setEncap(data)
  if (dev.type === ARPHRD_ETHER && !request.address) setRandomAddress(dev)
  registerDevice(dev)
  setAskedMtu(dev, request)
  dev.configure(request.mtu === undefined)
  all.add(dev)
}

/** ip6gre_changelink(): user space hears of it as of any change. @throws NetlinkError EINVAL, EEXIST */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as Ip6greDevice
  const data = (request ?? {}) as Ip6greData
  if (dev.isFallback) throw new NetlinkError('EINVAL')
  dev.setEncap(data)
  const params = paramsOf(data)
  const other = findIp6gre(dev.home, dev.type, params)
  if (other && other !== dev) throw new NetlinkError('EEXIST')
  dev.take(data)
  changeIp6gre(dev, params)
}

/** ip6gre_tnl_change(). */
export function changeIp6gre(dev: Ip6greDevice, params: Tunnel6Params): void {
  dev.params = params
  dev.configure(true)
}

type Constructor = new (stack: NetStack, name: string, kind: LinkKind) => Ip6greDevice

function kindOf(
  kind: string,
  Device: Constructor,
  check: (request: LinkRequest) => void,
): LinkKind {
  const self: LinkKind = {
    kind,
    validate: check,
    setup(stack, name) {
      const dev = new Device(stack, name, self)
      if (dev.type !== ARPHRD_ETHER) dev.drawPermanentAddress()
      return dev
    },
    newlink,
    changelink,
    dellink: deleteTunnel,
  }
  return self
}

export const ip6gre = kindOf('ip6gre', Ip6greDevice, validate)
export const ip6gretap = kindOf('ip6gretap', Ip6gretapDevice, validateTap)
export const ip6erspan = kindOf('ip6erspan', Ip6erspanDevice, validateErspan)
