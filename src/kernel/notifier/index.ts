/** Notifier chains: one core, a skin for each rule of locking. */

export { AtomicNotifierChain } from './atomic.ts'
export type {
  AnyBlock,
  CallCounter,
  ChainOptions,
  DataOf,
  EventArgs,
  EventOf,
  NotifierBlock,
} from './block.ts'
export { BlockingNotifierChain } from './blocking.ts'
export * from './constants.ts'
export { type ChainOwner, runAsOwner } from './owner.ts'
export { RawNotifierChain } from './raw.ts'
export { SrcuNotifierChain } from './srcu.ts'
