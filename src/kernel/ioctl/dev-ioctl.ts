/**
 * ioctl(2) on interfaces: names, numbers, flags, sizes and addresses, by a struct ifreq.
 *
 * Kernel: net/core/dev_ioctl.c dev_ioctl(), net/ipv4/devinet.c devinet_ioctl(), inet_gifconf()
 * (Linux 6.12).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { HOST_LE } from '../../wire/order.ts'
import { mask4 } from '../net/address.ts'
import { AF_INET, IFNAMSIZ } from '../net/constants.ts'
import type { NetDevice } from '../net/device.ts'
import { changeFlags } from '../net/device-flags.ts'
import { renameDevice } from '../net/device-registry.ts'
import { setAddress, setMtu, setTxQueueLength } from '../net/device-settings.ts'
import type { Ifaddr4 } from '../net/ifaddr4.ts'
import type { NetStack } from '../net/stack.ts'
import { ethtoolIoctl } from './ethtool-ioctl.ts'
import { readName, writeName } from './names.ts'
import { isPrivateIoctl, tunnelIoctl, tunnelIoctlSize } from './tunnel-ioctl.ts'

/** struct ifreq: char name[16], a union of 24 bytes. */
const IFREQ_SIZE = 40
const AT_UNION = IFNAMSIZ

const SIOCGIFNAME = 0x8910
const SIOCGIFCONF = 0x8912
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFADDR = 0x8915
const SIOCGIFDSTADDR = 0x8917
const SIOCGIFBRDADDR = 0x8919
const SIOCGIFNETMASK = 0x891b
const SIOCGIFMETRIC = 0x891d
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCSIFNAME = 0x8923
const SIOCSIFHWADDR = 0x8924
const SIOCGIFHWADDR = 0x8927
const SIOCGIFINDEX = 0x8933
const SIOCGIFTXQLEN = 0x8942
const SIOCSIFTXQLEN = 0x8943
const SIOCETHTOOL = 0x8946
const SIOCGIFMAP = 0x8970

const EIO = 5

/** What is read of a device, and written into the union. */
type Read = (dev: NetDevice, view: DataView, bytes: Uint8Array) => void
/** What is taken of the union. @throws NetlinkError */
type Write = (dev: NetDevice, view: DataView, bytes: Uint8Array) => void

const reads: Readonly<Record<number, Read>> = {
  [SIOCGIFFLAGS]: (dev, view) => view.setInt16(AT_UNION, dev.reportedFlags, HOST_LE),
  [SIOCGIFMETRIC]: (_dev, view) => view.setInt32(AT_UNION, 0, HOST_LE),
  [SIOCGIFMTU]: (dev, view) => view.setInt32(AT_UNION, dev.mtu, HOST_LE),
  [SIOCGIFINDEX]: (dev, view) => view.setInt32(AT_UNION, dev.ifindex, HOST_LE),
  [SIOCGIFTXQLEN]: (dev, view) => view.setInt32(AT_UNION, dev.txQueueLength, HOST_LE),
  [SIOCGIFMAP]: (_dev, _view, bytes) => bytes.fill(0, AT_UNION, IFREQ_SIZE),
  [SIOCGIFHWADDR]: (dev, view, bytes) => {
    bytes.fill(0, AT_UNION, AT_UNION + 16)
    view.setUint16(AT_UNION, dev.type, HOST_LE)
    bytes.set(dev.address.subarray(0, 14), AT_UNION + 2)
  },
}

const writes: Readonly<Record<number, Write>> = {
  [SIOCSIFFLAGS]: (dev, view) => changeFlags(dev, view.getUint16(AT_UNION, HOST_LE)),
  [SIOCSIFMTU]: (dev, view) => setMtu(dev, view.getInt32(AT_UNION, HOST_LE)),
  [SIOCSIFTXQLEN]: (dev, view) => {
    const length = view.getInt32(AT_UNION, HOST_LE)
    if (length < 0) throw new NetlinkError('EINVAL')
    setTxQueueLength(dev, length)
  },
  [SIOCSIFNAME]: (dev, _view, bytes) => renameDevice(dev, readName(bytes.subarray(AT_UNION))),
  [SIOCSIFHWADDR]: (dev, view, bytes) => {
    if (view.getUint16(AT_UNION, HOST_LE) !== dev.type) throw new NetlinkError('EINVAL')
    setAddress(dev, bytes.slice(AT_UNION + 2, AT_UNION + 2 + dev.address.length))
  },
}

/** The four addresses of an interface, of which the first is meant unless a label is given. */
const addresses: Readonly<Record<number, (ifa: Ifaddr4) => number>> = {
  [SIOCGIFADDR]: (ifa) => ifa.local,
  [SIOCGIFDSTADDR]: (ifa) => ifa.address,
  [SIOCGIFBRDADDR]: (ifa) => ifa.broadcast,
  [SIOCGIFNETMASK]: (ifa) => mask4(ifa.prefixlen),
}

