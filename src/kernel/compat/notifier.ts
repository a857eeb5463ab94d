/** Notifier chains under the kernel's names. Kernel: include/linux/notifier.h, kernel/notifier.c. */
import {
  AtomicNotifierChain,
  BlockingNotifierChain,
  NOTIFY_DONE,
  notifierFromErrno,
  notifierToErrno,
  RawNotifierChain,
  SrcuNotifierChain,
} from '../notifier/index.ts'
import { errnoAfter, errnoOf } from './errno.ts'

export {
  NOTIFY_BAD,
  NOTIFY_DONE,
  NOTIFY_OK,
  NOTIFY_STOP,
  NOTIFY_STOP_MASK,
} from '../notifier/index.ts'

type Answer = number | Promise<number>

/** struct notifier_block: who wants to know. */
export interface notifier_block {
  notifier_call(self: notifier_block, action: number, data: unknown): Answer
  priority?: number
}
export type raw_notifier_head = RawNotifierChain
export type atomic_notifier_head = AtomicNotifierChain
export type blocking_notifier_head = BlockingNotifierChain
export type srcu_notifier_head = SrcuNotifierChain

/** What a chain of ours calls for a block in the kernel's form: one for each. */
export interface Twin {
  readonly priority: number
  readonly name: string
  call(event: number, data: unknown): never
}
const twins = new WeakMap<notifier_block, Twin>()

/** The block that our chains know `nb` by. */
export function blockOf(nb: notifier_block): Twin {
  let twin = twins.get(nb)
  if (!twin) {
    twin = {
      get priority() {
        return nb.priority ?? 0
      },
      get name() {
        return nb.notifier_call.name
      },
      call: (event, data) => nb.notifier_call(nb, event, data) as never,
    }
    twins.set(nb, twin)
  }
  return twin
}

/** RAW_NOTIFIER_HEAD(). */
export const RAW_NOTIFIER_HEAD = (name: string): raw_notifier_head => new RawNotifierChain(name)
/** ATOMIC_NOTIFIER_HEAD(). */
export const ATOMIC_NOTIFIER_HEAD = (name: string): atomic_notifier_head =>
  new AtomicNotifierChain(name)
/** BLOCKING_NOTIFIER_HEAD(). */
export const BLOCKING_NOTIFIER_HEAD = (name: string): blocking_notifier_head =>
  new BlockingNotifierChain(name)
/** SRCU_NOTIFIER_HEAD(), srcu_init_notifier_head(). */
export const SRCU_NOTIFIER_HEAD = (name: string): srcu_notifier_head => new SrcuNotifierChain(name)
/** srcu_cleanup_notifier_head(). */
export const srcu_cleanup_notifier_head = (nh: srcu_notifier_head): Promise<void> => nh.cleanup()

/** raw_notifier_chain_register(). @returns 0 or -EEXIST. */
export const raw_notifier_chain_register = (nh: raw_notifier_head, nb: notifier_block): number =>
  errnoOf(() => nh.register(blockOf(nb)))
/** raw_notifier_chain_unregister(). @returns 0 or -ENOENT. */
export const raw_notifier_chain_unregister = (nh: raw_notifier_head, nb: notifier_block): number =>
  errnoOf(() => nh.unregister(blockOf(nb)))
/** raw_notifier_call_chain(). @returns the last block's answer. */
export const raw_notifier_call_chain = (nh: raw_notifier_head, val: number, v: unknown): number =>
  nh.call(val, v)
/** raw_notifier_call_chain_robust(). */
export const raw_notifier_call_chain_robust = (
  nh: raw_notifier_head,
  val_up: number,
  val_down: number,
  v: unknown,
): number => nh.callRobust(val_up, val_down, v)

/** atomic_notifier_chain_register(). */
export const atomic_notifier_chain_register = (
  nh: atomic_notifier_head,
  nb: notifier_block,
): number => errnoOf(() => nh.register(blockOf(nb)))
/** atomic_notifier_chain_register_unique_prio(). @returns 0, -EEXIST or -EBUSY. */
export const atomic_notifier_chain_register_unique_prio = (
  nh: atomic_notifier_head,
  nb: notifier_block,
): number => errnoOf(() => nh.registerUniquePrio(blockOf(nb)))
/** atomic_notifier_chain_unregister(). */
export const atomic_notifier_chain_unregister = (
  nh: atomic_notifier_head,
  nb: notifier_block,
): number => errnoOf(() => nh.unregister(blockOf(nb)))
/** atomic_notifier_call_chain(). */
export const atomic_notifier_call_chain = (
  nh: atomic_notifier_head,
  val: number,
  v: unknown,
): number => nh.call(val, v)

/** blocking_notifier_chain_register(). */
export const blocking_notifier_chain_register = (
  nh: blocking_notifier_head,
  nb: notifier_block,
): number => errnoOf(() => nh.register(blockOf(nb)))
/** blocking_notifier_chain_register_unique_prio(). */
export const blocking_notifier_chain_register_unique_prio = (
  nh: blocking_notifier_head,
  nb: notifier_block,
): number => errnoOf(() => nh.registerUniquePrio(blockOf(nb)))
/** blocking_notifier_chain_unregister(): resolves when nobody can be calling the block any more. */
export const blocking_notifier_chain_unregister = (
  nh: blocking_notifier_head,
  nb: notifier_block,
): Promise<number> => errnoAfter(async () => nh.unregister(blockOf(nb)))
/** blocking_notifier_call_chain(): a number, unless a block waits. */
export const blocking_notifier_call_chain = (
  nh: blocking_notifier_head,
  val: number,
  v: unknown,
): Answer => nh.call(val, v)
/** blocking_notifier_call_chain_robust(). */
export const blocking_notifier_call_chain_robust = (
  nh: blocking_notifier_head,
  val_up: number,
  val_down: number,
  v: unknown,
): Answer => nh.callRobust(val_up, val_down, v)

/** srcu_notifier_chain_register(). */
export const srcu_notifier_chain_register = (nh: srcu_notifier_head, nb: notifier_block): number =>
  errnoOf(() => nh.register(blockOf(nb)))
/** srcu_notifier_chain_unregister(): resolves when the calls under way have ended. */
export const srcu_notifier_chain_unregister = (
  nh: srcu_notifier_head,
  nb: notifier_block,
): Promise<number> => errnoAfter(async () => nh.unregister(blockOf(nb)))
/** srcu_notifier_call_chain(). */
export const srcu_notifier_call_chain = (nh: srcu_notifier_head, val: number, v: unknown): Answer =>
  nh.call(val, v)

/**
 * notifier_call_chain(): at most `nr_to_call` blocks, -1 for all; `nr_calls.value` grows by as many
 * as were called.
 */
export function notifier_call_chain(
  nl: raw_notifier_head,
  val: number,
  v: unknown,
  nr_to_call: number,
  nr_calls: { value: number } | null,
): number {
  const counter = { calls: 0 }
  const answer = nl.call(val, v, nr_to_call, counter)
  if (nr_calls) nr_calls.value += counter.calls
  return answer ?? NOTIFY_DONE
}

/** notifier_to_errno(): 0 or negative. */
export const notifier_to_errno = notifierToErrno
/** notifier_from_errno(). */
export const notifier_from_errno = (err: number): number => notifierFromErrno(err)
