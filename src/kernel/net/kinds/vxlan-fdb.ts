/**
 * The forwarding entries of a VXLAN: behind which hosts an address is.
 *
 * Kernel: drivers/net/vxlan/vxlan_core.c vxlan_fdb_update(), vxlan_fdb_delete(), vxlan_fdb_parse()
 * (Linux 6.18).
 */
import { NetlinkError } from '../../../errors.ts'
import {
  ETH_ALEN,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NTF_SELF,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
} from '../constants.ts'
import type { FdbOps, RemoteEntry, RemoteRequest } from '../fdb-ops.ts'
import type { VxlanDevice } from './vxlan.ts'

/** One host (struct vxlan_rdst). */
interface Remote {
  readonly dst: Uint8Array
  readonly port: number
  readonly vni: number
  readonly ifindex: number
}

/** struct vxlan_fdb. */
interface Entry {
  readonly address: Uint8Array
  readonly vni: number
  state: number
  flags: number
  remotes: Remote[]
  nhId: number
  used: number
  updated: number
}

/** The address of all whose place is not known. */
export const DEFAULT_ENTRY = new Uint8Array(ETH_ALEN)

export function isAny(address: Uint8Array): boolean {
  return address.every((byte) => byte === 0)
}

/** Whether an address may be behind several hosts. */
function isShared(address: Uint8Array): boolean {
  return ((address[0] as number) & 1) === 1 || isAny(address)
}

export class VxlanFdb implements FdbOps {
  readonly #dev: VxlanDevice
  readonly #entries = new Map<string, Entry>()

  constructor(dev: VxlanDevice) {
    this.#dev = dev
  }

