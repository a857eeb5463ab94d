/**
 * geneve: an Ethernet that is carried over UDP, with options for those who know them.
 *
 * Kernel: drivers/net/geneve.c geneve_validate(), geneve_nl2info(), geneve_configure(),
 * geneve_link_config(), geneve_changelink() (Linux 6.18).
 */
import { isNetlinkError, NetlinkError } from '../../../errors.ts'
import { type Ipv4, type Ipv6, isLinkLocal6, isMulticast4, isMulticast6 } from '../address.ts'
import { ARPHRD_NONE, ETH_ALEN, IFF_NOARP, IFF_POINTOPOINT } from '../constants.ts'
import { isValidEtherAddress, type NetDevice, setRandomAddress } from '../device.ts'
import { registerDevice } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { routeOutput4 } from '../route4.ts'
import { routeOutput6 } from '../route6.ts'
import type { NetStack } from '../stack.ts'
import { EtherDevice } from './ether.ts'

const GENEVE_N_VID = 1 << 24
const GENEVE_UDP_PORT = 6081
const GENEVE_DF_MAX = 2
const IP_MAX_MTU = 65_535
/** Bytes of UDP's and of its own header, of an Ethernet header, and of those of IPv4 and IPv6. */
const BASE_HEADER = 16
const ETH_HEADER = 14
const IP_HEADER = 20
const IP6_HEADER = 40

/** IFLA_GENEVE_*, as a device has them. */
interface GeneveConfig {
  readonly id: number
  readonly remote: Ipv4
  /** Where the other end has an IPv6 address. */
  readonly remote6: Ipv6 | undefined
  readonly ttl: number
  readonly tos: number
  readonly label: number
  readonly df: number
  readonly port: number
  readonly isExternal: boolean
  readonly hasChecksum: boolean
  readonly checks6: boolean
  readonly ttlInherit: boolean
  readonly innerProtoInherit: boolean
  readonly portRange: { readonly low: number; readonly high: number }
}

/** What a request says of them. */
export interface GeneveData {
  readonly id?: number
  readonly remote?: Ipv4
  readonly remote6?: Ipv6
  readonly ttl?: number
  readonly tos?: number
  readonly port?: number
  readonly collectMetadata?: unknown
  readonly udpCsum?: number
  readonly udpZeroCsum6Tx?: number
  readonly udpZeroCsum6Rx?: number
  readonly label?: number
  readonly ttlInherit?: number
  readonly df?: number
  readonly innerProtoInherit?: unknown
  readonly portRange?: { readonly low: number; readonly high: number }
}

const DEFAULTS: GeneveConfig = {
  id: 0,
  remote: 0,
  remote6: undefined,
  ttl: 0,
  tos: 0,
  label: 0,
  df: 0,
  port: GENEVE_UDP_PORT,
  isExternal: false,
  hasChecksum: false,
  checks6: false,
  ttlInherit: false,
  innerProtoInherit: false,
  portRange: { low: 1, high: 65_535 },
}

/** What is never changed. */
const FIXED = [
  'port',
  'portRange',
  'collectMetadata',
  'udpCsum',
  'udpZeroCsum6Tx',
  'udpZeroCsum6Rx',
  'innerProtoInherit',
] as const
const FIXED_TEXT =
  'Changing VNI, Port, endpoint IP address family, external, inner_proto_inherit, and UDP checksum attributes are not supported'

export class GeneveDevice extends EtherDevice {
  override maxMtu = IP_MAX_MTU - BASE_HEADER - ETH_HEADER
  config: GeneveConfig = DEFAULTS
  /** The namespace whose packets it sends. */
  home: NetStack = this.stack

  override changeMtu(mtu: number): void {
    super.changeMtu(Math.min(mtu, this.maxMtu))
  }

  /** What it carries needs no Ethernet header. */
  becomeFrameless(): void {
    this.type = ARPHRD_NONE
    this.flags = IFF_POINTOPOINT | IFF_NOARP
    this.address = new Uint8Array(0)
    this.broadcast = new Uint8Array(0)
    this.permanentAddress = new Uint8Array(0)
  }

