/** prio: bands, one before the other. Kernel: net/sched/sch_prio.c prio_tune(), prio_graft() (Linux 6.12). */
import { HOST_LE } from '../../../wire/order.ts'
import type { Block } from '../block.ts'
import { minor, TCA_OPTIONS } from '../constants.ts'
import type { Qdisc, QdiscOps, TcClass } from '../qdisc.ts'
import { refuse, type TcRequest } from '../request.ts'
import { pfifo } from './fifo.ts'

/** struct tc_prio_qopt: bands, and a band for each of 16 priorities. */
const SIZE = 20
const MAX = 16
const MIN = 2

interface Prio {
  bytes: Uint8Array
  readonly block: Block
  readonly bands: Qdisc[]
}

function childId(q: Qdisc, band: number): number {
  return (q.handle | (band + 1)) >>> 0
}

function tune(q: Qdisc, tc: TcRequest | undefined): void {
  if (!tc) refuse('EINVAL')
  const view = tc.struct(SIZE)
  const count = view.getInt32(0, HOST_LE)
  const bytes = new Uint8Array(view.buffer)
  if (count > MAX || count < MIN) refuse('EINVAL')
  if (bytes.subarray(4).some((band) => band >= count)) refuse('EINVAL')
  const had = q.state as Prio | undefined
  const state = had ?? { bytes, block: q.set.net.ownBlock(q), bands: [] }
  state.bytes = bytes
  while (state.bands.length < count) {
    state.bands.push(q.set.addDefault(pfifo, childId(q, state.bands.length)))
  }
  for (const gone of state.bands.splice(count)) q.set.destroy(gone)
  q.state = state
}

const bandsOf = (q: Qdisc): Qdisc[] => (q.state as Prio).bands

export const prio: QdiscOps = {
  kind: 'prio',
  init: tune,
  change: tune,
  destroy: (q) => (q.state as Prio).block.put(),
  put: (w, { state }) => w.attrBytes(TCA_OPTIONS, (state as Prio).bytes),
  classes: {
    find(q, classid) {
      const band = minor(classid)
      return band >= 1 && band <= bandsOf(q).length ? { classid: band } : undefined
    },
    leaf: (q, { classid }) => bandsOf(q)[classid - 1],
    graft(q, { classid }, next) {
      const bands = bandsOf(q)
      const old = bands[classid - 1]
      bands[classid - 1] = next ?? q.set.addDefault(pfifo, childId(q, classid - 1))
      return old
    },
    *walk(q): Iterable<TcClass> {
      for (const band of bandsOf(q).keys()) yield { classid: band + 1 }
    },
    header(q, { classid }, header) {
      header.handle = (header.handle | classid) >>> 0
      header.info = bandsOf(q)[classid - 1]?.handle ?? 0
    },
    block: (q, cl) => (cl ? undefined : (q.state as Prio).block),
  },
}
