/** netem: delays, losses. Kernel: net/sched/sch_netem.c netem_change(), netem_dump() (Linux 6.12). */
import { attrs, message, s64, u32, u64 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import type { Writer } from '../../../wire/writer.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { nested, spanOf } from '../../rtnetlink/policy-types.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { refuse, type TcRequest } from '../request.ts'
import { checkSlot, lossOf, type NetemLoss, slotOf } from './netem-models.ts'
import { oneClass } from './single.ts'

/** struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter. */
const SIZE = 24
const DIST_MAX = 16_384
const INT_MAX = 0x7fffffffn
const U32 = 0xffff_ffffn

const policy = message(
  attrs('TCA_NETEM_', {
    corr: [1, spanOf(12)],
    delayDist: [2, spanOf(0)],
    reorder: [3, spanOf(8)],
    corrupt: [4, spanOf(8)],
    loss: [5, nested],
    rate: [6, spanOf(16)],
    ecn: [7, u32],
    rate64: [8, u64],
    latency64: [10, s64],
    jitter64: [11, s64],
    slot: [12, spanOf(40)],
    slotDist: [13, spanOf(0)],
    prngSeed: [14, u64],
  }),
)

interface Netem {
  /** Nanoseconds. */
  latency: bigint
  jitter: bigint
  limit: number
  loss: number
  gap: number
  duplicate: number
  corr: Uint8Array
  reorder: Uint8Array
  corrupt: Uint8Array
  rate: bigint
  /** struct tc_netem_rate without its rate. */
  cells: Uint8Array
  ecn: number
  model: NetemLoss | undefined
  slot: Uint8Array | undefined
  seed: bigint
  child: Qdisc | undefined
}

function fresh(q: Qdisc): Netem {
  const seed = new DataView(q.dev.stack.random(8).slice().buffer).getBigUint64(0)
  return {
    ...{ latency: 0n, jitter: 0n, limit: 0, loss: 0, gap: 0, duplicate: 0 },
    ...{ corr: new Uint8Array(12), reorder: new Uint8Array(8), corrupt: new Uint8Array(8) },
    ...{ rate: 0n, cells: new Uint8Array(12), ecn: 0, model: undefined, slot: undefined },
    ...{ seed, child: undefined },
  }
}

function checkTable(bytes: Uint8Array): void {
  const entries = bytes.length >> 1
  if (entries === 0 || entries > DIST_MAX) refuse('EINVAL')
}

function change(q: Qdisc, tc: TcRequest | undefined): void {
  const { options } = tc ?? {}
  if (!tc || !options) refuse('EINVAL')
  const view = tc.struct(SIZE)
  const rest = { at: options.at + SIZE, end: options.end }
  const asked: ReturnType<typeof policy.decode> =
    rest.end - rest.at >= 4 ? parseNested(tc.ctx, rest, policy, { silent: true }) : {}
  if (asked.delayDist) checkTable(tc.bytes(asked.delayDist))
  if (asked.slotDist) checkTable(tc.bytes(asked.slotDist))
  if (asked.slot) checkSlot(tc.ctx, asked.slot)
  if (asked.latency64 !== undefined && asked.latency64 < 0n) refuse('EINVAL', 'negative latency')
  if (asked.jitter64 !== undefined && asked.jitter64 < 0n) refuse('EINVAL', 'negative jitter')
  const had = (q.state as Netem | undefined) ?? fresh(q)
  const model = asked.loss ? lossOf(tc.bytes(asked.loss)) : undefined
  const number = (at: number): number => view.getUint32(at, HOST_LE)
  const next: Netem = {
    ...had,
    ...{ model, limit: number(4), loss: number(8), gap: number(12), duplicate: number(16) },
    latency: BigInt(number(0)) << 6n,
    jitter: BigInt(number(20)) << 6n,
  }
  if (next.gap) next.reorder = Uint8Array.of(255, 255, 255, 255, ...next.reorder.subarray(4))
  if (asked.corr) next.corr = tc.bytes(asked.corr).slice(0, 12)
  if (asked.reorder) next.reorder = tc.bytes(asked.reorder).slice(0, 8)
  if (asked.corrupt) next.corrupt = tc.bytes(asked.corrupt).slice(0, 8)
  if (asked.rate) {
    const bytes = tc.bytes(asked.rate).slice(0, 16)
    next.rate = BigInt(new DataView(bytes.buffer).getUint32(0, HOST_LE))
    next.cells = bytes.subarray(4)
  }
  if (asked.rate64 !== undefined && asked.rate64 > next.rate) next.rate = asked.rate64
  next.latency = asked.latency64 ?? next.latency
  next.jitter = asked.jitter64 ?? next.jitter
  if (next.jitter > INT_MAX) next.jitter = INT_MAX
  next.ecn = asked.ecn ?? next.ecn
  if (asked.slot) next.slot = slotOf(tc.bytes(asked.slot))
  next.seed = asked.prngSeed ?? next.seed
  q.state = next
}

function put64(w: Writer, type: number, value: bigint): void {
  const mark = w.attrStart(type)
  w.u64(value)
  w.attrEnd(mark)
}

function ticks(ns: bigint): number {
  const all = ns >> 6n
  return Number(all > U32 ? U32 : all)
}

export const netem: QdiscOps = {
  kind: 'netem',
  init: change,
  change,
  put(w, { state }) {
    const s = state as Netem
    const nest = w.attrStart(TCA_OPTIONS)
    for (const value of [ticks(s.latency), s.limit, s.loss, s.gap, s.duplicate, ticks(s.jitter)]) {
      w.u32(value)
    }
    put64(w, 10, s.latency)
    put64(w, 11, s.jitter)
    w.attrBytes(1, s.corr)
    w.attrBytes(3, s.reorder)
    w.attrBytes(4, s.corrupt)
    if (s.rate > U32) put64(w, 8, s.rate)
    const rate = w.attrStart(6)
    w.u32(Number(s.rate > U32 ? U32 : s.rate))
    w.put(s.cells)
    w.attrEnd(rate)
    if (s.ecn) w.attrU32(7, s.ecn)
    if (s.model) {
      const loss = w.attrStart(5)
      w.attrBytes(s.model.type, s.model.bytes)
      w.attrEnd(loss)
    }
    if (s.slot) w.attrBytes(12, s.slot)
    put64(w, 14, s.seed)
    w.attrEnd(nest)
  },
  classes: oneClass(() => undefined, { isAlwaysThere: false }),
}
