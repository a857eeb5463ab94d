/**
 * Masters and ports: who is under whom.
 *
 * Kernel: net/core/rtnetlink.c do_set_master(), net/core/dev.c __netdev_upper_dev_link().
 */
import { NetlinkError } from '../../errors.ts'
import { throwNotifierErrno } from '../notifier/constants.ts'
import type { NetDevice } from './device.ts'

/**
 * do_set_master(): puts `dev` under the device with index `master`, out of the one that it is
 * under; 0 only takes it out.
 * @throws NetlinkError EINVAL for an unknown master, EOPNOTSUPP for one that takes no ports.
 */
export function setMaster(dev: NetDevice, master: number): void {
  if (dev.master) {
    if (dev.master.ifindex === master) return
    dev.master.deleteSlave(dev)
  }
  if (master === 0) return
  const upper = dev.stack.devices.byIndex(master)
  if (!upper) throw new NetlinkError('EINVAL')
  upper.addSlave(dev)
}

/** MAX_NEST_DEV: how high devices may stand on each other. */
const MAX_NEST = 8

/** __netdev_has_upper_dev(): whether `upper` stands on `dev`, directly or not. */
function hasUpper(dev: NetDevice, upper: NetDevice): boolean {
  return dev.uppers.some((each) => each === upper || hasUpper(each, upper))
}

/** How many devices stand on each other above `dev`, itself included. */
function upperLevel(dev: NetDevice): number {
  return 1 + Math.max(0, ...dev.uppers.map(upperLevel))
}

/** netdev_master_upper_dev_link(). @throws NetlinkError EBUSY, EEXIST, EMLINK, or a block's answer */
export function linkMaster(dev: NetDevice, upper: NetDevice): void {
  linkDevices(dev, upper, true)
}

/** netdev_upper_dev_link(): `upper` stands on `dev`. @throws as `linkMaster` */
export function linkUpper(dev: NetDevice, upper: NetDevice): void {
  linkDevices(dev, upper, false)
}

/** __netdev_upper_dev_link(). */
function linkDevices(dev: NetDevice, upper: NetDevice, isMaster: boolean): void {
  const { netdev } = dev.stack.chains
  if (dev === upper || hasUpper(upper, dev)) throw new NetlinkError('EBUSY')
  if (upperLevel(upper) >= MAX_NEST) throw new NetlinkError('EMLINK')
  if (!isMaster && hasUpper(dev, upper)) throw new NetlinkError('EEXIST')
  if (isMaster && dev.master) throw new NetlinkError(dev.master === upper ? 'EEXIST' : 'EBUSY')
  const info = { dev, upper, linking: true }
  throwNotifierErrno(netdev.call('NETDEV_PRECHANGEUPPER', info))
  if (isMaster) dev.master = upper
  dev.uppers.push(upper)
  try {
    throwNotifierErrno(netdev.call('NETDEV_CHANGEUPPER', info))
  } catch (error) {
    if (isMaster) dev.master = undefined
    dev.uppers.pop()
    throw error
  }
}

/** netdev_upper_dev_unlink() of the master. */
export function unlinkMaster(dev: NetDevice): void {
  if (dev.master) unlinkUpper(dev, dev.master)
}

/** netdev_upper_dev_unlink(). */
export function unlinkUpper(dev: NetDevice, upper: NetDevice): void {
  const at = dev.uppers.indexOf(upper)
  if (at < 0) return
  const { netdev } = dev.stack.chains
  const info = { dev, upper, linking: false }
  netdev.call('NETDEV_PRECHANGEUPPER', info)
  dev.uppers.splice(at, 1)
  if (dev.master === upper) dev.master = undefined
  netdev.call('NETDEV_CHANGEUPPER', info)
}
