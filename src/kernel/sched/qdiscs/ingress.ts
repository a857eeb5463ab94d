/** ingress and clsact: what comes in, and for clsact what goes out. Kernel: net/sched/sch_ingress.c (Linux 6.12). */
import type { Writer } from '../../../wire/writer.ts'
import type { Block } from '../block.ts'
import {
  minor,
  TC_H_INGRESS,
  TC_H_MIN_EGRESS,
  TC_H_MIN_INGRESS,
  TCA_OPTIONS,
} from '../constants.ts'
import type { ClassOps, Qdisc, QdiscOps, TcClass } from '../qdisc.ts'
import { refuse } from '../request.ts'

interface Sides {
  readonly ingress: Block
  readonly egress: Block | undefined
}

function sidesOf(q: Qdisc): Sides {
  return q.state as Sides
}

function blockFor(q: Qdisc, index: number): Block {
  const { net } = q.set
  return index === 0 ? net.ownBlock(q) : net.sharedBlock(index)
}

function side(kind: string, hasEgress: boolean, classes: ClassOps): QdiscOps {
  return {
    kind,
    isIngress: true,
    sharesIngress: true,
    sharesEgress: hasEgress,
    init(q) {
      if (q.parent !== TC_H_INGRESS) refuse('EOPNOTSUPP')
      const ingress = blockFor(q, q.ingressBlock)
      q.state = { ingress, egress: hasEgress ? blockFor(q, q.egressBlock) : undefined }
    },
    destroy(q) {
      const { ingress, egress } = sidesOf(q)
      ingress.put()
      egress?.put()
    },
    put: (w: Writer) => w.attrEnd(w.attrStart(TCA_OPTIONS)),
    classes,
  }
}

const numbered = (_: Qdisc, classid: number): TcClass => ({ classid: minor(classid) + 1 })

export const ingress = side('ingress', false, {
  find: numbered,
  leaf: () => undefined,
  walk: () => [],
  block: (q) => sidesOf(q).ingress,
})

export const clsact = side('clsact', true, {
  find(q, classid) {
    const which = minor(classid)
    return which === TC_H_MIN_INGRESS || which === TC_H_MIN_EGRESS
      ? numbered(q, classid)
      : undefined
  },
  leaf: () => undefined,
  walk: () => [],
  block(q, cl) {
    const { ingress: into, egress } = sidesOf(q)
    if (cl?.classid === TC_H_MIN_INGRESS + 1) return into
    return cl?.classid === TC_H_MIN_EGRESS + 1 ? egress : undefined
  },
})
