/**
 * IPv4 addresses of devices.
 *
 * Kernel: net/ipv4/devinet.c __inet_insert_ifa(), __inet_del_ifa(), inet_rtm_newaddr(),
 * inetdev_event().
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { INADDR_LOOPBACK, isMulticast4 } from './address.ts'
import { watchLifetime } from './address-lifetime.ts'
import type { NetdevEvent, Origin } from './chains.ts'
import {
  ETH_MIN_MTU,
  IFA_F_DADFAILED,
  IFA_F_DEPRECATED,
  IFA_F_HOMEADDRESS,
  IFA_F_MANAGETEMPADDR,
  IFA_F_MCAUTOJOIN,
  IFA_F_NODAD,
  IFA_F_OPTIMISTIC,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  IFA_F_STABLE_PRIVACY,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  IFNAMSIZ,
  INFINITY_LIFE_TIME,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_SCOPE_HOST,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { Ifaddr4, type Ifaddr4Request, InDevice } from './ifaddr4.ts'
import { addIfaddrRoutes, changePrefixMetric, deleteIfaddrRoutes } from './ifaddr4-routes.ts'
import { IGMP_ALL_HOSTS, joinAllHosts } from './multicast4.ts'
import type { NetStack } from './stack.ts'

const IPV6_ONLY =
  IFA_F_NODAD |
  IFA_F_OPTIMISTIC |
  IFA_F_DADFAILED |
  IFA_F_HOMEADDRESS |
  IFA_F_TENTATIVE |
  IFA_F_MANAGETEMPADDR |
  IFA_F_STABLE_PRIVACY

/** The IPv4 addresses of one stack. */
export class Inet {
  readonly #stack: NetStack

  constructor(stack: NetStack) {
    this.#stack = stack
    stack.chains.netdev.register({
      name: 'ip_netdev_notifier',
      call: (event, { dev }) => {
        this.#deviceEvent(event, dev)
        return NOTIFY_DONE
      },
    })
  }

