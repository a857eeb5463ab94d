/** What a live table is told of a kind of table: how it is heard, listed and compared. */
import type { MessageWalker } from '../wire/index.ts'
import type { CallOptions } from './options.ts'

/** What a message says. */
export type Effect<T> =
  | { readonly key: string; readonly items: readonly T[]; readonly hasEnded?: boolean }
  /** Nothing of ours; or that it cannot be told without looking. */
  | 'nothing'
  | 'doubt'

/** One kind of table: how it is heard and listed. */
export interface Subject<T> {
  readonly groups: readonly number[]
  /** Members that make the key, and so never change: what does not match them is not kept. */
  readonly keyMembers: readonly (keyof T & string)[]
  /** Members that change all the time, without a word. */
  readonly restless: ReadonlySet<string>
  /** Whether it is listed every now and then, for changes of which the kernel says nothing. */
  readonly looksAgain?: boolean
  keyOf(item: T): string
  isOther?(before: T, after: T): boolean
  list(match: Partial<T>, options: CallOptions): Promise<T[]>
  /** What a message does to what is known. */
  effect(m: MessageWalker, known: (key: string) => readonly T[]): Effect<T>
}
