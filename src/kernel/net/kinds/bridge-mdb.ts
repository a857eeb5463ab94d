/**
 * A bridge's multicast database: which ports want which group. Entries are those of user space;
 * reports are not heard, as nothing is sent.
 *
 * Kernel: net/bridge/br_mdb.c __br_mdb_add(), __br_mdb_del(); br_multicast.c (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import { isMulticast4, isMulticast6 } from '../address.ts'
import { BR_STATE_DISABLED } from '../constants.ts'
import type { BridgeDevice } from './bridge.ts'
import type { BridgePort } from './bridge-port.ts'

export const MDB_PERMANENT = 1
/** EtherTypes of a group; 0 is a MAC address. */
export const ETH_P_IP = 0x0800
export const ETH_P_IPV6 = 0x86dd

/** A group, and of whom (struct br_ip). */
export interface MdbGroup {
  /** ETH_P_IP, ETH_P_IPV6, or 0. */
  readonly proto: number
  /** An IPv4 or IPv6 address, or a MAC address as a number. */
  readonly address: bigint
  readonly vid: number
  /** Whose packets are wanted; undefined: everybody's. */
  readonly source?: bigint | undefined
}

/** Who wants a group (struct net_bridge_port_group); without a port, the bridge itself. */
export interface MdbMember {
  readonly port: BridgePort | undefined
  readonly isPermanent: boolean
  /** RTPROT_*. */
  readonly protocol: number
  /** When it ends, in the stack's milliseconds; 0: never. */
  expires: number
  cancel?: (() => void) | undefined
}

/** struct net_bridge_mdb_entry. */
export interface MdbEntry {
  readonly group: MdbGroup
  members: MdbMember[]
}

/** What is to be there, or to go. */
export interface MdbRequest {
  readonly group: MdbGroup
  readonly port: BridgePort | undefined
  readonly isPermanent: boolean
  readonly protocol: number
  readonly isReplace: boolean
}

const refuse = (message: string, code: 'EINVAL' | 'EEXIST' = 'EINVAL'): never => {
  throw new NetlinkError(code, `bridge: ${message}`)
}

const keyOf = ({ proto, address, vid, source }: MdbGroup): string =>
  `${proto}/${address}/${vid}/${source ?? ''}`

export class Mdb {
  readonly #bridge: BridgeDevice
  /** The newest first. */
  #entries: MdbEntry[] = []

  constructor(bridge: BridgeDevice) {
    this.#bridge = bridge
  }

  list(): readonly MdbEntry[] {
    return this.#entries
  }

  /** br_mdb_add(). @throws NetlinkError EINVAL, EEXIST */
  add(request: MdbRequest): void {
    const { port, group, isPermanent } = request
    if (!port && group.proto !== 0) {
      if (isPermanent) refuse('Flags are not allowed for host groups')
      if (group.source !== undefined) refuse('Groups with sources cannot be manually host joined')
    }
    if (group.proto === 0 && !isPermanent) refuse('Only permanent L2 entries allowed')
    if (port?.state === BR_STATE_DISABLED && !isPermanent)
      refuse('Port is in disabled state and entry is not permanent')
    for (const each of this.#groupsOf(request)) this.#join({ ...request, group: each })
  }

  /** br_mdb_del(). @throws NetlinkError EINVAL where nobody is in the group */
  delete(request: Pick<MdbRequest, 'group' | 'port'>): void {
    for (const group of this.#groupsOf(request)) {
      const entry = this.#find(group)
      const member = entry?.members.find(({ port }) => port === request.port)
      if (!entry || !member) throw new NetlinkError('EINVAL')
      this.#leave(entry, member)
    }
  }

  /** br_multicast_disable_port(), and br_multicast_del_port() for `all`. */
  flushPort(port: BridgePort, all: boolean): void {
    for (const entry of [...this.#entries])
      for (const member of entry.members.filter((each) => each.port === port))
        if (all || !member.isPermanent) this.#leave(entry, member)
  }

  /** br_multicast_dev_del(): everything goes without a word. */
  destroy(): void {
    for (const { members } of this.#entries) for (const { cancel } of members) cancel?.()
    this.#entries = []
  }

  /** Where VLANs are told apart, a group of none is one of every VLAN that the port has. */
  #groupsOf({ group, port }: Pick<MdbRequest, 'group' | 'port'>): MdbGroup[] {
    if (!this.#bridge.options.vlanFiltering || group.vid !== 0) return [group]
    const { list } = port?.vlans ?? this.#bridge.vlans
    return list.map(({ vid }) => ({ ...group, vid }))
  }

  #find(group: MdbGroup): MdbEntry | undefined {
    const key = keyOf(group)
    return this.#entries.find((entry) => keyOf(entry.group) === key)
  }

  #join({ group, port, isPermanent, protocol, isReplace }: MdbRequest): void {
    const entry = this.#find(group) ?? { group, members: [] }
    const known = entry.members.find((member) => member.port === port)
    if (known && !port) refuse('Group is already joined by host', 'EEXIST')
    if (known && !isReplace) {
      const what = group.source === undefined ? '(*, G)' : '(S, G)'
      refuse(`${what} group is already joined by port`, 'EEXIST')
    }
    if (entry.members.length === 0) this.#entries.unshift(entry)
    const member: MdbMember = { port, isPermanent, protocol, expires: 0 }
    if (known) {
      known.cancel?.()
      entry.members[entry.members.indexOf(known)] = member
    } else this.#insert(entry, member)
    if (!isPermanent && port) this.#expire(entry, member)
    this.#announce('NEWMDB', entry, member)
  }

  /** The bridge itself first, then the ports, the newest first. */
  #insert(entry: MdbEntry, member: MdbMember): void {
    if (!member.port) entry.members.unshift(member)
    else
      entry.members.splice(
        entry.members[0]?.port ? 0 : Math.min(1, entry.members.length),
        0,
        member,
      )
  }

  #expire(entry: MdbEntry, member: MdbMember): void {
    const { stack, options } = this.#bridge
    const after = Number(options.mcastMembershipIntvl) * 10
    member.expires = stack.now() + after
    member.cancel = stack.setTimer(() => this.#leave(entry, member), after)
  }

  #leave(entry: MdbEntry, member: MdbMember): void {
    member.cancel?.()
    entry.members = entry.members.filter((each) => each !== member)
    if (entry.members.length === 0) this.#entries = this.#entries.filter((each) => each !== entry)
    this.#announce('DELMDB', entry, member)
  }

  #announce(event: 'NEWMDB' | 'DELMDB', { group }: MdbEntry, member: MdbMember): void {
    this.#bridge.stack.chains.mdb.call(event, { bridge: this.#bridge, group, member })
  }
}

/** is_valid_mdb_source(). @throws NetlinkError EINVAL */
export function checkMdbSource(proto: number, source: bigint, length: number): void {
  if (proto === ETH_P_IP) {
    if (length !== 4) refuse('IPv4 invalid source address length')
    if (isMulticast4(Number(source))) refuse('IPv4 multicast source address is not allowed')
  } else if (proto === ETH_P_IPV6) {
    if (length !== 16) refuse('IPv6 invalid source address length')
    if (isMulticast6(source)) refuse('IPv6 multicast source address is not allowed')
  } else refuse('Invalid protocol used with source address')
}
