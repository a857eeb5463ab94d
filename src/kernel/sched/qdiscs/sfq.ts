/** sfq: flows by their hash. Kernel: net/sched/sch_sfq.c sfq_change(), sfq_init(), sfq_dump() (Linux 6.12). */
import { HOST_LE } from '../../../wire/order.ts'
import type { Block } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { clamp, mtuOf } from '../rate.ts'
import { refuse, type TcRequest } from '../request.ts'
import { checkRed, redMaxP } from './red-parameters.ts'

/** struct tc_sfq_qopt, struct tc_sfq_qopt_v1. */
const SIZE = 20
const SIZE_1 = 72
const MAX_DEPTH = 127
const MAX_FLOWS = 0x10000 - MAX_DEPTH - 1
const QUANTUM_MAX = 1 << 20
/** INT_MAX over HZ, which is 250. */
const PERTURB_MAX = Math.floor(0x7fffffff / 250)

interface Red {
  readonly min: number
  readonly max: number
  /** Wlog, Plog, Scell_log. */
  readonly logs: readonly [number, number, number]
  readonly maxP: number
}

interface Sfq {
  readonly block: Block
  quantum: number
  perturb: number
  limit: number
  divisor: number
  flows: number
  depth: number
  headdrop: number
  flags: number
  red: Red | undefined
}

function redOf(view: DataView): Red | undefined {
  const min = view.getUint32(32, HOST_LE)
  const max = view.getUint32(36, HOST_LE)
  const logs = [view.getUint8(40), view.getUint8(41), view.getUint8(42)] as const
  checkRed(min, max, logs[0], logs[2], undefined)
  if (min === 0) return undefined
  return { min, max, logs, maxP: redMaxP(view.getUint32(44, HOST_LE), min, max, logs[1]) }
}

function change(q: Qdisc, tc: TcRequest): void {
  const head = tc.struct(SIZE)
  const { options } = tc
  const extended = options && options.end - options.at >= SIZE_1 ? tc.struct(SIZE_1) : undefined
  const at = (offset: number): number => head.getUint32(offset, HOST_LE)
  const [quantum, limit, divisor, flows] = [at(0), at(8), at(12), at(16)]
  const perturb = head.getInt32(4, HOST_LE)
  if (divisor && (divisor & (divisor - 1) || divisor > 65_536)) refuse('EINVAL')
  if (quantum > 0x7fffffff) refuse('EINVAL', 'sch_sfq: invalid quantum')
  if (quantum > QUANTUM_MAX) refuse('EINVAL', 'sch_sfq: quantum too large')
  if (perturb < 0 || perturb > PERTURB_MAX) refuse('EINVAL', 'sch_sfq: invalid perturb period')
  const red = extended && redOf(extended)
  const next: Sfq = { ...(q.state as Sfq), perturb }
  if (quantum) next.quantum = Math.max(256, quantum)
  if (flows) next.flows = Math.min(flows, MAX_FLOWS)
  if (divisor) {
    next.divisor = divisor
    next.flows = Math.min(next.flows, divisor)
  }
  if (extended) {
    const depth = extended.getUint32(20, HOST_LE)
    if (depth) next.depth = Math.min(depth, MAX_DEPTH)
    if (red) next.red = red
    next.flags = extended.getUint8(43)
    next.headdrop = extended.getUint32(24, HOST_LE) & 0xff
  }
  if (limit) {
    next.limit = Math.min(limit, next.depth * next.flows)
    next.flows = Math.min(next.flows, next.limit)
  }
  if (next.limit === 1) refuse('EINVAL', 'sch_sfq: invalid limit')
  q.state = next
}

export const sfq: QdiscOps = {
  kind: 'sfq',
  init(q, tc) {
    q.state = {
      block: q.set.net.ownBlock(q),
      quantum: clamp(mtuOf(q.dev), 256, QUANTUM_MAX),
      ...{ perturb: 0, limit: MAX_DEPTH, divisor: 1024, flows: 128, depth: MAX_DEPTH },
      ...{ headdrop: 0, flags: 0, red: undefined },
    } satisfies Sfq
    if (tc?.options) change(q, tc)
  },
  destroy: (q) => (q.state as Sfq).block.put(),
  put(w, { state }) {
    const s = state as Sfq
    const view = new DataView(new ArrayBuffer(SIZE_1))
    const numbers = [s.quantum, s.perturb, s.limit, s.divisor, s.flows, s.depth, s.headdrop]
    for (const [i, value] of numbers.entries()) view.setUint32(i * 4, value, HOST_LE)
    if (s.red) {
      view.setUint32(32, s.red.min, HOST_LE)
      view.setUint32(36, s.red.max, HOST_LE)
      for (const [i, log] of s.red.logs.entries()) view.setUint8(40 + i, log)
      view.setUint32(44, s.red.maxP, HOST_LE)
    }
    view.setUint8(43, s.flags)
    w.attrBytes(TCA_OPTIONS, new Uint8Array(view.buffer))
  },
  classes: {
    find: () => undefined,
    leaf: () => undefined,
    walk: () => [],
    block: (q, cl) => (cl ? undefined : (q.state as Sfq).block),
  },
}
