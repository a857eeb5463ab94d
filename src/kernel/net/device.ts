/**
 * A network device, its state and what it reports of itself.
 *
 * Kernel: include/linux/netdevice.h struct net_device, net/core/dev.c dev_get_flags().
 */
import { NetlinkError } from '../../errors.ts'
import type { Ipv4, Ipv6 } from './address.ts'
import {
  ARPHRD_ETHER,
  ETH_ALEN,
  ETH_DATA_LEN,
  ETH_MAX_MTU,
  ETH_MIN_MTU,
  IF_OPER_DOWN,
  IF_OPER_UNKNOWN,
  IF_OPER_UP,
  IFF_ALLMULTI,
  IFF_BROADCAST,
  IFF_DORMANT,
  IFF_LOWER_UP,
  IFF_MULTICAST,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_UP,
} from './constants.ts'
import { HardwareAddresses } from './device-addresses.ts'
import { Offload } from './device-offload.ts'
import type { FdbOps } from './fdb-ops.ts'
import type { InDevice } from './ifaddr4.ts'
import type { Inet6Device } from './ifaddr6.ts'
import type { BridgePort } from './kinds/bridge-port.ts'
import type { LinkKind } from './link-kind.ts'
import type { NetStack } from './stack.ts'

/** Where a device is in its life (reg_state). */
export type RegState = 'uninitialized' | 'registered' | 'unregistering' | 'unregistered'

/** Who chose the MAC address (addr_assign_type); only a permanent one is reported as such. */
export type AddressSource = 'permanent' | 'random' | 'stolen' | 'set'

/** What is common to all kinds; a kind is a subclass that overrides what it does differently. */
export class NetDevice {
  /** The namespace that it is in; changes when it moves. */
  stack: NetStack
  readonly kind: LinkKind | undefined
  regState: RegState = 'uninitialized'
  /** Whether user space has heard of it (rtnl_link_state). */
  isAnnounced = true
  ifindex = 0
  name: string
  readonly altnames: string[] = []
  ifalias: string | undefined
  /** ARPHRD_*. */
  type = ARPHRD_ETHER
  /** IFF_*; those of the moment (RUNNING, LOWER_UP, DORMANT) are computed by `reportedFlags`. */
  flags = IFF_BROADCAST | IFF_MULTICAST
  /** IFF_PROMISC and IFF_ALLMULTI as user space set them. */
  gflags = 0
  promiscuity = 0
  allmulti = 0
  /** Bytes. */
  mtu = ETH_DATA_LEN
  minMtu = ETH_MIN_MTU
  /** 0: without limit. */
  maxMtu = ETH_MAX_MTU
  txQueueLength = 1000
  readonly offload = new Offload()
  group = 0
  address: Uint8Array = new Uint8Array(ETH_ALEN)
  broadcast: Uint8Array = new Uint8Array(ETH_ALEN).fill(0xff)
  permanentAddress: Uint8Array = new Uint8Array(ETH_ALEN)
  addressSource: AddressSource = 'permanent'
  /** IF_OPER_*, as it is while the device is up. */
  operstate = IF_OPER_UNKNOWN
  linkMode = 0
  isDormant = false
  hasCarrier = true
  carrierUpCount = 0
  carrierDownCount = 0
  protoDown = false
  txQueues = 1
  rxQueues = 1
  /** What it sends through once it is up: the default of the kinds without a queue. */
  defaultQdisc = 'noqueue'
  qdisc = 'noop'
  /** Whether the queueing discipline is attached, which waits for the first carrier. */
  isActive = false
  /** Mbit/s, where a bridge asks what a port costs. */
  speed = 0
  master: NetDevice | undefined
  /** Of a VRF: its routing table. */
  vrfTable: number | undefined
  /** Everything that stands on it, its master too. */
  readonly uppers: NetDevice[] = []
  bridgePort: BridgePort | undefined
  inet: InDevice | undefined
  inet6: Inet6Device | undefined
  /** Whether it may not leave its namespace (NETIF_F_NETNS_LOCAL). */
  isNetnsLocal = false
  /** Whether no VLAN may stand on it (NETIF_F_VLAN_CHALLENGED). */
  isVlanChallenged = false
  /** Who takes the packets that come in (rx_handler): a device can have one. */
  rxHandler: 'bridge' | 'bond' | 'macvlan' | 'ipvlan' | undefined
  /** Whether nobody may (IFF_NO_RX_HANDLER). */
  hasNoRxHandler = false
  /** Tells apart those that share a MAC address (dev_id): it is part of their link-local addresses. */
  devId = 0
  /** Addresses that it takes packets for beside its own, and groups. */
  readonly unicast = new HardwareAddresses()
  readonly multicast = new HardwareAddresses()
  /** Whether it can tell apart the packets for more addresses than one (IFF_UNICAST_FLT). */
  hasUnicastFilter = false
  /** Whether it takes all packets for want of that. */
  isUnicastPromiscuous = false
  /** Whether IPv6 gives it no addresses (IFF_NO_ADDRCONF). */
  hasNoAddrconf = false
  /** Of a kind that keeps forwarding entries itself (ndo_fdb_add and kin). */
  fdbOps: FdbOps | undefined
  /** Whether user space may hold it down (change_proto_down). */
  canProtoDown = false

