/**
 * Counters of qdiscs, classes and actions.
 *
 * Kernel: include/uapi/linux/gen_stats.h; net/core/gen_stats.c (Linux 6.18).
 */
import { attrs, binary, struct, u32, u64 } from '../schema/index.ts'

export const gnetStatsBasic = struct('gnet_stats_basic', {
  bytes: u64,
  packets: u32,
  pad: 4,
}).since(12)
/** A second. */
export const gnetStatsRateEst = struct('gnet_stats_rate_est', { bps: u32, pps: u32 })
export const gnetStatsRateEst64 = struct('gnet_stats_rate_est64', { bps: u64, pps: u64 })
export const gnetStatsQueue = struct('gnet_stats_queue', {
  qlen: u32,
  /** Bytes. */
  backlog: u32,
  drops: u32,
  requeues: u32,
  overlimits: u32,
})

/** In the order in which Linux sends them. */
export const tcStats2Attrs = attrs('TCA_STATS_', {
  basic: [1, gnetStatsBasic],
  basicHw: [7, gnetStatsBasic],
  pkt64: [8, u64],
  rateEst: [2, gnetStatsRateEst],
  rateEst64: [5, gnetStatsRateEst64],
  queue: [3, gnetStatsQueue],
  /** What only the kind counts. */
  app: [4, binary],
})
