/** matchall: one filter for all packets. Kernel: net/sched/cls_matchall.c mall_change(), mall_dump() (Linux 6.12). */
import { attrs, message, u32 } from '../../../schema/index.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import type { Filter, FilterOps, Proto } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import { type Exts, extsOf, putExts, releaseExts } from '../exts.ts'
import { refuse } from '../request.ts'
import { areFlagsValid, settleFlags } from './flags.ts'

const policy = message(
  attrs('TCA_MATCHALL_', { classid: [1, u32], act: [2, spanOf(0)], flags: [3, u32] }),
)

interface Matchall extends Filter {
  readonly flags: number
  readonly exts: Exts
}

const netOf = (tp: Proto) => tp.chain.block.net
const headOf = (tp: Proto): Matchall | undefined => tp.state as Matchall | undefined

export const matchall: FilterOps = {
  kind: 'matchall',
  hidesNew: true,
  init() {},
  get(tp, handle) {
    const head = headOf(tp)
    return head?.handle === handle ? head : undefined
  },
  change(tp, request) {
    const { tc, handle } = request
    if (!tc.options) refuse('EINVAL')
    if (headOf(tp)) refuse('EEXIST')
    const { classid, act, flags = 0 } = tc.nest(policy, true)
    if (!areFlagsValid(flags)) refuse('EINVAL')
    const exts = extsOf(tp, request, { act })
    try {
      const filter: Matchall = { handle: handle || 1, classid, flags: settleFlags(flags), exts }
      tp.state = filter
      return filter
    } catch (error) {
      releaseExts(netOf(tp), exts)
      throw error
    }
  },
  delete: () => true,
  *walk(tp) {
    const head = headOf(tp)
    if (head) yield head
  },
  destroy(tp) {
    const head = headOf(tp)
    if (head) releaseExts(netOf(tp), head.exts)
    tp.state = undefined
  },
  put(w, tp, filter) {
    const { classid, flags, exts } = filter as Matchall
    const nest = w.attrStart(TCA_OPTIONS)
    if (classid) w.attrU32(1, classid)
    if (flags) w.attrU32(3, flags)
    w.attrBytes(4, new Uint8Array(8))
    putExts(w, netOf(tp), exts, { act: 2 })
    w.attrEnd(nest)
  },
}
