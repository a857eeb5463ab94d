/**
 * Rates and times as schedulers keep them.
 *
 * Kernel: include/net/sch_generic.h psched_l2t_ns(); net/sched/sch_generic.c
 * psched_ratecfg_precompute(), psched_ratecfg_getrate(); include/net/pkt_sched.h PSCHED_SHIFT.
 */
import { HOST_LE } from '../../wire/order.ts'
import type { NetDevice } from '../net/device.ts'

/** sizeof(struct tc_ratespec). */
export const RATESPEC_SIZE = 12
/** Of Ethernet: dev->hard_header_len. */
const HARD_HEADER = 14
/** A tick is 64 ns. */
const TICK_SHIFT = 6n
const LINKLAYER_MASK = 15
const LINKLAYER_ATM = 2
const U32 = 0xffff_ffffn

/** struct psched_ratecfg: bytes a second. */
export interface Rate {
  readonly bytes: bigint
  readonly overhead: number
  readonly mpu: number
  readonly linklayer: number
}

export function rateOf(view: DataView, at: number, rate64: bigint | undefined): Rate {
  const low = BigInt(view.getUint32(at + 8, HOST_LE))
  return {
    bytes: rate64 !== undefined && rate64 > low ? rate64 : low,
    overhead: view.getUint16(at + 2, HOST_LE),
    mpu: view.getUint16(at + 6, HOST_LE),
    linklayer: view.getUint8(at + 1) & LINKLAYER_MASK,
  }
}

/** struct tc_ratespec, as it is shown. */
export function putRate(view: DataView, at: number, rate: Rate | undefined): void {
  if (!rate) return
  view.setUint8(at + 1, rate.linklayer)
  view.setUint16(at + 2, rate.overhead, HOST_LE)
  view.setUint16(at + 6, rate.mpu, HOST_LE)
  view.setUint32(at + 8, Number(rate.bytes > U32 ? U32 : rate.bytes), HOST_LE)
}

/** Whether it needs an attribute of 64 bits. */
export function isLarge(rate: Rate): boolean {
  return rate.bytes > U32
}

/** How many ticks `length` bytes take. */
export function ticksOf(rate: Rate, length: number): number {
  const { mult, shift } = precompute(rate.bytes)
  let bytes = BigInt(length + rate.overhead)
  if (bytes < BigInt(rate.mpu)) bytes = BigInt(rate.mpu)
  if (rate.linklayer === LINKLAYER_ATM) bytes = ((bytes + 47n) / 48n) * 53n
  return Number((((bytes * mult) >> shift) >> TICK_SHIFT) & U32)
}

/** How many bytes go in `ticks` (psched_ns_t2l()). */
export function bytesIn(rate: Rate, ticks: number): number {
  let bytes = ((BigInt(ticks) << TICK_SHIFT) * rate.bytes) / 1_000_000_000n
  if (rate.linklayer === LINKLAYER_ATM) bytes = (bytes / 53n) * 48n
  const overhead = BigInt(rate.overhead)
  bytes = bytes > overhead ? bytes - overhead : 0n
  return Number(bytes > U32 ? U32 : bytes)
}

function precompute(rate: bigint): { mult: bigint; shift: bigint } {
  let mult = 1n
  let shift = 0n
  if (rate === 0n) return { mult, shift }
  for (let factor = 1_000_000_000n; ; factor <<= 1n, shift++) {
    mult = (factor / rate) & U32
    if (mult & (1n << 31n) || factor & (1n << 63n)) return { mult, shift }
  }
}

/** psched_mtu(). */
export function mtuOf(dev: NetDevice): number {
  return dev.mtu + HARD_HEADER
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}

/** Microseconds as CoDel's clock rounds them: units of 1,024 ns. */
export function codelTime(us: number): number {
  const units = (BigInt(us) * 1000n) >> 10n
  return Number(((units & U32) << 10n) / 1000n)
}
