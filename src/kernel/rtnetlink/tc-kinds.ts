/**
 * The options of queueing disciplines: what is given, and how it is shown.
 *
 * Kernel: net/sched/sch_fifo.c fifo_init(), sch_tbf.c tbf_change(), tbf_dump(), sch_prio.c
 * prio_tune(), sch_fq_codel.c fq_codel_change(), fq_codel_dump(), sch_generic.c pfifo_fast_dump(),
 * sch_ingress.c (Linux 6.18).
 */
import { NetlinkError } from '../../errors.ts'
import { attrs, binary, message, u32 } from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { RequestContext } from '../netlink/context.ts'
import { parseNested } from './parse.ts'
import type { Span } from './policy-types.ts'

/** One kind of discipline. */
export interface QdiscCodec {
  readonly isIngress?: boolean
  /** The options; `old` are those that it has, when it is changed. @throws NetlinkError */
  parse(ctx: RequestContext, span: Span | undefined, dev: NetDevice, old: unknown): unknown
  /** TCA_OPTIONS, as it is shown. */
  put?(w: Writer, options: unknown): void
}

const TCA_OPTIONS = 2
/** Of Ethernet: dev->hard_header_len. */
const HARD_HEADER = 14

function viewOf({ view }: RequestContext, span: Span, size: number): DataView {
  if (span.end - span.at < size) throw new NetlinkError('EINVAL')
  return new DataView(
    view.buffer.slice(view.byteOffset + span.at, view.byteOffset + span.at + size),
  )
}

function putBytes(w: Writer, bytes: unknown): void {
  w.attrBytes(TCA_OPTIONS, bytes as Uint8Array)
}

/** A queue of so many packets, or bytes. */
function fifo(defaultLimit: (dev: NetDevice) => number): QdiscCodec {
  return {
    parse(ctx, span, dev) {
      return span ? viewOf(ctx, span, 4).getUint32(0, HOST_LE) : defaultLimit(dev)
    },
    put(w, limit) {
      w.attrU32(TCA_OPTIONS, limit as number)
    },
  }
}

/** struct tc_prio_qopt: bands, and a band for each priority. */
const PRIO_SIZE = 20
const PRIOMAP = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]

const pfifoFast: QdiscCodec = {
  parse: () => Uint8Array.of(3, 0, 0, 0, ...PRIOMAP),
  put: putBytes,
}

const prio: QdiscCodec = {
  parse(ctx, span) {
    if (!span) throw new NetlinkError('EINVAL')
    const view = viewOf(ctx, span, PRIO_SIZE)
    const bands = view.getInt32(0, HOST_LE)
    const bytes = new Uint8Array(view.buffer)
    const isMapped = bytes.subarray(4).every((band) => band < bands)
    if (bands < 2 || bands > 16 || !isMapped) throw new NetlinkError('EINVAL')
    return bytes
  },
  put: putBytes,
}

/** struct tc_tbf_qopt: two struct tc_ratespec of 12 bytes, limit, buffer, mtu. */
const TBF_SIZE = 36
const RATESPEC_SIZE = 12
const tbfPart = message(attrs('TCA_TBF_', { parms: [1, binary] }))

const tbf: QdiscCodec = {
  parse(ctx, span) {
    if (!span) throw new NetlinkError('EINVAL')
    const { parms } = parseNested(ctx, span, tbfPart, { silent: true })
    if (!parms || parms.length < TBF_SIZE) throw new NetlinkError('EINVAL')
    const kept = parms.slice(0, TBF_SIZE)
    const view = new DataView(kept.buffer)
    for (const at of [0, RATESPEC_SIZE]) {
      // psched_ratecfg_getrate(): tables are not shown, frames are Ethernet's unless it is said.
      const hasRate = view.getUint32(at + 8, HOST_LE) !== 0
      view.setUint8(at, 0)
      view.setUint8(at + 1, hasRate ? view.getUint8(at + 1) & 15 || 1 : 0)
      view.setInt16(at + 4, 0, HOST_LE)
    }
    return kept
  },
  put(w, parms) {
    const nest = w.attrStart(TCA_OPTIONS)
    w.attrBytes(1, parms as Uint8Array)
    w.attrEnd(nest)
  },
}

const fqCodelPart = message(
  attrs('TCA_FQ_CODEL_', {
    target: [1, u32],
    limit: [2, u32],
    interval: [3, u32],
    ecn: [4, u32],
    quantum: [6, u32],
    dropBatchSize: [8, u32],
    memoryLimit: [9, u32],
    flows: [5, u32],
  }),
)
type FqCodel = ReturnType<typeof fqCodelPart.decode>

/** Microseconds as CoDel's clock rounds them: units of 1,024 ns. */
function codelTime(us: number): number {
  return Math.floor((Math.floor((us * 1000) / 1024) * 1024) / 1000)
}

const fqCodel: QdiscCodec = {
  parse(ctx, span, dev, old) {
    const given: FqCodel = span ? parseNested(ctx, span, fqCodelPart) : {}
    const had = old as FqCodel | undefined
    const { flows = had?.flows ?? 1024 } = given
    const isOther = had !== undefined && given.flows !== undefined && flows !== had.flows
    if (isOther || flows === 0 || flows > 65_536) throw new NetlinkError('EINVAL')
    const { target, interval, ecn } = given
    return {
      target: target === undefined ? (had?.target ?? codelTime(5000)) : codelTime(target),
      limit: given.limit ?? had?.limit ?? 10_240,
      interval:
        interval === undefined ? (had?.interval ?? codelTime(100_000)) : codelTime(interval),
      ecn: ecn === undefined ? (had?.ecn ?? 1) : ecn ? 1 : 0,
      quantum: Math.max(256, given.quantum ?? had?.quantum ?? dev.mtu + HARD_HEADER),
      dropBatchSize: Math.max(1, given.dropBatchSize ?? had?.dropBatchSize ?? 64),
      memoryLimit: given.memoryLimit ?? had?.memoryLimit ?? 32 << 20,
      flows,
    }
  },
  put(w, options) {
    const nest = w.attrStart(TCA_OPTIONS)
    fqCodelPart.encode(w, options as never)
    w.attrEnd(nest)
  },
}

const none: QdiscCodec = { parse: () => undefined }

const ingress: QdiscCodec = {
  isIngress: true,
  parse: () => undefined,
  put(w) {
    w.attrEnd(w.attrStart(TCA_OPTIONS))
  },
}

export const qdiscKinds: ReadonlyMap<string, QdiscCodec> = new Map([
  ['pfifo', fifo((dev) => dev.txQueueLength || 1)],
  ['bfifo', fifo((dev) => (dev.txQueueLength || 1) * (dev.mtu + HARD_HEADER))],
  ['pfifo_fast', pfifoFast],
  ['noqueue', none],
  ['prio', prio],
  ['tbf', tbf],
  ['fq_codel', fqCodel],
  ['ingress', ingress],
  ['clsact', ingress],
])
