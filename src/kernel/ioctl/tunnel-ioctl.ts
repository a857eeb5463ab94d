/**
 * ioctl(2) on tunnels: what `ip tunnel` asks for.
 *
 * Kernel: net/ipv4/ip_tunnel.c ip_tunnel_ctl(), ip_tunnel_create(); ipgre_tunnel_ctl(),
 * ipip_tunnel_ctl(), vti_tunnel_ctl(); net/ipv6/sit.c ipip6_tunnel_siocdevprivate();
 * include/uapi/linux/if_tunnel.h struct ip_tunnel_parm, struct ip_tunnel_6rd (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { HOST_LE } from '../../wire/order.ts'
import { ETH_MIN_MTU } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { registerDevice, unregisterDevices } from '../net/device-registry.ts'
import { setMtu } from '../net/device-settings.ts'
import { GreDevice, retakeHeader } from '../net/kinds/gre.ts'
import { VtiDevice } from '../net/kinds/ipip.ts'
import { changeSit, createSit, findSit, SIXTOFOUR, SitDevice } from '../net/kinds/sit.ts'
import {
  GRE_KEY,
  GRE_ROUTING,
  GRE_VERSION,
  IPPROTO_GRE,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  IPPROTO_MPLS,
  type TunnelDevice,
  tunnelsOf,
} from '../net/kinds/tunnel.ts'
import {
  bindTunnel4,
  checkEnds,
  findTunnel4,
  NO_PARAMS4,
  Tunnel4Device,
  type Tunnel4Params,
  updateTunnel4,
} from '../net/kinds/tunnel4.ts'
import { Tunnel6Device } from '../net/kinds/tunnel6.ts'
import { readName, writeName } from './names.ts'
import {
  deleteTunnelBy,
  SIOCADDTUNNEL,
  SIOCCHGTUNNEL,
  SIOCDELTUNNEL,
  SIOCGETTUNNEL,
} from './tunnel-requests.ts'
import { sizeOf6, tunnel6Ioctl } from './tunnel6-ioctl.ts'

const SIOCGET6RD = 0x89f8
const SIOCADD6RD = 0x89f9
const SIOCDEL6RD = 0x89fa
const SIOCCHG6RD = 0x89fb

/** struct ip_tunnel_parm: name, link, flags and keys, an IPv4 header. */
const PARM_SIZE = 52
const RAPID_SIZE = 24
const VERSION_AND_LENGTH = 0x45
const IP_DF = 0x4000
const IP_MAX_MTU = 65_535

/** Whether it is a request that belongs to a device's driver. */
export function isPrivateIoctl(request: number): boolean {
  return request >= 0x89f0 && request <= 0x89ff
}

/**
 * The bytes that a request's argument points to.
 * @throws NetlinkError EOPNOTSUPP where the device is no tunnel, ENOTTY for what it does not know.
 */
export function tunnelIoctlSize(dev: NetDevice, request: number): number {
  if (dev instanceof Tunnel6Device) return sizeOf6(dev, request)
  const isTunnel = request >= SIOCGETTUNNEL && request <= SIOCCHGTUNNEL
  if (dev instanceof SitDevice && request >= SIOCGET6RD && request <= SIOCCHG6RD) {
    return request === SIOCGET6RD && dev.isFallback ? PARM_SIZE : RAPID_SIZE
  }
  if (!(dev instanceof Tunnel4Device) && !(dev instanceof SitDevice)) {
    throw new NetlinkError('EOPNOTSUPP')
  }
  if (!isTunnel) throw new NetlinkError(dev instanceof SitDevice ? 'ENOTTY' : 'EINVAL')
  return PARM_SIZE
}

/**
 * Does what is asked; `data` is as the kernel leaves it.
 * @throws NetlinkError EPERM, EINVAL, EEXIST, ENOENT, ENOBUFS
 */
