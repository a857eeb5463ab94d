/**
 * A router's anycast addresses: that of the subnet of each address that it has.
 *
 * Kernel: net/ipv6/anycast.c __ipv6_dev_ac_inc(), __ipv6_dev_ac_dec(); net/ipv6/addrconf.c
 * addrconf_join_anycast() (Linux 6.18).
 */
import { isNetlinkError } from '../../errors.ts'
import { type Ipv6, prefix6 } from './address.ts'
import { joinSolicited, leaveSolicited } from './dad.ts'
import type { NetDevice } from './device.ts'
import type { Fib6Route } from './fib6.ts'
import type { Ifaddr6 } from './ifaddr6.ts'
import { makeHostRoute } from './ifaddr6-routes.ts'

/** One on one device (struct ifacaddr6). */
export interface AnycastAddress {
  readonly dev: NetDevice
  readonly address: Ipv6
  users: number
  /** Milliseconds since boot. */
  readonly created: number
  readonly route: Fib6Route
}

/** From this length on a subnet has no address to spare. */
const TOO_LONG = 127

/** Those of one device, the newest first. */
export class AnycastAddresses {
  #list: AnycastAddress[] = []

  list(): readonly AnycastAddress[] {
    return this.#list
  }

  /** addrconf_join_anycast(). */
  join({ dev, address, prefixlen, groups }: Ifaddr6): void {
    const subnet = prefix6(address, prefixlen)
    if (prefixlen >= TOO_LONG || subnet === 0n) return
    const known = this.#list.find((each) => each.address === subnet)
    if (known) {
      known.users++
      return
    }
    const { stack } = dev
    const route = makeHostRoute(dev, subnet, 'anycast')
    const anycast = { dev, address: subnet, users: 1, created: stack.now(), route }
    this.#list.unshift(anycast)
    try {
      stack.fib6.link(route, 0)
    } catch (error) {
      if (!isNetlinkError(error)) throw error
    }
    joinSolicited({ dev, address: subnet, groups })
    stack.chains.anycast.call('NEWANYCAST', { anycast })
  }

  /** addrconf_leave_anycast(). */
  leave({ dev, address, prefixlen, groups }: Ifaddr6): void {
    const subnet = prefix6(address, prefixlen)
    const anycast = this.#list.find((each) => each.address === subnet)
    if (prefixlen >= TOO_LONG || !anycast || --anycast.users > 0) return
    this.#list = this.#list.filter((each) => each !== anycast)
    leaveSolicited({ dev, address: subnet, groups })
    dev.stack.fib6.unlink(anycast.route)
    dev.stack.chains.anycast.call('DELANYCAST', { anycast })
  }
}
