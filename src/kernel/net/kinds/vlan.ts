/**
 * vlan: a link that carries one VLAN of another.
 *
 * Kernel: net/8021q/vlan_netlink.c, vlan_dev.c, vlan.c vlan_device_event() (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import {
  ETH_ALEN,
  ETH_MAX_MTU,
  IFF_ALLMULTI,
  IFF_MASTER,
  IFF_PROMISC,
  IFF_SLAVE,
  IFF_UP,
} from '../constants.ts'
import { isValidEtherAddress, type NetDevice } from '../device.ts'
import {
  addUnicast,
  changeFlags,
  closeDevices,
  combineFlags,
  removeUnicast,
  setAllmulti,
  setPromiscuity,
} from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { setCarrier } from '../link-watch.ts'
import { linkUpper, unlinkUpper } from '../master.ts'
import type { NetStack } from '../stack.ts'
import {
  attempt,
  findLink,
  StackedDevice,
  shrinkTo,
  standingOn,
  transferAll,
  watchStacked,
} from './stacked.ts'

const ETH_P_8021Q = 0x8100
const ETH_P_8021AD = 0x88a8
/** Numbers of VLANs are below. */
const VLAN_N_VID = 4095

const VLAN_FLAG_REORDER_HDR = 0x1
const VLAN_FLAG_LOOSE_BINDING = 0x4
const VLAN_FLAG_BRIDGE_BINDING = 0x10
const VLAN_FLAGS = 0x1f

/** What a packet's priority becomes. */
export interface QosMapping {
  readonly from: number
  readonly to: number
}

/** IFLA_VLAN_*. */
export interface VlanData {
  readonly id?: number
  /** ETH_P_8021Q or ETH_P_8021AD. */
  readonly protocol?: number
  readonly flags?: { readonly flags: number; readonly mask: number }
  readonly ingressQos?: { readonly mapping?: readonly QosMapping[] }
  readonly egressQos?: { readonly mapping?: readonly QosMapping[] }
}

function refuse(code: 'EINVAL' | 'ENODEV' | 'EEXIST' | 'ERANGE', text: string): never {
  throw new NetlinkError(code, `8021q: ${text}`)
}

/** struct vlan_dev_priv. */
export class VlanDevice extends StackedDevice {
  override maxMtu = ETH_MAX_MTU
  override hasUnicastFilter = true
  override broadcast: Uint8Array = new Uint8Array(ETH_ALEN)
  id = 0
  protocol = ETH_P_8021Q
  /** VLAN_FLAG_*. */
  vlanFlags = VLAN_FLAG_REORDER_HDR
  /** What the eight priorities of the tag become. */
  readonly ingress: number[] = Array(8).fill(0)
  /** In the order in which they are found: sixteen rows, the newest of a row first. */
  readonly egress: { from: number; to: number }[][] = Array.from({ length: 16 }, () => [])

  override get rank(): number {
    return (this.protocol === ETH_P_8021Q ? 0 : VLAN_N_VID + 1) + this.id
  }

  get isLoose(): boolean {
    return (this.vlanFlags & VLAN_FLAG_LOOSE_BINDING) !== 0
  }

  /** Its carrier is what the bridge says that it stands on. */
  get isBridgeBound(): boolean {
    return (this.vlanFlags & VLAN_FLAG_BRIDGE_BINDING) !== 0
  }

  override init(): void {
    const { real } = this
    if (!real) return
    const kept = ~(IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_MASTER | IFF_SLAVE)
    this.flags = real.flags & kept
    this.hasCarrier = real.hasCarrier
    this.isDormant = real.isDormant
    this.tsoMaxSize = real.tsoMaxSize
    if (!this.address.some((byte) => byte !== 0)) {
      this.address = real.address.slice()
      this.addressSource = 'stolen'
    }
    if (!this.broadcast.some((byte) => byte !== 0)) this.broadcast = real.broadcast.slice()
  }

  override open(): void {
    const { real } = this
    if (!real) return
    if (!real.isUp && !this.isLoose) throw new NetlinkError('ENETDOWN')
    this.inheritAddress()
    if (this.hasOwnAddress) addUnicast(real, this.address)
    if (real.hasCarrier && !this.isBridgeBound) setCarrier(this, true)
  }

  override stop(): void {
    if (this.real && this.hasOwnAddress) removeUnicast(this.real, this.address)
    if (!this.isBridgeBound) setCarrier(this, false)
  }

  override changeRxFlags(changed: number): void {
    const { real } = this
    if (!real) return
    if (changed & IFF_ALLMULTI) setAllmulti(real, this.flags & IFF_ALLMULTI ? 1 : -1)
    if (changed & IFF_PROMISC) setPromiscuity(real, this.flags & IFF_PROMISC ? 1 : -1)
  }

  override changeMtu(mtu: number): void {
    if (this.real && mtu > this.real.mtu) throw new NetlinkError('ERANGE')
    super.changeMtu(mtu)
  }

  get hasOwnAddress(): boolean {
    return this.real?.address.some((byte, i) => byte !== this.address[i]) ?? false
  }

