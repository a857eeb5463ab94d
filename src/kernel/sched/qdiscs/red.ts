/** red: drops early, at random. Kernel: net/sched/sch_red.c __red_change(), red_dump() (Linux 6.12). */
import { attrs, bitfield32, message, u32 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { refuse, type TcRequest } from '../request.ts'
import { addBfifo } from './fifo.ts'
import { checkRed, redMaxP } from './red-parameters.ts'
import { oneClass } from './single.ts'

/** struct tc_red_qopt: limit, thresholds, three logarithms and flags. */
const SIZE = 16
const STAB_SIZE = 256
/** TC_RED_ECN, TC_RED_NODROP; the flags of struct tc_red_qopt, and all of them. */
const ECN = 1
const NODROP = 8
const HISTORIC = 7
const SUPPORTED = 15

const policy = message(
  attrs('TCA_RED_', {
    parms: [1, spanOf(SIZE)],
    stab: [2, spanOf(STAB_SIZE)],
    maxP: [3, u32],
    flags: [4, bitfield32(SUPPORTED)],
    earlyDropBlock: [5, u32],
    markBlock: [6, u32],
  }),
)

interface RedState {
  limit: number
  min: number
  max: number
  logs: readonly [number, number, number]
  flags: number
  userBits: number
  maxP: number
  child: Qdisc | undefined
}

function change(q: Qdisc, tc: TcRequest | undefined): void {
  if (!tc?.options) refuse('EINVAL')
  const asked = tc.nest(policy)
  if (!asked.parms || !asked.stab) refuse('EINVAL')
  const view = new DataView(tc.bytes(asked.parms).slice().buffer)
  const [limit, min, max] = [0, 4, 8].map((at) => view.getUint32(at, HOST_LE)) as [
    number,
    number,
    number,
  ]
  const logs = [view.getUint8(12), view.getUint8(13), view.getUint8(14)] as const
  const given = view.getUint8(15)
  checkRed(min, max, logs[0], logs[2], tc.bytes(asked.stab).subarray(0, STAB_SIZE))
  if (given && asked.flags) {
    refuse('EINVAL', 'flags should be passed either through qopt, or through a dedicated attribute')
  }
  const bits = asked.flags ?? { value: given & HISTORIC, selector: HISTORIC }
  const had = q.state as RedState | undefined
  const flags = ((had?.flags ?? 0) & ~bits.selector) | bits.value
  if (flags & NODROP && !(flags & ECN)) {
    refuse('EINVAL', 'nodrop mode is only meaningful with ECN')
  }
  let child = had?.child
  if (limit > 0) {
    q.set.destroy(child)
    child = addBfifo(q, limit, (q.handle | 1) >>> 0)
  }
  q.state = {
    ...{ limit, min, max, logs, flags, child },
    userBits: given & ~HISTORIC,
    maxP: redMaxP(asked.maxP ?? 0, min, max, logs[1]),
  } satisfies RedState
}

export const red: QdiscOps = {
  kind: 'red',
  init: change,
  change,
  put(w, { state }) {
    const { limit, min, max, logs, flags, userBits, maxP } = state as RedState
    const view = new DataView(new ArrayBuffer(SIZE))
    for (const [i, value] of [limit, min, max].entries()) view.setUint32(i * 4, value, HOST_LE)
    for (const [i, log] of logs.entries()) view.setUint8(12 + i, log)
    view.setUint8(15, (flags & HISTORIC) | userBits)
    const nest = w.attrStart(TCA_OPTIONS)
    w.attrBytes(1, new Uint8Array(view.buffer))
    w.attrU32(3, maxP)
    const field = w.attrStart(4)
    w.u32(flags)
    w.u32(SUPPORTED)
    w.attrEnd(field)
    w.attrEnd(nest)
  },
  /** struct tc_red_xstats. */
  xstats: () => new Uint8Array(16),
  classes: oneClass(() => undefined),
}
