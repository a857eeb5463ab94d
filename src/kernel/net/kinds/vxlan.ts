/**
 * vxlan: an Ethernet that is carried over IP.
 *
 * Kernel: drivers/net/vxlan/vxlan_core.c vxlan_validate(), vxlan_nl2conf(),
 * vxlan_config_validate(), vxlan_config_apply() (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import {
  ETH_ALEN,
  ETH_MAX_MTU,
  ETH_MIN_MTU,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NTF_SELF,
  NUD_PERMANENT,
  NUD_REACHABLE,
} from '../constants.ts'
import { isValidEtherAddress, type NetDevice, setRandomAddress } from '../device.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { configureLink, deleteLinks } from '../link-create.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { linkUpper, unlinkUpper } from '../master.ts'
import type { NetStack } from '../stack.ts'
import { EtherDevice } from './ether.ts'
import { DEFAULT_ENTRY, isAny, VxlanFdb } from './vxlan-fdb.ts'

const VXLAN_N_VID = 1 << 24
const VXLAN_PORT = 8472
const VXLAN_GPE_PORT = 4790
/** Bytes that a packet gets in front: 50 over IPv4, 70 over IPv6. */
const HEADROOM = 50
const HEADROOM6 = 70
const DEFAULT_AGEING = 300

/** IFLA_VXLAN_*, as a device has them; addresses have 4 or 16 bytes. */
export interface VxlanConfig {
  id: number
  remote: Uint8Array
  local: Uint8Array
  /** The index of the device to send through. */
  link: number
  ttl: number
  tos: number
  df: number
  label: number
  labelPolicy: number
  ttlInherit: boolean
  learning: boolean
  proxy: boolean
  rsc: boolean
  l2miss: boolean
  l3miss: boolean
  collectMetadata: boolean
  /** Seconds. */
  ageing: number
  limit: number
  port: number
  udpCsum: boolean
  udpZeroCsum6Tx: boolean
  udpZeroCsum6Rx: boolean
  remcsumTx: boolean
  remcsumRx: boolean
  localbypass: boolean
  portRange: { readonly low: number; readonly high: number }
  gbp: boolean
  gpe: boolean
  remcsumNopartial: boolean
  vnifilter: boolean
  mcRoute: boolean
}

/** What a request says of them. */
export interface VxlanData {
  readonly id?: number
  readonly group?: Uint8Array
  readonly group6?: Uint8Array
  readonly local?: Uint8Array
  readonly local6?: Uint8Array
  readonly link?: number
  readonly portRange?: { readonly low: number; readonly high: number }
  readonly df?: number
  readonly [name: string]: unknown
}

const DEFAULTS: VxlanConfig = {
  id: 0,
  remote: new Uint8Array(0),
  local: new Uint8Array(0),
  link: 0,
  ttl: 0,
  tos: 0,
  df: 0,
  label: 0,
  labelPolicy: 0,
  ttlInherit: false,
  learning: true,
  proxy: false,
  rsc: false,
  l2miss: false,
  l3miss: false,
  collectMetadata: false,
  ageing: 0,
  limit: 0,
  port: 0,
  udpCsum: true,
  udpZeroCsum6Tx: false,
  udpZeroCsum6Rx: false,
  remcsumTx: false,
  remcsumRx: false,
  localbypass: true,
  portRange: { low: 0, high: 0 },
  gbp: false,
  gpe: false,
  remcsumNopartial: false,
  vnifilter: false,
  mcRoute: false,
}

/** What cannot be changed, and what Linux says then. */
const FIXED: Readonly<Record<string, string>> = {
  ttlInherit: 'vxlan: cannot change TTL_INHERIT flag',
  proxy: 'vxlan: cannot change PROXY flag',
  rsc: 'vxlan: cannot change RSC flag',
  l2miss: 'vxlan: cannot change L2MISS flag',
  l3miss: 'vxlan: cannot change L3MISS flag',
  limit: 'Cannot change limit',
  collectMetadata: 'vxlan: cannot change COLLECT_METADATA flag',
  portRange: 'Cannot change port range',
  port: 'Cannot change port',
  udpCsum: 'Cannot change UDP_CSUM flag',
  udpZeroCsum6Tx: 'vxlan: cannot change UDP_ZERO_CSUM6_TX flag',
  udpZeroCsum6Rx: 'vxlan: cannot change UDP_ZERO_CSUM6_RX flag',
  remcsumTx: 'vxlan: cannot change REMCSUM_TX flag',
  remcsumRx: 'vxlan: cannot change REMCSUM_RX flag',
  gbp: 'vxlan: cannot change GBP flag',
  gpe: 'vxlan: cannot change GPE flag',
  remcsumNopartial: 'vxlan: cannot change REMCSUM_NOPARTIAL flag',
  vnifilter: 'vxlan: cannot change VNIFILTER flag',
}

