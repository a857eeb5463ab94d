/** fq: flows in turn. Kernel: net/sched/sch_fq.c fq_change(), fq_init(), fq_dump() (Linux 6.12). */
import { attrs, binary, message, u8, u32 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { clamp, mtuOf } from '../rate.ts'
import { refuse, type TcRequest, u32At } from '../request.ts'

const MOST = 1 << 20
const BANDS = 3
const WEIGHT_MIN = 16_384
/** Microseconds of a jiffy, HZ being 250. */
const JIFFY = 4000
const BUCKETS_LOG_MAX = 18
/** struct tc_prio_qopt; three weights. */
const PRIOMAP_SIZE = 20
const WEIGHTS_SIZE = 12

const policy = message(
  attrs('TCA_FQ_', {
    plimit: [1, u32],
    flowPlimit: [2, u32],
    quantum: [3, u32],
    initialQuantum: [4, u32.max(MOST)],
    rateEnable: [5, u32],
    flowMaxRate: [7, u32],
    flowRefillDelay: [9, u32],
    orphanMask: [10, u32],
    lowRateThreshold: [11, u32],
    ceThreshold: [12, u32],
    bucketsLog: [8, u32],
    timerSlack: [13, u32],
    horizon: [14, u32],
    horizonDrop: [15, u8],
    priomap: [16, binary.exact(PRIOMAP_SIZE)],
    weights: [17, binary.exact(WEIGHTS_SIZE)],
    flowDefaultRate: [6, u32],
  }),
)
type Options = ReturnType<typeof policy.decode>

const PRIOMAP = Uint8Array.of(3, 0, 0, 0, 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)
const WEIGHTS = new Uint8Array(Uint32Array.of(9 << 16, 3 << 16, 1 << 16).buffer)

function defaults({ dev }: Qdisc): Options {
  const mtu = clamp(mtuOf(dev), 1, MOST)
  return {
    plimit: 10_000,
    flowPlimit: 100,
    quantum: clamp(2 * mtu, 256, MOST),
    initialQuantum: Math.min(10 * mtu, MOST),
    rateEnable: 1,
    flowMaxRate: 0xffffffff,
    flowRefillDelay: 40_000,
    orphanMask: 1023,
    lowRateThreshold: 68_750,
    ceThreshold: 0xffffffff,
    bucketsLog: 10,
    timerSlack: 10_000,
    horizon: 10_000_000,
    horizonDrop: 1,
    priomap: PRIOMAP,
    weights: WEIGHTS,
  }
}

/** fq_load_priomap(). @throws NetlinkError EINVAL */
function checkPriomap(map: Uint8Array): void {
  if (u32At(map, 0) !== BANDS) refuse('EINVAL', 'sch_fq: FQ only supports 3 bands')
  for (const [i, band] of map.subarray(4).entries()) {
    if (band >= BANDS) {
      refuse('EINVAL', `sch_fq: FQ priomap field ${i} maps to a too high band ${band}`)
    }
  }
}

/** fq_load_weights(). @throws NetlinkError EINVAL */
function checkWeights(weights: Uint8Array): void {
  const view = new DataView(weights.buffer, weights.byteOffset)
  for (let band = 0; band < BANDS; band++) {
    const weight = view.getInt32(band * 4, HOST_LE)
    if (weight < WEIGHT_MIN) {
      refuse('EINVAL', `sch_fq: Weight ${weight} less that minimum allowed ${WEIGHT_MIN}`)
    }
  }
}

function change(q: Qdisc, tc: TcRequest | undefined): void {
  const asked: Options = tc?.options ? tc.nest(policy, true) : {}
  const had = (q.state as Options | undefined) ?? defaults(q)
  const { quantum, rateEnable, bucketsLog, flowRefillDelay, priomap, weights } = asked
  const isWrong =
    (bucketsLog !== undefined && (bucketsLog < 1 || bucketsLog > BUCKETS_LOG_MAX)) ||
    (rateEnable !== undefined && rateEnable > 1)
  const given = Object.entries(asked).filter(([, value]) => value !== undefined)
  const next: Options = { ...had, ...Object.fromEntries(given) }
  delete next.flowDefaultRate
  if (quantum !== undefined) next.quantum = clamp(quantum, 256, MOST)
  if (flowRefillDelay !== undefined) {
    next.flowRefillDelay = Math.ceil(flowRefillDelay / JIFFY) * JIFFY
  }
  if (isWrong) refuse('EINVAL')
  if (priomap) checkPriomap(priomap)
  if (weights) checkWeights(weights)
  q.state = next
}

export const fq: QdiscOps = {
  kind: 'fq',
  init: change,
  change,
  put(w, { state }) {
    const nest = w.attrStart(TCA_OPTIONS)
    policy.encode(w, state as Options)
    w.attrEnd(nest)
  },
  /** struct tc_fq_qd_stats. */
  xstats: () => new Uint8Array(152),
}
