/**
 * Lists of actions as requests have them.
 *
 * Kernel: net/sched/act_api.c tcf_action_init(), tcf_action_init_1(), tc_action_load_ops(),
 * tcf_action_check_ctrlact() (Linux 6.12).
 */
import { attrs, binary, bitfield32, message, u32 } from '../../schema/index.ts'
import type { RequestContext } from '../netlink/context.ts'
import { parseNested } from '../rtnetlink/parse.ts'
import { nested, type Span, spanOf } from '../rtnetlink/policy-types.ts'
import { type Action, type ActionOps, type ActionUse, leave, type ParsedAction } from './action.ts'
import { actionKinds } from './actions/index.ts'
import { KIND_MAX, kindName, refuse, shortName } from './request.ts'
import type { SchedNet } from './sched-net.ts'

/** TCA_ACT_MAX_PRIO: how many there are in a list. */
const MAX_PRIO = 32
/** TC_ACT_VALUE_MAX, TC_ACT_EXT_*; what is negative is below them. */
const VALUE_MAX = 8
const EXT_MASK = 0x0fffffff
const GOTO_CHAIN = 0x20000000
const COOKIE_MAX = 16
/** TCA_ACT_FLAGS_*: no statistics for each CPU, not in hardware, not in software. */
const SKIP_HW = 2
const SKIP_SW = 4
const USER_FLAGS = 7
const HW_STATS_ANY = 3

/** tcf_action_policy. */
export const actionPolicy = message(
  attrs('TCA_ACT_', {
    kind: [1, kindName],
    options: [2, nested],
    index: [3, u32],
    cookie: [6, binary.max(COOKIE_MAX)],
    flags: [7, bitfield32(USER_FLAGS)],
    hwStats: [8, bitfield32(HW_STATS_ANY)],
  }),
)

const numbered = Object.fromEntries(
  Array.from({ length: MAX_PRIO }, (_, i) => [`action${i + 1}`, [i + 1, spanOf(0)]]),
) as Record<string, [number, ReturnType<typeof spanOf>]>
const listPolicy = message(attrs('', numbered))

/** The entries of a list, up to the first that is missing. @throws NetlinkError EINVAL */
export function entriesOf(ctx: RequestContext, list: Span, silent = false): Span[] {
  const found = parseNested(ctx, list, listPolicy, { silent }) as Record<string, Span | undefined>
  const entries: Span[] = []
  for (let i = 1; i <= MAX_PRIO; i++) {
    const entry = found[`action${i}`]
    if (!entry) break
    entries.push(entry)
  }
  return entries
}

/** tc_action_load_ops(). @throws NetlinkError EINVAL, ENOENT */
function opsOf(ctx: RequestContext, entry: Span): ActionOps {
  const { kind } = parseNested(ctx, entry, actionPolicy)
  if (kind === undefined) refuse('EINVAL', 'TC action kind must be specified')
  if (kind.length > KIND_MAX) refuse('EINVAL', 'TC action name too long')
  return actionKinds.get(shortName(kind)) ?? refuse('ENOENT', 'Failed to load TC action module')
}

/** tcf_action_check_ctrlact(): whether there is such a verdict, and the chain it goes to. */
function enter(action: Action, control: number, { tp }: ActionUse): void {
  const opcode = control & ~EXT_MASK
  const isKnown = opcode === 0 ? control <= VALUE_MAX : opcode <= GOTO_CHAIN
  if (!isKnown) refuse('EINVAL', 'invalid control action')
  let chain: Action['chain']
  if (opcode === GOTO_CHAIN) {
    if (!tp) refuse('EINVAL', "can't goto NULL proto/chain")
    chain = tp.chain.block.chainFor(control & EXT_MASK)
    chain.actions++
  }
  leave(action)
  action.chain = chain
  action.control = control
}

interface Given {
  readonly cookie?: Uint8Array | undefined
  readonly flags?: { readonly value: number } | undefined
  readonly hwStats?: { readonly value: number } | undefined
}

/** One action, made, changed, or taken as it is. */
export interface InitialisedAction {
  readonly action: Action
  readonly isCreated: boolean
}

/** What all kinds do: a number is taken, and what was there may be in the way. */
export function takeAction(
  net: SchedNet,
  ops: ActionOps,
  parsed: ParsedAction,
  use: ActionUse & { readonly isBinding: boolean },
): InitialisedAction {
  const { isBinding, isReplacing } = use
  const existing = parsed.index ? net.actions.find(ops.kind, parsed.index) : undefined
  if (existing && isBinding) {
    existing.refs++
    existing.binds++
    return { action: existing, isCreated: false }
  }
  parsed.check?.(!existing)
  if (existing) {
    if (!isReplacing) refuse('EEXIST')
    enter(existing, parsed.control, use)
    existing.state = parsed.finish(existing.state)
    return { action: existing, isCreated: false }
  }
  const action = net.actions.create(ops, parsed.index)
  if (isBinding) action.binds = 1
  action.installed = net.stack.now()
  try {
    enter(action, parsed.control, use)
    action.state = parsed.finish(undefined)
  } catch (error) {
    net.actions.release(action, isBinding)
    throw error
  }
  return { action, isCreated: true }
}

function initOne(
  net: SchedNet,
  ctx: RequestContext,
  entry: Span,
  ops: ActionOps,
  use: ActionUse & { readonly isBinding: boolean },
): InitialisedAction {
  const given: Given & { options?: Span } = parseNested(ctx, entry, actionPolicy) as never
  const flags = given.flags?.value ?? 0
  if ((flags & (SKIP_HW | SKIP_SW)) === (SKIP_HW | SKIP_SW)) refuse('EINVAL')
  const parsed = ops.parse({ ctx, options: given.options, net })
  const taken = takeAction(net, ops, parsed, use)
  const { action } = taken
  if (given.cookie) action.cookie = given.cookie
  const hw = given.hwStats?.value ?? HW_STATS_ANY
  action.hwStats = hw === HW_STATS_ANY ? undefined : hw
  if (taken.isCreated) action.flags = flags
  return taken
}

/** tcf_action_init(): all of a list, or none of it. @throws NetlinkError */
export function initActions(
  net: SchedNet,
  ctx: RequestContext,
  list: Span,
  use: ActionUse & { readonly isBinding: boolean },
): InitialisedAction[] {
  const entries = entriesOf(ctx, list)
  const kinds = entries.map((entry) => opsOf(ctx, entry))
  const done: InitialisedAction[] = []
  try {
    for (const [i, entry] of entries.entries()) {
      done.push(initOne(net, ctx, entry, kinds[i] as ActionOps, use))
    }
  } catch (error) {
    for (const { action, isCreated } of done) {
      if (isCreated || use.isBinding) net.actions.release(action, use.isBinding)
    }
    throw error
  }
  return done
}
