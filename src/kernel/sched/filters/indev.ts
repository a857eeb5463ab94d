/** The link that packets come from. Kernel: include/net/pkt_cls.h tcf_change_indev(). */
import { NetlinkError } from '../../../errors.ts'
import type { SchedNet } from '../sched-net.ts'

/** Its number. @throws NetlinkError EINVAL, ENODEV */
export function indevOf(net: SchedNet, name: string): number {
  if (name.length > 15) throw new NetlinkError('EINVAL', 'Interface name too long')
  const dev = net.stack.devices.byName(name)
  if (!dev) throw new NetlinkError('ENODEV', 'Network device not found')
  return dev.ifindex
}
