/**
 * bond: several links that look like one. What needs packets, such as LACP's exchange, does not
 * happen; members take over from each other as carriers come and go.
 *
 * Kernel: drivers/net/bonding/bond_main.c bond_enslave(), __bond_release_one(), bond_options.c,
 * bond_netlink.c bond_changelink() (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import { NOTIFY_DONE } from '../../notifier/constants.ts'
import { ARPHRD_ETHER, ETH_MAX_MTU, IFF_MASTER, IFF_SLAVE, IFF_UP } from '../constants.ts'
import { isValidEtherAddress, type NetDevice, setRandomAddress } from '../device.ts'
import { changeFlags, combineFlags } from '../device-flags.ts'
import { registerDevice } from '../device-registry.ts'
import { setAddress, setMtu } from '../device-settings.ts'
import type { LinkKind } from '../link-kind.ts'
import { setCarrier } from '../link-watch.ts'
import { linkMaster, unlinkMaster } from '../master.ts'
import type { NetStack } from '../stack.ts'
import { EtherDevice, validateEtherLink } from './ether.ts'
import { attempt } from './stacked.ts'

const MODE_ROUND_ROBIN = 0
const MODE_ACTIVE_BACKUP = 1
const MODE_8023AD = 4
const MODE_TLB = 5
const MODE_ALB = 6
/** Queues of each direction. */
const QUEUES = 16
const INT_MAX = 0x7fffffff

/** IFLA_BOND_*; intervals in milliseconds, delays in intervals of `miimon`. */
export interface BondOptions {
  mode: number
  miimon: number
  updelay: number
  downdelay: number
  peerNotifDelay: number
  useCarrier: number
  arpInterval: number
  arpValidate: number
  arpAllTargets: number
  primaryReselect: number
  failOverMac: number
  xmitHashPolicy: number
  resendIgmp: number
  numPeerNotif: number
  allSlavesActive: number
  minLinks: number
  lpInterval: number
  packetsPerSlave: number
  adLacpActive: number
  adLacpRate: number
  adSelect: number
  tlbDynamicLb: number
  missedMax: number
  adActorSysPrio: number
  adUserPortKey: number
}

export interface BondData extends Partial<BondOptions> {
  /** Indices; 0: none. */
  readonly activeSlave?: number
  readonly primary?: number
  readonly arpIpTarget?: readonly string[]
  readonly adActorSystem?: Uint8Array
}

const DEFAULTS: BondOptions = {
  mode: MODE_ROUND_ROBIN,
  miimon: 0,
  updelay: 0,
  downdelay: 0,
  peerNotifDelay: 0,
  useCarrier: 1,
  arpInterval: 0,
  arpValidate: 0,
  arpAllTargets: 0,
  primaryReselect: 0,
  failOverMac: 0,
  xmitHashPolicy: 0,
  resendIgmp: 1,
  numPeerNotif: 1,
  allSlavesActive: 0,
  minLinks: 0,
  lpInterval: 1,
  packetsPerSlave: 1,
  adLacpActive: 1,
  adLacpRate: 0,
  adSelect: 0,
  tlbDynamicLb: 1,
  missedMax: 2,
  adActorSysPrio: 65_535,
  adUserPortKey: 0,
}

