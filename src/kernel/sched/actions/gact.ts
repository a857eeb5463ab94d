/** gact: a verdict. Kernel: net/sched/act_gact.c tcf_gact_init(), tcf_gact_dump() (Linux 6.12). */
import { attrs, message } from '../../../schema/index.ts'
import { HOST_LE } from '../../../wire/order.ts'
import { parseNested } from '../../rtnetlink/parse.ts'
import { spanOf } from '../../rtnetlink/policy-types.ts'
import type { ActionOps } from '../action.ts'
import { refuse } from '../request.ts'
import { bytesOf } from '../span.ts'
import { GEN_SIZE, genOf, putGen, putTimes } from './tc-gen.ts'

/** struct tc_gact_p: type, value, action. */
const PROB_SIZE = 8
const TYPES = 3
const GOTO_CHAIN = 2
/** TC_ACT_VALUE_MAX. */
const VALUE_MAX = 8

const policy = message(
  attrs('TCA_GACT_', { parms: [2, spanOf(GEN_SIZE)], prob: [3, spanOf(PROB_SIZE)] }),
)

export const gact: ActionOps = {
  kind: 'gact',
  parse({ ctx, options }) {
    if (!options) refuse('EINVAL')
    const { parms, prob } = parseNested(ctx, options, policy, { silent: true })
    if (!parms) refuse('EINVAL')
    const chance = prob && bytesOf(ctx, prob).slice(0, PROB_SIZE)
    if (chance) {
      const view = new DataView(chance.buffer)
      if (view.getUint16(0, HOST_LE) >= TYPES) refuse('EINVAL')
      const fallback = view.getInt32(4, HOST_LE)
      if (fallback >> 28 === 0 ? fallback > VALUE_MAX : fallback >> 28 > GOTO_CHAIN) {
        refuse('EINVAL', 'invalid fallback control action')
      }
      if (fallback >> 28 === GOTO_CHAIN) {
        refuse('EINVAL', 'goto chain not allowed on fallback')
      }
    }
    return { ...genOf(bytesOf(ctx, parms)), finish: (old) => chance ?? old }
  },
  put(w, action, shown) {
    putGen(w, 2, action, shown)
    const chance = action.state as Uint8Array | undefined
    if (chance && (chance[0] || chance[1])) w.attrBytes(3, chance)
    putTimes(w, 1, shown)
  },
}
