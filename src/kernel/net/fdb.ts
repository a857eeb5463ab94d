/**
 * The forwarding database of a bridge, as far as it lives without packets: the addresses of the
 * bridge and of its ports, and what user space says.
 *
 * Kernel: net/bridge/br_fdb.c (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import type { Origin } from './chains.ts'
import {
  AF_BRIDGE,
  BR_STATE_FORWARDING,
  BR_STATE_LEARNING,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NTF_STICKY,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
  NUD_STALE,
} from './constants.ts'
import { isValidEtherAddress, type NetDevice } from './device.ts'
import type { VlanGroup } from './kinds/bridge-vlan.ts'

/** What the table has to know of its bridge. */
export interface FdbOwner {
  readonly dev: NetDevice
  /** The newest first. */
  readonly ports: readonly {
    readonly dev: NetDevice
    readonly vlans: VlanGroup
    readonly state: number
  }[]
  readonly vlans: VlanGroup
  /** Milliseconds after which a learned entry is old. */
  readonly ageing: number
}

/** An address, and the port behind which it is; the bridge itself where there is none. */
export class FdbEntry {
  readonly family: typeof AF_BRIDGE = AF_BRIDGE
  readonly address: Uint8Array
  /** 0: of none. */
  readonly vlan: number
  readonly #owner: FdbOwner
  port: NetDevice | undefined
  /** BR_FDB_*. */
  isLocal = false
  isStatic = false
  isSticky = false
  isByUser = false
  isExtLearned = false
  /** Milliseconds since boot. */
  used: number
  updated: number

  constructor(owner: FdbOwner, port: NetDevice | undefined, address: Uint8Array, vlan: number) {
    this.#owner = owner
    this.port = port
    this.address = address.slice()
    this.vlan = vlan
    this.used = this.bridge.stack.now()
    this.updated = this.used
  }

  get bridge(): NetDevice {
    return this.#owner.dev
  }

  /** NUD_* (fdb_to_nud()). */
  get state(): number {
    if (this.isLocal) return NUD_PERMANENT
    if (this.isStatic) return NUD_NOARP
    return this.hasExpired ? NUD_STALE : NUD_REACHABLE
  }

  /** has_expired(). */
  get hasExpired(): boolean {
    if (this.isStatic || this.isExtLearned) return false
    return this.updated + this.#owner.ageing <= this.bridge.stack.now()
  }
}

/** What is asked for (fdb_add_entry()). */
export interface FdbRequest {
  readonly port: NetDevice | undefined
  readonly address: Uint8Array
  readonly vlan: number
  /** NUD_PERMANENT, NUD_NOARP or NUD_REACHABLE. */
  readonly state: number
  /** NTF_*. */
  readonly flags: number
}

/** Which entries a flush means (struct net_bridge_fdb_flush_desc); absent: any. */
export interface FdbFlush {
  readonly port?: NetDevice | undefined
  readonly isToBridge?: boolean
  readonly vlan?: number | undefined
  readonly isLocal?: boolean | undefined
  readonly isStatic?: boolean | undefined
  readonly isSticky?: boolean | undefined
  readonly isByUser?: boolean | undefined
  readonly isExtLearned?: boolean | undefined
}

/** The entries of one bridge. */
export class Fdb {
  readonly #owner: FdbOwner
  readonly #entries = new Map<string, FdbEntry>()
  #cancelTimer: (() => void) | undefined

  constructor(owner: FdbOwner) {
    this.#owner = owner
  }