/** What two devices of the same id and port have to differ in (VXLAN_F_RCV_FLAGS). */
const TOLD_APART = [
  'gbp',
  'gpe',
  'udpZeroCsum6Rx',
  'remcsumRx',
  'remcsumNopartial',
  'collectMetadata',
  'vnifilter',
] as const

export class VxlanDevice extends EtherDevice {
  override minMtu = ETH_MIN_MTU
  override maxMtu = ETH_MAX_MTU
  override canProtoDown = true
  config: VxlanConfig = { ...DEFAULTS }
  readonly fdb = new VxlanFdb(this)
  override fdbOps = this.fdb
  /** What it sends through. */
  real: NetDevice | undefined

  override stop(): void {
    this.fdb.closed()
  }

  override changeMtu(mtu: number): void {
    if (this.real && mtu > this.real.mtu - headroomOf(this.config)) throw new NetlinkError('EINVAL')
    super.changeMtu(mtu)
  }

  /** The way of what has no other. */
  get defaultRemote() {
    const { remote, port, id, link } = this.config
    return { dst: remote, port, vni: id, ifindex: link }
  }
}

function headroomOf({ remote }: VxlanConfig): number {
  return remote.length === 16 ? HEADROOM6 : HEADROOM
}

/** vxlan_validate(). */
function validate(request: LinkRequest): void {
  const { address, mtu } = request
  if (address && address.length !== ETH_ALEN) {
    throw new NetlinkError('EINVAL', 'Provided link layer address is not Ethernet')
  }
  if (address && !isValidEtherAddress(address)) {
    throw new NetlinkError('EADDRNOTAVAIL', 'Provided Ethernet address is not unicast')
  }
  if (mtu !== undefined && (mtu < ETH_MIN_MTU || mtu > ETH_MAX_MTU)) {
    throw new NetlinkError('EINVAL', 'MTU must be between 68 and 65535')
  }
  const data = request.data as VxlanData | undefined
  if (!data) {
    throw new NetlinkError('EINVAL', 'Required attributes not provided to perform the operation')
  }
  const { id = 0, portRange, df = 0 } = data
  if (id >= VXLAN_N_VID) throw new NetlinkError('ERANGE', 'VXLAN ID must be lower than 16777216')
  if (portRange && portRange.high < portRange.low) {
    throw new NetlinkError('EINVAL', 'Invalid source port range')
  }
  if (df > 2) throw new NetlinkError('EINVAL', 'Invalid DF attribute')
}

/** vxlan_nl2conf(). @throws NetlinkError EOPNOTSUPP for what cannot be changed */
function configOf(data: VxlanData, old: VxlanConfig | undefined): VxlanConfig {
  const config: VxlanConfig = { ...(old ?? DEFAULTS) }
  if (data.id !== undefined && old && data.id !== old.id) refuse('Cannot change VNI')
  const group = data.group ?? data.group6
  if (old && group && old.remote.length !== group.length) {
    refuse('New group address family does not match old group')
  }
  const local = data.local ?? data.local6
  if (old && local && old.local.length !== local.length) {
    refuse('New local address family does not match old')
  }
  for (const [name, value] of Object.entries(data)) {
    if (value === undefined || !(name in DEFAULTS) || name === 'local') continue
    if (old && FIXED[name]) refuse(FIXED[name])
    const isFlag = typeof DEFAULTS[name as keyof VxlanConfig] === 'boolean'
    Object.assign(config, { [name]: isFlag ? value !== 0 : value })
  }
  config.label &= 0xfffff
  if (group) config.remote = group
  if (local) config.local = local
  if (config.vnifilter && !config.collectMetadata) {
    throw new NetlinkError('EINVAL', 'vxlan vnifilter only valid in collect metadata mode')
  }
  return config
}

function refuse(text: string): never {
  throw new NetlinkError('EOPNOTSUPP', text)
}

function isMulticast(address: Uint8Array): boolean {
  const [first = 0] = address
  return address.length === 4 ? first >> 4 === 14 : first === 0xff
}

function isLinkLocal(address: Uint8Array): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] as number) & 0xc0) === 0x80
}

function invalid(text: string): never {
  throw new NetlinkError('EINVAL', text)
}

