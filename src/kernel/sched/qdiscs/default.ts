/**
 * What devices have by themselves: noqueue, pfifo_fast, and mq with one discipline for each queue.
 *
 * Kernel: net/sched/sch_generic.c noqueue_init(), pfifo_fast_dump(); net/sched/sch_mq.c
 * (Linux 6.12).
 */
import { NetlinkError } from '../../../errors.ts'
import { minor, TC_H_ROOT, TCA_OPTIONS } from '../constants.ts'
import { Qdisc, type QdiscOps, type TcClass } from '../qdisc.ts'

export const noqueue: QdiscOps = { kind: 'noqueue' }

/** struct tc_prio_qopt: three bands, and the band of each priority. */
const FAST = Uint8Array.of(3, 0, 0, 0, 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)

export const pfifoFast: QdiscOps = {
  kind: 'pfifo_fast',
  put: (w) => w.attrBytes(TCA_OPTIONS, FAST),
}

/** What mq has below, one for each queue. */
function queuesOf(q: Qdisc): (Qdisc | undefined)[] {
  return q.state as (Qdisc | undefined)[]
}

export const mq: QdiscOps = {
  kind: 'mq',
  isMq: true,
  init(q) {
    const { dev, set } = q
    if (q.parent !== TC_H_ROOT || dev.txQueues < 2) throw new NetlinkError('EOPNOTSUPP')
    q.state = Array.from({ length: dev.txQueues }, (_, i) => {
      const child = new Qdisc(set, pfifoFast, 0, (q.handle | (i + 1)) >>> 0)
      set.add(child)
      return child
    })
  },
  classes: {
    find(q, classid) {
      const queue = minor(classid)
      return queue >= 1 && queue <= queuesOf(q).length ? { classid: queue } : undefined
    },
    leaf: (q, { classid }) => queuesOf(q)[classid - 1],
    graft(q, { classid }, next) {
      const queues = queuesOf(q)
      const old = queues[classid - 1]
      queues[classid - 1] = next
      return old
    },
    *walk(q): Iterable<TcClass> {
      for (const i of queuesOf(q).keys()) yield { classid: i + 1 }
    },
    header(q, { classid }, header) {
      header.parent = TC_H_ROOT
      header.handle = (header.handle | classid) >>> 0
      header.info = queuesOf(q)[classid - 1]?.handle ?? 0
    },
  },
}