  override validateAddress(): void {
    if (this.address.length > 0) super.validateAddress()
  }

  /** The device behind which the other end is, as far as that is known. */
  get way(): NetDevice | undefined {
    const { remote, remote6 } = this.config
    try {
      if (remote6 !== undefined) return routeOutput6(this.home, { daddr: remote6 }).dev
      return routeOutput4(this.home, { daddr: remote }).dev
    } catch (error) {
      if (!isNetlinkError(error)) throw error
      return undefined
    }
  }

  /** geneve_link_config(). */
  configure(): void {
    const { remote6 } = this.config
    if (remote6 !== undefined && !this.inet6) return
    const header = BASE_HEADER + ETH_HEADER + (remote6 === undefined ? IP_HEADER : IP6_HEADER)
    const mtu = (this.way?.mtu ?? 0) - header
    if (mtu > 0) this.changeMtu(mtu)
  }
}

function refuse(code: 'EINVAL' | 'ERANGE' | 'EADDRNOTAVAIL' | 'EPERM', text: string): never {
  throw new NetlinkError(code, text)
}

/** geneve_validate(). */
function validate(request: LinkRequest): void {
  const { address } = request
  if (address && address.length !== ETH_ALEN) {
    refuse('EINVAL', 'Provided link layer address is not Ethernet')
  }
  if (address && !isValidEtherAddress(address)) {
    refuse('EADDRNOTAVAIL', 'Provided Ethernet address is not unicast')
  }
  const data = request.data as GeneveData | undefined
  if (!data) refuse('EINVAL', 'Not enough attributes provided to perform the operation')
  const { id = 0, df = 0, portRange } = data
  if (id >= GENEVE_N_VID) refuse('ERANGE', 'Geneve ID must be lower than 16777216')
  if (df > GENEVE_DF_MAX) refuse('EINVAL', 'Invalid DF attribute')
  if (portRange && portRange.high < portRange.low) refuse('EINVAL', 'Invalid source port range')
}

/** What geneve_nl2info() says of the other end. @throws NetlinkError EINVAL, EOPNOTSUPP */
function checkRemote({ remote, remote6 }: GeneveData, old: GeneveConfig | undefined): void {
  if (remote !== undefined && remote6 !== undefined) {
    refuse('EINVAL', 'Cannot specify both IPv4 and IPv6 Remote addresses')
  }
  const isOther = old && (old.remote6 === undefined ? remote6 : remote) !== undefined
  if (isOther) throw new NetlinkError('EOPNOTSUPP', FIXED_TEXT)
  if (remote !== undefined && isMulticast4(remote)) {
    refuse('EINVAL', 'Remote IPv4 address cannot be Multicast')
  }
  if (remote6 !== undefined && isLinkLocal6(remote6)) {
    refuse('EINVAL', 'Remote IPv6 address cannot be link-local')
  }
  if (remote6 !== undefined && isMulticast6(remote6)) {
    refuse('EINVAL', 'Remote IPv6 address cannot be Multicast')
  }
}

