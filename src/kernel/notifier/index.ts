/** Notifier chains: one core, a skin for each rule of locking. */

export { BlockingNotifierChain } from './blocking.ts'
export type { CallCounter, NotifierBlock } from './chain.ts'
export * from './constants.ts'
export { RawNotifierChain } from './raw.ts'