  constructor(stack: NetStack, name: string, kind?: LinkKind) {
    this.stack = stack
    this.name = name
    this.kind = kind
  }

  /** Bytes that TCP may leave to it at once. */
  get tsoMaxSize(): number {
    return this.offload.tsoMaxSize
  }

  set tsoMaxSize(size: number) {
    this.offload.tsoMaxSize = size
  }

  get isUp(): boolean {
    return (this.flags & IFF_UP) !== 0
  }

  /** netif_oper_up(). */
  get isOperUp(): boolean {
    return this.operstate === IF_OPER_UP || this.operstate === IF_OPER_UNKNOWN
  }

  /** ifi_flags. */
  get reportedFlags(): number {
    let flags = this.flags & ~(IFF_PROMISC | IFF_ALLMULTI | IFF_RUNNING | IFF_LOWER_UP)
    flags |= this.gflags & (IFF_PROMISC | IFF_ALLMULTI)
    if (!this.isUp) return flags
    if (this.isOperUp) flags |= IFF_RUNNING
    if (this.hasCarrier) flags |= IFF_LOWER_UP
    if (this.isDormant) flags |= IFF_DORMANT
    return flags
  }

  /** IFLA_OPERSTATE: down while the device is. */
  get reportedOperstate(): number {
    return this.isUp ? this.operstate : IF_OPER_DOWN
  }

  /** The device behind this one (IFLA_LINK): itself, another one, or none that is known. */
  get lower(): NetDevice | undefined {
    return this
  }

  /** What IFLA_LINK says where that is not `lower`: an index whose device may be gone, and where. */
  get iflink(): { readonly ifindex: number; readonly stack: NetStack } | undefined {
    return undefined
  }

  /** Whether its IPv6 address is made of its IPv4 address (IFF_ISATAP). */
  get isIsatap(): boolean {
    return false
  }

  /** l3mdev_fib_table(): the table of a VRF, and of what is in one. */
  get l3mdevTable(): number | undefined {
    return this.vrfTable ?? this.master?.vrfTable
  }

  /** Whether ports can be put under it. */
  get canEnslave(): boolean {
    return false
  }

  /** ndo_init: before the device is visible. */
  init(): void {}
  /** ndo_uninit: after the last user is gone. */
  uninit(): void {}
  /** ndo_validate_addr: whether it may go up with the MAC address that it has. */
  validateAddress(): void {}
  /** ndo_open. */
  open(): void {}
  /** ndo_stop. */
  stop(): void {}
  /** ndo_change_mtu, after the limits were checked. */
  changeMtu(mtu: number): void {
    this.mtu = mtu
  }
  /** ndo_set_mac_address, after its length was checked. @throws NetlinkError EADDRNOTAVAIL */
  changeAddress(address: Uint8Array): void {
    if (!isValidEtherAddress(address)) throw new NetlinkError('EADDRNOTAVAIL')
    this.address = address.slice(0, this.address.length)
  }
  /** ndo_change_rx_flags: IFF_PROMISC or IFF_ALLMULTI came or went. */
  changeRxFlags(_changed: number): void {}
  /** inetaddr_validator_chain: whether it may have an IP address. @throws NetlinkError EADDRINUSE */
  validateIp(_address: Ipv4 | Ipv6): void {}
  /** ndo_change_carrier. @throws NetlinkError EOPNOTSUPP for most kinds. */
  changeCarrier(_on: boolean): void {
    throw new NetlinkError('EOPNOTSUPP')
  }
  /** ndo_add_slave. @throws NetlinkError EOPNOTSUPP unless `canEnslave`. */
  addSlave(_dev: NetDevice): void {
    throw new NetlinkError('EOPNOTSUPP')
  }
  /** ndo_del_slave. */
  deleteSlave(_dev: NetDevice): void {
    throw new NetlinkError('EOPNOTSUPP')
  }
}

/** is_valid_ether_addr(): neither multicast nor zero. */
export function isValidEtherAddress(address: Uint8Array): boolean {
  return ((address[0] as number) & 1) === 0 && address.some((byte) => byte !== 0)
}

/** eth_hw_addr_random(): a local unicast address. */
export function setRandomAddress(dev: NetDevice): void {
  const address = dev.stack.random(ETH_ALEN).slice()
  address[0] = ((address[0] as number) & 0xfe) | 0x02
  dev.address = address
  dev.addressSource = 'random'
}