/** struct sockaddr_in in the union. */
function writeAddress(view: DataView, at: number, address: number): void {
  view.setUint16(at, AF_INET, HOST_LE)
  view.setUint16(at + 2, 0)
  view.setUint32(at + 4, address)
  view.setUint32(at + 8, 0)
  view.setUint32(at + 12, 0)
}

/**
 * `argument` is the struct ifreq, and behind it what it points to (a request to a tunnel
 * without that is answered with its size); of SIOCGIFCONF an int, the room,
 * and behind it the array. Both are as the kernel leaves them when it returns.
 * @returns 0 or a negative errno: -ENODEV, -EPERM, -ENOTTY for what is no request to an interface.
 */
export function devIoctl(
  stack: NetStack,
  domain: number,
  request: number,
  argument: Uint8Array,
  mayChange: boolean,
): number {
  try {
    if (request === SIOCGIFCONF) return listInterfaces(stack, argument)
    if (argument.length < IFREQ_SIZE) throw new NetlinkError('EFAULT')
    const view = new DataView(argument.buffer, argument.byteOffset, argument.length)
    if (request === SIOCGIFNAME) return nameOf(stack, view, argument)
    const name = readName(argument)
    const dev = findDevice(stack, name.split(':', 1)[0] as string, mayChange)
    if (!dev) throw new NetlinkError('ENODEV')
    if (request === SIOCETHTOOL) return ethtoolIoctl(dev, argument.subarray(IFREQ_SIZE))
    if (isPrivateIoctl(request)) return privateIoctl(dev, request, argument, mayChange)
    const address = domain === AF_INET ? addresses[request] : undefined
    if (address) return addressOf(dev, name, address, view)
    const read = reads[request]
    if (read) {
      read(dev, view, argument)
      return 0
    }
    const write = writes[request]
    if (!write) throw new NetlinkError(request >= 0x8b00 ? 'EOPNOTSUPP' : 'ENOTTY')
    if (!mayChange) throw new NetlinkError('EPERM')
    write(dev, view, argument)
    return 0
  } catch (error) {
    if (isNetlinkError(error)) return error.errno ?? -EIO
    throw error
  }
}

/** dev_load(): a name can bring a module. */
function findDevice(stack: NetStack, name: string, mayChange: boolean): NetDevice | undefined {
  if (mayChange && !stack.devices.byName(name)) stack.tunnelModules.loadForDevice(name)
  return stack.devices.byName(name)
}

/** Without what the ifreq points to: how many bytes that has to have. */
function privateIoctl(
  dev: NetDevice,
  request: number,
  argument: Uint8Array,
  mayChange: boolean,
): number {
  const size = tunnelIoctlSize(dev, request)
  if (argument.length < IFREQ_SIZE + size) return size
  tunnelIoctl(dev, request, argument.subarray(IFREQ_SIZE, IFREQ_SIZE + size), mayChange)
  return 0
}

function nameOf(stack: NetStack, view: DataView, argument: Uint8Array): number {
  const dev = stack.devices.byIndex(view.getInt32(AT_UNION, HOST_LE))
  if (!dev) throw new NetlinkError('ENODEV')
  writeName(argument, dev.name)
  return 0
}

function addressOf(
  dev: NetDevice,
  label: string,
  address: (ifa: Ifaddr4) => number,
  view: DataView,
): number {
  const all = dev.inet?.addresses ?? []
  const ifa = all.find((each) => each.label === label) ?? (label === dev.name ? all[0] : undefined)
  if (!ifa) throw new NetlinkError(label === dev.name ? 'EADDRNOTAVAIL' : 'ENODEV')
  writeAddress(view, AT_UNION, address(ifa))
  return 0
}

/** inet_gifconf(): every IPv4 address with its label; without room only how much is needed. */
function listInterfaces(stack: NetStack, argument: Uint8Array): number {
  const view = new DataView(argument.buffer, argument.byteOffset, argument.length)
  const room = view.getInt32(0, HOST_LE)
  const all = stack.devices.list().flatMap((dev) => dev.inet?.addresses ?? [])
  let length = 0
  for (const ifa of all) {
    if (room > 0) {
      if (length + IFREQ_SIZE > Math.min(room, argument.length - 4)) break
      const entry = argument.subarray(4 + length, 4 + length + IFREQ_SIZE)
      entry.fill(0)
      writeName(entry, ifa.label)
      writeAddress(view, 4 + length + AT_UNION, ifa.local)
    }
    length += IFREQ_SIZE
  }
  view.setInt32(0, length, HOST_LE)
  return 0
}
