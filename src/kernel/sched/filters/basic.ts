/** basic: by extended matches, of which none are known here. Kernel: net/sched/cls_basic.c basic_change(), basic_dump() (Linux 6.12). */
import { attrs, message, u32 } from '../../../schema/index.ts'
import { nested, spanOf } from '../../rtnetlink/policy-types.ts'
import type { Filter, FilterOps, Proto } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import { type Exts, extsOf, putExts, releaseExts } from '../exts.ts'
import { refuse } from '../request.ts'

const policy = message(
  attrs('TCA_BASIC_', {
    classid: [1, u32],
    ematches: [2, nested],
    act: [3, spanOf(0)],
    police: [4, spanOf(0)],
  }),
)

interface Basic extends Filter {
  readonly exts: Exts
}

const listOf = (tp: Proto): Basic[] => tp.state as Basic[]
const netOf = (tp: Proto) => tp.chain.block.net

export const basic: FilterOps = {
  kind: 'basic',
  init(tp) {
    tp.state = []
  },
  get: (tp, handle) => listOf(tp).find((each) => each.handle === handle),
  change(tp, request, old) {
    const { tc } = request
    if (!tc.options) refuse('EINVAL')
    const asked = tc.nest(policy, true)
    const list = listOf(tp)
    let handle = old?.handle ?? request.handle
    if (!old && handle > 0x7fffffff) refuse('ENOSPC')
    for (let free = 1; handle === 0; free++) {
      if (!list.some((each) => each.handle === free)) handle = free
    }
    const exts = extsOf(tp, request, asked)
    if (asked.ematches) {
      releaseExts(netOf(tp), exts)
      refuse('EINVAL')
    }
    const filter: Basic = { handle, classid: asked.classid, exts }
    if (old) {
      list[list.indexOf(old as Basic)] = filter
      releaseExts(netOf(tp), (old as Basic).exts)
    } else list.unshift(filter)
    return filter
  },
  delete(tp, filter) {
    const list = listOf(tp)
    list.splice(list.indexOf(filter as Basic), 1)
    releaseExts(netOf(tp), (filter as Basic).exts)
    return list.length === 0
  },
  walk: listOf,
  destroy(tp) {
    for (const { exts } of listOf(tp).splice(0)) releaseExts(netOf(tp), exts)
  },
  put(w, tp, filter) {
    const { classid, exts } = filter as Basic
    const nest = w.attrStart(TCA_OPTIONS)
    if (classid) w.attrU32(1, classid)
    w.attrBytes(5, new Uint8Array(16))
    putExts(w, netOf(tp), exts, { act: 3, police: 4 })
    w.attrEnd(nest)
  },
}
