/** Notifier blocks, and what is told to them. Kernel: include/linux/notifier.h. */

import { NetlinkError } from '../../errors.ts'

/** What a chain can tell: event types, or a map from event to what comes with it. */
export type EventOf<Events> = [Events] extends [PropertyKey] ? Events : keyof Events

/** What comes with `Event`. */
export type DataOf<Events, Data, Event> = [Events] extends [PropertyKey]
  ? Data
  : Event extends keyof Events
    ? Events[Event]
    : never

/** Event and data as the arguments of a callback: testing the one narrows the other. */
export type EventArgs<Events, Data> = [Events] extends [PropertyKey]
  ? [event: Events, data: Data]
  : { [Event in keyof Events]: [event: Event, data: Events[Event]] }[keyof Events]

/** Someone who wants to know (struct notifier_block). */
export interface NotifierBlock<Events, Data = unknown, Answer = number> {
  /** Higher is called first; equals in order of registration. s32, 0 when absent. */
  readonly priority?: number
  /** What error texts and lists of a chain call it. */
  readonly name?: string
  /**
   * Answers NOTIFY_DONE, NOTIFY_OK, or a value with NOTIFY_STOP_MASK, which ends the walk. What it
   * throws ends the walk too, and reaches who called the chain. No answer counts as NOTIFY_DONE.
   */
  call(...args: EventArgs<Events, Data>): Answer
}

/** Any block, as the core sees it. */
export interface AnyBlock {
  readonly priority?: number
  readonly name?: string
  call(event: never, data: never): unknown
}

/** Counts the calls of one walk, as notifier_call_chain()'s `nr_calls` does. */
export interface CallCounter {
  calls: number
}

export type OnThrow = (error: unknown, block: AnyBlock) => number

/** What a chain may be told to do. */
export interface ChainOptions {
  /**
   * Takes what a block throws or rejects with; its result is the block's answer, and the walk goes
   * on. Without it the caller of the chain gets the error. For chains on which nobody may refuse.
   */
  readonly onThrow?: OnThrow
}

export type Answer = number | Promise<number>

/** How a chain is called. */
export type ChainCall<Events, Data, Result> = <Event extends EventOf<Events>>(
  event: Event,
  data: DataOf<Events, Data, Event>,
  nrToCall?: number,
  counter?: CallCounter,
) => Result

/** What texts call a block. */
export function blockName(block: AnyBlock): string {
  return block.name ?? (block.call.name || '(anonymous)')
}

/** @throws NetlinkError EINVAL */
export function checkBlock(chain: string, block: AnyBlock): void {
  if (typeof block !== 'object' || block === null || typeof block.call !== 'function') {
    throw new NetlinkError('EINVAL', { message: `${chain}: a notifier block has a call method` })
  }
  const { priority = 0 } = block
  if (priority !== (priority | 0)) {
    const message = `${chain}: priority ${String(priority)} is no 32-bit integer`
    throw new NetlinkError('EINVAL', { message })
  }
}
