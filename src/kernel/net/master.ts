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

/** netdev_master_upper_dev_link(). @throws NetlinkError EBUSY, EEXIST, or a block's answer */
export function linkMaster(dev: NetDevice, upper: NetDevice): void {
  const { netdev } = dev.stack.chains
  for (let each: NetDevice | undefined = upper; each; each = each.master) {
    if (each === dev) throw new NetlinkError('EBUSY')
  }
  if (dev.master) throw new NetlinkError(dev.master === upper ? 'EEXIST' : 'EBUSY')
  const info = { dev, upper, linking: true }
  throwNotifierErrno(netdev.call('NETDEV_PRECHANGEUPPER', info))
  dev.master = upper
  try {
    throwNotifierErrno(netdev.call('NETDEV_CHANGEUPPER', info))
  } catch (error) {
    dev.master = undefined
    throw error
  }
}

/** netdev_upper_dev_unlink(). */
export function unlinkMaster(dev: NetDevice): void {
  const upper = dev.master
  if (!upper) return
  const { netdev } = dev.stack.chains
  const info = { dev, upper, linking: false }
  netdev.call('NETDEV_PRECHANGEUPPER', info)
  dev.master = undefined
  netdev.call('NETDEV_CHANGEUPPER', info)
}
