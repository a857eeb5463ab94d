/**
 * Actions in messages.
 *
 * Kernel: net/sched/act_api.c tcf_action_dump_1(), tcf_action_dump(), tcf_action_dump_terse()
 * (Linux 6.12).
 */
import type { Writer } from '../../wire/writer.ts'
import type { Action } from './action.ts'
import type { SchedNet } from './sched-net.ts'
import { putActionStats } from './stats.ts'

const KIND = 1
const OPTIONS = 2
const INDEX = 3
const STATS = 4
const COOKIE = 6
const FLAGS = 7
const HW_STATS = 8
const USED_HW_STATS = 9
const IN_HW_COUNT = 10
const HW_STATS_ANY = 3
/** USER_HZ: what times are counted in, milliseconds. */
const TICK = 10

function putBits(w: Writer, type: number, value: number, selector: number): void {
  const mark = w.attrStart(type)
  w.u32(value)
  w.u32(selector)
  w.attrEnd(mark)
}

/** `without`: references that the message itself holds. */
export function putAction(
  w: Writer,
  net: SchedNet,
  action: Action,
  { isTerse = false, without = 0 }: { isTerse?: boolean; without?: number } = {},
): void {
  w.attrString(KIND, action.ops.kind)
  putActionStats(w, STATS)
  if (isTerse) w.attrU32(INDEX, action.index)
  if (action.cookie) w.attrBytes(COOKIE, action.cookie)
  if (isTerse) return
  if (action.hwStats !== undefined) putBits(w, HW_STATS, action.hwStats, HW_STATS_ANY)
  if (action.wasDumped) putBits(w, USED_HW_STATS, 0, HW_STATS_ANY)
  if (action.flags) putBits(w, FLAGS, action.flags, action.flags)
  w.attrU32(IN_HW_COUNT, 0)
  const nest = w.attrStart(OPTIONS)
  action.ops.put(w, action, shownOf(net, action, without))
  w.attrEnd(nest)
}

function shownOf(
  net: SchedNet,
  action: Action,
  without: number,
): { refs: number; binds: number; age: bigint } {
  const age = BigInt(Math.floor((net.stack.now() - action.installed) / TICK))
  return { refs: action.refs - without, binds: action.binds, age }
}

/** A list, under `type`, as filters have it. */
export function putActionList(
  w: Writer,
  net: SchedNet,
  type: number,
  actions: readonly Action[],
): void {
  const list = w.attrStart(type)
  for (const [i, action] of actions.entries()) {
    const nest = w.attrStart(i + 1)
    putAction(w, net, action)
    w.attrEnd(nest)
  }
  w.attrEnd(list)
}

/** TCA_POLICE as old filters have it: the options alone. */
export function putOldPolice(w: Writer, net: SchedNet, type: number, action: Action): void {
  const nest = w.attrStart(type)
  action.ops.put(w, action, shownOf(net, action, 0))
  w.attrEnd(nest)
}
