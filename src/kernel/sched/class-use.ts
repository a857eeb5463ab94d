/** Whether filters lead to a class. Kernel: include/net/pkt_cls.h tcf_bind_filter(), qdisc_class_in_use(); net/sched/sch_api.c tc_bind_tclass(). */
import type { Block, Filter } from './block.ts'
import type { Qdisc, TcClass } from './qdisc.ts'

/** The blocks of a discipline and of its classes. */
function* blocksOf(q: Qdisc): Iterable<Block> {
  const { classes } = q.ops
  if (!classes?.block) return
  const own = classes.block(q, undefined)
  if (own) yield own
  for (const cl of classes.walk(q)) {
    const block = blockOf(q, cl)
    if (block && block !== own) yield block
  }
}

function blockOf(q: Qdisc, cl: TcClass): Block | undefined {
  try {
    return q.ops.classes?.block?.(q, cl)
  } catch {
    return undefined
  }
}

export function isClassInUse(q: Qdisc, cl: TcClass): boolean {
  for (const block of blocksOf(q)) {
    for (const { bound } of block.filters()) if (bound === cl) return true
  }
  return false
}

/** tcf_bind_filter(): a new filter holds the class that it leads to, if there is one. */
export function bindFilter({ q }: Block, filter: Filter): void {
  filter.bound = q && filter.classid ? q.ops.classes?.find(q, filter.classid) : undefined
}

/** tc_bind_tclass(): filters that classes have hold a new class that they lead to. */
export function bindClass(q: Qdisc, made: TcClass): void {
  for (const cl of q.ops.classes?.walk(q) ?? []) {
    for (const filter of blockOf(q, cl)?.filters() ?? []) {
      if (filter.classid === made.classid) filter.bound = made
    }
  }
}
