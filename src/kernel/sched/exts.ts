/**
 * What a filter does with packets: a list of actions, or a policer as it was given formerly.
 *
 * Kernel: net/sched/cls_api.c tcf_exts_validate_ex(), tcf_exts_dump(), tcf_exts_destroy()
 * (Linux 6.12).
 */

import { NLM_F_CREATE } from '../../wire/constants.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Span } from '../rtnetlink/policy-types.ts'
import type { Action } from './action.ts'
import { putActionList, putOldPolice } from './action-fill.ts'
import { initActions, takeAction } from './action-init.ts'
import { police } from './actions/police.ts'
import type { FilterRequest, Proto } from './block.ts'
import type { SchedNet } from './sched-net.ts'

export interface Exts {
  readonly actions: readonly Action[]
  readonly isOldPolice: boolean
}

/** @throws NetlinkError */
export function extsOf(
  tp: Proto,
  { tc, net }: FilterRequest,
  { act, police: old }: { readonly act?: Span | undefined; readonly police?: Span | undefined },
): Exts {
  const { ctx } = tc
  const use = { tp, isReplacing: (ctx.flags & NLM_F_CREATE) === 0, isBinding: true }
  if (old) {
    const parsed = police.parse({ ctx, options: old, net })
    return { actions: [takeAction(net, police, parsed, use).action], isOldPolice: true }
  }
  const actions = act ? initActions(net, ctx, act, use).map(({ action }) => action) : []
  return { actions, isOldPolice: false }
}

export function releaseExts(net: SchedNet, { actions }: Exts): void {
  for (const action of actions) net.actions.release(action, true)
}

export function putExts(
  w: Writer,
  net: SchedNet,
  { actions, isOldPolice }: Exts,
  types: { readonly act: number; readonly police?: number },
): void {
  const [first] = actions
  if (!first) return
  if (isOldPolice && types.police !== undefined) putOldPolice(w, net, types.police, first)
  else putActionList(w, net, types.act, actions)
}
