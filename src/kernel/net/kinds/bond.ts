/**
 * bond: several links that look like one. What needs packets, such as LACP's exchange, does not
 * happen; members take over from each other as carriers come and go.
 *
 * Kernel: drivers/net/bonding/bond_main.c bond_enslave(), __bond_release_one(), bond_options.c,
 * bond_netlink.c bond_changelink() (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import type { NetdevEvent } from '../chains.ts'
import { ARPHRD_ETHER, ETH_MAX_MTU, IFF_MASTER, IFF_SLAVE, IFF_UP } from '../constants.ts'
import { isValidEtherAddress, type NetDevice, setRandomAddress } from '../device.ts'
import { changeFlags, combineFlags } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { setAddress, setMtu } from '../device-settings.ts'
import type { LinkKind } from '../link-kind.ts'
import { setCarrier } from '../link-watch.ts'
import { linkMaster, unlinkMaster } from '../master.ts'
import type { NetStack } from '../stack.ts'
import {
  type BondData,
  type BondOptions,
  DEFAULTS,
  MODE_8023AD,
  MODE_ACTIVE_BACKUP,
  RULES,
  WITH_PRIMARY,
  WITHOUT_ARP,
} from './bond-options.ts'
import { EtherDevice, validateEtherLink } from './ether.ts'
import { attempt } from './stacked.ts'

/** Queues of each direction. */
const QUEUES = 16

/** A member (struct slave). */
export interface BondMember {
  readonly dev: NetDevice
  readonly permanent: Uint8Array
  /** Its MTU before it came. */
  readonly mtu: number
  failures: number
  queueId: number
  prio: number
  isUsable: boolean
}

export class BondDevice extends EtherDevice {
  override maxMtu = ETH_MAX_MTU
  override hasCarrier = false
  readonly options: BondOptions = { ...DEFAULTS }
  members: BondMember[] = []
  active: BondMember | undefined
  primary: NetDevice | undefined
  /** IPv4 addresses that are asked for, to see whether a member works. */
  arpTargets: readonly string[] = []
  /** The MAC address of its side in LACP; zero: its own. */
  actorSystem: Uint8Array = new Uint8Array(6)

  override get canEnslave(): boolean {
    return true
  }

  /** Whether one member carries all. */
  get hasActive(): boolean {
    return WITH_PRIMARY.includes(this.options.mode)
  }

  get isAggregating(): boolean {
    return this.options.mode === MODE_8023AD
  }

  memberOf(dev: NetDevice): BondMember | undefined {
    return this.members.find((member) => member.dev === dev)
  }

  override open(): void {
    this.follow()
  }

  /** bond_uninit(): all members go. */
  override uninit(): void {
    for (const { dev } of [...this.members]) this.deleteSlave(dev)
  }

  /** bond_change_mtu(): of all members, too. */
  override changeMtu(mtu: number): void {
    for (const { dev } of this.members) setMtu(dev, mtu)
    super.changeMtu(mtu)
  }

  /** bond_set_mac_address(): of all members, too. */
  override changeAddress(address: Uint8Array): void {
    super.changeAddress(address)
    for (const { dev } of this.members) setAddress(dev, this.address)
  }

  /** bond_enslave(). @throws NetlinkError EPERM, EBUSY, EINVAL */
  override addSlave(dev: NetDevice): void {
    if (dev === this) throw new NetlinkError('EPERM', 'Cannot enslave bond to itself.')
    if (dev.flags & IFF_MASTER && dev.kind?.kind === 'bond' && hasMember(dev, this)) {
      throw new NetlinkError('EBUSY')
    }
    if (dev.flags & IFF_SLAVE || dev.rxHandler) throw new NetlinkError('EBUSY')
    if (dev.isUp) throw new NetlinkError('EPERM', 'Device can not be enslaved while up')
    if (this.members.length === 0 && this.type !== dev.type) this.#become(dev)
    if (dev.type !== this.type) {
      throw new NetlinkError('EINVAL', 'Device type is different from other slaves')
    }
    const { mtu } = dev
    const permanent = dev.address.slice()
    if (this.members.length === 0 && this.addressSource === 'random') {
      super.changeAddress(permanent)
      this.stack.chains.netdev.call('NETDEV_CHANGEADDR', { dev: this })
    }
    if (dev.mtu !== this.mtu) setMtu(dev, this.mtu)
    setAddress(dev, this.address)
    dev.hasNoAddrconf = true
    changeFlags(dev, combineFlags(dev, IFF_UP, IFF_UP))
    // Its state as a link, and as a member.
    tell(dev, 'NETDEV_CHANGELOWERSTATE')
    tell(dev, 'NETDEV_CHANGELOWERSTATE')
    linkMaster(dev, this)
    dev.rxHandler = 'bond'
    dev.flags |= IFF_SLAVE
    const member = {
      dev,
      permanent,
      mtu,
      failures: 0,
      queueId: 0,
      prio: 0,
      isUsable: dev.hasCarrier,
    }
    this.members.push(member)
    this.stack.chains.link.call('NEWLINK', { dev, change: IFF_SLAVE })
    this.stack.chains.netdev.call('NETDEV_FEAT_CHANGE', { dev: this })
    this.follow()
  }

