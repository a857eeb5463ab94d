/**
 * ipvlan and ipvtap: links that share the MAC address of what they stand on, apart by IP addresses.
 *
 * Kernel: drivers/net/ipvlan/ipvlan_main.c (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import type { Ipv4, Ipv6 } from '../address.ts'
import { ARPHRD_ETHER, ETH_MAX_MTU, IFF_LOOPBACK, IFF_NOARP } from '../constants.ts'
import type { NetDevice } from '../device.ts'
import { changeFlags, combineFlags } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { linkUpper } from '../master.ts'
import type { NetStack } from '../stack.ts'
import {
  attempt,
  findLink,
  StackedDevice,
  standingOn,
  stepDown,
  transferAll,
  watchStacked,
} from './stacked.ts'

const IPVLAN_MODE_L2 = 0
const IPVLAN_MODE_L3 = 1
const IPVLAN_MODE_MAX = 3
const IPVLAN_F_PRIVATE = 1
const IPVLAN_F_VEPA = 2

/** IFLA_IPVLAN_*. */
export interface IpvlanData {
  readonly mode?: number
  readonly flags?: number
}

/** What the links on one device share (struct ipvl_port). */
interface Port {
  mode: number
  /** IPVLAN_F_*. */
  flags: number
  /** The next dev_id. */
  nextId: number
}

/** struct ipvl_dev. */
export class IpvlanDevice extends StackedDevice {
  override minMtu = 68
  override maxMtu = ETH_MAX_MTU
  override hasNoRxHandler = true
  override hasUnicastFilter = true
  port: Port = { mode: IPVLAN_MODE_L3, flags: 0, nextId: 1 }

  override init(): void {
    const { real } = this
    if (!real) return
    this.hasCarrier = real.hasCarrier
    this.isDormant = real.isDormant
    this.tsoMaxSize = real.tsoMaxSize
  }

  override open(): void {
    this.flags = this.#isRouting ? this.flags | IFF_NOARP : this.flags & ~IFF_NOARP
  }

  /** ipvlan_addr4_validator_event(): an address is that of one of them. */
  override validateIp(address: Ipv4 | Ipv6): void {
    const siblings = this.real ? standingOn(this.real, IpvlanDevice) : []
    const isBusy = siblings.some(
      ({ inet, inet6 }) =>
        inet?.addresses.some(({ local }) => local === address) ||
        inet6?.addresses.some((ifa) => ifa.address === address),
    )
    if (!isBusy) return
    throw new NetlinkError('EADDRINUSE', 'Address already assigned to an ipvlan device')
  }

  override changeAddress(): void {
    throw new NetlinkError('EOPNOTSUPP')
  }

  get #isRouting(): boolean {
    return this.port.mode !== IPVLAN_MODE_L2
  }

  /** ipvlan_set_port_mode(): of all on the same device; `newcomer` is not yet one of them. */
  setMode(mode: number, newcomer?: IpvlanDevice): void {
    if (this.port.mode === mode) return
    this.port.mode = mode
    for (const dev of this.real ? standingOn(this.real, IpvlanDevice) : []) {
      if (dev === newcomer) continue
      const flags = mode === IPVLAN_MODE_L2 ? 0 : IFF_NOARP
      attempt(() => changeFlags(dev, combineFlags(dev, flags, IFF_NOARP)))
    }
  }

  /** ipvlan_nl_changelink(). */
  change({ mode, flags }: IpvlanData): void {
    if (mode !== undefined) this.setMode(mode)
    if (flags !== undefined) this.port.flags = flags
  }
}

/** ipvlan_nl_validate(). */
function validate(request: LinkRequest): void {
  const { mode = 0, flags = 0 } = (request.data ?? {}) as IpvlanData
  const both = IPVLAN_F_PRIVATE | IPVLAN_F_VEPA
  if (mode >= IPVLAN_MODE_MAX || flags & ~both || (flags & both) === both) {
    throw new NetlinkError('EINVAL')
  }
}

/** What the new link stands on: never on another of its kind. @throws NetlinkError */
function findReal(dev: NetDevice, request: LinkRequest): NetDevice {
  if (request.link === undefined) throw new NetlinkError('EINVAL')
  const found = findLink(dev, request)
  const real = found instanceof IpvlanDevice ? found.real : found
  if (!real) throw new NetlinkError('ENODEV')
  if (standingOn(real, IpvlanDevice).length > 0) return real
  if (real.type !== ARPHRD_ETHER || real.flags & IFF_LOOPBACK) throw new NetlinkError('EINVAL')
  if (real.rxHandler) throw new NetlinkError('EBUSY')
  return real
}

/** ipvlan_link_new(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as IpvlanDevice
  const { mode = IPVLAN_MODE_L3, flags } = (request.data ?? {}) as IpvlanData
  const real = findReal(dev, request)
  if (request.mtu === undefined) dev.mtu = real.mtu
  dev.address = real.address.slice()
  const [first] = standingOn(real, IpvlanDevice)
  if (first) dev.port = first.port
  dev.devId = dev.port.nextId++
  dev.real = real
  registerDevice(dev)
  if (flags !== undefined) dev.port.flags = flags
  try {
    linkUpper(real, dev)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  real.rxHandler = 'ipvlan'
  dev.setMode(mode, dev)
  transferAll(real, [dev])
}

function kindOf(kind: string, txQueueLength: number): LinkKind {
  const self: LinkKind = {
    kind,
    validate,
    setup(stack, name) {
      const dev = new IpvlanDevice(stack, name, self)
      dev.txQueueLength = txQueueLength
      return dev
    },
    newlink,
    changelink: (dev, data) => (dev as IpvlanDevice).change(data as IpvlanData),
    dellink(dev) {
      stepDown(dev as IpvlanDevice, IpvlanDevice)
      return [dev]
    },
  }
  return self
}

export const ipvlan = kindOf('ipvlan', 1000)
export const ipvtap = kindOf('ipvtap', 500)

/** ipvlan_device_event(). */
export function watchIpvlans(stack: NetStack): void {
  watchStacked(stack, 'ipvlan_notifier_block', IpvlanDevice, (event, real, uppers) => {
    if (event === 'NETDEV_UP' || event === 'NETDEV_DOWN' || event === 'NETDEV_CHANGE') {
      transferAll(real, uppers)
    } else if (event === 'NETDEV_CHANGEMTU') {
      for (const dev of uppers) dev.mtu = real.mtu
    } else if (event === 'NETDEV_CHANGEADDR') {
      for (const dev of uppers) {
        dev.address = real.address.slice()
        dev.stack.chains.netdev.call('NETDEV_CHANGEADDR', { dev })
      }
    }
  })
}
