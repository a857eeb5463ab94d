/**
 * macvlan and macvtap: a link with a MAC address of its own on another one.
 *
 * Kernel: drivers/net/macvlan.c, macvtap.c (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import {
  ARPHRD_ETHER,
  ETH_ALEN,
  ETH_MIN_MTU,
  IFF_ALLMULTI,
  IFF_LOOPBACK,
  IFF_PROMISC,
} from '../constants.ts'
import { isValidEtherAddress, type NetDevice } from '../device.ts'
import { addUnicast, removeUnicast, setAllmulti, setPromiscuity } from '../device-flags.ts'
import { registerDevice, unregisterDevices } from '../device-registry.ts'
import { setAddress } from '../device-settings.ts'
import { ensureAddress } from '../link-create.ts'
import type { LinkKind, LinkRequest } from '../link-kind.ts'
import { linkUpper } from '../master.ts'
import type { NetStack } from '../stack.ts'
import { validateEtherLink } from './ether.ts'
import {
  findLink,
  StackedDevice,
  shrinkTo,
  standingOn,
  stepDown,
  transferAll,
  watchStacked,
} from './stacked.ts'

const MACVLAN_MODE_VEPA = 2
const MACVLAN_MODE_PASSTHRU = 8
const MACVLAN_MODE_SOURCE = 16
const MODES = [1, MACVLAN_MODE_VEPA, 4, MACVLAN_MODE_PASSTHRU, MACVLAN_MODE_SOURCE]
const MACVLAN_FLAG_NOPROMISC = 1
const MACVLAN_FLAG_NODST = 2

const MACVLAN_MACADDR_ADD = 0
const MACVLAN_MACADDR_DEL = 1
const MACVLAN_MACADDR_FLUSH = 2
const MACVLAN_MACADDR_SET = 3

/** Packets, of the queue for broadcasts. */
const DEFAULT_QUEUE = 1000

/** IFLA_MACVLAN_*. */
export interface MacvlanData {
  readonly mode?: number
  readonly flags?: number
  /** What to do with `macaddr` or `macaddrData`: MACVLAN_MACADDR_*. */
  readonly macaddrMode?: number
  readonly macaddr?: Uint8Array
  readonly macaddrData?: { readonly macaddr?: readonly Uint8Array[] }
  readonly macaddrCount?: number
  readonly bcQueueLen?: number
  readonly bcCutoff?: number
}

/** What the links on one device share (struct macvlan_port). */
interface Port {
  readonly addresses: Set<string>
  bcCutoff: number
}

/** struct macvlan_dev. */
export class MacvlanDevice extends StackedDevice {
  override hasUnicastFilter = true
  override canProtoDown = true
  mode = MACVLAN_MODE_VEPA
  /** MACVLAN_FLAG_*. */
  macvlanFlags = 0
  bcQueueLen = DEFAULT_QUEUE
  port: Port = { addresses: new Set(), bcCutoff: 1 }
  /** Whose packets it takes, where it goes by their sources. */
  readonly sources = new Map<string, Uint8Array>()

  get isPassthru(): boolean {
    return this.mode === MACVLAN_MODE_PASSTHRU
  }

  /** The sources in the order in which Linux finds them. */
  get sortedSources(): Uint8Array[] {
    return [...this.sources.values()].reverse().sort((a, b) => hashAddress(a) - hashAddress(b))
  }

  /** Those on the same device. */
  get siblings(): MacvlanDevice[] {
    return this.real ? standingOn(this.real, MacvlanDevice) : []
  }

  /** IFLA_MACVLAN_BC_QUEUE_LEN_USED: the longest that one of them asks for. */
  get bcQueueLenUsed(): number {
    return Math.max(0, ...this.siblings.map(({ bcQueueLen }) => bcQueueLen))
  }

  override init(): void {
    const { real } = this
    if (!real) return
    this.hasCarrier = real.hasCarrier
    this.isDormant = real.isDormant
    this.tsoMaxSize = real.tsoMaxSize
  }

