/** The kinds of disciplines that there are. */
import type { QdiscOps } from '../qdisc.ts'
import { codel, fqCodel } from './codel.ts'
import { mq, noqueue, pfifoFast } from './default.ts'
import { drr } from './drr.ts'
import { bfifo, pfifo, pfifoHeadDrop } from './fifo.ts'
import { fq } from './fq.ts'
import { hfsc } from './hfsc.ts'
import { htb } from './htb.ts'
import { clsact, ingress } from './ingress.ts'
import { netem } from './netem.ts'
import { prio } from './prio.ts'
import { red } from './red.ts'
import { sfq } from './sfq.ts'
import { tbf } from './tbf.ts'

export const qdiscKinds: ReadonlyMap<string, QdiscOps> = new Map(
  [
    ...[pfifo, bfifo, pfifoHeadDrop, pfifoFast, noqueue, mq, ingress, clsact],
    ...[codel, drr, fq, fqCodel, hfsc, htb, netem, prio, red, sfq, tbf],
  ].map((ops) => [ops.kind, ops]),
)
