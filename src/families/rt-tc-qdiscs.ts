/**
 * TCA_OPTIONS of queueing disciplines and their classes.
 *
 * Kernel: include/uapi/linux/pkt_sched.h; net/sched/sch_*.c (Linux 6.18). Sizes are in bytes, rates
 * in bytes a second, times in microseconds, but for `buffer` and `mtu`, which are in ticks.
 */
import { attrs, binary, flag, s16, s32, struct, u8, u16, u32, u64 } from '../schema/index.ts'

export const tcFifoQopt = struct('tc_fifo_qopt', {
  /** Packets, of bfifo bytes. */
  limit: u32,
})

export const tcPrioQopt = struct('tc_prio_qopt', {
  bands: s32,
  /** The band of each priority. */
  priomap: binary.exact(16),
})

export const tcRatespec = struct('tc_ratespec', {
  cellLog: u8,
  linklayer: u8,
  overhead: u16,
  cellAlign: s16,
  mpu: u16,
  rate: u32,
})

export const tcTbfQopt = struct('tc_tbf_qopt', {
  rate: tcRatespec,
  peakrate: tcRatespec,
  limit: u32,
  buffer: u32,
  mtu: u32,
})
export const tbfAttrs = attrs('TCA_TBF_', {
  parms: [1, tcTbfQopt],
  rtab: [2, binary],
  ptab: [3, binary],
  rate64: [4, u64],
  prate64: [5, u64],
  burst: [6, u32],
  pburst: [7, u32],
})

export const tcHtbOpt = struct('tc_htb_opt', {
  rate: tcRatespec,
  ceil: tcRatespec,
  buffer: u32,
  cbuffer: u32,
  quantum: u32,
  level: u32,
  prio: u32,
})
export const tcHtbGlob = struct('tc_htb_glob', {
  version: u32,
  rate2quantum: u32,
  defcls: u32,
  debug: u32,
  directPkts: u32,
})
export const htbAttrs = attrs('TCA_HTB_', {
  init: [2, tcHtbGlob],
  parms: [1, tcHtbOpt],
  ctab: [3, binary],
  rtab: [4, binary],
  directQlen: [5, u32],
  rate64: [6, u64],
  ceil64: [7, u64],
  offload: [9, flag],
})

export const codelAttrs = attrs('TCA_CODEL_', {
  target: [1, u32],
  limit: [2, u32],
  interval: [3, u32],
  ecn: [4, u32],
  ceThreshold: [5, u32],
})

export const fqCodelAttrs = attrs('TCA_FQ_CODEL_', {
  target: [1, u32],
  limit: [2, u32],
  interval: [3, u32],
  ecn: [4, u32],
  flows: [5, u32],
  quantum: [6, u32],
  ceThreshold: [7, u32],
  dropBatchSize: [8, u32],
  memoryLimit: [9, u32],
  ceThresholdSelector: [10, u8],
  ceThresholdMask: [11, u8],
})

export const fqAttrs = attrs('TCA_FQ_', {
  plimit: [1, u32],
  flowPlimit: [2, u32],
  quantum: [3, u32],
  initialQuantum: [4, u32],
  rateEnable: [5, u32],
  flowDefaultRate: [6, u32],
  flowMaxRate: [7, u32],
  bucketsLog: [8, u32],
  flowRefillDelay: [9, u32],
  orphanMask: [10, u32],
  lowRateThreshold: [11, u32],
  ceThreshold: [12, u32],
  timerSlack: [13, u32],
  horizon: [14, u32],
  horizonDrop: [15, u8],
  /** struct tc_prio_qopt. */
  priomap: [16, binary],
  weights: [17, binary],
  offloadHorizon: [18, u32],
})

/** Without what RED adds to it, which is kept in `tail`. */
export const tcSfqQopt = struct('tc_sfq_qopt', {
  quantum: u32,
  perturbPeriod: s32,
  limit: u32,
  divisor: u32,
  flows: u32,
})

export const drrAttrs = attrs('TCA_DRR_', { quantum: [1, u32] })
