/**
 * RTM_NEWACTION, RTM_DELACTION, RTM_GETACTION.
 *
 * Kernel: net/sched/act_api.c tc_ctl_action(), tc_dump_action(), tca_action_gd(),
 * tca_action_flush() (Linux 6.12).
 */
import {
  RTM_DELACTION,
  RTM_GETACTION,
  RTM_NEWACTION,
  RTNLGRP_TC,
} from '../../families/rtnetlink.ts'
import {
  attrs,
  bitfield32,
  message,
  NL_VALIDATE_LIBERAL,
  struct,
  u8,
  u32,
} from '../../schema/index.ts'
import { NLM_F_REPLACE } from '../../wire/constants.ts'
import type { Writer } from '../../wire/writer.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { notify } from '../rtnetlink/notify.ts'
import { parseNested, payloadSize } from '../rtnetlink/parse.ts'
import { type Span, spanOf } from '../rtnetlink/policy-types.ts'
import type { Action } from './action.ts'
import { putAction, putActionList } from './action-fill.ts'
import { actionPolicy, entriesOf, initActions } from './action-init.ts'
import { actionKinds } from './actions/index.ts'
import { GOODSIZE } from './constants.ts'
import { refuse, trimmed } from './request.ts'
import type { Sched } from './sched.ts'
import type { SchedNet } from './sched-net.ts'

/** sizeof(struct tcamsg). */
const HEADER_SIZE = 4
const ACT_TAB = 1
const ROOT_COUNT = 3
/** TCA_FCNT: how many were flushed. */
const FCNT = 4
const ACT_KIND = 1
const NLM_F_ROOT = 0x100
/** TCA_ACT_FLAG_TERSE_DUMP; all flags of a dump. */
const TERSE = 2
const DUMP_FLAGS = 3
/** How many a datagram of a dump has, unless large dumps are on. */
const tcamsg = struct('tcamsg', { family: u8, pad1: 1, pad2: 2 })
const request = message(tcamsg, attrs('TCA_ROOT_', { tab: [ACT_TAB, spanOf(0)] }))
const dumpRequest = message(
  tcamsg,
  attrs('TCA_ROOT_', {
    tab: [ACT_TAB, spanOf(0)],
    flags: [2, bitfield32(DUMP_FLAGS)],
    timeDelta: [4, u32],
  }),
)

/** tc_ctl_action(). @throws NetlinkError */
export function controlAction(sched: Sched, ctx: RequestContext): void {
  if (payloadSize(ctx) < HEADER_SIZE) refuse('EINVAL', 'Invalid header length')
  const { tab } = ctx.decode(request, NL_VALIDATE_LIBERAL)
  if (!tab) refuse('EINVAL', 'Netlink action attributes missing')
  const net = sched.netOf(ctx.net)
  if (ctx.type === RTM_NEWACTION) add(net, ctx, tab)
  else if (ctx.type === RTM_DELACTION && ctx.flags & NLM_F_ROOT) flush(net, ctx, tab)
  else getOrDelete(net, ctx, tab)
}

function putHeader(w: Writer): void {
  w.u32(0)
}

/** tcf_action_add(). */
function add(net: SchedNet, ctx: RequestContext, tab: Span): void {
  const isReplacing = (ctx.flags & NLM_F_REPLACE) !== 0
  const done = initActions(net, ctx, tab, { tp: undefined, isReplacing, isBinding: false })
  const actions = done.map(({ action }) => action)
  const what = { type: RTM_NEWACTION, flags: ctx.flags, group: RTNLGRP_TC, origin: ctx }
  // While it is told, a request holds what it has changed.
  for (const { action, isCreated } of done) if (!isCreated) action.refs++
  notify(net.sock, { ...what, size: GOODSIZE }, (w) => {
    putHeader(w)
    putActionList(w, net, ACT_TAB, actions)
  })
  for (const { action, isCreated } of done) if (!isCreated) action.refs--
}

/** tcf_action_get_1(). @throws NetlinkError EINVAL, ENOENT */
function namedOf(net: SchedNet, ctx: RequestContext, entry: Span): Action {
  const { kind, index } = parseNested(ctx, entry, actionPolicy)
  if (index === undefined) refuse('EINVAL', 'Invalid TC action index value')
  const ops = actionKinds.get(trimmed(kind ?? ''))
  if (!ops) refuse('EINVAL', 'Specified TC action kind not found')
  const action = net.actions.find(ops.kind, index)
  if (!action) refuse('ENOENT', 'TC action with specified index not found')
  return action
}