  /** bond_setup_by_slave(): a bond is of the type of its first member. */
  #become({ type, broadcast }: NetDevice): void {
    this.type = type
    this.broadcast = broadcast.slice()
    tell(this, 'NETDEV_POST_TYPE_CHANGE')
  }

  /** __bond_release_one(). @throws NetlinkError EINVAL */
  override deleteSlave(dev: NetDevice): void {
    const member = this.memberOf(dev)
    if (!member) throw new NetlinkError('EINVAL')
    if (this.active === member) this.#select(undefined)
    this.members = this.members.filter((each) => each !== member)
    if (this.primary === dev) this.primary = undefined
    if (this.members.length === 0) this.type = ARPHRD_ETHER
    dev.rxHandler = undefined
    unlinkMaster(dev)
    this.follow()
    if (this.regState === 'registered') tell(this, 'NETDEV_FEAT_CHANGE')
    dev.flags &= ~IFF_SLAVE
    attempt(() => changeFlags(dev, combineFlags(dev, 0, IFF_UP)))
    dev.hasNoAddrconf = false
    attempt(() => setAddress(dev, member.permanent))
    if (dev.regState === 'registered') attempt(() => setMtu(dev, member.mtu))
    else dev.mtu = member.mtu
  }

  /** bond_select_active_slave(), bond_set_carrier(): after a member came, went or changed. */
  follow(): void {
    for (const member of this.members) {
      const isUsable = member.dev.isUp && member.dev.hasCarrier
      if (member.isUsable && !isUsable) member.failures++
      const isNews = member.isUsable !== isUsable && this.options.miimon > 0
      member.isUsable = isUsable
      if (isNews) tell(member.dev, 'NETDEV_CHANGELOWERSTATE')
    }
    this.#select(this.#best())
  }

  /** bond_find_best_slave(). */
  #best(): BondMember | undefined {
    if (!this.hasActive) return undefined
    const best = this.memberOf(this.primary ?? this)
    if (best?.isUsable) return best
    return this.active?.isUsable ? this.active : this.members.find((each) => each.isUsable)
  }

  /** bond_change_active_slave(): who was and who is told, then that it is another one. */
  #select(next: BondMember | undefined): void {
    const last = this.active
    this.active = next
    if (last && last !== next) tell(last.dev, 'NETDEV_CHANGELOWERSTATE')
    if (next && last !== next) tell(next.dev, 'NETDEV_CHANGELOWERSTATE')
    const usable = this.members.filter((each) => each.isUsable).length
    setCarrier(this, usable > 0 && usable >= this.options.minLinks)
    if (!next || last === next) return
    tell(this, 'NETDEV_BONDING_FAILOVER')
    if (!this.isUp) return
    this.#announce(next)
    if (this.options.resendIgmp > 0) {
      this.stack.setTimer(() => tell(this, 'NETDEV_RESEND_IGMP'), TICK)
    }
  }

  /** bond_should_notify_peers(): once the member's carrier has been told of. */
  #announce(member: BondMember): void {
    if (!this.hasCarrier || this.options.numPeerNotif === 0) return
    if (!this.stack.linkWatch.isPending(member.dev)) {
      tell(this, 'NETDEV_NOTIFY_PEERS')
      return
    }
    const later = (): void => {
      if (this.active === member && this.isUp) tell(this, 'NETDEV_NOTIFY_PEERS')
    }
    if (this.options.miimon > 0) this.stack.setTimer(later, this.options.miimon)
  }

  /** bond_changelink(). @throws NetlinkError EINVAL, EACCES, ENOTEMPTY, EBUSY, EPERM */
  change({ activeSlave, primary, arpIpTarget, adActorSystem, ...values }: BondData): void {
    if (values.mode !== undefined) this.#set('mode', values.mode)
    if (activeSlave !== undefined) this.#activate(activeSlave)
    if (values.miimon && values.arpInterval) {
      const text = 'ARP monitoring cannot be used with MII monitoring'
      throw new NetlinkError('EINVAL', text)
    }
    for (const name of Object.keys(DEFAULTS) as (keyof BondOptions)[]) {
      const value = values[name]
      if (value !== undefined && name !== 'mode') this.#set(name, value)
      if (name === 'arpAllTargets' && primary !== undefined) this.#setPrimary(primary)
    }
    if (adActorSystem) this.#setSystem(adActorSystem)
    if (arpIpTarget) this.arpTargets = arpIpTarget
    this.follow()
  }

  /** bond_opt_check_deps(), and the option's own function. */
  #set(name: keyof BondOptions, value: number): void {
    const { options } = this
    const { max, min = 0, modes, isWithoutMembers, isDown } = RULES[name]
    if (modes && !modes.includes(options.mode)) refuse('EACCES', 'option not supported in mode')
    if (isWithoutMembers && this.members.length > 0) {
      refuse('ENOTEMPTY', 'unable to set option because the bond device has slaves')
    }
    if (isDown && this.isUp) refuse('EBUSY', 'unable to set option because the bond device is up')
    if (value < min || value > max) refuse('EINVAL', 'invalid option value')
    if (name === 'updelay' || name === 'downdelay' || name === 'peerNotifDelay') {
      if (options.miimon === 0) throw new NetlinkError('EPERM')
      options[name] = Math.floor(value / options.miimon)
      return
    }
    const wasBackup = options.mode === MODE_ACTIVE_BACKUP
    options[name] = value
    // What a member can do for IPsec counts where one carries all.
    const isBackup = options.mode === MODE_ACTIVE_BACKUP
    if (isBackup !== wasBackup && this.regState === 'registered') tell(this, 'NETDEV_FEAT_CHANGE')
    if (name === 'mode' && !WITHOUT_ARP.includes(value) && options.arpInterval) {
      options.arpInterval = 0
      if (!options.miimon) options.miimon = 100
    }
    if (name === 'miimon' && value !== 0) {
      options.arpInterval = 0
      options.arpValidate = 0
    }
    if (name === 'arpInterval' && value !== 0) options.miimon = 0
  }

  /** bond_option_active_slave_set(). */
  #activate(ifindex: number): void {
    if (!this.hasActive) refuse('EACCES', 'option not supported in mode')
    if (ifindex === 0) {
      this.#select(undefined)
      return
    }
    const dev = this.stack.devices.byIndex(ifindex)
    if (!dev) throw new NetlinkError('ENODEV')
    const member = this.memberOf(dev)
    if (!member) refuse('EINVAL', 'invalid option value')
    if (!member.isUsable) throw new NetlinkError('EINVAL')
    this.#select(member)
  }

  #setSystem(address: Uint8Array): void {
    if (this.options.mode !== MODE_8023AD) refuse('EACCES', 'option not supported in mode')
    if (!isValidEtherAddress(address)) refuse('EINVAL', 'invalid option value')
    this.actorSystem = address
  }

  #setPrimary(ifindex: number): void {
    if (!this.hasActive) refuse('EACCES', 'option not supported in mode')
    this.primary = this.stack.devices.byIndex(ifindex)
  }
}

