/** Whether filters lead to a class. Kernel: include/net/pkt_cls.h tcf_bind_filter(), qdisc_class_in_use(). */
import type { Block } from './block.ts'
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

export function isClassInUse(q: Qdisc, { classid }: TcClass): boolean {
  for (const block of blocksOf(q)) if (block.leadsTo(classid)) return true
  return false
}