/** geneve_nl2info(). @throws NetlinkError EINVAL, EOPNOTSUPP */
function configOf(data: GeneveData, old: GeneveConfig | undefined): GeneveConfig {
  checkRemote(data, old)
  const base = old ?? DEFAULTS
  const isFixed = FIXED.some((name) => data[name] !== undefined)
  if (old && data.id !== undefined && data.id !== old.id) fixed()
  const remote6 = data.remote6 ?? base.remote6
  const label = data.label === undefined ? base.label : data.label & 0xfffff
  if (data.label !== undefined && label !== 0 && remote6 === undefined) {
    refuse('EINVAL', 'Label attribute only applies for IPv6 Geneve devices')
  }
  if (old && isFixed) fixed()
  const isOf6 = data.remote6 !== undefined
  return {
    id: data.id ?? base.id,
    remote: data.remote ?? base.remote,
    remote6,
    ttl: data.ttlInherit === undefined ? (data.ttl ?? base.ttl) : base.ttl,
    ttlInherit:
      data.ttlInherit === undefined
        ? data.ttl === undefined && base.ttlInherit
        : data.ttlInherit !== 0,
    tos: data.tos ?? base.tos,
    label,
    df: data.df ?? base.df,
    port: data.port ?? base.port,
    portRange: data.portRange ?? base.portRange,
    isExternal: base.isExternal || Boolean(data.collectMetadata),
    hasChecksum: ((isOf6 || base.hasChecksum) && !data.udpZeroCsum6Tx) || Boolean(data.udpCsum),
    checks6: (isOf6 || base.checks6) && !data.udpZeroCsum6Rx,
    innerProtoInherit: base.innerProtoInherit || Boolean(data.innerProtoInherit),
  }
}

function fixed(): never {
  throw new NetlinkError('EOPNOTSUPP', FIXED_TEXT)
}

/** The devices whose packets `home` sends. */
const known = new WeakMap<NetStack, Set<GeneveDevice>>()

function devicesOf(home: NetStack): Set<GeneveDevice> {
  const found = known.get(home) ?? new Set()
  known.set(home, found)
  return found
}

/** geneve_configure(): which of those that are there stands in the way. @throws NetlinkError EBUSY, EPERM */
function checkOthers(home: NetStack, config: GeneveConfig): void {
  const others = [...devicesOf(home)].filter(({ config: its }) => its.port === config.port)
  const isSame = others.some(
    ({ config: { id, remote, remote6 } }) =>
      id === config.id && remote === config.remote && remote6 === config.remote6,
  )
  if (isSame) throw new NetlinkError('EBUSY')
  const last = others[0]
  if (config.isExternal && last) {
    refuse('EPERM', 'There can be only one externally controlled device on a destination port')
  }
  if (!config.isExternal && last?.config.isExternal) {
    refuse('EPERM', 'There already exists an externally controlled device on this destination port')
  }
}

/** is_tnl_info_zero(). */
function isBlank({ id, tos, ttl, label, hasChecksum, remote, remote6 }: GeneveConfig): boolean {
  return !(id || tos || ttl || label || hasChecksum || remote || remote6)
}

/** geneve_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as GeneveDevice
  dev.home = request.linkStack ?? dev.stack
  const config = configOf((request.data ?? {}) as GeneveData, undefined)
  checkOthers(dev.home, config)
  if (config.isExternal && !isBlank(config)) {
    refuse(
      'EINVAL',
      'Device is externally controlled, so attributes (VNI, Port, and so on) must not be specified',
    )
  }
  const isOf4 = !config.isExternal && config.remote6 === undefined
  dev.maxMtu -= isOf4 ? IP_HEADER : IP6_HEADER
  dev.config = config
  if (config.innerProtoInherit) dev.becomeFrameless()
  registerDevice(dev)
  devicesOf(dev.home).add(dev)
  if (request.mtu === undefined) dev.configure()
  else dev.changeMtu(request.mtu)
}

/** geneve_changelink(). @throws NetlinkError EOPNOTSUPP, EINVAL */
function changelink(changed: NetDevice, request: unknown): void {
  const dev = changed as GeneveDevice
  const { config: old } = dev
  if (old.isExternal) throw new NetlinkError('EOPNOTSUPP')
  dev.config = configOf((request ?? {}) as GeneveData, old)
  const isMoved = old.remote !== dev.config.remote || old.remote6 !== dev.config.remote6
  if (isMoved) dev.configure()
}

export const geneve: LinkKind = {
  kind: 'geneve',
  validate,
  setup(stack, name) {
    const dev = new GeneveDevice(stack, name, geneve)
    setRandomAddress(dev)
    return dev
  },
  newlink,
  changelink,
  dellink(dev) {
    devicesOf((dev as GeneveDevice).home).delete(dev as GeneveDevice)
    return [dev]
  },
}
