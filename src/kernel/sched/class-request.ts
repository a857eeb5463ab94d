/**
 * RTM_NEWTCLASS, RTM_DELTCLASS, RTM_GETTCLASS.
 *
 * Kernel: net/sched/sch_api.c tc_ctl_tclass(), tc_dump_tclass(), tc_fill_tclass() (Linux 6.12).
 */
import {
  RTM_DELTCLASS,
  RTM_GETTCLASS,
  RTM_NEWTCLASS,
  RTNLGRP_TC,
} from '../../families/rtnetlink.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { notify } from '../rtnetlink/notify.ts'
import { payloadSize } from '../rtnetlink/parse.ts'
import { bindClass } from './class-use.ts'
import { GOODSIZE, major, minor, TC_H_ROOT, TCA_KIND } from './constants.ts'
import type { ClassHeader, ClassOps, Qdisc, TcClass } from './qdisc.ts'
import { isShown } from './qdisc-fill.ts'
import { setOf } from './qdisc-request.ts'
import type { QdiscSet } from './qdisc-set.ts'
import { refuse, TcRequest } from './request.ts'
import type { Sched } from './sched.ts'
import { putStats } from './stats.ts'

const HEADER_SIZE = 20

function putClass(w: Writer, q: Qdisc, cl: TcClass): void {
  const { kind, classes } = q.ops
  const header: ClassHeader = { parent: q.handle, handle: q.handle, info: 0 }
  classes?.header?.(q, cl, header)
  w.u32(0)
  w.u32(q.dev.ifindex)
  w.u32(header.handle)
  w.u32(header.parent)
  w.u32(header.info)
  w.attrString(TCA_KIND, kind)
  classes?.put?.(w, q, cl)
  if (classes?.hasNoStats) putStats(w, undefined, { isEmpty: true })
  else putStats(w, classes?.xstats?.(cl), { isBehind: true })
}

/** Where a class is to be found: the discipline, and the numbers made whole. @throws NetlinkError */
function place(set: QdiscSet, tc: TcRequest): { q: Qdisc; classid: number; parentid: number } {
  let parentid = tc.parent
  let classid = tc.handle
  let qid = major(classid)
  const rootHandle = set.root?.handle ?? 0
  if (parentid !== TC_H_ROOT) {
    const other = major(parentid)
    if (qid && other && qid !== other) refuse('EINVAL')
    qid = qid || other || rootHandle
    if (parentid) parentid = (qid | minor(parentid)) >>> 0
  } else qid = qid || rootHandle
  const q = set.byHandle(qid)
  if (!q) refuse('ENOENT')
  if (classid !== 0) classid = (qid | minor(classid)) >>> 0
  else if (parentid === TC_H_ROOT) classid = qid
  return { q, classid, parentid }
}

/** tc_ctl_tclass(). @throws NetlinkError */
export function controlClass(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  const set = setOf(sched, tc)
  const { q, classid, parentid } = place(set, tc)
  const { classes } = q.ops
  if (!classes) refuse('EINVAL')
  const existing = classid ? classes.find(q, classid) : undefined
  const isNew = ctx.type === RTM_NEWTCLASS
  if (!existing && !(isNew && ctx.flags & NLM_F_CREATE)) refuse('ENOENT')
  if (existing && isNew && ctx.flags & NLM_F_EXCL) refuse('EEXIST')
  if (existing && ctx.type === RTM_DELTCLASS) {
    remove(set, ctx, classes, q, existing)
    return
  }
  if (existing && ctx.type === RTM_GETTCLASS) {
    notifyClass(set, ctx, q, existing)
    return
  }
  if (tc.ingressBlock !== undefined || tc.egressBlock !== undefined) {
    refuse('EOPNOTSUPP', 'Shared blocks are not supported for classes')
  }
  if (classid === TC_H_ROOT) {
    refuse('EINVAL', 'Cannot create traffic class with classid TC_H_ROOT')
  }
  if (!classes.change) refuse('EOPNOTSUPP')
  const cl = classes.change(q, { classid, parentid, tc }, existing)
  notifyClass(set, ctx, q, cl)
  if (cl !== existing) bindClass(q, cl)
}

/** tclass_del_notify(): told of as it was. @throws NetlinkError EOPNOTSUPP, EBUSY */
function remove(
  set: QdiscSet,
  ctx: RequestContext,
  classes: ClassOps,
  q: Qdisc,
  cl: TcClass,
): void {
  if (!classes.delete) refuse('EOPNOTSUPP')
  const { sock } = set.net
  const isHeard = ctx.echo || sock.hasListeners(RTNLGRP_TC)
  const skb = isHeard ? sock.alloc(GOODSIZE) : undefined
  if (skb) {
    const mark = skb.messageStart(RTM_DELTCLASS, 0, ctx.seq, ctx.portid)
    putClass(skb, q, cl)
    skb.messageEnd(mark)
  }
  classes.delete(q, cl)
  if (skb) sock.notify(skb, { group: RTNLGRP_TC, portid: ctx.portid, report: ctx.echo })
}

/** tclass_notify(), tclass_get_notify(): who asks hears it with NLM_F_ECHO. */
function notifyClass(set: QdiscSet, ctx: RequestContext, q: Qdisc, cl: TcClass): void {
  const what = { type: RTM_NEWTCLASS, group: RTNLGRP_TC, origin: ctx, size: GOODSIZE }
  notify(set.net.sock, what, (w) => putClass(w, q, cl))
}

export function classDump(sched: Sched): DumpSource<{ q: Qdisc; cl: TcClass }> {
  return {
    name: 'RTM_GETTCLASS',
    type: RTM_NEWTCLASS,
    *items(ctx) {
      if (payloadSize(ctx) < HEADER_SIZE) return
      const ifindex = ctx.view.getUint32(ctx.payload + 4, HOST_LE)
      const parent = ctx.view.getUint32(ctx.payload + 12, HOST_LE)
      const dev = ctx.kernel.rtnl.stackOf(ctx.net).devices.byIndex(ifindex)
      if (!dev) return
      for (const q of sched.netOf(ctx.net).setOf(dev).all()) {
        if (!isShown(q) || (parent !== 0 && major(parent) !== q.handle)) continue
        for (const cl of q.ops.classes?.walk(q) ?? []) yield { q, cl }
      }
    },
    put: (w, { q, cl }) => putClass(w, q, cl),
  }
}
