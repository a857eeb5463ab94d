/** Tables of sizes. Kernel: net/sched/sch_api.c qdisc_get_stab(), qdisc_dump_stab() (Linux 6.12). */
import { attrs, message } from '../../schema/index.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Writer } from '../../wire/writer.ts'
import { parseNested } from '../rtnetlink/parse.ts'
import { spanOf } from '../rtnetlink/policy-types.ts'
import { TCA_STAB } from './constants.ts'
import type { Qdisc } from './qdisc.ts'
import { refuse, type TcRequest } from './request.ts'

/** struct tc_sizespec; where its `tsize` is. */
const SIZE = 24
const TSIZE = 20
const LOG_MAX = 30

const policy = message(attrs('TCA_STAB_', { base: [1, spanOf(SIZE)], data: [2, spanOf(0)] }))

/** @throws NetlinkError EINVAL */
export function stabOf(tc: TcRequest): Qdisc['stab'] {
  if (!tc.stab) return undefined
  const { base, data } = parseNested(tc.ctx, tc.stab, policy)
  if (!base) refuse('EINVAL', 'Size table base attribute is missing')
  const spec = tc.bytes(base).slice(0, SIZE)
  const wanted = new DataView(spec.buffer).getUint32(TSIZE, HOST_LE)
  if (wanted > 0 && !data) refuse('EINVAL', 'Size table data attribute is missing')
  const table = wanted > 0 && data ? tc.bytes(data).slice() : undefined
  if ((table ? table.length >> 1 : 0) !== wanted) refuse('EINVAL', 'Invalid size of size table')
  if ((spec[0] ?? 0) > LOG_MAX || (spec[1] ?? 0) > LOG_MAX) {
    refuse('EINVAL', 'Invalid logarithmic size of size table')
  }
  return { base: spec, data: table }
}

export function putStab(w: Writer, { stab }: Qdisc): void {
  if (!stab) return
  const nest = w.attrStart(TCA_STAB)
  w.attrBytes(1, stab.base)
  w.attrEnd(nest)
}