  /** vlan_dev_set_mac_address(). */
  override changeAddress(address: Uint8Array): void {
    const { real, isUp } = this
    const old = this.address
    const hadOwn = this.hasOwnAddress
    super.changeAddress(address)
    if (!real || !isUp) return
    if (this.hasOwnAddress) addUnicast(real, this.address)
    if (hadOwn) removeUnicast(real, old)
  }

  /** vlan_dev_inherit_address(): whether it has the address of what it stands on. */
  inheritAddress(): void {
    const { real } = this
    if (!real || this.addressSource !== 'stolen') return
    if (real.address.every((byte, i) => byte === this.address[i])) return
    this.address = real.address.slice()
    this.stack.chains.netdev.call('NETDEV_CHANGEADDR', { dev: this })
  }

  /** vlan_changelink(). @throws NetlinkError EINVAL */
  change({ flags, ingressQos, egressQos }: VlanData): void {
    if (flags) {
      if (flags.mask & ~VLAN_FLAGS) throw new NetlinkError('EINVAL')
      this.vlanFlags = (this.vlanFlags & ~flags.mask) | (flags.flags & flags.mask)
    }
    for (const { from, to } of ingressQos?.mapping ?? []) this.ingress[from & 7] = to
    for (const { from, to } of egressQos?.mapping ?? []) this.#setEgress(from, to & 7)
  }

  #setEgress(from: number, to: number): void {
    const row = this.egress[from & 15] as { from: number; to: number }[]
    const known = row.find((each) => each.from === from)
    if (known) known.to = to
    else row.unshift({ from, to })
  }
}

/** vlan_validate(). */
function validate(request: LinkRequest): void {
  const { address } = request
  if (address && address.length !== ETH_ALEN) refuse('EINVAL', 'Invalid link address')
  if (address && !isValidEtherAddress(address)) {
    throw new NetlinkError('EADDRNOTAVAIL', '8021q: Invalid link address')
  }
  const data = request.data as VlanData | undefined
  if (!data) refuse('EINVAL', 'VLAN properties not specified')
  const { protocol, id, flags } = data
  if (protocol !== undefined && protocol !== ETH_P_8021Q && protocol !== ETH_P_8021AD) {
    throw new NetlinkError('EPROTONOSUPPORT', '8021q: Invalid VLAN protocol')
  }
  if (id !== undefined && id >= VLAN_N_VID) refuse('ERANGE', 'Invalid VLAN id')
  if (flags && flags.flags & flags.mask & ~VLAN_FLAGS) refuse('EINVAL', 'Invalid VLAN flags')
}

/** vlan_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as VlanDevice
  const data = (request.data ?? {}) as VlanData
  if (data.id === undefined) refuse('EINVAL', 'VLAN id not specified')
  if (request.link === undefined) refuse('EINVAL', 'link not specified')
  const real = findLink(dev, request)
  if (!real) refuse('ENODEV', 'link does not exist')
  dev.protocol = data.protocol ?? ETH_P_8021Q
  dev.id = data.id
  if (real.isVlanChallenged) {
    throw new NetlinkError('EOPNOTSUPP', '8021q: VLANs not supported on device')
  }
  const others = standingOn(real, VlanDevice)
  if (others.some(({ id, protocol }) => id === dev.id && protocol === dev.protocol)) {
    refuse('EEXIST', 'VLAN device already exists')
  }
  if (request.mtu === undefined) dev.mtu = real.mtu
  else if (dev.mtu > real.mtu) throw new NetlinkError('EINVAL')
  dev.real = real
  dev.change(data)
  registerDevice(dev)
  try {
    linkUpper(real, dev)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  transferAll(real, [dev])
  dev.stack.linkWatch.fire(dev)
}

export const vlan: LinkKind = {
  kind: 'vlan',
  validate,
  setup: (stack, name) => new VlanDevice(stack, name, vlan),
  newlink,
  changelink: (dev, data) => (dev as VlanDevice).change(data as VlanData),
  dellink(dev) {
    const { real } = dev as VlanDevice
    if (real) unlinkUpper(real, dev)
    return [dev]
  },
}

/** vlan_device_event(): what happens to a device happens to its VLANs. */
export function watchVlans(stack: NetStack): void {
  watchStacked(stack, 'vlan_notifier_block', VlanDevice, (event, real, vlans) => {
    const followers = vlans.filter(({ isBridgeBound }) => !isBridgeBound)
    switch (event) {
      case 'NETDEV_CHANGE':
        transferAll(real, followers)
        return
      case 'NETDEV_CHANGEADDR':
        for (const dev of vlans) if (dev.isUp) dev.inheritAddress()
        return
      case 'NETDEV_CHANGEMTU':
        shrinkTo(real, vlans)
        return
      case 'NETDEV_DOWN': {
        const closing = vlans.filter(({ isUp, isLoose }) => isUp && !isLoose).reverse()
        closeDevices(closing)
        transferAll(
          real,
          closing.filter(({ isBridgeBound }) => !isBridgeBound),
        )
        return
      }
      case 'NETDEV_UP':
        for (const dev of vlans) {
          if (dev.isUp) continue
          if (!dev.isLoose) attempt(() => changeFlags(dev, combineFlags(dev, IFF_UP, IFF_UP)))
          if (!dev.isBridgeBound) transferAll(real, [dev])
        }
        return
    }
  })
}
