/**
 * A bridge that looks into multicast is a host that wants to hear who else does.
 *
 * Kernel: net/bridge/br_multicast.c br_multicast_join_snoopers(), br_multicast_leave_snoopers().
 */
import { type Ipv4, type Ipv6, parseIpv4 } from '../address.ts'
import type { NetDevice } from '../device.ts'

/** INADDR_ALLSNOOPERS_GROUP, ff02::6a. */
const ALL_SNOOPERS4: Ipv4 = parseIpv4('224.0.0.106')
const ALL_SNOOPERS6: Ipv6 = (0xff02n << 112n) | 0x6an

export function joinSnoopers({ inet, inet6 }: NetDevice): void {
  inet?.groups.join(ALL_SNOOPERS4)
  inet6?.groups.join(ALL_SNOOPERS6)
}

export function leaveSnoopers({ inet, inet6 }: NetDevice): void {
  inet?.groups.leave(ALL_SNOOPERS4)
  inet6?.groups.leave(ALL_SNOOPERS6)
}

/** br_multicast_toggle(): only a bridge that is up hears. */
export function followSnooping(dev: NetDevice, old: number, value: number): void {
  if (!dev.isUp || (old !== 0) === (value !== 0)) return
  if (value !== 0) joinSnoopers(dev)
  else leaveSnoopers(dev)
}
