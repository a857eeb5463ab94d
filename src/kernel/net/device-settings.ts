/**
 * What can be set on a device, one value at a time.
 *
 * Kernel: net/core/dev.c dev_set_mtu_ext(), dev_set_mac_address(), dev_change_tx_queue_len(),
 * dev_set_alias(), dev_change_carrier(), dev_change_proto_down().
 */
import { NetlinkError } from '../../errors.ts'
import { throwNotifierErrno } from '../notifier/constants.ts'
import { IFALIASZ } from './constants.ts'
import type { NetDevice } from './device.ts'
import { setCarrier } from './link-watch.ts'

/** dev_validate_mtu(). @throws NetlinkError EINVAL */
export function checkMtu(dev: NetDevice, mtu: number): void {
  if (mtu > 0x7fffffff || mtu < dev.minMtu) {
    throw new NetlinkError('EINVAL', 'mtu less than device minimum')
  }
  if (dev.maxMtu > 0 && mtu > dev.maxMtu) {
    throw new NetlinkError('EINVAL', 'mtu greater than device maximum')
  }
}

/** Bytes. @throws NetlinkError EINVAL outside of the device's limits. */
export function setMtu(dev: NetDevice, mtu: number): void {
  if (mtu === dev.mtu) return
  checkMtu(dev, mtu)
  const { netdev } = dev.stack.chains
  throwNotifierErrno(netdev.call('NETDEV_PRECHANGEMTU', { dev }))
  const old = dev.mtu
  dev.changeMtu(mtu)
  try {
    throwNotifierErrno(netdev.call('NETDEV_CHANGEMTU', { dev }))
  } catch (error) {
    dev.changeMtu(old)
    netdev.call('NETDEV_CHANGEMTU', { dev })
    throw error
  }
}

/**
 * The MAC address.
 * @throws NetlinkError EINVAL when it is too short, EADDRNOTAVAIL for multicast and zero,
 * EOPNOTSUPP and EBUSY as the kind has it.
 */
export function setAddress(dev: NetDevice, address: Uint8Array): void {
  checkLinkAddress(dev, address)
  const { netdev } = dev.stack.chains
  throwNotifierErrno(netdev.call('NETDEV_PRE_CHANGEADDR', { dev }))
  dev.changeAddress(address)
  dev.addressSource = 'set'
  netdev.call('NETDEV_CHANGEADDR', { dev })
}

/** validate_linkmsg(). @throws NetlinkError EINVAL when it is shorter than the device's own. */
export function checkLinkAddress(dev: NetDevice, address: Uint8Array): void {
  if (address.length < dev.address.length) throw new NetlinkError('EINVAL')
}

export function setBroadcast(dev: NetDevice, broadcast: Uint8Array): void {
  checkLinkAddress(dev, broadcast)
  dev.broadcast = broadcast.slice(0, dev.broadcast.length)
  dev.stack.chains.netdev.call('NETDEV_CHANGEADDR', { dev })
}

/** Packets. */
export function setTxQueueLength(dev: NetDevice, length: number): void {
  if (length === dev.txQueueLength) return
  const old = dev.txQueueLength
  dev.txQueueLength = length
  try {
    throwNotifierErrno(dev.stack.chains.netdev.call('NETDEV_CHANGE_TX_QUEUE_LEN', { dev }))
  } catch (error) {
    dev.txQueueLength = old
    throw error
  }
}

/** A note on the device; the empty string takes it away. @throws NetlinkError EINVAL */
export function setAlias(dev: NetDevice, alias: string): void {
  if (new TextEncoder().encode(alias).length >= IFALIASZ) throw new NetlinkError('EINVAL')
  dev.ifalias = alias === '' ? undefined : alias
}

/** @throws NetlinkError EOPNOTSUPP where the kind does not let user space have a say. */
export function changeCarrier(dev: NetDevice, on: boolean): void {
  dev.changeCarrier(on)
}

/**
 * dev_change_proto_down(): holds the device down, or lets it go.
 * @throws NetlinkError EOPNOTSUPP where the kind does not allow it.
 */
export function setProtoDown(dev: NetDevice, on: boolean): void {
  if (!dev.canProtoDown) throw new NetlinkError('EOPNOTSUPP', 'Protodown not supported by device')
  dev.protoDown = on
  setCarrier(dev, !on)
}
