/**
 * How large packets may be that a device is left to cut, or to put together.
 *
 * Kernel: net/core/dev.c netif_set_gso_max_size(), netif_set_gro_max_size(), netif_set_tso_max_size();
 * net/core/rtnetlink.c validate_linkmsg() (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'

/** Bytes: what IPv4 can have, and what all can. */
const GSO_LEGACY_MAX_SIZE = 65_536
const GSO_MAX_SIZE = 524_280
const GRO_MAX_SIZE = 524_280
/** Packets. */
const GSO_MAX_SEGS = 65_535

/** What can be asked for; absent: as it is. */
export interface OffloadRequest {
  readonly gsoMaxSize?: number | undefined
  readonly gsoMaxSegs?: number | undefined
  readonly groMaxSize?: number | undefined
  readonly gsoIpv4MaxSize?: number | undefined
  readonly groIpv4MaxSize?: number | undefined
}

/** The limits of one device. */
export class Offload {
  /** Bytes. */
  gsoMaxSize = GSO_LEGACY_MAX_SIZE
  gsoIpv4MaxSize = GSO_LEGACY_MAX_SIZE
  groMaxSize = GSO_LEGACY_MAX_SIZE
  groIpv4MaxSize = GSO_LEGACY_MAX_SIZE
  /** Packets. */
  gsoMaxSegs = GSO_MAX_SEGS
  tsoMaxSegs = GSO_MAX_SEGS
  #tsoMaxSize = GSO_MAX_SIZE

  /** Bytes that the device itself can cut. */
  get tsoMaxSize(): number {
    return this.#tsoMaxSize
  }

  /** netif_set_tso_max_size(): the other limits do not exceed it. */
  set tsoMaxSize(size: number) {
    this.#tsoMaxSize = Math.min(GSO_MAX_SIZE, size)
    if (size < this.gsoMaxSize) this.#setGsoMaxSize(size)
    if (size < this.gsoIpv4MaxSize) this.gsoIpv4MaxSize = size
  }

  /** @throws NetlinkError EINVAL for the first that is too much. */
  check(request: OffloadRequest): void {
    const segs = Math.min(GSO_MAX_SEGS, this.tsoMaxSegs)
    const rows: [number | undefined, number, string][] = [
      [request.gsoMaxSize, this.tsoMaxSize, 'gso_max_size'],
      [request.gsoMaxSegs, segs, 'gso_max_segs'],
      [request.groMaxSize, GRO_MAX_SIZE, 'gro_max_size'],
      [request.gsoIpv4MaxSize, this.tsoMaxSize, 'gso_ipv4_max_size'],
      [request.groIpv4MaxSize, GRO_MAX_SIZE, 'gro_ipv4_max_size'],
    ]
    for (const [value, most, name] of rows) {
      if (value !== undefined && value > most) throw new NetlinkError('EINVAL', `too big ${name}`)
    }
  }

  /** Takes what was checked; whether something changed. */
  apply(request: OffloadRequest): boolean {
    const before = this.#all()
    const { gsoMaxSize, gsoMaxSegs, groMaxSize, gsoIpv4MaxSize, groIpv4MaxSize } = request
    if (gsoMaxSize !== undefined && gsoMaxSize !== this.gsoMaxSize) this.#setGsoMaxSize(gsoMaxSize)
    if (gsoMaxSegs !== undefined) this.gsoMaxSegs = gsoMaxSegs
    if (groMaxSize !== undefined && groMaxSize !== this.groMaxSize) {
      this.groMaxSize = groMaxSize
      if (groMaxSize <= GSO_LEGACY_MAX_SIZE) this.groIpv4MaxSize = groMaxSize
    }
    if (gsoIpv4MaxSize !== undefined) this.gsoIpv4MaxSize = gsoIpv4MaxSize
    if (groIpv4MaxSize !== undefined) this.groIpv4MaxSize = groIpv4MaxSize
    return this.#all() !== before
  }

  #setGsoMaxSize(size: number): void {
    this.gsoMaxSize = size
    if (size <= GSO_LEGACY_MAX_SIZE) this.gsoIpv4MaxSize = size
  }

  #all(): string {
    const { gsoMaxSize, gsoMaxSegs, groMaxSize, gsoIpv4MaxSize, groIpv4MaxSize } = this
    return [gsoMaxSize, gsoMaxSegs, groMaxSize, gsoIpv4MaxSize, groIpv4MaxSize].join()
  }
}