export function tunnelIoctl(
  dev: NetDevice,
  request: number,
  data: Uint8Array,
  mayChange: boolean,
): void {
  const isRead = request === SIOCGETTUNNEL || request === SIOCGET6RD
  if (!isRead && !mayChange) throw new NetlinkError('EPERM')
  if (dev instanceof Tunnel6Device) tunnel6Ioctl(dev, request, data)
  else if (dev instanceof SitDevice) sitIoctl(dev, request, data)
  else tunnel4Ioctl(dev as Tunnel4Device, request, data)
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.length)
}

/** ip_tunnel_parm_from_user(). @throws NetlinkError EINVAL for a header that is none of IPv4 */
function readParams(data: Uint8Array): Tunnel4Params {
  const view = viewOf(data)
  const iflags = view.getUint16(20)
  const oflags = view.getUint16(22)
  const ttl = view.getUint8(40)
  return {
    link: view.getInt32(16, HOST_LE),
    iflags,
    oflags,
    ikey: view.getUint32(24),
    okey: view.getUint32(28),
    tos: view.getUint8(33),
    isWhole: ttl !== 0 || (view.getUint16(38) & IP_DF) !== 0,
    ttl,
    protocol: view.getUint8(41),
    local: view.getUint32(44),
    remote: view.getUint32(48),
  }
}

/** ip_tunnel_parm_to_user(). */
function writeParams(data: Uint8Array, dev: TunnelDevice, params: Tunnel4Params): void {
  const view = viewOf(data)
  data.fill(0, 0, PARM_SIZE)
  writeName(data, dev.name)
  const isVti = dev instanceof VtiDevice
  view.setInt32(16, params.link, HOST_LE)
  view.setUint16(20, isVti ? GRE_KEY : params.iflags)
  view.setUint16(22, isVti ? GRE_KEY : params.oflags)
  view.setUint32(24, params.ikey)
  view.setUint32(28, params.okey)
  view.setUint8(32, VERSION_AND_LENGTH)
  view.setUint8(33, params.tos)
  view.setUint16(38, params.isWhole ? IP_DF : 0)
  view.setUint8(40, params.ttl)
  view.setUint8(41, params.protocol)
  view.setUint32(44, params.local)
  view.setUint32(48, params.remote)
}

/** What a tunnel of each kind may carry. */
function protocolsOf(dev: TunnelDevice): readonly number[] {
  if (dev instanceof GreDevice) return [IPPROTO_GRE]
  if (dev instanceof VtiDevice) return [IPPROTO_IPIP]
  const more = dev instanceof SitDevice ? [IPPROTO_IPV6] : []
  return [0, IPPROTO_IPIP, IPPROTO_MPLS, ...more]
}

/** What a request to add or to change may say. @throws NetlinkError EINVAL */
function checkedParams(dev: TunnelDevice, data: Uint8Array): Tunnel4Params {
  const view = viewOf(data)
  const params = readParams(data)
  const { iflags, oflags, protocol } = params
  const isGre = dev instanceof GreDevice
  const isBad =
    view.getUint8(32) !== VERSION_AND_LENGTH ||
    (view.getUint16(38) & ~IP_DF) !== 0 ||
    !protocolsOf(dev).includes(protocol) ||
    (isGre && ((iflags | oflags) & (GRE_VERSION | GRE_ROUTING)) !== 0)
  if (isBad) throw new NetlinkError('EINVAL')
  if (dev instanceof SitDevice) return params
  const ikey = iflags & GRE_KEY ? params.ikey : 0
  const okey = oflags & GRE_KEY ? params.okey : 0
  if (isGre) return { ...params, ikey, okey }
  const isVti = dev instanceof VtiDevice
  const keys = isVti ? { ikey, okey } : { ikey: 0, okey: 0 }
  return { ...params, ...keys, iflags: 0, oflags: 0 }
}