/** A moment that work is put off by: one tick of 250 a second. */
const TICK = 4

function tell(dev: NetDevice, event: NetdevEvent): void {
  dev.stack.chains.netdev.call(event, { dev })
}

function hasMember(dev: NetDevice, wanted: NetDevice): boolean {
  return dev instanceof BondDevice && dev.members.some(({ dev: each }) => each === wanted)
}

function refuse(code: 'EACCES' | 'ENOTEMPTY' | 'EBUSY' | 'EINVAL', text: string): never {
  throw new NetlinkError(code, text)
}

export const bond: LinkKind = {
  kind: 'bond',
  queues: QUEUES,
  validate: validateEtherLink,
  setup(stack, name) {
    const dev = new BondDevice(stack, name, bond)
    dev.flags |= IFF_MASTER
    dev.tsoMaxSize = 65_536
    return dev
  },
  newlink(created, request) {
    const dev = created as BondDevice
    if (!request.address) setRandomAddress(dev)
    registerDevice(dev)
    try {
      dev.change((request.data ?? {}) as BondData)
    } catch (error) {
      unregisterDevices([dev])
      throw error
    }
  },
  changelink: (dev, data) => (dev as BondDevice).change((data ?? {}) as BondData),
  slaveChangelink(dev, port, data) {
    const member = (dev as BondDevice).memberOf(port)
    if (member) Object.assign(member, data)
  },
}

/** bond_netdev_event(): of members. */
export function watchBonds(stack: NetStack): void {
  stack.chains.netdev.register({
    name: 'bond_netdev_notifier',
    call(event, { dev }) {
      const { master } = dev
      if (!(master instanceof BondDevice) || !master.memberOf(dev)) return NOTIFY_DONE
      if (event === 'NETDEV_UNREGISTER') master.deleteSlave(dev)
      if (event === 'NETDEV_UP' || event === 'NETDEV_DOWN' || event === 'NETDEV_CHANGE') {
        master.follow()
      }
      return NOTIFY_DONE
    },
  })
}