  override open(): void {
    const { real, port } = this
    if (!real) return
    if (this.isPassthru) {
      if (!(this.macvlanFlags & MACVLAN_FLAG_NOPROMISC)) setPromiscuity(real, 1)
    } else {
      if (this.#isBusy(this.address)) throw new NetlinkError('EADDRINUSE')
      addUnicast(real, this.address)
      if (this.flags & IFF_ALLMULTI) setAllmulti(real, 1)
      if (this.flags & IFF_PROMISC) setPromiscuity(real, 1)
    }
    port.addresses.add(this.address.join(':'))
  }

  override stop(): void {
    const { real, port } = this
    if (!real) return
    if (this.isPassthru) {
      if (!(this.macvlanFlags & MACVLAN_FLAG_NOPROMISC)) setPromiscuity(real, -1)
    } else {
      if (this.flags & IFF_ALLMULTI) setAllmulti(real, -1)
      if (this.flags & IFF_PROMISC) setPromiscuity(real, -1)
      removeUnicast(real, this.address)
    }
    port.addresses.delete(this.address.join(':'))
  }

  override changeRxFlags(changed: number): void {
    const { real } = this
    if (!real || !this.isUp) return
    if (changed & IFF_ALLMULTI) setAllmulti(real, this.flags & IFF_ALLMULTI ? 1 : -1)
    if (changed & IFF_PROMISC && !this.isPassthru) {
      setPromiscuity(real, this.flags & IFF_PROMISC ? 1 : -1)
    }
  }

  override changeMtu(mtu: number): void {
    if (this.real && mtu > this.real.mtu) throw new NetlinkError('EINVAL')
    super.changeMtu(mtu)
  }

  override changeAddress(address: Uint8Array): void {
    if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
    if (address.every((byte, i) => byte === this.address[i])) return
    if (this.isPassthru && this.real) {
      setAddress(this.real, address)
      return
    }
    if (this.#isBusy(address)) throw new NetlinkError('EADDRINUSE')
    this.takeAddress(address)
  }

  /** macvlan_sync_address(). */
  takeAddress(address: Uint8Array): void {
    const { real, port, isUp, isPassthru } = this
    const old = this.address
    if (isUp && !isPassthru && real) addUnicast(real, address)
    if (isUp) port.addresses.delete(old.join(':'))
    this.address = address.slice(0, ETH_ALEN)
    if (isUp) port.addresses.add(this.address.join(':'))
    if (isUp && !isPassthru && real) removeUnicast(real, old)
  }

  /** macvlan_addr_busy(). */
  #isBusy(address: Uint8Array): boolean {
    const key = address.join(':')
    return this.real?.address.join(':') === key || this.port.addresses.has(key)
  }

  /** macvlan_changelink(). @throws NetlinkError EINVAL */
  change(data: MacvlanData): void {
    const { mode, flags, bcQueueLen, bcCutoff, macaddrMode } = data
    if (mode !== undefined) {
      if ((mode === MACVLAN_MODE_PASSTHRU) !== this.isPassthru) throw new NetlinkError('EINVAL')
      if (this.mode === MACVLAN_MODE_SOURCE && mode !== this.mode) this.sources.clear()
    }
    if (flags !== undefined) {
      const isOther = (flags ^ this.macvlanFlags) & MACVLAN_FLAG_NOPROMISC
      if (this.isPassthru && isOther && this.real) {
        setPromiscuity(this.real, flags & MACVLAN_FLAG_NOPROMISC ? -1 : 1)
      }
      this.macvlanFlags = flags
    }
    if (bcQueueLen !== undefined) this.bcQueueLen = bcQueueLen
    if (bcCutoff !== undefined) this.port.bcCutoff = bcCutoff
    if (mode !== undefined) this.mode = mode
    if (macaddrMode !== undefined) this.changeSources(macaddrMode, data)
  }

  /** macvlan_changelink_sources(). @throws NetlinkError EINVAL */
  changeSources(how: number, { macaddr, macaddrData }: MacvlanData): void {
    if (this.mode !== MACVLAN_MODE_SOURCE) throw new NetlinkError('EINVAL')
    if (how === MACVLAN_MACADDR_FLUSH || how === MACVLAN_MACADDR_SET) this.sources.clear()
    if (how === MACVLAN_MACADDR_ADD || how === MACVLAN_MACADDR_DEL) {
      if (!macaddr) throw new NetlinkError('EINVAL')
      if (how === MACVLAN_MACADDR_ADD) this.sources.set(macaddr.join(':'), macaddr)
      else this.sources.delete(macaddr.join(':'))
    }
    if (how !== MACVLAN_MACADDR_SET) return
    for (const each of macaddrData?.macaddr ?? []) {
      if (isValidEtherAddress(each)) this.sources.set(each.join(':'), each)
    }
  }
}

/** macvlan_eth_hash(). */
function hashAddress(address: Uint8Array): number {
  const value = address.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 16n
  return Number(BigInt.asUintN(64, value * 0x61c8864680b583ebn) >> 56n)
}

/** macvlan_validate(). */
function validate(request: LinkRequest): void {
  validateEtherLink(request)
  const { flags, mode, macaddrMode, macaddr, macaddrCount } = (request.data ?? {}) as MacvlanData
  const isInvalid =
    (flags !== undefined && flags & ~(MACVLAN_FLAG_NOPROMISC | MACVLAN_FLAG_NODST)) ||
    (mode !== undefined && !MODES.includes(mode)) ||
    (macaddrMode !== undefined && macaddrMode > MACVLAN_MACADDR_SET) ||
    (macaddr && macaddr.length !== ETH_ALEN)
  if (isInvalid) throw new NetlinkError('EINVAL')
  if (macaddr && !isValidEtherAddress(macaddr)) throw new NetlinkError('EADDRNOTAVAIL')
  if (macaddrCount !== undefined) throw new NetlinkError('EINVAL')
}

/** What the new link stands on: never on another of its kind. @throws NetlinkError EINVAL, ENODEV */
function findReal(dev: NetDevice, request: LinkRequest): NetDevice {
  if (request.link === undefined) throw new NetlinkError('EINVAL')
  const found = findLink(dev, request)
  const real = found instanceof MacvlanDevice ? found.real : found
  if (!real) throw new NetlinkError('ENODEV')
  return real
}

/** macvlan_port_create(). @throws NetlinkError EINVAL, EBUSY */
function checkPort(real: NetDevice): void {
  if (real.type !== ARPHRD_ETHER || real.flags & IFF_LOOPBACK) throw new NetlinkError('EINVAL')
  if (real.rxHandler) throw new NetlinkError('EBUSY')
}

/** macvlan_common_newlink(). */
function newlink(created: NetDevice, request: LinkRequest): void {
  const dev = created as MacvlanDevice
  const data = (request.data ?? {}) as MacvlanData
  const real = findReal(dev, request)
  if (request.mtu === undefined) dev.mtu = real.mtu
  else if (dev.mtu > real.mtu) throw new NetlinkError('EINVAL')
  dev.minMtu = ETH_MIN_MTU
  dev.maxMtu = real.maxMtu
  ensureAddress(dev, request)
  const others = standingOn(real, MacvlanDevice)
  const [first] = others
  if (first) dev.port = first.port
  else checkPort(real)
  if (first?.isPassthru) throw new NetlinkError('EINVAL')
  dev.real = real
  dev.mode = data.mode ?? MACVLAN_MODE_VEPA
  dev.macvlanFlags = data.flags ?? 0
  if (dev.isPassthru) {
    if (first) throw new NetlinkError('EINVAL')
    dev.address = real.address.slice()
  }
  if (data.macaddrMode !== undefined) dev.changeSources(data.macaddrMode, data)
  dev.bcQueueLen = data.bcQueueLen ?? DEFAULT_QUEUE
  if (data.bcCutoff !== undefined) dev.port.bcCutoff = data.bcCutoff
  registerDevice(dev)
  try {
    linkUpper(real, dev)
  } catch (error) {
    unregisterDevices([dev])
    throw error
  }
  real.rxHandler = 'macvlan'
  transferAll(real, [dev])
  dev.stack.linkWatch.fire(dev)
}

function kindOf(kind: string, txQueueLength: number): LinkKind {
  const self: LinkKind = {
    kind,
    validate,
    setup(stack, name) {
      const dev = new MacvlanDevice(stack, name, self)
      dev.txQueueLength = txQueueLength
      return dev
    },
    newlink,
    changelink: (dev, data) => (dev as MacvlanDevice).change(data as MacvlanData),
    dellink(dev) {
      const macvlan = dev as MacvlanDevice
      macvlan.sources.clear()
      stepDown(macvlan, MacvlanDevice)
      return [dev]
    },
  }
  return self
}

export const macvlan = kindOf('macvlan', 1000)
export const macvtap = kindOf('macvtap', 500)

/** macvlan_device_event(). */
export function watchMacvlans(stack: NetStack): void {
  watchStacked(stack, 'macvlan_notifier_block', MacvlanDevice, (event, real, uppers) => {
    const [first] = uppers
    if (event === 'NETDEV_UP' || event === 'NETDEV_DOWN' || event === 'NETDEV_CHANGE') {
      transferAll(real, uppers)
    } else if (event === 'NETDEV_CHANGEMTU') {
      shrinkTo(real, uppers)
    } else if (event === 'NETDEV_CHANGEADDR' && first?.isPassthru) {
      first.takeAddress(real.address)
    }
  })
}
