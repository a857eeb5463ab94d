/**
 * Messages about disciplines.
 *
 * Kernel: net/sched/sch_api.c tc_fill_qdisc(), tc_qdisc_dump_ignore(), qdisc_notify() (Linux 6.12).
 */
import { RTM_DELQDISC, RTM_NEWQDISC, RTNLGRP_TC } from '../../families/rtnetlink.ts'
import { NLM_F_REPLACE } from '../../wire/constants.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import {
  GOODSIZE,
  TCA_EGRESS_BLOCK,
  TCA_HW_OFFLOAD,
  TCA_INGRESS_BLOCK,
  TCA_KIND,
} from './constants.ts'
import type { Qdisc } from './qdisc.ts'
import type { SchedNet } from './sched-net.ts'
import { putStab } from './stab.ts'
import { putStats } from './stats.ts'

/** Whether a dump shows it, and notifications speak of it. */
export function isShown(q: Qdisc, isInvisibleToo = false): boolean {
  return isInvisibleToo || !q.isInvisible
}

/** How many hold it: a root is held by each queue of its device, and by the device. */
function referencesOf(q: Qdisc): number {
  const { dev, set, ops } = q
  if (q !== set.root || ops.isMq) return 1
  return q.handle === 0 ? 2 : 1 + dev.txQueues
}

/** What follows nlmsghdr; `parent` is what the message says. */
export function putQdisc(w: Writer, q: Qdisc, parent: number): void {
  w.u32(0)
  w.u32(q.dev.ifindex)
  w.u32(q.handle)
  w.u32(parent)
  w.u32(referencesOf(q))
  w.attrString(TCA_KIND, q.ops.kind)
  if (q.ingressBlock) w.attrU32(TCA_INGRESS_BLOCK, q.ingressBlock)
  if (q.egressBlock) w.attrU32(TCA_EGRESS_BLOCK, q.egressBlock)
  q.ops.put?.(w, q)
  const offload = w.attrStart(TCA_HW_OFFLOAD)
  w.u8(0)
  w.attrEnd(offload)
  putStab(w, q)
  putStats(w, q.ops.xstats?.(q))
}

/** qdisc_notify(): what went and what came, in one datagram. */
export function notifyQdisc(
  net: SchedNet,
  ctx: RequestContext,
  parent: number,
  old: Qdisc | undefined,
  next: Qdisc | undefined,
): void {
  const { sock } = net
  if (!ctx.echo && !sock.hasListeners(RTNLGRP_TC)) return
  const news = [
    { q: old, type: RTM_DELQDISC, flags: 0 },
    { q: next, type: RTM_NEWQDISC, flags: old ? NLM_F_REPLACE : 0 },
  ]
  const told = news.filter(({ q }) => q && isShown(q))
  if (told.length === 0) return
  const skb = sock.alloc(GOODSIZE)
  for (const { q, type, flags } of told) {
    if (!q) continue
    const mark = skb.messageStart(type, flags, ctx.seq, ctx.portid)
    putQdisc(skb, q, parent)
    skb.messageEnd(mark)
  }
  sock.notify(skb, { group: RTNLGRP_TC, portid: ctx.portid, report: ctx.echo })
}