/** ip_tunnel_ctl(). */
function tunnel4Ioctl(dev: Tunnel4Device, request: number, data: Uint8Array): void {
  const find = (params: Tunnel4Params): Tunnel4Device | undefined =>
    findTunnel4(dev.home, dev.tunnelGroup, dev.type, params)
  if (request === SIOCGETTUNNEL) {
    const found = (dev.isFallback ? find(readParams(data)) : undefined) ?? dev
    writeParams(data, found, found.params)
  } else if (request === SIOCDELTUNNEL) {
    deleteTunnelBy(dev, () => find(readParams(data)))
  } else if (request === SIOCADDTUNNEL) {
    const params = checkedParams(dev, data)
    if (find(params)) throw new NetlinkError('EEXIST')
    create4(dev, readName(data), params)
  } else changeBy4(dev, checkedParams(dev, data), find)
}

function changeBy4(
  dev: Tunnel4Device,
  params: Tunnel4Params,
  find: (params: Tunnel4Params) => Tunnel4Device | undefined,
): void {
  const found = find(params)
  if (dev.isFallback && !found) throw new NetlinkError('ENOENT')
  if (!dev.isFallback && found && found !== dev) throw new NetlinkError('EEXIST')
  if (!dev.isFallback && !found) checkEnds(dev, params.remote)
  const target = found ?? dev
  updateTunnel4(target, params, 0)
  if (target instanceof GreDevice) retakeHeader(target, params)
}

/** ip_tunnel_create(). */
function create4(base: Tunnel4Device, name: string, params: Tunnel4Params): void {
  const { kind, home } = base
  if (!kind) return
  const dev = kind.setup(home, name || `${kind.kind}%d`) as Tunnel4Device
  dev.params = { ...NO_PARAMS4, ...params }
  registerDevice(dev)
  try {
    setMtu(dev, bindTunnel4(dev))
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  dev.minMtu = ETH_MIN_MTU
  dev.maxMtu = IP_MAX_MTU - dev.overhead
  tunnelsOf(home, dev.tunnelGroup).add(dev)
}

/** ipip6_tunnel_siocdevprivate(). */
function sitIoctl(dev: SitDevice, request: number, data: Uint8Array): void {
  const find = (): SitDevice | undefined => findSit(dev.home, readParams(data))
  if (request === SIOCGET6RD) writeRapid(data, (dev.isFallback ? find() : dev) ?? dev)
  else if (request === SIOCADD6RD || request === SIOCCHG6RD) dev.setRapid(readRapid(data))
  else if (request === SIOCDEL6RD) dev.rapid = SIXTOFOUR
  else if (request === SIOCGETTUNNEL) {
    const found = (dev.isFallback ? find() : dev) ?? dev
    writeParams(data, found, found.params)
  } else if (request === SIOCDELTUNNEL) deleteTunnelBy(dev, find)
  else if (request === SIOCADDTUNNEL) {
    const params = checkedParams(dev, data)
    if (find()) throw new NetlinkError('ENOBUFS')
    const made = dev.kind?.setup(dev.home, readName(data) || 'sit%d') as SitDevice
    made.params = params
    createSit(made)
  } else changeSit(dev, checkedParams(dev, data))
}

function readRapid(data: Uint8Array) {
  const view = viewOf(data)
  return {
    prefix: (view.getBigUint64(0) << 64n) | view.getBigUint64(8),
    relayPrefix: view.getUint32(16),
    prefixlen: view.getUint16(20, HOST_LE),
    relayPrefixlen: view.getUint16(22, HOST_LE),
  }
}

function writeRapid(data: Uint8Array, { rapid }: SitDevice): void {
  const view = viewOf(data)
  view.setBigUint64(0, rapid.prefix >> 64n)
  view.setBigUint64(8, rapid.prefix & 0xffffffffffffffffn)
  view.setUint32(16, rapid.relayPrefix)
  view.setUint16(20, rapid.prefixlen, HOST_LE)
  view.setUint16(22, rapid.relayPrefixlen, HOST_LE)
}
