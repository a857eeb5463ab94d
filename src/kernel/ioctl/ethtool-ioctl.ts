/**
 * SIOCETHTOOL: what ethtool(8) asks of a link in the old way.
 *
 * Kernel: net/ethtool/ioctl.c dev_ethtool() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { NetDevice } from '../net/device.ts'

const ETHTOOL_GDRVINFO = 0x03
const ETHTOOL_GLINK = 0x0a

/** struct ethtool_drvinfo: offsets of its texts, 32 bytes each. */
const AT_DRIVER = 4
const AT_VERSION = 36
const AT_FIRMWARE = 68
const AT_BUS = 100
const DRVINFO_SIZE = 196
const TEXT = 32

/** What the drivers say of themselves: version, firmware, bus. */
const drivers: Readonly<Record<string, readonly [string, string, string]>> = {
  veth: ['1.0', '', ''],
  bridge: ['2.3', 'N/A', 'N/A'],
}

function putText(data: Uint8Array, at: number, text: string): void {
  data.fill(0, at, at + TEXT)
  data.set(new TextEncoder().encode(text).subarray(0, TEXT - 1), at)
}

/** `data` is the command's struct. @returns 0. @throws NetlinkError EOPNOTSUPP, EFAULT */
export function ethtoolIoctl(dev: NetDevice, data: Uint8Array): number {
  if (data.length < 8) throw new NetlinkError('EFAULT')
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  switch (view.getUint32(0, HOST_LE)) {
    case ETHTOOL_GDRVINFO: {
      const kind = dev.kind?.kind
      if (kind === undefined || data.length < DRVINFO_SIZE) throw new NetlinkError('EOPNOTSUPP')
      const [version, firmware, bus] = drivers[kind] ?? ['6.12.0', '', '']
      putText(data, AT_DRIVER, kind)
      putText(data, AT_VERSION, version)
      putText(data, AT_FIRMWARE, firmware)
      putText(data, AT_BUS, bus)
      return 0
    }
    case ETHTOOL_GLINK:
      view.setUint32(4, Number(dev.isUp && dev.hasCarrier), HOST_LE)
      return 0
    default:
      throw new NetlinkError('EOPNOTSUPP')
  }
}