  /** The newest first. */
  *items(): Iterable<RemoteEntry> {
    for (const entry of [...this.#entries.values()].reverse()) {
      if (entry.remotes.length === 0) yield this.#describe(entry)
      for (const remote of entry.remotes) yield this.#describe(entry, remote)
    }
  }

  /** vxlan_fdb_get(). */
  get(address: Uint8Array, vni = this.#dev.config.id): RemoteEntry {
    const entry = this.#entries.get(keyOf(address, vni))
    if (!entry) throw new NetlinkError('ENOENT', 'Fdb entry not found')
    return this.#describe(entry, entry.remotes[0])
  }

  /** vxlan_fdb_add(). @throws NetlinkError EINVAL, EAFNOSUPPORT, EEXIST, ENOENT, EOPNOTSUPP */
  add(request: RemoteRequest, how: number): void {
    const { state, flags, dst, nhId, lladdr = DEFAULT_ENTRY } = request
    if (!(state & (NUD_PERMANENT | NUD_REACHABLE))) throw new NetlinkError('EINVAL')
    if (!dst && nhId === undefined) throw new NetlinkError('EINVAL')
    const { remote, vni } = this.#parse(request)
    if (dst && remote.dst.length !== this.#dev.config.remote.length) {
      throw new NetlinkError('EAFNOSUPPORT')
    }
    this.update(lladdr, vni, nhId === undefined ? remote : undefined, { state, flags, how, nhId })
  }

  /** vxlan_fdb_delete(): a host, or the entry with its last; a strange host is no error. @throws NetlinkError ENOENT */
  delete(request: RemoteRequest): void {
    const { remote, vni } = this.#parse(request)
    this.remove(request.lladdr ?? DEFAULT_ENTRY, vni, remote)
  }

  remove(address: Uint8Array, vni: number, remote: Remote): void {
    const entry = this.#entries.get(keyOf(address, vni))
    if (!entry) throw new NetlinkError('ENOENT')
    const found = isAny(remote.dst) ? undefined : entry.remotes.find((r) => isSame(r, remote))
    if (!isAny(remote.dst) && !found) return
    if (found && entry.remotes.length > 1) {
      entry.remotes = entry.remotes.filter((each) => each !== found)
      this.#announce('DELNEIGH', entry, found)
    } else this.#destroy(entry)
  }

  /** vxlan_fdb_update(). */
  update(
    address: Uint8Array,
    vni: number,
    remote: Remote | undefined,
    what: { state: number; flags: number; how: number; nhId?: number | undefined },
  ): void {
    const { state, flags, how, nhId = 0 } = what
    const known = this.#entries.get(keyOf(address, vni))
    if (known) {
      if (how & NLM_F_EXCL) throw new NetlinkError('EEXIST')
      this.#change(known, remote, what)
      return
    }
    if (!(how & NLM_F_CREATE)) throw new NetlinkError('ENOENT')
    if (how & NLM_F_REPLACE && isShared(address)) throw new NetlinkError('EOPNOTSUPP')
    const { limit } = this.#dev.config
    if (limit !== 0 && this.#entries.size >= limit) throw new NetlinkError('ENOSPC')
    const now = this.#dev.stack.now()
    const remotes = remote ? [remote] : []
    const entry = { address, vni, state, flags, remotes, nhId, used: now, updated: now }
    this.#entries.set(keyOf(address, vni), entry)
    this.#announce('NEWNEIGH', entry, remote)
  }

  /** vxlan_flush(): all but those whose states `kept` are, and the default one. */
  flush(kept: number): void {
    for (const entry of [...this.#entries.values()]) {
      if (isAny(entry.address) || entry.state & kept) continue
      this.#destroy(entry)
    }
  }

  /** vxlan_fdb_delete_default(). */
  deleteDefault(): void {
    const entry = this.#entries.get(keyOf(DEFAULT_ENTRY, this.#dev.config.id))
    if (entry) this.#destroy(entry)
  }

  /** What the device forgets when it goes down. */
  closed(): void {
    this.flush(NUD_PERMANENT | NUD_NOARP)
  }

  #change(
    entry: Entry,
    remote: Remote | undefined,
    {
      state,
      flags,
      how,
      nhId,
    }: { state: number; flags: number; how: number; nhId?: number | undefined },
  ): void {
    if (nhId && entry.nhId === 0) {
      const text = 'Cannot replace an existing non nexthop fdb with a nexthop'
      throw new NetlinkError('EOPNOTSUPP', text)
    }
    let isModified = entry.state !== state || entry.flags !== flags
    let told = entry.remotes[0]
    entry.state = state
    entry.flags = flags
    if (how & NLM_F_REPLACE) {
      if (isShared(entry.address)) {
        throw new NetlinkError('EOPNOTSUPP', 'Cannot replace non-unicast fdb entries')
      }
      if (remote && !(entry.remotes[0] && isSame(entry.remotes[0], remote))) {
        entry.remotes = [remote]
        told = remote
        isModified = true
      }
    }
    const isAppended = how & NLM_F_APPEND && isShared(entry.address)
    if (isAppended && remote && !entry.remotes.some((each) => isSame(each, remote))) {
      entry.remotes.push(remote)
      told = remote
      isModified = true
    }
    if (!isModified) return
    entry.updated = this.#dev.stack.now()
    this.#announce('NEWNEIGH', entry, told)
  }

  /** vxlan_fdb_parse(). */
  #parse(request: RemoteRequest): { remote: Remote; vni: number } {
    const { dst, port, vni, srcVni, viaIfindex, nhId } = request
    const { config, stack } = this.#dev
    const others = [dst, port, vni, viaIfindex]
    if (nhId !== undefined && others.some((each) => each !== undefined)) {
      const text = 'DST, VNI, ifindex and port are mutually exclusive with NH_ID'
      throw new NetlinkError('EINVAL', text)
    }
    if (dst && dst.length !== 4 && dst.length !== 16) {
      throw new NetlinkError('EAFNOSUPPORT', 'Unsupported address family')
    }
    if (viaIfindex && !stack.devices.byIndex(viaIfindex)) {
      throw new NetlinkError('EADDRNOTAVAIL', 'Device not found')
    }
    const remote = {
      dst: dst ?? new Uint8Array(config.remote.length),
      port: port ?? config.port,
      vni: vni ?? config.id,
      ifindex: viaIfindex ?? 0,
    }
    return { remote, vni: srcVni ?? config.id }
  }

  #destroy(entry: Entry): void {
    this.#entries.delete(keyOf(entry.address, entry.vni))
    if (entry.remotes.length === 0) this.#announce('DELNEIGH', entry)
    for (const remote of entry.remotes) this.#announce('DELNEIGH', entry, remote)
  }

  #announce(event: 'NEWNEIGH' | 'DELNEIGH', entry: Entry, remote?: Remote): void {
    this.#dev.stack.chains.remoteFdb.call(event, this.#describe(entry, remote))
  }

  #describe(entry: Entry, remote?: Remote): RemoteEntry {
    const { config } = this.#dev
    const { address, vni, nhId, state, flags, used, updated } = entry
    return {
      dev: this.#dev,
      address,
      dst: remote && !isAny(remote.dst) ? remote.dst : undefined,
      port: remote && remote.port !== config.port ? remote.port : undefined,
      vni: remote && remote.vni !== config.id ? remote.vni : undefined,
      srcVni: config.collectMetadata && vni ? vni : undefined,
      viaIfindex: remote?.ifindex || undefined,
      nhId: nhId || undefined,
      state,
      flags: flags | (flags === 0 ? NTF_SELF : 0),
      used,
      updated,
    }
  }
}

function keyOf(address: Uint8Array, vni: number): string {
  return `${address.join(':')}/${vni}`
}

function isSame(a: Remote, b: Remote): boolean {
  return (
    a.dst.join() === b.dst.join() && a.port === b.port && a.vni === b.vni && a.ifindex === b.ifindex
  )
}