function getOrDelete(net: SchedNet, ctx: RequestContext, tab: Span): void {
  const actions = entriesOf(ctx, tab).map((entry) => namedOf(net, ctx, entry))
  const put = (w: Writer): void => {
    putHeader(w)
    putActionList(w, net, ACT_TAB, actions)
  }
  if (ctx.type === RTM_GETACTION) {
    ctx.reply(RTM_GETACTION, put)
    return
  }
  const { sock } = net
  const isHeard = ctx.echo || sock.hasListeners(RTNLGRP_TC)
  const skb = isHeard ? sock.alloc(GOODSIZE) : undefined
  if (skb) {
    const mark = skb.messageStart(RTM_DELACTION, 0, ctx.seq, ctx.portid)
    for (const action of actions) action.refs--
    put(skb)
    for (const action of actions) action.refs++
    skb.messageEnd(mark)
  }
  for (const action of actions) {
    if (action.binds > 0) refuse('EPERM', 'Failed to delete TC action')
    net.actions.release(action, false)
  }
  if (skb) sock.notify(skb, { group: RTNLGRP_TC, portid: ctx.portid, report: ctx.echo })
}

/** tca_action_flush(). @throws NetlinkError EINVAL, EPERM */
function flush(net: SchedNet, ctx: RequestContext, tab: Span): void {
  const [entry] = entriesOf(ctx, tab)
  if (!entry) refuse('EINVAL', 'Invalid netlink attributes while flushing TC action')
  const { kind } = parseNested(ctx, entry, actionPolicy)
  const ops = actionKinds.get(trimmed(kind ?? ''))
  if (!ops) refuse('EINVAL', 'Cannot flush unknown TC action')
  let count = 0
  for (const action of net.actions.all(ops.kind)) {
    if (action.binds > 0) {
      if (count === 0) refuse('EPERM')
      ctx.warn('Unable to flush all TC actions')
      break
    }
    net.actions.release(action, false)
    count++
  }
  if (count === 0) return
  const what = { type: RTM_DELACTION, flags: NLM_F_ROOT, group: RTNLGRP_TC, origin: ctx }
  notify(net.sock, { ...what, size: GOODSIZE }, (w) => {
    putHeader(w)
    const list = w.attrStart(ACT_TAB)
    const nest = w.attrStart(0)
    w.attrString(ACT_KIND, ops.kind)
    w.attrU32(FCNT, count)
    w.attrEnd(nest)
    w.attrEnd(list)
  })
}

interface DumpedActions {
  readonly net: SchedNet
  readonly actions: readonly Action[]
  readonly isTerse: boolean
}

/** Of a dump's datagrams, how many actions each has. */
const IN_ONE = 32

export function actionDump(sched: Sched): DumpSource<DumpedActions> {
  return {
    name: 'RTM_GETACTION',
    type: RTM_GETACTION,
    *items(ctx) {
      if (payloadSize(ctx) < HEADER_SIZE) refuse('EINVAL', 'Invalid header length')
      const { tab, flags } = ctx.decode(dumpRequest, NL_VALIDATE_LIBERAL)
      const kind = tab && kindOf(ctx, tab)
      if (kind === undefined) return
      const net = sched.netOf(ctx.net)
      const all = net.actions.all(kind)
      const isTerse = ((flags?.value ?? 0) & TERSE) !== 0
      for (let from = 0; from < all.length; from += IN_ONE) {
        yield { net, actions: all.slice(from, from + IN_ONE), isTerse }
      }
    },
    put(w, { net, actions, isTerse }) {
      putHeader(w)
      w.attrU32(ROOT_COUNT, actions.length)
      const list = w.attrStart(ACT_TAB)
      for (const [i, action] of actions.entries()) {
        const nest = w.attrStart(i)
        action.wasDumped = true
        putAction(w, net, action, { isTerse })
        w.attrEnd(nest)
      }
      w.attrEnd(list)
    },
  }
}

/** find_dump_kind(): what is wrong with it goes unsaid. */
function kindOf(ctx: RequestContext, tab: Span): string | undefined {
  try {
    const [entry] = entriesOf(ctx, tab, true)
    const kind = entry && parseNested(ctx, entry, actionPolicy, { silent: true }).kind
    const name = trimmed(kind ?? '')
    return actionKinds.has(name) ? name : undefined
  } catch {
    return undefined
  }
}
