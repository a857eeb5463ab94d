/**
 * Forwarding entries of a device that is no bridge: behind which host on the other side an address
 * is.
 *
 * Kernel: include/linux/netdevice.h ndo_fdb_add() and kin; drivers/net/vxlan/vxlan_core.c
 * vxlan_fdb_info().
 */
import type { NetDevice } from './device.ts'

/** One way to an address. */
export interface RemoteEntry {
  readonly dev: NetDevice
  readonly address: Uint8Array
  /** The other host: 4 or 16 bytes; absent with a nexthop. */
  readonly dst?: Uint8Array | undefined
  /** Where these are not the device's own. */
  readonly port?: number | undefined
  readonly vni?: number | undefined
  readonly srcVni?: number | undefined
  readonly viaIfindex?: number | undefined
  readonly nhId?: number | undefined
  /** NUD_*. */
  readonly state: number
  /** NTF_*. */
  readonly flags: number
  /** Milliseconds since boot. */
  readonly used: number
  readonly updated: number
}

/** What is asked for: NDA_*, as far as it matters here. */
export interface RemoteRequest {
  readonly lladdr?: Uint8Array | undefined
  readonly dst?: Uint8Array | undefined
  readonly port?: number | undefined
  readonly vni?: number | undefined
  readonly srcVni?: number | undefined
  readonly viaIfindex?: number | undefined
  readonly nhId?: number | undefined
  readonly state: number
  readonly flags: number
}

/** What such a device can do. */
export interface FdbOps {
  /** `how`: NLM_F_*. @throws NetlinkError */
  add(request: RemoteRequest, how: number): void
  /** @throws NetlinkError */
  delete(request: RemoteRequest): void
  /** @throws NetlinkError ENOENT */
  get(address: Uint8Array, vni: number | undefined): RemoteEntry
  items(): Iterable<RemoteEntry>
}
