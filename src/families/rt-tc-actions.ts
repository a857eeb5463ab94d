/**
 * What filters do with packets.
 *
 * Kernel: include/uapi/linux/pkt_cls.h, tc_act/tc_gact.h, tc_mirred.h; net/sched/act_api.c
 * tcf_action_dump_1() (Linux 6.18).
 */
import {
  attrs,
  binary,
  bitfield32,
  nest,
  s32,
  selected,
  string,
  struct,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { tcStats2Attrs } from './rt-tc-stats.ts'

/** tc_gen: with what every action begins. */
const tcGen = { index: u32, capab: u32, action: s32, refcnt: s32, bindcnt: s32 } as const

export const tcGact = struct('tc_gact', tcGen)
export const tcGactP = struct('tc_gact_p', { ptype: u16, pval: u16, paction: s32 })
export const tcMirred = struct('tc_mirred', {
  ...tcGen,
  /** TCA_EGRESS_REDIR and kin. */
  eaction: s32,
  ifindex: u32,
})
/** Hundredths of a second ago. */
export const tcfT = struct('tcf_t', {
  install: u64,
  lastuse: u64,
  expires: u64,
  firstuse: u64,
}).since(24)

const gactAttrs = attrs('TCA_GACT_', { tm: [1, tcfT], parms: [2, tcGact], prob: [3, tcGactP] })
const mirredAttrs = attrs('TCA_MIRRED_', { tm: [1, tcfT], parms: [2, tcMirred], blockid: [4, u32] })

export const actionAttrs = attrs('TCA_ACT_', {
  kind: [1, string],
  options: [
    2,
    selected('kind', {
      gact: nest(gactAttrs, 'flag'),
      mirred: nest(mirredAttrs, 'flag'),
    }),
  ],
  index: [3, u32],
  stats: [4, nest(tcStats2Attrs, 'noflag')],
  cookie: [6, binary],
  flags: [7, bitfield32()],
  hwStats: [8, bitfield32()],
  usedHwStats: [9, bitfield32()],
  inHwCount: [10, u32],
})
