/**
 * The forwarding database of a bridge, as far as it lives without packets: the addresses of the
 * bridge and of its ports.
 *
 * Kernel: net/bridge/br_fdb.c fdb_add_local(), fdb_delete_local(), br_fdb_change_mac_address().
 */
import { AF_BRIDGE, NUD_PERMANENT } from './constants.ts'
import { isValidEtherAddress, type NetDevice } from './device.ts'

/** A local address and the port that has it; the bridge itself where there is none. */
export interface FdbEntry {
  readonly family: typeof AF_BRIDGE
  readonly address: Uint8Array
  readonly bridge: NetDevice
  port: NetDevice | undefined
  /** NUD_*. */
  readonly state: number
  /** Milliseconds since boot. */
  readonly updated: number
}

/** Who else may have an address that is being taken away. */
export interface FdbOwner {
  readonly dev: NetDevice
  readonly ports: readonly { readonly dev: NetDevice }[]
}

/** The entries of one bridge. */
export class Fdb {
  readonly #owner: FdbOwner
  readonly #entries = new Map<string, FdbEntry>()

  constructor(owner: FdbOwner) {
    this.#owner = owner
  }

  list(): Iterable<FdbEntry> {
    return this.#entries.values()
  }

  /** fdb_add_local(): nothing happens when the address is zero, multicast or known. */
  addLocal(port: NetDevice | undefined, address: Uint8Array): void {
    const key = address.join(':')
    if (!isValidEtherAddress(address) || this.#entries.has(key)) return
    const { dev: bridge } = this.#owner
    const entry: FdbEntry = {
      family: AF_BRIDGE,
      address: address.slice(),
      bridge,
      port,
      state: NUD_PERMANENT,
      updated: bridge.stack.now(),
    }
    this.#entries.set(key, entry)
    bridge.stack.chains.neigh.call('NEWNEIGH', { neigh: entry })
  }

  /** br_fdb_change_mac_address(): the bridge is about to have `address`. */
  changeBridgeAddress(address: Uint8Array): void {
    const old = this.#entries.get(this.#owner.dev.address.join(':'))
    if (old && !old.port) this.#deleteLocal(undefined, old)
    this.addLocal(undefined, address)
  }

  /** br_fdb_changeaddr(): `port` has a new address. */
  changePortAddress(port: NetDevice): void {
    this.deletePort(port)
    this.addLocal(port, port.address)
  }

  /** Takes away what `port` has; without a port, what the bridge itself has. */
  deletePort(port: NetDevice | undefined): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.port === port) this.#deleteLocal(port, entry)
    }
  }

  /** The entry stays where another port, or the bridge, has the same address. */
  #deleteLocal(port: NetDevice | undefined, entry: FdbEntry): void {
    const key = entry.address.join(':')
    const { dev: bridge, ports } = this.#owner
    const other = ports.find(({ dev }) => dev !== port && dev.address.join(':') === key)
    if (other) {
      entry.port = other.dev
    } else if (port && bridge.address.join(':') === key) {
      entry.port = undefined
    } else {
      this.#entries.delete(key)
      bridge.stack.chains.neigh.call('DELNEIGH', { neigh: entry })
    }
  }
}
