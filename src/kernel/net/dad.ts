/**
 * Duplicate address detection: an address is tentative until nobody objected for a while. Here
 * nobody ever does.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_dad_begin(), addrconf_dad_stop(), addrconf_dad_completed().
 * Linux waits up to a second at random before it asks; here the question goes out at once.
 */
import {
  IFA_F_DADFAILED,
  IFA_F_NODAD,
  IFA_F_OPTIMISTIC,
  IFA_F_PERMANENT,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  IFF_NOARP,
} from './constants.ts'
import type { Ifaddr6 } from './ifaddr6.ts'

/** How long an objection is waited for (dad_transmits 1, retrans_time 1 s), in milliseconds. */
const RETRANS_TIME = 1000

/** Who keeps the addresses. */
interface AddressKeeper {
  notify(event: 'NEWADDR', ifa: Ifaddr6): void
  remove(ifa: Ifaddr6): void
}

/** addrconf_dad_begin(): also for an address that waited for its link. */
export function startDad(inet6: AddressKeeper, ifa: Ifaddr6): void {
  const { dev } = ifa
  if (ifa.isDead || ifa.dad === 'done') return
  const isNeedless =
    dev.flags & (IFF_NOARP | IFF_LOOPBACK) ||
    !(ifa.flags & IFA_F_TENTATIVE) ||
    ifa.flags & IFA_F_NODAD
  if (isNeedless) {
    complete(inet6, ifa)
  } else if (dev.inet6?.isReady) {
    ifa.dad = 'waiting'
    ifa.cancelDad?.()
    ifa.cancelDad = dev.stack.setTimer(() => complete(inet6, ifa), RETRANS_TIME)
  } else if (ifa.flags & IFA_F_PERMANENT) {
    ifa.dad = 'waiting'
  } else {
    inet6.remove(ifa)
  }
}

export function stopDad(ifa: Ifaddr6): void {
  ifa.cancelDad?.()
  ifa.cancelDad = undefined
}

function complete(inet6: AddressKeeper, ifa: Ifaddr6): void {
  ifa.cancelDad = undefined
  if (ifa.isDead) return
  ifa.flags &= ~(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC | IFA_F_DADFAILED)
  ifa.dad = 'done'
  inet6.notify('NEWADDR', ifa)
}
