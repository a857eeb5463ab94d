/**
 * ioctl(2) on tunnels over IPv6: what `ip -6 tunnel` asks for.
 *
 * Kernel: net/ipv6/ip6_tunnel.c ip6_tnl_siocdevprivate(); ip6_gre.c ip6gre_tunnel_siocdevprivate();
 * ip6_vti.c vti6_siocdevprivate(); include/uapi/linux/ip6_tunnel.h struct ip6_tnl_parm2 (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { HOST_LE } from '../../wire/order.ts'
import { ARPHRD_IP6GRE } from '../net/constants.ts'
import { notifyStateChange } from '../net/device-flags.ts'
import { registerDevice } from '../net/device-registry.ts'
import { changeIp6gre, findIp6gre, Ip6greDevice } from '../net/kinds/ip6gre.ts'
import { findTunnel6, Ip6tnlDevice, Vti6Device } from '../net/kinds/ip6tnl.ts'
import {
  GRE_KEY,
  GRE_ROUTING,
  GRE_VERSION,
  IPPROTO_GRE,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  tunnelsOf,
} from '../net/kinds/tunnel.ts'
import { bytes6, NO_PARAMS6, type Tunnel6Device, type Tunnel6Params } from '../net/kinds/tunnel6.ts'
import { readName, writeName } from './names.ts'
import {
  deleteTunnelBy,
  SIOCADDTUNNEL,
  SIOCCHGTUNNEL,
  SIOCDELTUNNEL,
  SIOCGETTUNNEL,
} from './tunnel-requests.ts'

/** struct ip6_tnl_parm; struct ip6_tnl_parm2 has flags and keys behind it. */
const PARM_SIZE = 64
const PARM2_SIZE = 76

/** The bytes that a request's argument points to. @throws NetlinkError EINVAL */
export function sizeOf6(dev: Tunnel6Device, request: number): number {
  if (request < SIOCGETTUNNEL || request > SIOCCHGTUNNEL) throw new NetlinkError('EINVAL')
  return dev instanceof Ip6tnlDevice ? PARM_SIZE : PARM2_SIZE
}

function read(dev: Tunnel6Device, data: Uint8Array): Tunnel6Params {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const address = (at: number): bigint => (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8)
  const params = {
    ...NO_PARAMS6,
    link: view.getInt32(16, HOST_LE),
    local: address(32),
    remote: address(48),
  }
  const packet = {
    proto: view.getUint8(20),
    encapLimit: view.getUint8(21),
    hopLimit: view.getUint8(22),
    flowinfo: view.getUint32(24),
    flags: view.getUint32(28, HOST_LE),
  }
  if (dev instanceof Ip6tnlDevice) return { ...params, ...packet }
  const iflags = view.getUint16(64)
  const oflags = view.getUint16(66)
  const keys = { ikey: view.getUint32(68), okey: view.getUint32(72) }
  if (dev instanceof Vti6Device) return { ...params, ...keys, proto: packet.proto }
  const ikey = iflags & GRE_KEY ? keys.ikey : 0
  const okey = oflags & GRE_KEY ? keys.okey : 0
  return { ...params, ...packet, proto: 0, iflags, oflags, ikey, okey }
}

function write(data: Uint8Array, dev: Tunnel6Device): void {
  const { params } = dev
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  data.fill(0)
  writeName(data, dev.name)
  view.setInt32(16, params.link, HOST_LE)
  view.setUint8(20, dev instanceof Ip6greDevice ? IPPROTO_GRE : params.proto)
  view.setUint8(21, params.encapLimit)
  view.setUint8(22, params.hopLimit)
  view.setUint32(24, params.flowinfo)
  view.setUint32(28, params.flags, HOST_LE)
  data.set(bytes6(params.local), 32)
  data.set(bytes6(params.remote), 48)
  if (data.length < PARM2_SIZE) return
  const isVti = dev instanceof Vti6Device
  view.setUint16(64, isVti && params.ikey ? GRE_KEY : params.iflags)
  view.setUint16(66, isVti && params.okey ? GRE_KEY : params.oflags)
  view.setUint32(68, params.ikey)
  view.setUint32(72, params.okey)
}

function find(dev: Tunnel6Device, params: Tunnel6Params): Tunnel6Device | undefined {
  if (dev instanceof Ip6greDevice) return findIp6gre(dev.home, ARPHRD_IP6GRE, params)
  return findTunnel6(dev.home, dev.tunnelGroup, params)
}

/** What a request to add or to change may say. @throws NetlinkError EINVAL */
function check(dev: Tunnel6Device, data: Uint8Array): Tunnel6Params {
  const params = read(dev, data)
  const { iflags, oflags, proto } = params
  const isGre = dev instanceof Ip6greDevice
  const known = dev instanceof Vti6Device ? [0, IPPROTO_IPV6] : [0, IPPROTO_IPV6, IPPROTO_IPIP]
  const isBad = isGre
    ? ((iflags | oflags) & (GRE_VERSION | GRE_ROUTING)) !== 0
    : !known.includes(proto)
  if (isBad) throw new NetlinkError('EINVAL')
  return params
}

/** Does what is asked. @throws NetlinkError EINVAL, EEXIST, ENOENT, EPERM, ENOBUFS */
export function tunnel6Ioctl(dev: Tunnel6Device, request: number, data: Uint8Array): void {
  const described = (): Tunnel6Device | undefined => find(dev, read(dev, data))
  if (request === SIOCGETTUNNEL) write(data, (dev.isFallback ? described() : dev) ?? dev)
  else if (request === SIOCDELTUNNEL) deleteTunnelBy(dev, described)
  else if (request === SIOCADDTUNNEL) {
    const params = check(dev, data)
    const isTnl = dev instanceof Ip6tnlDevice
    if (find(dev, params)) throw new NetlinkError(isTnl ? 'EEXIST' : 'ENOBUFS')
    write(data, create(dev, readName(data), params))
  } else if (request === SIOCCHGTUNNEL) write(data, change(dev, check(dev, data)))
}

/** Patterns of names where none is given. */
function patternOf(dev: Tunnel6Device): string {
  return dev instanceof Vti6Device ? 'ip6_vti%d' : `${dev.kind?.kind}%d`
}

function create(base: Tunnel6Device, name: string, params: Tunnel6Params): Tunnel6Device {
  const dev = base.kind?.setup(base.home, name || patternOf(base)) as Tunnel6Device
  dev.params = params
  registerDevice(dev)
  if (dev instanceof Ip6greDevice) dev.configure(true)
  tunnelsOf(dev.home, dev.tunnelGroup).add(dev)
  return dev
}

function change(dev: Tunnel6Device, params: Tunnel6Params): Tunnel6Device {
  const found = find(dev, params)
  if (found && found !== dev && !(dev.isFallback && !(dev instanceof Ip6tnlDevice))) {
    throw new NetlinkError('EEXIST')
  }
  if (dev instanceof Ip6tnlDevice) {
    if (dev.isFallback) dev.params = { ...dev.params, proto: params.proto }
    else dev.update(params)
    return dev
  }
  if (dev.isFallback) {
    if (!found) throw new NetlinkError('ENOENT')
    return found
  }
  if (dev instanceof Vti6Device) dev.update(params)
  else if (dev instanceof Ip6greDevice && !found) {
    changeIp6gre(dev, params)
    notifyStateChange(dev)
  }
  return dev
}
