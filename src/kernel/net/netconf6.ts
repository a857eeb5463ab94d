/**
 * IPv6's settings of one stack: of all devices, of new ones, and what follows from a change.
 *
 * Kernel: net/ipv6/addrconf.c addrconf_fixup_forwarding(), addrconf_fixup_linkdown(),
 * addrconf_sysctl_proxy_ndp(), addrconf_sysctl_disable(), addrconf_sysctl_addr_gen_mode(),
 * addrconf_sysctl_force_forwarding() (Linux 6.18).
 */
import type { Ipv6 } from './address.ts'
import type { NetconfAttribute } from './chains.ts'
import {
  AF_INET6,
  IFA_F_TENTATIVE,
  IFF_LOOPBACK,
  IFF_MULTICAST,
  IFF_NOARP,
  NETCONFA_IFINDEX_ALL,
  NETCONFA_IFINDEX_DEFAULT,
} from './constants.ts'
import { type Devconf6, type Devconf6Name, newDevconf6 } from './devconf6.ts'
import type { NetDevice } from './device.ts'
import { IN6_ADDR_GEN_MODE_STABLE_PRIVACY } from './ifaddr6.ts'
import { followForwarding } from './multicast6.ts'
import type { NetStack } from './stack.ts'

export class Netconf6 {
  readonly all = newDevconf6('all')
  /** What a new device begins with. */
  readonly default = newDevconf6('default')
  readonly #stack: NetStack
  readonly #secrets = new WeakMap<Devconf6, Ipv6>()

  constructor(stack: NetStack) {
    this.#stack = stack
  }

  /** ipv6_add_dev(): what `dev` begins with. */
  newConf(dev: NetDevice): Devconf6 {
    const conf = this.default.copy()
    conf.set('mtu6', dev.mtu)
    if (dev.flags & (IFF_NOARP | IFF_LOOPBACK)) conf.set('acceptDad', -1)
    if (dev.flags & IFF_LOOPBACK) conf.set('useTempaddr', -1)
    if (this.#secrets.has(this.default)) conf.set('addrGenMode', IN6_ADDR_GEN_MODE_STABLE_PRIVACY)
    return conf
  }

  /** addrconf_sysctl_register(): `dev` has settings from now on. */
  announce(dev: NetDevice): void {
    if (dev.inet6) this.#tell(dev.ifindex, dev.inet6.conf, 'all')
  }

  /** addrconf_sysctl_unregister(). */
  withdraw(dev: NetDevice): void {
    this.#stack.chains.netconf.call('DELNETCONF', { family: AF_INET6, ifindex: dev.ifindex })
  }

  /** What writing a file of net/ipv6/conf/NAME does. */
  set(conf: Devconf6, name: Devconf6Name, value: number): void {
    const old = conf.get(name)
    conf.set(name, value)
    switch (name) {
      case 'forwarding':
        this.#forward(conf, old, value)
        return
      case 'ignoreRoutesWithLinkdown':
        this.#ignoreLinkdown(conf, old, value)
        return
      case 'proxyNdp':
        if (old !== value) this.#tell(this.ifindexOf(conf), conf, 'proxyNeigh')
        return
      case 'forceForwarding':
        if (old !== value) this.#forceForwarding(conf, value)
        return
      case 'disableIpv6':
        this.#disable(conf, old, value)
        return
      case 'addrGenMode':
        this.#genMode(conf, old, value)
        return
    }
  }

  /** What stable addresses are made from, where somebody set it. */
  secretOf(conf: Devconf6): Ipv6 | undefined {
    return this.#secrets.get(conf)
  }

  /** Whether stable addresses can be made: with a secret of the device's own, or that of all. */
  hasSecret(conf: Devconf6): boolean {
    return this.#secrets.has(conf) || this.#secrets.has(this.default)
  }

  /** Addresses are made from `secret` from now on. */
  setSecret(conf: Devconf6, secret: Ipv6): void {
    this.#secrets.set(conf, secret)
    const mode = IN6_ADDR_GEN_MODE_STABLE_PRIVACY
    if (conf !== this.default) conf.set('addrGenMode', mode)
    else for (const [, each] of this.#each()) each.set('addrGenMode', mode)
  }

  ifindexOf(conf: Devconf6): number {
    if (conf === this.all) return NETCONFA_IFINDEX_ALL
    if (conf === this.default) return NETCONFA_IFINDEX_DEFAULT
    return this.#deviceOf(conf)?.ifindex ?? 0
  }

  #deviceOf(conf: Devconf6): NetDevice | undefined {
    return this.#stack.devices.list().find(({ inet6 }) => inet6?.conf === conf)
  }

  /** Each device with IPv6, and its settings. */
  *#each(): Iterable<[NetDevice, Devconf6]> {
    for (const dev of this.#stack.devices.list()) if (dev.inet6) yield [dev, dev.inet6.conf]
  }

  #forward(conf: Devconf6, old: number, value: number): void {
    const flips = isOn(old) !== isOn(value)
    if (conf !== this.all) {
      if (!flips) return
      const dev = this.#deviceOf(conf)
      if (dev) listenAsRouter(dev)
      this.#tell(this.ifindexOf(conf), conf, 'forwarding')
      return
    }
    this.#setDefault('forwarding', value)
    for (const [dev, each] of this.#each()) this.#follow(dev, each, 'forwarding', value)
    if (flips) this.#tell(NETCONFA_IFINDEX_ALL, conf, 'forwarding')
  }

  #ignoreLinkdown(conf: Devconf6, old: number, value: number): void {
    const name = 'ignoreRoutesWithLinkdown'
    const flips = isOn(old) !== isOn(value)
    if (conf === this.all) {
      this.default.set(name, value)
      for (const [dev, each] of this.#each()) this.#follow(dev, each, name, value)
    }
    if (flips) this.#tell(this.ifindexOf(conf), conf, name)
  }

  /** The default of all: told where it flips. */
  #setDefault(name: 'forwarding', value: number): void {
    const flips = isOn(this.default.get(name)) !== isOn(value)
    this.default.set(name, value)
    if (flips) this.#tell(NETCONFA_IFINDEX_DEFAULT, this.default, name)
  }

