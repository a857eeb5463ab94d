/** What htb and its classes are, and the options that both have. Kernel: net/sched/sch_htb.c htb_policy, struct htb_class. */
import { attrs, flag, message, u32, u64 } from '../../../schema/index.ts'
import { spanOf, textOf } from '../../rtnetlink/policy-types.ts'
import type { Block } from '../block.ts'
import type { ClassHash } from '../class-hash.ts'
import type { Qdisc, TcClass } from '../qdisc.ts'
import type { Rate } from '../rate.ts'

/** struct tc_htb_glob, struct tc_htb_opt, a table of rates. */
export const GLOB_SIZE = 20
export const OPT_SIZE = 44
const TABLE_SIZE = 1024

export const htbPolicy = message(
  attrs('TCA_HTB_', {
    parms: [1, spanOf(OPT_SIZE)],
    init: [2, spanOf(GLOB_SIZE)],
    ctab: [3, textOf(TABLE_SIZE)],
    rtab: [4, textOf(TABLE_SIZE)],
    directQlen: [5, u32],
    rate64: [6, u64],
    ceil64: [7, u64],
    offload: [9, flag],
  }),
)

export interface HtbClass extends TcClass {
  readonly parent: HtbClass | undefined
  readonly block: Block
  leaf: Qdisc | undefined
  children: number
  /** 0 for a leaf. */
  level: number
  rate: Rate
  ceil: Rate
  buffer: number
  cbuffer: number
  quantum: number
  prio: number
  hasEstimator: boolean
  /** In ticks, of the rate and of the ceiling. */
  readonly tokens: number
  readonly ctokens: number
}

export interface Htb {
  readonly block: Block
  readonly classes: ClassHash<HtbClass>
  readonly rate2quantum: number
  readonly defaultClass: number
  readonly directQlen: number
}

export function htbOf(q: Qdisc): Htb {
  return q.state as Htb
}
