/**
 * Counters of change: a dump that is under way while one moves on is marked as inconsistent.
 *
 * Kernel: net->dev_base_seq, net->ipv4.dev_addr_genid, net->ipv6.dev_addr_genid; include/net/
 * netlink.h nl_dump_check_consistent().
 */

import type { NetStack } from '../net/stack.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'

export class Generations {
  /** Moves on when a link comes or goes. Never 0. */
  links = 1
  #addresses = 0

  constructor({ chains }: NetStack) {
    chains.netdev.register({
      name: 'dev_base_seq',
      call: (event) => {
        if (event === 'NETDEV_REGISTER' || event === 'NETDEV_UNREGISTER') this.links++
        if (event === 'NETDEV_UP' || event === 'NETDEV_DOWN') this.#addresses++
        return NOTIFY_DONE
      },
    })
    const block = {
      name: 'dev_addr_genid',
      call: () => {
        this.#addresses++
        return NOTIFY_DONE
      },
    }
    chains.inetaddr.register(block)
    chains.inet6addr.register(block)
  }
  /** Moves on when an address, or a link, comes or goes. Never 0. */
  get addresses(): number {
    return this.links + this.#addresses
  }
}