  /** The newest first. */
  list(): FdbEntry[] {
    return [...this.#entries.values()].reverse()
  }

  find(address: Uint8Array, vlan: number): FdbEntry | undefined {
    return this.#entries.get(keyOf(address, vlan))
  }

  /** fdb_add_local(): nothing happens when the address is zero, multicast or known. */
  addLocal(port: NetDevice | undefined, address: Uint8Array, vlan = 0): void {
    if (!isValidEtherAddress(address)) return
    const known = this.find(address, vlan)
    if (known?.isLocal) return
    if (known) this.#remove(known)
    const entry = this.#create(port, address, vlan)
    entry.isLocal = true
    entry.isStatic = true
    this.#announce('NEWNEIGH', entry)
  }

  /** br_fdb_change_mac_address(): the bridge is about to have `address`. */
  changeBridgeAddress(address: Uint8Array): void {
    const { vlans } = this.#owner
    for (const vlan of [0, ...vlans.usable.map(({ vid }) => vid)]) {
      const old = this.find(this.#owner.dev.address, vlan)
      if (old?.isLocal && !old.port && !old.isByUser) this.#deleteLocal(undefined, old)
      this.addLocal(undefined, address, vlan)
    }
  }

  /** br_fdb_changeaddr(): `port` has a new address. */
  changePortAddress(port: NetDevice): void {
    for (const entry of this.list()) {
      if (entry.port === port && entry.isLocal && !entry.isByUser) this.#deleteLocal(port, entry)
    }
    this.addLocal(port, port.address)
    for (const { vid } of this.#vlansOf(port)?.usable ?? []) this.addLocal(port, port.address, vid)
  }

  /**
   * br_fdb_delete_by_port(): takes away what `port` has, or the bridge itself; static entries only
   * with `all`, and then local ones, too.
   */
  deletePort(port: NetDevice | undefined, vlan = 0, all = false): void {
    for (const entry of this.list()) {
      if (entry.port !== port) continue
      const isKept = entry.isStatic || entry.isExtLearned || (vlan !== 0 && entry.vlan !== vlan)
      if (!all && isKept) continue
      if (entry.isLocal) this.#deleteLocal(port, entry)
      else this.#remove(entry)
    }
  }

  /** br_fdb_find_delete_local(). */
  deleteLocal(port: NetDevice | undefined, address: Uint8Array, vlan: number): void {
    const entry = this.find(address, vlan)
    if (!entry?.isLocal || entry.isByUser || entry.port !== port) return
    this.#deleteLocal(port, entry)
  }

  /**
   * fdb_add_entry(). `how`: NLM_F_CREATE, NLM_F_EXCL.
   * @throws NetlinkError EPERM, EINVAL, ENOENT, EEXIST
   */
  add(request: FdbRequest, how: number, origin?: Origin): void {
    const { port, address, vlan, state, flags } = request
    const isSticky = (flags & NTF_STICKY) !== 0
    const portState = this.#owner.ports.find(({ dev }) => dev === port)?.state ?? 0
    const canLearn = portState === BR_STATE_LEARNING || portState === BR_STATE_FORWARDING
    if (port && !(state & (NUD_PERMANENT | NUD_NOARP)) && !canLearn) throw new NetlinkError('EPERM')
    if (!port && !(state & NUD_PERMANENT)) throw new NetlinkError('EINVAL')
    if (isSticky && state & NUD_PERMANENT) throw new NetlinkError('EINVAL')
    const known = this.find(address, vlan)
    if (!known && !(how & NLM_F_CREATE)) throw new NetlinkError('ENOENT')
    if (known && how & NLM_F_EXCL) throw new NetlinkError('EEXIST')
    const entry = known ?? this.#create(port, address, vlan)
    let isModified = !known || entry.port !== port || entry.isSticky !== isSticky
    entry.port = port
    entry.isByUser = true
    if (entry.state !== state) {
      entry.isLocal = (state & NUD_PERMANENT) !== 0
      entry.isStatic = (state & (NUD_PERMANENT | NUD_NOARP)) !== 0
      isModified = true
    }
    entry.isSticky = isSticky
    entry.used = this.#owner.dev.stack.now()
    if (!isModified) return
    entry.updated = entry.used
    this.#announce('NEWNEIGH', entry, origin)
    this.schedule()
  }

  /** br_fdb_external_learn_add(): what a controller has learned. */
  learn({ port, address, vlan, state }: FdbRequest): void {
    const known = this.find(address, vlan)
    const entry = known ?? this.#create(port, address, vlan)
    const isModified = !known || entry.port !== port || !entry.isExtLearned
    entry.port = port
    entry.isByUser = true
    entry.isExtLearned = true
    if (!known && !port && state & NUD_PERMANENT) entry.isLocal = true
    entry.updated = this.#owner.dev.stack.now()
    if (isModified) this.#announce('NEWNEIGH', entry)
  }

  /** fdb_delete_by_addr_and_port(): whether there was one. */
  delete(port: NetDevice | undefined, address: Uint8Array, vlan: number): boolean {
    const entry = this.find(address, vlan)
    if (!entry || entry.port !== port) return false
    this.#remove(entry)
    return true
  }

  /** br_fdb_flush(): local entries that the kernel made go only by way of their port. */
  flush(what: FdbFlush): void {
    for (const entry of this.list()) {
      if (what.port && entry.port !== what.port) continue
      if (what.isToBridge && entry.port) continue
      if (what.vlan !== undefined && entry.vlan !== what.vlan) continue
      const flags = ['isLocal', 'isStatic', 'isSticky', 'isByUser', 'isExtLearned'] as const
      if (flags.some((flag) => what[flag] !== undefined && what[flag] !== entry[flag])) continue
      this.#remove(entry)
    }
  }

  /** br_fdb_cleanup(), when the next entry is old: what is not heard of goes. */
  schedule(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const { dev, ageing } = this.#owner
    const mortal = this.list().filter(({ isStatic, isExtLearned }) => !isStatic && !isExtLearned)
    if (!dev.isUp || mortal.length === 0) return
    const oldest = Math.min(...mortal.map(({ updated }) => updated))
    this.#cancelTimer = dev.stack.setTimer(
      () => {
        for (const entry of this.list()) if (entry.hasExpired) this.#remove(entry)
        this.schedule()
      },
      Math.max(10, oldest + ageing - dev.stack.now()),
    )
  }

  #vlansOf(port: NetDevice | undefined): VlanGroup | undefined {
    return this.#owner.ports.find(({ dev }) => dev === port)?.vlans
  }

  #create(port: NetDevice | undefined, address: Uint8Array, vlan: number): FdbEntry {
    const entry = new FdbEntry(this.#owner, port, address, vlan)
    this.#entries.set(keyOf(address, vlan), entry)
    return entry
  }

  #remove(entry: FdbEntry): void {
    this.#entries.delete(keyOf(entry.address, entry.vlan))
    this.#announce('DELNEIGH', entry)
  }

  #announce(event: 'NEWNEIGH' | 'DELNEIGH', neigh: FdbEntry, origin?: Origin): void {
    this.#owner.dev.stack.chains.neigh.call(event, { neigh, origin })
  }

  /** fdb_delete_local(): it stays where another port, or the bridge, has the same address. */
  #deleteLocal(port: NetDevice | undefined, entry: FdbEntry): void {
    const { address, vlan } = entry
    const key = address.join(':')
    const { dev: bridge, ports, vlans } = this.#owner
    const other = ports.find(
      (each) =>
        each.dev !== port &&
        each.dev.address.join(':') === key &&
        (vlan === 0 || each.vlans.find(vlan)),
    )
    if (other) {
      entry.port = other.dev
      entry.isByUser = false
    } else if (
      port &&
      bridge.address.join(':') === key &&
      (vlan === 0 || vlans.find(vlan)?.isUsable)
    ) {
      entry.port = undefined
      entry.isByUser = false
    } else {
      this.#remove(entry)
    }
  }
}

function keyOf(address: Uint8Array, vlan: number): string {
  return `${address.join(':')}/${vlan}`
}
