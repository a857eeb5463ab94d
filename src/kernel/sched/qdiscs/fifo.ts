/** pfifo, bfifo, pfifo_head_drop. Kernel: net/sched/sch_fifo.c fifo_init(), fifo_create_dflt(). */
import { HOST_LE } from '../../../wire/order.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { mtuOf } from '../rate.ts'
import type { TcRequest } from '../request.ts'

function fifo(kind: string, limitOf: (q: Qdisc) => number): QdiscOps {
  const init = (q: Qdisc, tc: TcRequest | undefined): void => {
    q.state = tc?.options ? tc.struct(4).getUint32(0, HOST_LE) : limitOf(q)
  }
  return {
    kind,
    init,
    change: init,
    put: (w, { state }) => w.attrU32(TCA_OPTIONS, state as number),
  }
}

const packets = ({ dev }: Qdisc): number => dev.txQueueLength || 1
export const pfifo = fifo('pfifo', packets)
export const pfifoHeadDrop = fifo('pfifo_head_drop', packets)
export const bfifo = fifo('bfifo', (q) => packets(q) * mtuOf(q.dev))

/** fifo_create_dflt(): one of `limit` bytes below `parent`. */
export function addBfifo(q: Qdisc, limit: number, parent: number): Qdisc {
  const child = q.set.addDefault(bfifo, parent)
  child.state = limit
  return child
}
