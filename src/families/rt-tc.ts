/**
 * rt-tc: traffic control: queueing disciplines, their classes, filters and what filters do.
 *
 * Kernel: include/uapi/linux/rtnetlink.h, pkt_sched.h, pkt_cls.h, gen_stats.h; net/sched/sch_api.c
 * tc_fill_qdisc(), tc_fill_tclass(), net/sched/cls_api.c tcf_fill_node() (Linux 6.18).
 */
import {
  array,
  attrs,
  binary,
  flag,
  message,
  nest,
  rawFamily,
  s32,
  selected,
  string,
  struct,
  u8,
  u32,
} from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { actionAttrs } from './rt-tc-actions.ts'
import {
  codelAttrs,
  drrAttrs,
  fqAttrs,
  fqCodelAttrs,
  htbAttrs,
  tbfAttrs,
  tcFifoQopt,
  tcPrioQopt,
  tcSfqQopt,
} from './rt-tc-qdiscs.ts'
import { tcStats2Attrs } from './rt-tc-stats.ts'
import {
  addressFamily,
  RTM_DELQDISC,
  RTM_DELTCLASS,
  RTM_DELTFILTER,
  RTM_GETQDISC,
  RTM_GETTCLASS,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  RTM_NEWTCLASS,
  RTM_NEWTFILTER,
  RTNLGRP_TC,
} from './rtnetlink.ts'

export const TC_H_ROOT = 0xffffffff
export const TC_H_INGRESS = 0xfffffff1

export const tcmsg = struct('tcmsg', {
  family: addressFamily,
  pad1: 1,
  pad2: 2,
  ifindex: s32,
  /** Major and minor number, in the upper and the lower half. */
  handle: u32,
  parent: u32,
  /** Of a qdisc how often it is used, of a class its leaf, of a filter priority and protocol. */
  info: u32,
})

export const u32Attrs = attrs('TCA_U32_', {
  classid: [1, u32],
  hash: [2, u32],
  link: [3, u32],
  divisor: [4, u32],
  /** struct tc_u32_sel and its keys. */
  sel: [5, binary],
  police: [6, binary],
  act: [7, array(nest(actionAttrs, 'noflag'), 'noflag', 1)],
  indev: [8, string],
  pcnt: [9, binary],
  mark: [10, binary],
  flags: [11, u32],
})

export const bpfFilterAttrs = attrs('TCA_BPF_', {
  act: [1, array(nest(actionAttrs, 'noflag'), 'noflag', 1)],
  police: [2, binary],
  classid: [3, u32],
  /** How many instructions `ops` has. */
  opsLen: [4, binary.exact(2)],
  ops: [5, binary],
  fd: [6, u32],
  name: [7, string],
  flags: [8, u32],
  flagsGen: [9, u32],
  tag: [10, binary],
  id: [11, u32],
})

export const matchallAttrs = attrs('TCA_MATCHALL_', {
  classid: [1, u32],
  act: [2, array(nest(actionAttrs, 'noflag'), 'noflag', 1)],
  flags: [3, u32],
  pcnt: [4, binary],
})

const optionForms = {
  bfifo: tcFifoQopt,
  bpf: nest(bpfFilterAttrs, 'noflag'),
  codel: nest(codelAttrs, 'noflag'),
  drr: nest(drrAttrs, 'noflag'),
  fq: nest(fqAttrs, 'noflag'),
  fq_codel: nest(fqCodelAttrs, 'noflag'),
  htb: nest(htbAttrs, 'noflag'),
  matchall: nest(matchallAttrs, 'noflag'),
  pfifo: tcFifoQopt,
  pfifo_fast: tcPrioQopt,
  pfifo_head_drop: tcFifoQopt,
  prio: tcPrioQopt,
  sfq: tcSfqQopt,
  tbf: nest(tbfAttrs, 'noflag'),
  u32: nest(u32Attrs, 'noflag'),
} as const

const tcDefinitions = {
  kind: [1, string],
  ingressBlock: [13, u32],
  egressBlock: [14, u32],
  chain: [11, u32],
  options: [2, selected('kind', optionForms)],
  hwOffload: [12, u8],
  stab: [8, binary],
  stats2: [7, nest(tcStats2Attrs, 'noflag')],
  /** struct tc_stats, the older form. */
  stats: [3, binary],
  xstats: [4, binary],
  rate: [5, binary],
  dumpInvisible: [10, flag],
  dumpFlags: [15, binary],
  extWarnMsg: [16, string],
} as const
export interface TcDefinitions extends Readonly<typeof tcDefinitions> {}
export const tcAttrs = attrs('TCA_', tcDefinitions as TcDefinitions)

const body = message(tcmsg, tcAttrs)
const select = message(tcmsg, tcAttrs.only('kind', 'dumpInvisible', 'chain'))

export const rtTc = rawFamily({
  name: 'rt-tc',
  protocol: NETLINK_ROUTE,
  groups: { tc: RTNLGRP_TC },
  ops: {
    newQdisc: { cmd: RTM_NEWQDISC, constant: 'RTM_NEWQDISC', do: { request: body } },
    delQdisc: { cmd: RTM_DELQDISC, constant: 'RTM_DELQDISC', do: { request: body } },
    /** All qdiscs, of one link if `ifindex` is given. */
    getQdisc: {
      cmd: RTM_GETQDISC,
      replyCmd: RTM_NEWQDISC,
      constant: 'RTM_GETQDISC',
      do: { request: select, reply: body },
      dump: { request: select, reply: body },
    },
    newTclass: { cmd: RTM_NEWTCLASS, constant: 'RTM_NEWTCLASS', do: { request: body } },
    delTclass: { cmd: RTM_DELTCLASS, constant: 'RTM_DELTCLASS', do: { request: body } },
    /** Classes of one link. */
    getTclass: {
      cmd: RTM_GETTCLASS,
      replyCmd: RTM_NEWTCLASS,
      constant: 'RTM_GETTCLASS',
      do: { request: select, reply: body },
      dump: { request: select, reply: body },
    },
    newTfilter: { cmd: RTM_NEWTFILTER, constant: 'RTM_NEWTFILTER', do: { request: body } },
    delTfilter: { cmd: RTM_DELTFILTER, constant: 'RTM_DELTFILTER', do: { request: body } },
    /** Filters of one link, of the qdisc or class `parent`. */
    getTfilter: {
      cmd: RTM_GETTFILTER,
      replyCmd: RTM_NEWTFILTER,
      constant: 'RTM_GETTFILTER',
      do: { request: select, reply: body },
      dump: { request: select, reply: body },
    },
  },
  notifications: {
    newQdisc: { cmd: RTM_NEWQDISC, group: 'tc', body },
    delQdisc: { cmd: RTM_DELQDISC, group: 'tc', body },
    newTclass: { cmd: RTM_NEWTCLASS, group: 'tc', body },
    delTclass: { cmd: RTM_DELTCLASS, group: 'tc', body },
    newTfilter: { cmd: RTM_NEWTFILTER, group: 'tc', body },
    delTfilter: { cmd: RTM_DELTFILTER, group: 'tc', body },
  },
})
