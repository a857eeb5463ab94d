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
import { defaultBridgeOptions } from './bridge-defaults.ts'
import { Mdb } from './bridge-mdb.ts'
import {
  type BridgePortRequest,
  type BridgeRequest,
  changeBridge,
  changePort,
} from './bridge-options.ts'
import { BridgePort, selectPortStates } from './bridge-port.ts'
import { joinSnoopers, leaveSnoopers } from './bridge-snoopers.ts'
import { flushPortVlans, initPortVlans, VlanGroup } from './bridge-vlan.ts'

const BR_MAX_PORTS = 1024
/** Bytes: what a device takes at most, and what one without offers takes. */
const TSO_MAX_SIZE = 524_280
const TSO_LEGACY_MAX_SIZE = 65_536

/** struct net_bridge. */
export class BridgeDevice extends NetDevice {
  override isNetnsLocal = true
  /** The newest first, as br_add_if() has it. */
  readonly ports: BridgePort[] = []
  readonly vlans = new VlanGroup()
  readonly fdb = new Fdb(this)
  readonly mdb = new Mdb(this)
  readonly options = defaultBridgeOptions()
  /** The address in the bridge's id: zero until a port or a user gives one. */
  id: Uint8Array = new Uint8Array(ETH_ALEN)
  #hasOwnMtu = false

  get dev(): this {
    return this
  }

  /** Milliseconds after which a learned address is forgotten. */
  get ageing(): number {
    return this.options.ageingTime * 10
  }

  override get canEnslave(): boolean {
    return true
  }

  override open(): void {
    this.fdb.schedule()
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
    this.managePromiscuity()
    if (this.ports.length === 1) this.#featuresChanged()
    this.fdb.addLocal(dev, dev.address)
    initPortVlans(port)
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
    this.fdb.deletePort(undefined, 0, true)
    this.mdb.destroy()
  }

  /**
   * br_manage_promisc(): a bridge that tells VLANs apart and has one port, or none, that learns or
   * floods knows all addresses behind it.
   */
  managePromiscuity(): void {
    const automatic = this.ports.filter(({ options }) => options.learning || options.unicastFlood)
    for (const port of this.ports) {
      const isAlone = automatic.length === 1 && automatic[0] === port
      const isNeeded = !this.options.vlanFiltering || !(automatic.length === 0 || isAlone)
      if (isNeeded && !port.isPromiscuous) {
        port.isPromiscuous = true
        setPromiscuity(port.dev, 1)
      } else if (!isNeeded && port.isPromiscuous && port.dev.hasUnicastFilter) {
        port.isPromiscuous = false
        setPromiscuity(port.dev, -1)
      }
    }
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

  /** br_changelink(). @throws NetlinkError */
  change(request: BridgeRequest): void {
    changeBridge(this, request)
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
    if (port.isPromiscuous) setPromiscuity(dev, -1)
    port.isPromiscuous = false
    port.disable()
    port.announce('DELLINK')
    this.ports.splice(this.ports.indexOf(port), 1)
    this.mdb.flushPort(port, true)
    flushPortVlans(port)
    this.fdb.deletePort(dev, 0, true)
    for (const other of this.ports) if (other.backup === port) other.backup = undefined
    this.managePromiscuity()
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
      created.change((request.data ?? {}) as BridgeRequest)
    } catch (error) {
      created.removePorts()
      unregisterDevices([created])
      throw error
    }
  },
  changelink: (dev, data) => (dev as BridgeDevice).change(data as BridgeRequest),
  slaveChangelink(_dev, port, data) {
    if (port.bridgePort) changePort(port.bridgePort, (data ?? {}) as BridgePortRequest)
  },
  dellink(dev) {
    ;(dev as BridgeDevice).removePorts()
    return [dev]
  },
}
