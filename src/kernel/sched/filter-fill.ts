/**
 * Messages about filters.
 *
 * Kernel: net/sched/cls_api.c tcf_fill_node(), tfilter_notify(), tfilter_del_notify() (Linux 6.12).
 */
import { RTM_DELTFILTER, RTNLGRP_TC } from '../../families/rtnetlink.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import { notify } from '../rtnetlink/notify.ts'
import type { Filter, Proto } from './block.ts'
import { GOODSIZE, TCA_CHAIN, TCA_KIND, TCM_IFINDEX_MAGIC_BLOCK } from './constants.ts'
import type { FilterPlace } from './filter-place.ts'
import type { SchedNet } from './sched-net.ts'

export interface ShownFilter {
  readonly tp: Proto
  readonly place: FilterPlace
  /** Undefined: what all of `tp` have. */
  readonly filter: Filter | undefined
}

export function putFilter(w: Writer, { tp, place, filter }: ShownFilter): void {
  const { q, parent, block } = place
  w.u32(0)
  w.u32(q ? q.dev.ifindex : TCM_IFINDEX_MAGIC_BLOCK)
  w.u32(filter?.handle ?? 0)
  w.u32(q ? parent : block.index)
  w.u32((tp.prio | tp.protocol) >>> 0)
  w.attrString(TCA_KIND, tp.ops.kind)
  w.attrU32(TCA_CHAIN, tp.chain.index)
  if (filter) tp.ops.put(w, tp, filter)
}

export function notifyFilter(
  net: SchedNet,
  ctx: RequestContext,
  type: number,
  shown: ShownFilter,
): void {
  const what = { type, flags: ctx.flags, group: RTNLGRP_TC, origin: ctx, size: GOODSIZE }
  notify(net.sock, what, (w) => putFilter(w, shown))
}

/** A message that says what is now, and is sent when it is so no more. */
export function prepareDeletion(
  net: SchedNet,
  ctx: RequestContext,
  shown: ShownFilter,
): () => void {
  const { sock } = net
  if (!ctx.echo && !sock.hasListeners(RTNLGRP_TC)) return () => {}
  const skb = sock.alloc(GOODSIZE)
  const mark = skb.messageStart(RTM_DELTFILTER, ctx.flags, ctx.seq, ctx.portid)
  putFilter(skb, shown)
  skb.messageEnd(mark)
  return () => {
    sock.notify(skb, { group: RTNLGRP_TC, portid: ctx.portid, report: ctx.echo })
  }
}
