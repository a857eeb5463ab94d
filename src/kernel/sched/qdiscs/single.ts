/** What disciplines have in common that have one other below: one class, :1. Kernel: net/sched/sch_tbf.c tbf_find() and kin. */
import type { ClassOps, Qdisc } from '../qdisc.ts'

/** `state` of such a discipline. */
export interface Holder {
  child: Qdisc | undefined
}

const ONLY = { classid: 1 }

/** `replace` gives what comes below when it is emptied. */
export function oneClass(
  replace: (q: Qdisc) => Qdisc | undefined,
  { isAlwaysThere = true }: { isAlwaysThere?: boolean } = {},
): ClassOps {
  const holder = (q: Qdisc): Holder => q.state as Holder
  return {
    find: () => ONLY,
    leaf: (q) => holder(q).child ?? (isAlwaysThere ? 'noop' : undefined),
    graft(q, _, next) {
      const old = holder(q).child
      holder(q).child = next ?? replace(q)
      return old
    },
    *walk(q) {
      if (isAlwaysThere || holder(q).child) yield ONLY
    },
    header(q, _, header) {
      header.handle = (header.handle | 1) >>> 0
      header.info = holder(q).child?.handle ?? 0
    },
    hasNoStats: true,
  }
}
