/**
 * bridge: a switch of ports.
 *
 * Kernel: net/bridge/br_if.c br_add_if(), del_nbp(), br_del_if(), br_device.c, br_netlink.c
 * br_changelink().
 */
import { NetlinkError } from '../../../errors.ts'
import {
  ARPHRD_ETHER,
  BR_STATE_DISABLED,
  ETH_ALEN,
  ETH_DATA_LEN,
  IFF_LOOPBACK,
} from '../constants.ts'
import { isValidEtherAddress, NetDevice, setRandomAddress } from '../device.ts'
import { setAllmulti, setPromiscuity } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { setMtu } from '../device-settings.ts'
import { Fdb } from '../fdb.ts'
import type { LinkKind } from '../link-kind.ts'
import { linkMaster, unlinkMaster } from '../master.ts'
import { BridgePort, type BridgePortOptions, selectPortStates } from './bridge-port.ts'
import { followSnooping, joinSnoopers, leaveSnoopers } from './bridge-snoopers.ts'

const BR_MAX_PORTS = 1024
/** Bytes: what a device takes at most, and what one without offers takes. */
const TSO_MAX_SIZE = 524_280
const TSO_LEGACY_MAX_SIZE = 65_536

/** What can be set on a bridge (IFLA_BR_*); times in hundredths of a second. */
export interface BridgeOptions {
  forwardDelay: number
  helloTime: number
  maxAge: number
  ageingTime: number
  stpState: number
  priority: number
  vlanFiltering: number
  vlanDefaultPvid: number
  groupFwdMask: number
  mcastSnooping: number
  mcastRouter: number
  mcastQuerier: number
  nfCallIptables: number
  nfCallIp6tables: number
  nfCallArptables: number
}

/** In the order in which br_changelink() takes them. */
const DEFAULTS: BridgeOptions = {
  forwardDelay: 1500,
  helloTime: 200,
  maxAge: 2000,
  ageingTime: 30_000,
  stpState: 0,
  priority: 0x8000,
  vlanFiltering: 0,
  vlanDefaultPvid: 1,
  groupFwdMask: 0,
  mcastSnooping: 1,
  mcastRouter: 1,
  mcastQuerier: 0,
  nfCallIptables: 0,
  nfCallIp6tables: 0,
  nfCallArptables: 0,
}

/** What br_changelink() refuses with ERANGE. */
const RANGES: Partial<Record<keyof BridgeOptions, readonly [number, number]>> = {
  helloTime: [100, 1000],
  maxAge: [600, 4000],
}
/** Of the forward delay, while the spanning tree protocol is on. */
const FORWARD_DELAY: readonly [number, number] = [200, 3000]

/** struct net_bridge. */
export class BridgeDevice extends NetDevice {
  override isNetnsLocal = true
  /** The newest first, as br_add_if() has it. */
  readonly ports: BridgePort[] = []
  readonly fdb = new Fdb({ dev: this, ports: this.ports })
  readonly options: BridgeOptions = { ...DEFAULTS }
  /** The address in the bridge's id: zero until a port or a user gives one. */
  id: Uint8Array = new Uint8Array(ETH_ALEN)
  #hasOwnMtu = false

  override get canEnslave(): boolean {
    return true
  }

  override open(): void {
    for (const port of this.ports) if (port.isRunning) port.enable()
    if (this.options.mcastSnooping) joinSnoopers(this)
  }

  override stop(): void {
    for (const port of this.ports) if (port.state !== BR_STATE_DISABLED) port.disable()
    if (this.options.mcastSnooping) leaveSnoopers(this)
  }

  override changeMtu(mtu: number): void {
    super.changeMtu(mtu)
    this.#hasOwnMtu = true
  }

  override changeAddress(address: Uint8Array): void {
    if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
    if (this.regState !== 'registered') throw new NetlinkError('EBUSY')
    if (address.some((byte, i) => byte !== this.address[i])) this.changeId(address)
  }

