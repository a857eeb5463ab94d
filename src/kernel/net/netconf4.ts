/**
 * IPv4's settings of one stack: of all devices, of new ones, and what follows from a change.
 *
 * Kernel: net/ipv4/devinet.c devinet_conf_proc(), devinet_sysctl_forward(), inet_forward_change(),
 * devinet_copy_dflt_conf() (Linux 6.18).
 */
import type { NetconfAttribute } from './chains.ts'
import {
  AF_INET,
  IFF_LOOPBACK,
  NETCONFA_IFINDEX_ALL,
  NETCONFA_IFINDEX_DEFAULT,
} from './constants.ts'
import type { Devconf4, Devconf4Name } from './devconf4.ts'
import { newDevconf4 } from './devconf4.ts'
import type { NetDevice } from './device.ts'
import type { NetStack } from './stack.ts'

/** Settings whose change user space hears of, and as what. */
const TOLD: Partial<Record<Devconf4Name, NetconfAttribute>> = {
  rpFilter: 'rpFilter',
  proxyArp: 'proxyNeigh',
  ignoreRoutesWithLinkdown: 'ignoreRoutesWithLinkdown',
}

/** Settings that never spread from the defaults to the devices that are there. */
const STAYS: ReadonlySet<Devconf4Name> = new Set<Devconf4Name>([
  'forwarding',
  'noxfrm',
  'nopolicy',
  'promoteSecondaries',
  'routeLocalnet',
  'dropUnicastInL2Multicast',
])

export class Netconf4 {
  readonly all: Devconf4
  /** What a new device begins with. */
  readonly default: Devconf4
  readonly #stack: NetStack

  /** A namespace begins with what `first` has, the first one of its kernel. */
  constructor(stack: NetStack, first?: Netconf4) {
    this.#stack = stack
    this.all = first?.all.copy() ?? newDevconf4('all')
    this.default = first?.default.copy() ?? newDevconf4('default')
  }

  /** inetdev_init(): what `dev` begins with. */
  newConf(dev: NetDevice): Devconf4 {
    const conf = this.default.copy()
    if (!(dev.flags & IFF_LOOPBACK)) return conf
    for (const name of ['noxfrm', 'nopolicy'] as const) {
      conf.set(name, 1)
      conf.pin(name)
    }
    return conf
  }

  /** devinet_sysctl_register(): `dev` has settings from now on. */
  announce(dev: NetDevice): void {
    if (dev.inet) this.#tell(dev.ifindex, dev.inet.conf, 'all')
  }

  /** devinet_sysctl_unregister(). */
  withdraw(dev: NetDevice): void {
    this.#stack.chains.netconf.call('DELNETCONF', { family: AF_INET, ifindex: dev.ifindex })
  }

  /** What writing a file of net/ipv4/conf/NAME does. */
  set(conf: Devconf4, name: Devconf4Name, value: number): void {
    const old = conf.get(name)
    conf.set(name, value)
    if (name === 'forwarding') {
      if (value !== old) this.#forward(conf, value)
      return
    }
    if (!STAYS.has(name)) {
      conf.pin(name)
      if (conf === this.default) this.#spread(name)
    }
    const told = TOLD[name]
    if (told && value !== old) this.#tell(this.ifindexOf(conf), conf, told)
  }

  /** devinet_conf_ifindex(). */
  ifindexOf(conf: Devconf4): number {
    if (conf === this.all) return NETCONFA_IFINDEX_ALL
    if (conf === this.default) return NETCONFA_IFINDEX_DEFAULT
    const owner = this.#stack.devices.list().find(({ inet }) => inet?.conf === conf)
    return owner?.ifindex ?? 0
  }

  /** devinet_copy_dflt_conf(): a default reaches the devices that nobody decided for. */
  #spread(name: Devconf4Name): void {
    for (const { inet } of this.#stack.devices.list()) {
      if (inet && !inet.conf.isPinned(name)) inet.conf.set(name, this.default.get(name))
    }
  }

  #forward(conf: Devconf4, value: number): void {
    if (conf !== this.all) {
      this.#tell(this.ifindexOf(conf), conf, 'forwarding')
      return
    }
    this.all.set('acceptRedirects', value === 0 ? 1 : 0)
    this.default.set('forwarding', value)
    this.#tell(NETCONFA_IFINDEX_ALL, this.all, 'forwarding')
    this.#tell(NETCONFA_IFINDEX_DEFAULT, this.default, 'forwarding')
    for (const dev of this.#stack.devices.list()) {
      if (!dev.inet) continue
      dev.inet.conf.set('forwarding', value)
      dev.inet.conf.pin('forwarding')
      this.#tell(dev.ifindex, dev.inet.conf, 'forwarding')
    }
  }

  #tell(ifindex: number, conf: Devconf4, what: NetconfAttribute | 'all'): void {
    this.#stack.chains.netconf.call('NEWNETCONF', { family: AF_INET, ifindex, conf, what })
  }
}
