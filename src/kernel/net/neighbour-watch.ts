/**
 * What tables of neighbours have to hear of devices.
 *
 * Kernel: net/ipv4/arp.c arp_netdev_event(); net/ipv6/ndisc.c ndisc_netdev_event().
 */
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { IFF_NOARP } from './constants.ts'
import type { NeighbourTable } from './neighbour.ts'
import type { NetStack } from './stack.ts'

/** What ARP has to hear of devices (arp_netdev_event()). */
export function watchArp(stack: NetStack): void {
  watch(stack, () => stack.arp, 'arp_netdev_notifier')
}

/** What neighbour discovery has to hear of devices (ndisc_netdev_event()). */
export function watchNdisc(stack: NetStack): void {
  watch(stack, () => stack.ndisc, 'ndisc_netdev_notifier')
}

function watch(stack: NetStack, table: () => NeighbourTable, name: string): void {
  stack.chains.netdev.register({
    name,
    call(event, { dev, flagsChanged = 0 }) {
      if (event === 'NETDEV_REGISTER') table().watchDevice(dev, true)
      if (event === 'NETDEV_UNREGISTER') table().watchDevice(dev, false)
      if (event === 'NETDEV_CHANGEADDR') table().flush(dev)
      if (event === 'NETDEV_CHANGE') {
        if (flagsChanged & IFF_NOARP) table().flush(dev)
        if (!dev.hasCarrier) table().flush(dev, true)
      }
      return NOTIFY_DONE
    },
  })
}
