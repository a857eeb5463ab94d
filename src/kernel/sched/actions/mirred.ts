/** mirred: to another link, or a block. Kernel: net/sched/act_mirred.c tcf_mirred_init(), tcf_mirred_dump() (Linux 6.12). */
import { attrs, message, u32 } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import type { NetDevice } from '../../net/device.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps } from '../action.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { genOf, putGen, putTimes } from './tc-gen.ts'

/** struct tc_mirred: tc_gen, what to do, where. */
const SIZE = 28
/** TCA_EGRESS_REDIR to TCA_INGRESS_MIRROR. */
const FIRST = 1
const LAST = 4

const policy = message(attrs('TCA_MIRRED_', { parms: [2, spanOf(SIZE)], blockid: [4, u32.min(1)] }))

interface Mirred {
  readonly what: number
  dev: NetDevice | undefined
  readonly block: number
}

export const mirred: ActionOps = {
  kind: 'mirred',
  parse({ ctx, options, net }) {
    if (!options) refuse('EINVAL', 'act_mirred: Mirred requires attributes to be passed')
    const { parms: given, blockid = 0 } = parseNested(ctx, options, policy)
    if (!given) refuse('EINVAL', 'act_mirred: Missing required mirred parameters')
    const parms = bytesOf(ctx, given)
    const view = new DataView(parms.buffer, parms.byteOffset)
    const what = view.getInt32(20, HOST_LE)
    const ifindex = view.getUint32(24, HOST_LE)
    return {
      ...genOf(parms),
      check(isNew) {
        if (blockid && ifindex) {
          refuse('EINVAL', 'act_mirred: Cannot specify Block ID and dev simultaneously')
        }
        if (what < FIRST || what > LAST) refuse('EINVAL', 'act_mirred: Unknown mirred option')
        if (isNew && ifindex === 0 && !blockid) {
          refuse('EINVAL', 'act_mirred: Must specify device or block')
        }
      },
      finish(old) {
        const dev = ifindex ? net.stack.devices.byIndex(ifindex) : undefined
        if (ifindex && !dev) refuse('ENODEV')
        const had = old as Mirred | undefined
        return { what, dev: dev ?? had?.dev, block: blockid } satisfies Mirred
      },
    }
  },
  put(w, action, shown) {
    const { what, dev, block } = action.state as Mirred
    putGen(w, 2, action, shown, [what, dev?.ifindex ?? 0])
    if (block) w.attrU32(4, block)
    putTimes(w, 1, shown)
  },
  forget(action, dev) {
    const state = action.state as Mirred
    if (state.dev === dev) state.dev = undefined
  },
}