  /** br_add_if(). @throws NetlinkError EINVAL, ELOOP, EBUSY, EXFULL */
  override addSlave(dev: NetDevice): void {
    if (dev.flags & IFF_LOOPBACK || dev.type !== ARPHRD_ETHER || !isValidEtherAddress(dev.address))
      throw new NetlinkError('EINVAL')
    if (dev.kind === bridge) throw new NetlinkError('ELOOP', 'Can not enslave a bridge to a bridge')
    if (dev.master) throw new NetlinkError('EBUSY')
    if (dev.hasNoRxHandler) throw new NetlinkError('EINVAL')
    if (dev.rxHandler) throw new NetlinkError('EBUSY')
    const port = new BridgePort(this, dev, this.#freeNumber())
    setAllmulti(dev, 1)
    dev.bridgePort = port
    dev.rxHandler = 'bridge'
    try {
      linkMaster(dev, this)
    } catch (error) {
      dev.bridgePort = undefined
      dev.rxHandler = undefined
      setAllmulti(dev, -1)
      throw error
    }
    this.ports.unshift(port)
    setPromiscuity(dev, 1)
    if (this.ports.length === 1) this.#featuresChanged()
    this.fdb.addLocal(dev, dev.address)
    const isIdNew = this.#followPorts()
    if (port.isRunning && this.isUp) port.enable()
    port.announce()
    if (isIdNew) this.#addressChanged()
    this.adjustMtu()
    this.#setSegmentLimit()
  }

  /** br_del_if(). @throws NetlinkError EINVAL when it is no port of this bridge. */
  override deleteSlave(dev: NetDevice): void {
    if (dev.bridgePort?.bridge !== this) throw new NetlinkError('EINVAL')
    this.#removePort(dev.bridgePort)
    this.adjustMtu()
    this.#setSegmentLimit()
    this.recalculateId()
    if (this.ports.length === 0) this.#featuresChanged()
  }

  /** br_dev_delete(), up to the device itself. */
  removePorts(): void {
    for (const port of [...this.ports]) this.#removePort(port)
    this.fdb.deletePort(undefined)
  }

  /** br_mtu_auto_adjust(): the smallest of the ports', unless a user chose one. */
  adjustMtu(): void {
    if (this.#hasOwnMtu) return
    const mtus = this.ports.map(({ dev }) => dev.mtu)
    setMtu(this, mtus.length > 0 ? Math.min(...mtus) : ETH_DATA_LEN)
    this.#hasOwnMtu = false
  }

  /** Takes the lowest address of the ports, and tells when that changed the bridge's own. */
  recalculateId(): void {
    if (this.#followPorts()) this.#addressChanged()
  }

  /** br_stp_change_bridge_id(). */
  changeId(address: Uint8Array): void {
    this.fdb.changeBridgeAddress(address)
    this.id = address.slice()
    this.address = address.slice()
    selectPortStates(this)
  }

  /** br_changelink(): one after the other, in an order of its own. @throws NetlinkError ERANGE */
  change(options: Partial<BridgeOptions>): void {
    for (const name of Object.keys(DEFAULTS) as (keyof BridgeOptions)[]) {
      const value = options[name]
      if (value === undefined) continue
      const needsDelay = name === 'forwardDelay' && this.options.stpState !== 0
      const [min, max] = needsDelay ? FORWARD_DELAY : (RANGES[name] ?? [0, Infinity])
      if (value < min || value > max) throw new NetlinkError('ERANGE')
      if (name === 'stpState' && value !== 0 && this.options.stpState === 0) this.#startStp()
      const snooped = this.options.mcastSnooping
      this.options[name] = value
      if (name === 'mcastSnooping') followSnooping(this, snooped, value)
      if (name === 'priority') selectPortStates(this)
    }
  }

  /** br_stp_start(). */
  #startStp(): void {
    const { options } = this
    const [min, max] = FORWARD_DELAY
    options.forwardDelay = Math.min(Math.max(options.forwardDelay, min), max)
    selectPortStates(this)
  }

  /** br_set_gso_limits(). */
  #setSegmentLimit(): void {
    this.tsoMaxSize = Math.min(TSO_MAX_SIZE, ...this.ports.map(({ dev }) => dev.tsoMaxSize))
  }

  /** br_stp_recalculate_bridge_id(): whether the id changed. */
  #followPorts(): boolean {
    if (this.addressSource === 'set') return false
    const addresses = this.ports.map(({ dev }) => dev.address).sort(compareBytes)
    const lowest = addresses[0] ?? new Uint8Array(ETH_ALEN)
    if (compareBytes(lowest, this.id) === 0) return false
    this.changeId(lowest)
    return true
  }

  /** del_nbp(). */
  #removePort(port: BridgePort): void {
    const { dev } = port
    setAllmulti(dev, -1)
    setPromiscuity(dev, -1)
    port.disable()
    port.announce('DELLINK')
    this.ports.splice(this.ports.indexOf(port), 1)
    this.fdb.deletePort(dev)
    unlinkMaster(dev)
    dev.bridgePort = undefined
    dev.rxHandler = undefined
  }

  #freeNumber(): number {
    const used = new Set(this.ports.map(({ number }) => number))
    for (let number = 1; number < BR_MAX_PORTS; number++) if (!used.has(number)) return number
    throw new NetlinkError('EXFULL')
  }

  #addressChanged(): void {
    this.stack.chains.netdev.call('NETDEV_CHANGEADDR', { dev: this })
  }

  #featuresChanged(): void {
    this.stack.chains.netdev.call('NETDEV_FEAT_CHANGE', { dev: this })
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (const [i, byte] of a.entries()) if (byte !== b[i]) return byte - (b[i] ?? 0)
  return 0
}

export const bridge: LinkKind = {
  kind: 'bridge',
  validate({ address }) {
    if (!address) return
    if (address.length !== ETH_ALEN) throw new NetlinkError('EINVAL')
    if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
  },
  setup(stack, name) {
    const dev = new BridgeDevice(stack, name, bridge)
    setRandomAddress(dev)
    dev.tsoMaxSize = TSO_LEGACY_MAX_SIZE
    return dev
  },
  newlink(dev, request) {
    const created = dev as BridgeDevice
    registerDevice(created)
    if (request.address) created.changeId(request.address)
    try {
      created.change((request.data ?? {}) as Partial<BridgeOptions>)
    } catch (error) {
      created.removePorts()
      unregisterDevices([created])
      throw error
    }
  },
  changelink: (dev, data) => (dev as BridgeDevice).change(data as Partial<BridgeOptions>),
  slaveChangelink(_dev, port, data) {
    if (port.bridgePort) Object.assign(port.bridgePort.options, data as BridgePortOptions)
  },
  dellink(dev) {
    ;(dev as BridgeDevice).removePorts()
    return [dev]
  },
}
