/**
 * SIOCETHTOOL: what ethtool(8) asks of a link in the old way.
 *
 * Kernel: net/ethtool/ioctl.c dev_ethtool(); drivers/net/veth.c (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { NetDevice } from '../net/device.ts'

const ETHTOOL_GDRVINFO = 0x03
const ETHTOOL_GLINK = 0x0a
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GSTATS = 0x1d
const ETHTOOL_GSSET_INFO = 0x37
const ETH_SS_STATS = 1
const ETH_GSTRING_LEN = 32

/** struct ethtool_drvinfo: offsets of its texts, 32 bytes each, and of a count. */
const AT_DRIVER = 4
const AT_VERSION = 36
const AT_FIRMWARE = 68
const AT_BUS = 100
const AT_STATS = 180
const DRVINFO_SIZE = 196
/** struct ethtool_sset_info, ethtool_gstrings, ethtool_stats: where their arrays are. */
const AT_COUNTS = 16
const AT_STRINGS = 12
const AT_VALUES = 8

/** What the drivers say of themselves: version, firmware, bus. */
const drivers: Readonly<Record<string, readonly [string, string, string]>> = {
  veth: ['1.0', '', ''],
  bridge: ['2.3', 'N/A', 'N/A'],
}

const RX_STATS = ['packets', 'bytes', 'drops', 'redirect', 'drops', 'tx', 'tx_errors']
const TX_STATS = ['xmit', 'xmit_errors']

/** The driver's own statistics, by name: veth alone has some. */
function statistics(dev: NetDevice): readonly (readonly [string, number])[] {
  if (dev.kind?.kind !== 'veth') return []
  const rx = RX_STATS.map((name, i) => `rx_queue_0_${i === 2 ? '' : 'xdp_'}${name}`)
  const tx = TX_STATS.map((name) => `tx_queue_0_xdp_${name}`)
  const zeros = [...rx, ...tx].map((name) => [name, 0] as const)
  return [['peer_ifindex', dev.lower?.ifindex ?? 0], ...zeros]
}

function putText(data: Uint8Array, at: number, text: string): void {
  data.set(new TextEncoder().encode(text).subarray(0, ETH_GSTRING_LEN - 1), at)
}

function putDriver(dev: NetDevice, data: Uint8Array, view: DataView): void {
  const kind = dev.kind?.kind
  if (kind === undefined || data.length < DRVINFO_SIZE) throw new NetlinkError('EOPNOTSUPP')
  const [version, firmware, bus] = drivers[kind] ?? ['6.12.0', '', '']
  data.fill(0, AT_DRIVER, DRVINFO_SIZE)
  putText(data, AT_DRIVER, kind)
  putText(data, AT_VERSION, version)
  putText(data, AT_FIRMWARE, firmware)
  putText(data, AT_BUS, bus)
  view.setUint32(AT_STATS, statistics(dev).length, HOST_LE)
}

/** How many strings each of the sets that are asked for has; sets that there are not fall out. */
function putCounts(dev: NetDevice, data: Uint8Array, view: DataView): void {
  const { length } = statistics(dev)
  const wanted = view.getUint32(8, HOST_LE)
  const hasStats = length > 0 && (wanted & (1 << ETH_SS_STATS)) !== 0
  view.setUint32(8, hasStats ? 1 << ETH_SS_STATS : 0, HOST_LE)
  view.setUint32(12, 0, HOST_LE)
  if (hasStats && data.length >= AT_COUNTS + 4) view.setUint32(AT_COUNTS, length, HOST_LE)
}

function putStrings(dev: NetDevice, data: Uint8Array, view: DataView): void {
  const all = statistics(dev)
  if (view.getUint32(4, HOST_LE) !== ETH_SS_STATS || all.length === 0)
    throw new NetlinkError('EOPNOTSUPP')
  const room = Math.floor((data.length - AT_STRINGS) / ETH_GSTRING_LEN)
  data.fill(0, AT_STRINGS)
  for (const [i, [name]] of all.slice(0, Math.max(0, room)).entries())
    putText(data, AT_STRINGS + ETH_GSTRING_LEN * i, name)
  view.setUint32(8, all.length, HOST_LE)
}

function putValues(dev: NetDevice, data: Uint8Array, view: DataView): void {
  const all = statistics(dev)
  if (all.length === 0) throw new NetlinkError('EOPNOTSUPP')
  const room = Math.floor((data.length - AT_VALUES) / 8)
  for (const [i, [, value]] of all.slice(0, Math.max(0, room)).entries())
    view.setBigUint64(AT_VALUES + 8 * i, BigInt(value), HOST_LE)
  view.setUint32(4, all.length, HOST_LE)
}

/** `data` is the command's struct. @returns 0. @throws NetlinkError EOPNOTSUPP, EFAULT */
export function ethtoolIoctl(dev: NetDevice, data: Uint8Array): number {
  if (data.length < 8) throw new NetlinkError('EFAULT')
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  switch (view.getUint32(0, HOST_LE)) {
    case ETHTOOL_GDRVINFO:
      putDriver(dev, data, view)
      return 0
    case ETHTOOL_GLINK:
      view.setUint32(4, Number(dev.isUp && dev.hasCarrier), HOST_LE)
      return 0
    case ETHTOOL_GSSET_INFO:
      if (data.length < AT_COUNTS) throw new NetlinkError('EFAULT')
      putCounts(dev, data, view)
      return 0
    case ETHTOOL_GSTRINGS:
      if (data.length < AT_STRINGS) throw new NetlinkError('EFAULT')
      putStrings(dev, data, view)
      return 0
    case ETHTOOL_GSTATS:
      putValues(dev, data, view)
      return 0
    default:
      throw new NetlinkError('EOPNOTSUPP')
  }
}