  /**
   * inet_rtm_newaddr(). `flags`: NLM_F_EXCL and NLM_F_REPLACE; an address of 0.0.0.0 is accepted
   * and nothing happens.
   * @throws NetlinkError EINVAL, ENODEV, ENOBUFS, EEXIST
   */
  add(request: Ifaddr4Request, flags = 0, origin?: Origin): void {
    const { prefixlen, local } = request
    const { validLft = INFINITY_LIFE_TIME, preferredLft = INFINITY_LIFE_TIME } = request
    if (prefixlen > 32) throw new NetlinkError('EINVAL', 'ipv4: Invalid prefix length')
    if (local === undefined) throw new NetlinkError('EINVAL', 'ipv4: Local address is not supplied')
    const dev = this.#stack.devices.byIndex(request.ifindex)
    if (!dev) throw new NetlinkError('ENODEV', 'ipv4: Device not found')
    if (!dev.inet) throw new NetlinkError('ENOBUFS')
    if (validLft === 0 || preferredLft > validLft) {
      throw new NetlinkError('EINVAL', 'ipv4: address lifetime invalid')
    }
    const ifa = new Ifaddr4(dev, local, request)
    const known = local
      ? dev.inet.addresses.find((each) => each.sharesSubnet(ifa) && each.local === local)
      : undefined
    if (!known) {
      if (ifa.flags & IFA_F_MCAUTOJOIN && !isMulticast4(local)) {
        throw new NetlinkError('EINVAL', 'ipv4: Multicast auto join failed')
      }
      setLifetime(ifa, validLft, preferredLft)
      this.#insert(dev.inet, ifa, origin)
      return
    }
    if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE)) {
      throw new NetlinkError('EEXIST', 'ipv4: Address already assigned')
    }
    this.#replace(known, ifa, validLft, preferredLft, origin)
  }

  /**
   * inet_rtm_deladdr(): the first address that has what is given of local, label and
   * address/prefixlen.
   * @throws NetlinkError ENODEV, EADDRNOTAVAIL
   */
  delete(request: Ifaddr4Request, origin?: Origin): void {
    const inet = this.#stack.devices.byIndex(request.ifindex)?.inet
    if (!inet) throw new NetlinkError('ENODEV', 'ipv4: Device not found')
    const { local, label, address, prefixlen } = request
    const found = inet.addresses.find(
      (ifa) =>
        (local === undefined || ifa.local === local) &&
        (label === undefined || ifa.label === label) &&
        (address === undefined || (ifa.prefixlen === prefixlen && ifa.matches(address))),
    )
    if (!found) throw new NetlinkError('EADDRNOTAVAIL', 'ipv4: Address not found')
    this.#remove(inet, found, origin)
  }

  /** __inet_insert_ifa(). */
  #insert(inet: InDevice, ifa: Ifaddr4, origin: Origin): void {
    inet.conf.pinAll()
    if (ifa.local === 0) return
    inet.dev.validateIp(ifa.local)
    ifa.flags &= ~(IFA_F_SECONDARY | IPV6_ONLY)
    let at = 0
    for (const [i, other] of inet.addresses.entries()) {
      if (!other.isSecondary && ifa.scope <= other.scope) at = i + 1
      if (!other.sharesSubnet(ifa)) continue
      if (other.local === ifa.local) {
        throw new NetlinkError('EEXIST', 'ipv4: Address already assigned')
      }
      if (other.scope !== ifa.scope) throw new NetlinkError('EINVAL', 'ipv4: Invalid scope value')
      ifa.flags |= IFA_F_SECONDARY
    }
    inet.addresses.splice(ifa.isSecondary ? inet.addresses.length : at, 0, ifa)
    this.#watch(ifa)
    this.#announceUp(ifa, origin)
  }

  #replace(
    known: Ifaddr4,
    wanted: Ifaddr4,
    valid: number,
    preferred: number,
    origin: Origin,
  ): void {
    if (known.rtPriority !== wanted.rtPriority) {
      changePrefixMetric(known, wanted.rtPriority)
      known.rtPriority = wanted.rtPriority
    }
    known.proto = wanted.proto
    setLifetime(known, valid, preferred)
    this.#watch(known)
    this.#stack.chains.addr.call('NEWADDR', { ifa: known, origin })
  }

  /** __inet_del_ifa(): a primary takes its secondaries with it, unless they are promoted. */
  #remove(inet: InDevice, ifa: Ifaddr4, origin?: Origin): void {
    let promoted: Ifaddr4 | undefined
    if (!inet.isDead && !ifa.isSecondary) {
      const behind = inet.addresses.slice(inet.addresses.indexOf(ifa) + 1)
      const secondaries = behind.filter((each) => each.isSecondary && each.sharesSubnet(ifa))
      if (inet.promoteSecondaries) {
        promoted = secondaries[0]
        for (const each of secondaries) deleteIfaddrRoutes(each, ifa)
      } else {
        for (const each of secondaries) this.#drop(inet, each, origin)
      }
    }
    const place = promoted && placeOfPrimary(inet, ifa)
    this.#drop(inet, ifa, origin)
    if (promoted) this.#promote(inet, promoted, place, origin)
  }

  #promote(inet: InDevice, ifa: Ifaddr4, before: Ifaddr4 | undefined, origin: Origin): void {
    const behind = inet.addresses.slice(inet.addresses.indexOf(ifa) + 1)
    if (before !== ifa) {
      inet.addresses.splice(inet.addresses.indexOf(ifa), 1)
      const at = before ? inet.addresses.indexOf(before) : inet.addresses.length
      inet.addresses.splice(at, 0, ifa)
    }
    ifa.flags &= ~IFA_F_SECONDARY
    this.#announceUp(ifa, origin)
    for (const each of behind) if (each.sharesSubnet(ifa)) addIfaddrRoutes(each)
  }

  #drop(inet: InDevice, ifa: Ifaddr4, origin: Origin): void {
    inet.addresses.splice(inet.addresses.indexOf(ifa), 1)
    ifa.cancelTimer?.()
    this.#stack.chains.addr.call('DELADDR', { ifa, origin })
    this.#stack.chains.inetaddr.call('NETDEV_DOWN', ifa)
  }

  /** User space hears first, then the routes follow. */
  #announceUp(ifa: Ifaddr4, origin: Origin): void {
    this.#stack.chains.addr.call('NEWADDR', { ifa, origin })
    this.#stack.chains.inetaddr.call('NETDEV_UP', ifa)
  }

  #watch(ifa: Ifaddr4): void {
    const { dev } = ifa
    watchLifetime(this.#stack, ifa, {
      deprecated: () => this.#stack.chains.addr.call('NEWADDR', { ifa }),
      expired: () => {
        if (dev.inet) this.#remove(dev.inet, ifa)
      },
    })
  }

  #deviceEvent(event: NetdevEvent, dev: NetDevice): void {
    const { inet } = dev
    switch (event) {
      case 'NETDEV_REGISTER':
        this.#create(dev)
        return
      case 'NETDEV_UP':
        if (!inet || dev.mtu < ETH_MIN_MTU) return
        if (dev.flags & IFF_LOOPBACK) this.#addLoopback(inet)
        joinAllHosts(inet.groups)
        return
      case 'NETDEV_DOWN':
        inet?.groups.down()
        inet?.groups.leave(IGMP_ALL_HOSTS)
        return
      case 'NETDEV_CHANGEMTU':
        if (dev.mtu < ETH_MIN_MTU) this.#destroy(dev)
        else if (!inet) this.#create(dev)
        return
      case 'NETDEV_UNREGISTER':
        this.#destroy(dev)
        return
      case 'NETDEV_CHANGENAME':
        if (!inet) return
        this.#relabel(inet)
        this.#stack.netconf4.withdraw(dev)
        this.#stack.netconf4.announce(dev)
        return
    }
  }

  /** inetdev_init(). */
  #create(dev: NetDevice): void {
    dev.inet = new InDevice(dev)
    dev.stack.netconf4.announce(dev)
  }

  #addLoopback(inet: InDevice): void {
    const request = { ifindex: inet.dev.ifindex, prefixlen: 8, scope: RT_SCOPE_HOST }
    const ifa = new Ifaddr4(inet.dev, INADDR_LOOPBACK, request)
    setLifetime(ifa, INFINITY_LIFE_TIME, INFINITY_LIFE_TIME)
    if (inet.addresses.some((each) => each.local === ifa.local && each.sharesSubnet(ifa))) return
    this.#insert(inet, ifa, undefined)
  }

  /** inetdev_destroy(). */
  #destroy(dev: NetDevice): void {
    const { inet } = dev
    if (!inet) return
    inet.isDead = true
    inet.groups.destroy()
    for (let ifa = inet.addresses[0]; ifa; ifa = inet.addresses[0]) this.#remove(inet, ifa)
    dev.inet = undefined
    dev.stack.netconf4.withdraw(dev)
    dev.stack.arp.flush(dev)
  }

  /** inetdev_changename(): labels follow the name, and keep what stood behind a colon. */
  #relabel({ dev, addresses }: InDevice): void {
    for (const [i, ifa] of addresses.entries()) {
      const colon = ifa.label.indexOf(':')
      const suffix = i === 0 ? '' : colon < 0 ? `:${i + 1}` : ifa.label.slice(colon)
      ifa.label = dev.name.slice(0, IFNAMSIZ - 1 - suffix.length) + suffix
      this.#stack.chains.addr.call('NEWADDR', { ifa })
    }
  }
}

/** What a promoted secondary is put before: the address behind the last primary that it follows. */
function placeOfPrimary(inet: InDevice, gone: Ifaddr4): Ifaddr4 | undefined {
  const from = inet.addresses.indexOf(gone)
  let at = from + 1
  for (let i = from + 1; i < inet.addresses.length; i++) {
    const ifa = inet.addresses[i] as Ifaddr4
    if (!ifa.isSecondary && gone.scope <= ifa.scope) at = i + 1
    if (ifa.isSecondary && ifa.sharesSubnet(gone)) break
  }
  return inet.addresses[at]
}

/** set_ifa_lifetime(): seconds from now. */
function setLifetime(ifa: Ifaddr4, valid: number, preferred: number): void {
  ifa.flags &= ~(IFA_F_PERMANENT | IFA_F_DEPRECATED)
  ifa.validLft = valid
  ifa.preferredLft = preferred
  if (valid === INFINITY_LIFE_TIME) ifa.flags |= IFA_F_PERMANENT
  if (preferred === 0) ifa.flags |= IFA_F_DEPRECATED
  ifa.updated = ifa.dev.stack.now()
}
