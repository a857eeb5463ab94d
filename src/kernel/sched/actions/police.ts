/** police: so much and no more. Kernel: net/sched/act_police.c tcf_police_init(), tcf_police_dump() (Linux 6.12). */
import { attrs, message, u32, u64 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import type { Writer } from '../../../wire/writer.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { type Span, spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps } from '../action.ts'
import { isLarge, putRate, type Rate, rateOf } from '../rate.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { putTimes } from './tc-gen.ts'

/** struct tc_police, and without its last member. */
const SIZE = 56
const COMPAT_SIZE = 44
const RATE = 20
const PEAK = 32
/** A table of rates: as many bytes, and its cells no larger than this. */
const TABLE_SIZE = 1024
const GOTO_CHAIN = 2
/** TC_ACT_VALUE_MAX. */
const VALUE_MAX = 8

const policy = message(
  attrs('TCA_POLICE_', {
    tbf: [1, spanOf(0)],
    rate: [2, spanOf(TABLE_SIZE)],
    peakrate: [3, spanOf(TABLE_SIZE)],
    avrate: [4, u32],
    result: [5, u32],
    rate64: [8, u64.min(1n)],
    peakrate64: [9, u64.min(1n)],
    pktrate64: [10, u64.min(1n)],
    pktburst64: [11, u64.min(1n)],
  }),
)
type Options = ReturnType<typeof policy.decode>

interface Police {
  readonly mtu: number
  readonly burst: number
  readonly rate: Rate | undefined
  readonly peak: Rate | undefined
  readonly result: number
  readonly avrate: number
  readonly packets: { readonly rate: bigint; readonly burst: bigint } | undefined
}

/** qdisc_get_rtab(): a rate needs a table, which is looked at no further. */
function tabled(
  view: DataView,
  at: number,
  table: Span | undefined,
  rate64: bigint | undefined,
): Rate | undefined {
  if (view.getUint32(at + 8, HOST_LE) === 0) return undefined
  const cellLog = view.getUint8(at)
  if (!table || cellLog === 0 || cellLog >= 32 || table.end - table.at !== TABLE_SIZE) {
    refuse('ENOMEM')
  }
  return rateOf(view, at, rate64)
}

function stateOf(view: DataView, asked: Options): Police {
  const rate = tabled(view, RATE, asked.rate, asked.rate64)
  const peak = rate && tabled(view, PEAK, asked.peakrate, asked.peakrate64)
  if (asked.avrate !== undefined) refuse('EINVAL')
  const result = (asked.result ?? 0) | 0
  if (result >> 28 === 0 ? result > VALUE_MAX : result >> 28 > GOTO_CHAIN) {
    refuse('EINVAL', 'invalid fallback control action')
  }
  if (result >> 28 === GOTO_CHAIN) refuse('EINVAL', 'goto chain not allowed on fallback')
  const { pktrate64, pktburst64 } = asked
  if ((pktrate64 === undefined) !== (pktburst64 === undefined)) {
    refuse('EINVAL', 'Both or neither packet-per-second burst and rate must be provided')
  }
  if (pktrate64 !== undefined && rate) {
    refuse('EINVAL', 'packet-per-second and byte-per-second rate limits not allowed in same action')
  }
  const mtu = view.getUint32(16, HOST_LE)
  return {
    mtu: mtu || (rate ? (255 << view.getUint8(RATE)) >>> 0 : 0xffffffff),
    burst: view.getUint32(12, HOST_LE),
    ...{ rate, peak, result, avrate: 0 },
    packets:
      pktrate64 !== undefined && pktburst64 !== undefined
        ? { rate: pktrate64, burst: pktburst64 }
        : undefined,
  }
}

function put64(w: Writer, type: number, value: bigint): void {
  const mark = w.attrStart(type)
  w.u64(value)
  w.attrEnd(mark)
}

export const police: ActionOps = {
  kind: 'police',
  parse({ ctx, options }) {
    if (!options) refuse('EINVAL')
    const asked = parseNested(ctx, options, policy, { silent: true })
    if (!asked.tbf) refuse('EINVAL')
    const bytes = bytesOf(ctx, asked.tbf).slice()
    if (bytes.length !== SIZE && bytes.length !== COMPAT_SIZE) refuse('EINVAL')
    const view = new DataView(bytes.buffer)
    return {
      index: view.getUint32(0, HOST_LE),
      control: view.getInt32(4, HOST_LE),
      finish: () => stateOf(view, asked),
    }
  },
  put(w, { index, control, state }, shown) {
    const { mtu, burst, rate, peak, result, packets } = state as Police
    if (rate && isLarge(rate)) put64(w, 8, rate.bytes)
    if (peak && isLarge(peak)) put64(w, 9, peak.bytes)
    if (packets) {
      put64(w, 10, packets.rate)
      put64(w, 11, packets.burst)
    }
    const view = new DataView(new ArrayBuffer(SIZE))
    view.setUint32(0, index, HOST_LE)
    view.setInt32(4, control, HOST_LE)
    view.setUint32(12, burst, HOST_LE)
    view.setUint32(16, mtu, HOST_LE)
    putRate(view, RATE, rate)
    putRate(view, PEAK, peak)
    view.setUint32(44, shown.refs, HOST_LE)
    view.setUint32(48, shown.binds, HOST_LE)
    w.attrBytes(1, new Uint8Array(view.buffer))
    if (result) w.attrU32(5, result >>> 0)
    putTimes(w, 6, shown)
  },
}
