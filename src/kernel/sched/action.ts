/**
 * Actions as objects: what filters do with packets, by kind and number.
 *
 * Kernel: net/sched/act_api.c tcf_idr_check_alloc(), tcf_idr_release(), tcf_idr_search()
 * (Linux 6.12).
 */
import type { Writer } from '../../wire/writer.ts'
import type { NetDevice } from '../net/device.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { Span } from '../rtnetlink/policy-types.ts'
import type { Chain, Proto } from './block.ts'
import type { SchedNet } from './sched-net.ts'

export class Action {
  readonly ops: ActionOps
  readonly index: number
  /** How many hold it, and how many of those are filters. */
  refs = 1
  binds = 0
  /** TC_ACT_*: what becomes of the packet. */
  control = 0
  /** Where TC_ACT_GOTO_CHAIN goes. */
  chain: Chain | undefined
  state: unknown
  cookie: Uint8Array | undefined
  flags = 0
  /** TCA_ACT_HW_STATS, if not any will do. */
  hwStats: number | undefined
  /** TCA_ACT_USED_HW_STATS: a dump has asked hardware, of which there is none. */
  wasDumped = false
  /** Milliseconds since boot. */
  installed = 0

  constructor(ops: ActionOps, index: number) {
    this.ops = ops
    this.index = index
  }
}

/** What an action's options are read from. */
export interface ActionSource {
  readonly ctx: RequestContext
  readonly options: Span | undefined
  readonly net: SchedNet
}

/** Options that have been read so far. */
export interface ParsedAction {
  /** 0: any that is free. */
  readonly index: number
  readonly control: number
  /** What is wrong before it is said that there is one already. @throws NetlinkError */
  check?(isNew: boolean): void
  /** The action's state. @throws NetlinkError */
  finish(old: unknown): unknown
}

/** One kind of action (struct tc_action_ops). */
export interface ActionOps {
  readonly kind: string
  /** @throws NetlinkError */
  parse(source: ActionSource): ParsedAction
  /** What is in TCA_ACT_OPTIONS, with so many references and filters left out. */
  put(w: Writer, action: Action, shown: Shown): void
  /** A link is gone. */
  forget?(action: Action, dev: NetDevice): void
}

/** What a message says of who holds an action, and when it was. */
export interface Shown {
  readonly refs: number
  readonly binds: number
  /** struct tcf_t: ticks since it was installed. */
  readonly age: bigint
}

export class ActionTable {
  readonly #kinds = new Map<string, Map<number, Action>>()

  find(kind: string, index: number): Action | undefined {
    return this.#kinds.get(kind)?.get(index)
  }

  /** Of a kind, by their numbers. */
  all(kind: string): Action[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])].sort((a, b) => a.index - b.index)
  }

  /** A new one; the lowest number that is free, if `index` is 0. */
  create(ops: ActionOps, index: number): Action {
    const table = this.#kinds.get(ops.kind) ?? new Map<number, Action>()
    this.#kinds.set(ops.kind, table)
    let free = index || 1
    while (index === 0 && table.has(free)) free++
    const action = new Action(ops, free)
    table.set(free, action)
    return action
  }

  /** tcf_idr_release(): one holder less; when it was the last, it is gone. */
  release(action: Action, isBound: boolean): void {
    if (isBound) action.binds--
    action.refs--
    if (action.refs > 0) return
    this.#kinds.get(action.ops.kind)?.delete(action.index)
    leave(action)
  }

  /** A link is gone: actions do not lead there any more. */
  forget(dev: NetDevice): void {
    for (const table of this.#kinds.values()) {
      for (const action of table.values()) action.ops.forget?.(action, dev)
    }
  }
}

/** The chain that an action went to is held no more. */
export function leave(action: Action): void {
  const { chain } = action
  action.chain = undefined
  if (!chain) return
  chain.actions--
  chain.settle()
}

/** Where an action is used. */
export interface ActionUse {
  readonly tp: Proto | undefined
  readonly isReplacing: boolean
}
