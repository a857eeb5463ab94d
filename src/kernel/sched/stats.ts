/**
 * Statistics of what sends nothing: there, and zero.
 *
 * Kernel: net/core/gen_stats.c gnet_stats_start_copy_compat(), gnet_stats_finish_copy().
 */
import type { Writer } from '../../wire/writer.ts'
import { TCA_STATS, TCA_STATS2, TCA_XSTATS } from './constants.ts'

const STATS_BASIC = 1
const STATS_QUEUE = 3
const STATS_APP = 4
const STATS_BASIC_HW = 7

const BASIC = new Uint8Array(16)
const QUEUE = new Uint8Array(20)
/** sizeof(struct tc_stats). */
const OLD = new Uint8Array(40)

/**
 * TCA_STATS2, and the older forms. `xstats` is what the kind has to say: a discipline's stands before
 * the rest, a class's behind it.
 */
export function putStats(
  w: Writer,
  xstats: Uint8Array | undefined,
  { isBehind = false, isEmpty = false }: { isBehind?: boolean; isEmpty?: boolean } = {},
): void {
  const stats = w.attrStart(TCA_STATS2)
  if (xstats && !isBehind) w.attrBytes(STATS_APP, xstats)
  if (!isEmpty) {
    w.attrBytes(STATS_BASIC, BASIC)
    w.attrBytes(STATS_QUEUE, QUEUE)
  }
  if (xstats && isBehind) w.attrBytes(STATS_APP, xstats)
  w.attrEnd(stats)
  w.attrBytes(TCA_STATS, OLD)
  if (xstats) w.attrBytes(TCA_XSTATS, xstats)
}

/** TCA_ACT_STATS. */
export function putActionStats(w: Writer, type: number): void {
  const stats = w.attrStart(type)
  w.attrBytes(STATS_BASIC, BASIC)
  w.attrBytes(STATS_BASIC_HW, BASIC)
  w.attrBytes(STATS_QUEUE, QUEUE)
  w.attrEnd(stats)
}
