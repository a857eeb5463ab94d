/**
 * Flags of a device: up and down, promiscuity, and who is told.
 *
 * Kernel: net/core/dev.c __dev_open(), __dev_close_many(), __dev_change_flags(),
 * __dev_notify_flags(), rtnl_dev_combine_flags().
 */
import { throwNotifierErrno } from '../notifier/constants.ts'
import type { Origin } from './chains.ts'
import {
  IFF_ALLMULTI,
  IFF_AUTOMEDIA,
  IFF_DEBUG,
  IFF_DYNAMIC,
  IFF_MULTICAST,
  IFF_NOARP,
  IFF_NOTRAILERS,
  IFF_PORTSEL,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_UP,
  IFF_VOLATILE,
} from './constants.ts'
import type { NetDevice } from './device.ts'

const SETTABLE =
  IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA

/** The flags that a request asks for: ifi_change 0 with flags means all of them. */
export function combineFlags(dev: NetDevice, flags: number, change: number): number {
  if (change === 0) return flags
  const current =
    (dev.flags & ~(IFF_PROMISC | IFF_ALLMULTI)) | (dev.gflags & (IFF_PROMISC | IFF_ALLMULTI))
  return (flags & change) | (current & ~change)
}

/** dev_change_flags(): sets, and tells. @throws NetlinkError what keeps it from opening */
export function changeFlags(dev: NetDevice, flags: number): void {
  const { flags: oldFlags, gflags } = dev
  setFlags(dev, flags)
  const changes = (oldFlags ^ dev.flags) | (gflags ^ dev.gflags)
  notifyFlags(dev, oldFlags, changes)
}

/** __dev_change_flags(): sets, and leaves telling to the caller. */
export function setFlags(dev: NetDevice, flags: number): void {
  const old = dev.flags
  dev.flags =
    (flags & SETTABLE) | (dev.flags & (IFF_UP | IFF_VOLATILE | IFF_PROMISC | IFF_ALLMULTI))
  if ((old ^ flags) & IFF_UP) {
    if (old & IFF_UP) stopDevice(dev)
    else openDevice(dev)
  }
  if ((flags ^ dev.gflags) & IFF_PROMISC) {
    dev.gflags ^= IFF_PROMISC
    countPromiscuity(dev, flags & IFF_PROMISC ? 1 : -1)
  }
  if ((flags ^ dev.gflags) & IFF_ALLMULTI) {
    dev.gflags ^= IFF_ALLMULTI
    setAllmulti(dev, flags & IFF_ALLMULTI ? 1 : -1)
  }
}

/**
 * __dev_notify_flags(): `announced` is what user space hears of as changed, unless the device is
 * on its way out; the kernel's own parts hear of up, down and the rest.
 */
export function notifyFlags(
  dev: NetDevice,
  oldFlags: number,
  announced: number,
  origin?: Origin,
): void {
  const changes = dev.flags ^ oldFlags
  const { link, netdev } = dev.stack.chains
  if (announced && dev.regState === 'registered') {
    link.call('NEWLINK', { dev, change: announced >>> 0, origin })
  }
  if (changes & IFF_UP) netdev.call(dev.isUp ? 'NETDEV_UP' : 'NETDEV_DOWN', { dev })
  const others = changes & ~(IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_VOLATILE)
  if (dev.isUp && others) netdev.call('NETDEV_CHANGE', { dev, flagsChanged: changes })
}

/** netdev_state_change(): something that a link shows is different; silent while it is down. */
export function notifyStateChange(dev: NetDevice): void {
  if (!dev.isUp) return
  dev.stack.chains.netdev.call('NETDEV_CHANGE', { dev, flagsChanged: 0 })
  dev.stack.chains.link.call('NEWLINK', { dev, change: 0 })
}

/** dev_set_promiscuity(); user space hears of it also where somebody else wants all packets, too. */
export function setPromiscuity(dev: NetDevice, by: 1 | -1): void {
  const old = dev.flags
  countPromiscuity(dev, by)
  notifyFlags(dev, old, IFF_PROMISC)
}

/** dev_uc_add(). */
export function addUnicast(dev: NetDevice, address: Uint8Array): void {
  dev.unicast.add(address)
  updateReceiveMode(dev)
}

/** dev_uc_del(), of one that may be gone. */
export function removeUnicast(dev: NetDevice, address: Uint8Array): void {
  dev.unicast.release(address)
  updateReceiveMode(dev)
}

/** __dev_set_rx_mode(): who cannot filter by more addresses than one takes all packets. */
function updateReceiveMode(dev: NetDevice): void {
  if (!dev.isUp || dev.hasUnicastFilter) return
  const isNeeded = dev.unicast.size > 0
  if (isNeeded === dev.isUnicastPromiscuous) return
  dev.isUnicastPromiscuous = isNeeded
  countPromiscuity(dev, isNeeded ? 1 : -1)
}

function countPromiscuity(dev: NetDevice, by: 1 | -1): void {
  const old = dev.flags
  dev.promiscuity += by
  dev.flags = dev.promiscuity > 0 ? dev.flags | IFF_PROMISC : dev.flags & ~IFF_PROMISC
  if (dev.flags !== old) dev.changeRxFlags(IFF_PROMISC)
}

/** dev_set_allmulti(); user space hears of it only where it set the flag itself. */
export function setAllmulti(dev: NetDevice, by: 1 | -1): void {
  const old = dev.flags
  dev.allmulti += by
  dev.flags = dev.allmulti > 0 ? dev.flags | IFF_ALLMULTI : dev.flags & ~IFF_ALLMULTI
  if (dev.flags !== old) dev.changeRxFlags(IFF_ALLMULTI)
}

/** dev_close_many(): of those that are up; each is announced, then the parts of the stack act. */
export function closeDevices(devs: readonly NetDevice[]): void {
  const open = devs.filter((dev) => dev.isUp)
  for (const dev of open) stopDevice(dev)
  for (const dev of open) {
    dev.stack.chains.link.call('NEWLINK', { dev, change: IFF_UP | IFF_RUNNING })
    dev.stack.chains.netdev.call('NETDEV_DOWN', { dev })
  }
}

function openDevice(dev: NetDevice): void {
  const { chains, linkWatch } = dev.stack
  linkWatch.settle()
  throwNotifierErrno(chains.netdev.call('NETDEV_PRE_UP', { dev }))
  dev.validateAddress()
  dev.flags |= IFF_UP
  try {
    dev.open()
  } catch (error) {
    dev.flags &= ~IFF_UP
    throw error
  }
  updateReceiveMode(dev)
  dev.qdisc = dev.defaultQdisc
  if (dev.hasCarrier) dev.isActive = true
}

function stopDevice(dev: NetDevice): void {
  dev.stack.chains.netdev.call('NETDEV_GOING_DOWN', { dev })
  dev.isActive = false
  dev.stop()
  dev.flags &= ~IFF_UP
}
