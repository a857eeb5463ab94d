/** codel and fq_codel. Kernel: net/sched/sch_codel.c, sch_fq_codel.c: *_change(), *_dump() (Linux 6.12). */
import { attrs, message, u8, u32 } from '../../../schema/index.ts'
import type { Block } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps } from '../qdisc.ts'
import { clamp, codelTime, mtuOf } from '../rate.ts'
import { refuse, type TcRequest } from '../request.ts'

const QUANTUM_MIN = 256
const QUANTUM_MAX = 1 << 20
const MEMORY_MAX = 2 ** 31
const FLOWS_MAX = 65_536
/** What codel_params_init() has, microseconds. */
const TARGET = codelTime(5000)
const INTERVAL = codelTime(100_000)

const codelPolicy = message(
  attrs('TCA_CODEL_', {
    target: [1, u32],
    limit: [2, u32],
    interval: [3, u32],
    ecn: [4, u32],
    ceThreshold: [5, u32],
  }),
)
/** What is known of decoded options, each of them a number or not given. */
type Numbers<Decoded> = { [Name in Exclude<keyof Decoded, 'unknown'>]?: number | undefined }
type CodelOptions = Numbers<ReturnType<typeof codelPolicy.decode>>

function changeCodel(q: Qdisc, tc: TcRequest | undefined): void {
  const asked: CodelOptions = tc?.options ? tc.nest(codelPolicy, true) : {}
  const { target, interval, ecn, ceThreshold, limit } = asked
  const had = (q.state ?? {
    ...{ target: TARGET, limit: 1000, interval: INTERVAL, ecn: 0, ceThreshold: undefined },
  }) as CodelOptions
  q.state = {
    target: target === undefined ? had.target : codelTime(target),
    limit: limit ?? had.limit,
    interval: interval === undefined ? had.interval : codelTime(interval),
    ecn: ecn === undefined ? had.ecn : Number(ecn !== 0),
    ceThreshold: ceThreshold === undefined ? had.ceThreshold : codelTime(ceThreshold),
  }
}

export const codel: QdiscOps = {
  kind: 'codel',
  init: changeCodel,
  change: changeCodel,
  put(w, { state }) {
    const nest = w.attrStart(TCA_OPTIONS)
    codelPolicy.encode(w, state as never)
    w.attrEnd(nest)
  },
  /** struct tc_codel_xstats. */
  xstats: () => new Uint8Array(36),
}

const fqPolicy = message(
  attrs('TCA_FQ_CODEL_', {
    target: [1, u32],
    limit: [2, u32],
    interval: [3, u32],
    ecn: [4, u32],
    quantum: [6, u32],
    dropBatchSize: [8, u32],
    memoryLimit: [9, u32],
    flows: [5, u32],
    ceThreshold: [7, u32],
    ceThresholdSelector: [10, u8],
    ceThresholdMask: [11, u8],
  }),
)
type FqCodelOptions = Numbers<ReturnType<typeof fqPolicy.decode>>

interface FqCodel {
  options: FqCodelOptions
  readonly block: Block
}

function fqDefaults({ dev }: Qdisc): FqCodelOptions {
  return {
    target: TARGET,
    limit: 10_240,
    interval: INTERVAL,
    ecn: 1,
    quantum: clamp(mtuOf(dev), QUANTUM_MIN, QUANTUM_MAX),
    dropBatchSize: 64,
    memoryLimit: 32 << 20,
    flows: 1024,
  }
}

function changeFqCodel(q: Qdisc, tc: TcRequest | undefined): void {
  const asked: FqCodelOptions = tc?.options ? tc.nest(fqPolicy, true) : {}
  const state = q.state as FqCodel | undefined
  if (asked.flows !== undefined) {
    if (state || asked.flows === 0 || asked.flows > FLOWS_MAX) refuse('EINVAL')
  }
  const had = state?.options ?? fqDefaults(q)
  const quantum = asked.quantum === undefined ? undefined : Math.max(QUANTUM_MIN, asked.quantum)
  if (quantum !== undefined && quantum > QUANTUM_MAX) refuse('EINVAL', 'Invalid quantum')
  const { target, interval, ecn, ceThreshold, dropBatchSize, memoryLimit } = asked
  const ce = ceThreshold === undefined ? had.ceThreshold : codelTime(ceThreshold)
  const options: FqCodelOptions = {
    target: target === undefined ? had.target : codelTime(target),
    limit: asked.limit ?? had.limit,
    interval: interval === undefined ? had.interval : codelTime(interval),
    ecn: ecn === undefined ? had.ecn : Number(ecn !== 0),
    quantum: quantum ?? had.quantum,
    dropBatchSize: dropBatchSize === undefined ? had.dropBatchSize : Math.max(1, dropBatchSize),
    memoryLimit: memoryLimit === undefined ? had.memoryLimit : Math.min(MEMORY_MAX, memoryLimit),
    flows: asked.flows ?? had.flows,
    ceThreshold: ce,
    ceThresholdSelector: ce === undefined ? undefined : (asked.ceThresholdSelector ?? 0),
    ceThresholdMask: ce === undefined ? undefined : (asked.ceThresholdMask ?? 0),
  }
  if (state) state.options = options
  else q.state = { options, block: q.set.net.ownBlock(q) } satisfies FqCodel
}

export const fqCodel: QdiscOps = {
  kind: 'fq_codel',
  init: changeFqCodel,
  change: changeFqCodel,
  destroy: (q) => (q.state as FqCodel).block.put(),
  put(w, { state }) {
    const nest = w.attrStart(TCA_OPTIONS)
    fqPolicy.encode(w, (state as FqCodel).options as never)
    w.attrEnd(nest)
  },
  /** struct tc_fq_codel_xstats. */
  xstats: () => new Uint8Array(40),
  classes: {
    find: () => undefined,
    leaf: () => undefined,
    walk: () => [],
    block: (q, cl) => (cl ? undefined : (q.state as FqCodel).block),
  },
}
