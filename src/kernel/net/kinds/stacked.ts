/**
 * Devices that stand on another one, and end with it: what their kinds have in common.
 *
 * Kernel: include/linux/netdevice.h netif_stacked_transfer_operstate(); the NETDEV_UNREGISTER
 * branches of net/8021q/vlan.c vlan_device_event() and drivers/net/macvlan.c macvlan_device_event().
 */
import { NetlinkError } from '../../../errors.ts'
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import type { NetdevEvent } from '../chains.ts'
import type { NetDevice } from '../device.ts'
import { setMtu } from '../device-settings.ts'
import { deleteLinks } from '../link-create.ts'
import type { LinkRequest } from '../link-kind.ts'
import { transferOperstate } from '../link-watch.ts'
import { unlinkUpper } from '../master.ts'
import type { NetStack } from '../stack.ts'
import { EtherDevice } from './ether.ts'

/** A device on top of `real`. */
export class StackedDevice extends EtherDevice {
  override minMtu = 0
  /** What it stands on; undefined until it is made. */
  real: NetDevice | undefined

  /** Where it is among its like on the same device. */
  get rank(): number {
    return 0
  }

  override get lower(): NetDevice | undefined {
    return this.real
  }
}

/** The device that IFLA_LINK means, or undefined when there is none. */
export function findLink(dev: NetDevice, { link, linkStack }: LinkRequest): NetDevice | undefined {
  return (linkStack ?? dev.stack).devices.byIndex(link ?? 0)
}

/** Of `real`, those of a class that stand on it, in their order; by default, that in which they came. */
export function standingOn<T extends StackedDevice>(
  real: NetDevice,
  kind: new (...args: never[]) => T,
): T[] {
  return real.uppers
    .filter((each): each is T => each instanceof kind && each.real === real)
    .sort((a, b) => a.rank - b.rank)
}

/** `dev` stands on nothing any more; behind the last of its kind, what it stood on may serve another. */
export function stepDown<T extends StackedDevice>(dev: T, kind: new (...args: never[]) => T): void {
  const { real } = dev
  if (!real) return
  unlinkUpper(real, dev)
  if (standingOn(real, kind).length === 0) real.rxHandler = undefined
}

/** What a kind does when something happens to the device that its devices stand on. */
export type StackedHandler<T> = (event: NetdevEvent, real: NetDevice, uppers: T[]) => void

/**
 * Registers what the devices of a class have to hear of those they stand on: whatever else the kind
 * does, they end with it. What is refused on the way is nobody's concern.
 */
export function watchStacked<T extends StackedDevice>(
  stack: NetStack,
  name: string,
  kind: new (...args: never[]) => T,
  handle: StackedHandler<T>,
): void {
  stack.chains.netdev.register({
    name,
    call(event, { dev: real }) {
      if (real.uppers.length === 0) return NOTIFY_DONE
      const uppers = standingOn(real, kind)
      if (uppers.length === 0) return NOTIFY_DONE
      if (event !== 'NETDEV_UNREGISTER') handle(event, real, uppers)
      else if (real.regState === 'unregistering') deleteLinks(uppers)
      return NOTIFY_DONE
    },
  })
}

/** Runs what may be refused without consequences. */
export function attempt(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
  }
}

/** None may be larger than what it stands on. */
export function shrinkTo(real: NetDevice, uppers: readonly NetDevice[]): void {
  for (const dev of uppers) if (dev.mtu > real.mtu) attempt(() => setMtu(dev, real.mtu))
}

/** Carrier and dormancy of `real` become those of all. */
export function transferAll(real: NetDevice, uppers: readonly NetDevice[]): void {
  for (const dev of uppers) transferOperstate(real, dev)
}
