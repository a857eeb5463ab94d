/** tbf: a bucket of tokens. Kernel: net/sched/sch_tbf.c tbf_change(), tbf_dump() (Linux 6.12). */
import { attrs, message, u32, u64 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { spanOf, textOf } from '../../rtnetlink/policy-types.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { bytesIn, isLarge, putRate, RATESPEC_SIZE, type Rate, rateOf, ticksOf } from '../rate.ts'
import { refuse, type TcRequest } from '../request.ts'
import { addBfifo } from './fifo.ts'
import { oneClass } from './single.ts'

/** struct tc_tbf_qopt: two struct tc_ratespec, limit, buffer, mtu. */
const SIZE = 36
const LIMIT = 2 * RATESPEC_SIZE
const TABLE_SIZE = 1024

const policy = message(
  attrs('TCA_TBF_', {
    parms: [1, spanOf(SIZE)],
    rtab: [2, textOf(TABLE_SIZE)],
    ptab: [3, textOf(TABLE_SIZE)],
    rate64: [4, u64],
    prate64: [5, u64],
    burst: [6, u32],
    pburst: [7, u32],
  }),
)

interface Tbf {
  rate: Rate
  peak: Rate | undefined
  limit: number
  buffer: number
  mtu: number
  child: Qdisc | undefined
}

function change(q: Qdisc, tc: TcRequest | undefined): void {
  if (!tc) refuse('EINVAL')
  const asked = tc.nest(policy, true)
  if (!asked.parms) refuse('EINVAL')
  const view = new DataView(tc.bytes(asked.parms).slice().buffer)
  const limit = view.getUint32(LIMIT, HOST_LE)
  let buffer = view.getUint32(LIMIT + 4, HOST_LE)
  let mtu = view.getUint32(LIMIT + 8, HOST_LE)
  const rate = rateOf(view, 0, asked.rate64)
  let most = 0
  if (asked.burst !== undefined) {
    most = asked.burst
    buffer = ticksOf(rate, most)
  } else most = bytesIn(rate, buffer)
  let peak: Rate | undefined
  if (view.getUint32(RATESPEC_SIZE + 8, HOST_LE) !== 0) {
    peak = rateOf(view, RATESPEC_SIZE, asked.prate64)
    if (peak.bytes <= rate.bytes) refuse('EINVAL')
    if (asked.pburst !== undefined) {
      most = Math.min(most, asked.pburst)
      mtu = ticksOf(peak, asked.pburst)
    } else most = Math.min(most, bytesIn(peak, mtu))
  }
  if (most === 0) refuse('EINVAL')
  const had = q.state as Tbf | undefined
  const state: Tbf = { rate, peak, limit, buffer, mtu, child: had?.child }
  if (limit > 0) {
    if (had?.child?.ops.kind === 'bfifo') had.child.state = limit
    else {
      q.set.destroy(had?.child)
      state.child = addBfifo(q, limit, (q.handle | 1) >>> 0)
    }
  }
  q.state = state
}

export const tbf: QdiscOps = {
  kind: 'tbf',
  init: change,
  change,
  put(w, { state }) {
    const { rate, peak, limit, buffer, mtu } = state as Tbf
    const view = new DataView(new ArrayBuffer(SIZE))
    putRate(view, 0, rate)
    putRate(view, RATESPEC_SIZE, peak)
    view.setUint32(LIMIT, limit, HOST_LE)
    view.setUint32(LIMIT + 4, buffer, HOST_LE)
    view.setUint32(LIMIT + 8, mtu, HOST_LE)
    const nest = w.attrStart(TCA_OPTIONS)
    w.attrBytes(1, new Uint8Array(view.buffer))
    if (isLarge(rate)) putU64(w, 4, rate.bytes)
    if (peak && isLarge(peak)) putU64(w, 5, peak.bytes)
    w.attrEnd(nest)
  },
  classes: oneClass(() => undefined),
}

function putU64(w: Parameters<NonNullable<QdiscOps['put']>>[0], type: number, value: bigint): void {
  const mark = w.attrStart(type)
  w.u64(value)
  w.attrEnd(mark)
}
