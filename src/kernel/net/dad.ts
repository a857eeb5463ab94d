/**
 * Duplicate address detection: an address is tentative until nobody objected for a while. Here
 * nobody ever does.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_dad_begin(), addrconf_dad_kick(), addrconf_dad_work(),
 * addrconf_dad_stop(), addrconf_dad_completed().
 */
import {
  ARPHRD_ETHER,
  IFA_F_DADFAILED,
  IFA_F_NODAD,
  IFA_F_OPTIMISTIC,
  IFA_F_PERMANENT,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  IFF_NOARP,
  RT_SCOPE_LINK,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import type { Ifaddr6 } from './ifaddr6.ts'
import { LINK_ALL_ROUTERS, solicitedNode } from './multicast6.ts'

/** How long an objection is waited for (retrans_time), in milliseconds. */
const RETRANS_TIME = 1000

/** Who keeps the addresses. */
interface AddressKeeper {
  notify(event: 'NEWADDR' | 'NOTE', ifa: Ifaddr6): void
  remove(ifa: Ifaddr6): void
}

/** addrconf_dad_begin(): also for an address that waited for its link. */
export function startDad(inet6: AddressKeeper, ifa: Ifaddr6): void {
  const { dev } = ifa
  if (ifa.isDead || ifa.dad === 'done') return
  joinSolicited(ifa)
  if (isNeedless(ifa)) {
    complete(inet6, ifa)
  } else if (dev.inet6?.isReady) {
    ifa.dad = 'waiting'
    ask(inet6, ifa)
  } else if (ifa.flags & IFA_F_PERMANENT) {
    ifa.dad = 'waiting'
  } else {
    inet6.remove(ifa)
  }
}

/** The same anew, after the delay that a question has. */
export function restartDad(inet6: AddressKeeper, ifa: Ifaddr6): void {
  const { stack, inet6: idev } = ifa.dev
  ifa.dad = 'before'
  stopDad(ifa)
  const delay = idev?.conf.get('rtrSolicitDelay') ?? 0
  ifa.cancelDad = stack.setTimer(() => startDad(inet6, ifa), Math.floor(stack.chance() * delay))
}

export function stopDad(ifa: Ifaddr6): void {
  ifa.cancelDad?.()
  ifa.cancelDad = undefined
}

/** What neighbours may ask for: on which device, and that device's groups. */
type Solicited = Pick<Ifaddr6, 'dev' | 'address' | 'groups'>

/** addrconf_join_solict(). */
export function joinSolicited({ dev, address, groups }: Solicited): void {
  if (isShared(dev)) groups.join(solicitedNode(address))
}

/** addrconf_leave_solict(). */
export function leaveSolicited({ dev, address, groups }: Solicited): void {
  if (isShared(dev)) groups.leave(solicitedNode(address))
}

/** Whether others on the link can have the same address. */
function isShared(dev: NetDevice): boolean {
  return (dev.flags & (IFF_NOARP | IFF_LOOPBACK)) === 0
}

function isNeedless(ifa: Ifaddr6): boolean {
  const { dev, flags } = ifa
  if (!isShared(dev) || !(flags & IFA_F_TENTATIVE) || flags & IFA_F_NODAD) return true
  const { all } = dev.stack.netconf6
  return all.get('acceptDad') < 1 && (dev.inet6?.conf.get('acceptDad') ?? 0) < 1
}

/** addrconf_dad_kick(): the question goes out after a moment, several times where that is set. */
function ask(inet6: AddressKeeper, ifa: Ifaddr6): void {
  const { dev } = ifa
  const { stack } = dev
  const conf = dev.inet6?.conf
  const delay = ifa.flags & IFA_F_OPTIMISTIC ? 0 : (conf?.get('rtrSolicitDelay') ?? 0)
  let questions = conf?.get('dadTransmits') ?? 0
  const next = (): void => {
    ifa.cancelDad = undefined
    if (ifa.isDead || !dev.inet6?.isReady) return
    if (questions-- <= 0) {
      complete(inet6, ifa)
      return
    }
    stack.ndisc.touch(solicitedNode(ifa.address), dev)
    ifa.cancelDad = stack.setTimer(next, RETRANS_TIME)
  }
  stopDad(ifa)
  ifa.cancelDad = stack.setTimer(next, Math.floor(stack.chance() * delay))
}

/** addrconf_dad_completed(). */
function complete(inet6: AddressKeeper, ifa: Ifaddr6): void {
  ifa.cancelDad = undefined
  if (ifa.isDead) return
  ifa.flags &= ~(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC | IFA_F_DADFAILED)
  ifa.dad = 'done'
  inet6.notify('NEWADDR', ifa)
  if (isFirstLinkLocal(ifa)) solicitRouters(ifa)
}

/** ipv6_lonely_lladdr(): whether packets can be sent from a link-local address now. */
function isFirstLinkLocal(ifa: Ifaddr6): boolean {
  if (ifa.scope !== RT_SCOPE_LINK) return false
  const others = ifa.dev.inet6?.addresses ?? []
  return !others.some(
    (each) => each !== ifa && each.scope === RT_SCOPE_LINK && !(each.flags & IFA_F_TENTATIVE),
  )
}

/** Groups are reported, and routers asked, with the new address. */
function solicitRouters({ dev }: Ifaddr6): void {
  const { inet6, stack } = dev
  if (!inet6 || !dev.isUp) return
  inet6.groups.report()
  const { conf } = inet6
  const isHost =
    conf.get('forwarding') === 0 ? conf.get('acceptRa') > 0 : conf.get('acceptRa') === 2
  if (isHost && conf.get('rtrSolicits') !== 0 && dev.type === ARPHRD_ETHER) {
    stack.ndisc.touch(LINK_ALL_ROUTERS, dev)
  }
}