  #follow(
    dev: NetDevice,
    conf: Devconf6,
    name: 'forwarding' | 'ignoreRoutesWithLinkdown',
    value: number,
  ): void {
    const flips = isOn(conf.get(name)) !== isOn(value)
    conf.set(name, value)
    if (!flips) return
    if (name === 'forwarding') listenAsRouter(dev)
    this.#tell(dev.ifindex, conf, name)
  }

  /** Linux says that something changed, and not what. */
  #forceForwarding(conf: Devconf6, value: number): void {
    this.#tell(this.ifindexOf(conf), conf, 'forceForwarding')
    if (conf !== this.all) return
    for (const [dev, each] of this.#each()) {
      if (each.get('forceForwarding') === value) continue
      each.set('forceForwarding', value)
      this.#tell(dev.ifindex, each, 'forceForwarding')
    }
  }

  #disable(conf: Devconf6, old: number, value: number): void {
    const { addrconf } = this.#stack
    if (conf === this.default) return
    if (conf !== this.all) {
      const dev = this.#deviceOf(conf)
      if (dev && isOn(old) !== isOn(value)) addrconf.disable(dev, isOn(value))
      return
    }
    this.default.set('disableIpv6', value)
    for (const [dev, each] of [...this.#each()]) {
      const flips = isOn(each.get('disableIpv6')) !== isOn(value)
      each.set('disableIpv6', value)
      if (flips) addrconf.disable(dev, isOn(value))
    }
  }

  #genMode(conf: Devconf6, old: number, value: number): void {
    const { addrconf } = this.#stack
    if (conf === this.default) return
    if (conf !== this.all) {
      const dev = this.#deviceOf(conf)
      if (dev && old !== value) addrconf.makeAddresses(dev)
      return
    }
    this.default.set('addrGenMode', value)
    for (const [dev, each] of [...this.#each()]) {
      if (each.get('addrGenMode') === value) continue
      each.set('addrGenMode', value)
      addrconf.makeAddresses(dev)
    }
  }

  #tell(ifindex: number, conf: Devconf6, what: NetconfAttribute | 'all'): void {
    this.#stack.chains.netconf.call('NEWNETCONF', { family: AF_INET6, ifindex, conf, what })
  }
}

/** dev_forward_change(): what is meant for routers is heard, or no longer. */
function listenAsRouter({ flags, inet6 }: NetDevice): void {
  if (!inet6) return
  const isRouter = isOn(inet6.conf.get('forwarding'))
  if (flags & IFF_MULTICAST) followForwarding(inet6.groups, isRouter)
  for (const ifa of inet6.addresses) {
    if (ifa.flags & IFA_F_TENTATIVE) continue
    if (isRouter) ifa.anycasts.join(ifa)
    else ifa.anycasts.leave(ifa)
  }
}

function isOn(value: number): boolean {
  return value !== 0
}