/** vxlan_config_validate(): completes `config`. @returns the device to send through */
function checkConfig(
  stack: NetStack,
  config: VxlanConfig,
  self: NetDevice | undefined,
): NetDevice | undefined {
  if (config.gpe && !config.collectMetadata) {
    invalid('VXLAN GPE does not support this combination of attributes')
  }
  const size = config.remote.length || config.local.length || 4
  if (config.remote.length === 0) config.remote = new Uint8Array(size)
  if (config.local.length === 0) config.local = new Uint8Array(size)
  if (config.remote.length !== config.local.length) {
    invalid('Local and remote address must be from the same family')
  }
  if (isMulticast(config.local)) invalid('Local address cannot be multicast')
  const isLocal = isLinkLocal(config.local)
  const isRemoteLocal = isLinkLocal(config.remote)
  if (isLocal ? !isRemoteLocal && !isAny(config.remote) : isRemoteLocal) {
    invalid('Invalid combination of local and remote address scopes')
  }
  if (config.label && size === 4) invalid('Label attribute only applies to IPv6 VXLAN devices')
  const real = config.link === 0 ? undefined : stack.devices.byIndex(config.link)
  if (config.link !== 0 && !real) {
    throw new NetlinkError('ENODEV', 'Invalid local interface, device not found')
  }
  if (!real && isMulticast(config.remote)) {
    invalid('Local interface required for multicast remote destination')
  }
  if (!real && isLocal) {
    invalid('Local interface required for link-local local/remote addresses')
  }
  config.port ||= config.gpe ? VXLAN_GPE_PORT : VXLAN_PORT
  config.ageing ||= DEFAULT_AGEING
  if (stack.devices.list().some((dev) => dev !== self && isTaken(dev, config))) {
    throw new NetlinkError('EEXIST', 'A VXLAN device with the specified VNI already exists')
  }
  return real
}

/** vxlan_vni_in_use(). */
function isTaken(dev: NetDevice, wanted: VxlanConfig): boolean {
  if (!(dev instanceof VxlanDevice)) return false
  const { config } = dev
  return (
    config.id === wanted.id &&
    config.port === wanted.port &&
    config.remote.length === wanted.remote.length &&
    TOLD_APART.every((name) => config[name] === wanted[name])
  )
}

/** vxlan_config_apply(). */
function apply(
  dev: VxlanDevice,
  config: VxlanConfig,
  real: NetDevice | undefined,
  mtu?: number,
): void {
  if (real) {
    dev.tsoMaxSize = real.tsoMaxSize
    const most = Math.max(ETH_MIN_MTU, real.mtu - headroomOf(config))
    if (mtu === undefined || dev.mtu > most) dev.mtu = most
  }
  dev.config = config
  dev.real = real
}

/** __vxlan_dev_create(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as VxlanDevice
  const config = configOf((request.data ?? {}) as VxlanData, undefined)
  const real = checkConfig(request.linkStack ?? dev.stack, config, undefined)
  apply(dev, config, real, request.mtu)
  registerDevice(dev)
  try {
    if (real) linkUpper(real, dev)
    configureLink(dev, {})
    if (!isAny(config.remote)) setDefault(dev)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
}

function setDefault(dev: VxlanDevice): void {
  const what = {
    state: NUD_REACHABLE | NUD_PERMANENT,
    flags: NTF_SELF,
    how: NLM_F_APPEND | NLM_F_CREATE,
  }
  dev.fdb.update(DEFAULT_ENTRY, dev.config.id, dev.defaultRemote, what)
}

/** vxlan_changelink(). */
function changelink(changed: NetDevice, data: unknown): void {
  const dev = changed as VxlanDevice
  const old = dev.config
  const config = configOf((data ?? {}) as VxlanData, old)
  const real = checkConfig(dev.stack, config, dev)
  const before = dev.defaultRemote
  const { real: oldReal } = dev
  apply(dev, config, real, dev.mtu)
  if (config.remote.join() !== old.remote.join()) {
    if (!isAny(config.remote)) setDefault(dev)
    if (!isAny(old.remote)) dev.fdb.remove(DEFAULT_ENTRY, old.id, before)
  }
  if (oldReal === real) return
  if (oldReal) unlinkUpper(oldReal, dev)
  if (real) linkUpper(real, dev)
}

export const vxlan: LinkKind = {
  kind: 'vxlan',
  validate,
  setup(stack, name) {
    const dev = new VxlanDevice(stack, name, vxlan)
    dev.tsoMaxSize = 65_536
    setRandomAddress(dev)
    return dev
  },
  newlink,
  changelink,
  dellink(dev) {
    const { fdb, real } = dev as VxlanDevice
    fdb.flush(0)
    fdb.deleteDefault()
    if (real) unlinkUpper(real, dev)
    return [dev]
  },
}

/** vxlan_netdevice_event(): they end with the device that they send through. */
export function watchVxlans(stack: NetStack): void {
  stack.chains.netdev.register({
    name: 'vxlan_notifier_block',
    call(event, { dev }) {
      if (event !== 'NETDEV_UNREGISTER' || dev.regState !== 'unregistering') return NOTIFY_DONE
      const standing = dev.uppers.filter((each) => each instanceof VxlanDevice).reverse()
      if (standing.length > 0) deleteLinks(standing)
      return NOTIFY_DONE
    },
  })
}