/** bond_opts: the largest value, the modes that know the option, and when it may be set. */
interface Rule {
  readonly max: number
  readonly min?: number
  readonly modes?: readonly number[]
  readonly isWithoutMembers?: boolean
  readonly isDown?: boolean
}
const WITHOUT_ARP = [0, 1, 2, 3]
const WITH_PRIMARY = [MODE_ACTIVE_BACKUP, MODE_TLB, MODE_ALB]
const RULES: Readonly<Record<keyof BondOptions, Rule>> = {
  mode: { max: 6, isWithoutMembers: true, isDown: true },
  miimon: { max: INT_MAX },
  updelay: { max: INT_MAX },
  downdelay: { max: INT_MAX },
  peerNotifDelay: { max: 300_000 },
  useCarrier: { max: 1 },
  arpInterval: { max: INT_MAX, modes: WITHOUT_ARP },
  arpValidate: { max: 6, modes: WITHOUT_ARP },
  arpAllTargets: { max: 1 },
  primaryReselect: { max: 2 },
  failOverMac: { max: 2, isWithoutMembers: true },
  xmitHashPolicy: { max: 5 },
  resendIgmp: { max: 255 },
  numPeerNotif: { max: 255 },
  allSlavesActive: { max: 1 },
  minLinks: { max: INT_MAX },
  lpInterval: { min: 1, max: INT_MAX },
  packetsPerSlave: { max: 65_535, modes: [MODE_ROUND_ROBIN] },
  adLacpActive: { max: 1, modes: [MODE_8023AD], isDown: true },
  adLacpRate: { max: 1, modes: [MODE_8023AD], isDown: true },
  adSelect: { max: 2, isDown: true },
  tlbDynamicLb: { max: 1, modes: [MODE_TLB, MODE_ALB], isDown: true },
  missedMax: { min: 1, max: 255, modes: WITHOUT_ARP },
  adActorSysPrio: { min: 1, max: 65_535, modes: [MODE_8023AD] },
  adUserPortKey: { max: 1023, modes: [MODE_8023AD], isDown: true },
}

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
    if (this.members.length === 0) this.type = dev.type
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
    changeFlags(dev, combineFlags(dev, IFF_UP, IFF_UP))
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

  /** __bond_release_one(). @throws NetlinkError EINVAL */
  override deleteSlave(dev: NetDevice): void {
    const member = this.memberOf(dev)
    if (!member) throw new NetlinkError('EINVAL')
    this.members = this.members.filter((each) => each !== member)
    if (this.active === member) this.active = undefined
    if (this.primary === dev) this.primary = undefined
    if (this.members.length === 0) this.type = ARPHRD_ETHER
    dev.rxHandler = undefined
    unlinkMaster(dev)
    dev.flags &= ~IFF_SLAVE
    this.follow()
    this.stack.chains.netdev.call('NETDEV_FEAT_CHANGE', { dev: this })
    if (dev.regState !== 'registered') return
    attempt(() => changeFlags(dev, combineFlags(dev, 0, IFF_UP)))
    attempt(() => setAddress(dev, member.permanent))
    attempt(() => setMtu(dev, member.mtu))
  }

  /** bond_select_active_slave(), bond_set_carrier(): after a member came, went or changed. */
  follow(): void {
    for (const member of this.members) {
      const isUsable = member.dev.isUp && member.dev.hasCarrier
      if (member.isUsable && !isUsable) member.failures++
      member.isUsable = isUsable
    }
    if (this.hasActive) {
      const best = this.memberOf(this.primary ?? this)
      if (best?.isUsable) this.active = best
      else if (!this.active?.isUsable) this.active = this.members.find((each) => each.isUsable)
    } else this.active = undefined
    const usable = this.members.filter((each) => each.isUsable).length
    setCarrier(this, usable > 0 && usable >= this.options.minLinks)
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
    options[name] = value
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
      this.active = undefined
      return
    }
    const dev = this.stack.devices.byIndex(ifindex)
    if (!dev) throw new NetlinkError('ENODEV')
    const member = this.memberOf(dev)
    if (!member) refuse('EINVAL', 'invalid option value')
    if (!member.isUsable) throw new NetlinkError('EINVAL')
    this.active = member
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
    dev.change((request.data ?? {}) as BondData)
    registerDevice(dev)
  },
  changelink: (dev, data) => (dev as BondDevice).change((data ?? {}) as BondData),
  slaveChangelink(dev, port, data) {
    const member = (dev as BondDevice).memberOf(port)
    if (member) Object.assign(member, data)
  },
  dellink(dev) {
    const gone = dev as BondDevice
    for (const { dev: member } of [...gone.members]) gone.deleteSlave(member)
    return [dev]
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
