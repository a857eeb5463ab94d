/**
 * A family file as data: declarations whose values are calls of nlkit/schema. Evaluating them gives
 * the schema's values, printing them gives the file; so the two say the same.
 */
import type { Enumeration } from './model.ts'

/** How a spec spells what the schema calls by another name, and how its values are shown. */
export interface Spelled {
  readonly name: string
  readonly enum?: Enumeration | undefined
  /** Whether the enum's numbers are bits. */
  readonly isFlags?: boolean
  readonly hint?: string | undefined
  /** What the numbers of a nest's attributes are called. */
  readonly typeValue?: readonly string[] | undefined
}

/** By the schema's name. */
export type Spellings = ReadonlyMap<string, Spelled>

export type Expression =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | bigint }
  | {
      readonly kind: 'call'
      readonly callee: Expression
      readonly args: readonly Expression[]
      /** The spec's names of what the table or struct has that comes out. */
      readonly spells?: Spellings
    }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'object'; readonly entries: readonly Entry[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  /** `(): type => value`: what a set that contains itself refers to. */
  | { readonly kind: 'later'; readonly type: string; readonly value: Expression }
  /** `value as type`. */
  | { readonly kind: 'as'; readonly value: Expression; readonly type: string }

export interface Entry {
  readonly doc?: string | undefined
  /** Undefined for `...value`. */
  readonly key: string | undefined
  readonly value: Expression
}

/** One `const` of the file. */
export interface Declaration {
  readonly name: string
  readonly doc?: string | undefined
  readonly value: Expression
  readonly isExported: boolean
  /** `as const` behind it. */
  readonly isConst?: boolean
  /** An interface of its type, which keeps printed types short. */
  readonly face?: string
}

export const name = (text: string): Expression => ({ kind: 'name', name: text })
export const literal = (value: string | number | bigint): Expression => ({ kind: 'literal', value })
export const array = (items: readonly Expression[]): Expression => ({ kind: 'array', items })
export const object = (entries: readonly Entry[]): Expression => ({ kind: 'object', entries })
/** `callee(...args)` */
export const call = (callee: string, ...args: readonly Expression[]): Expression => ({
  kind: 'call',
  callee: name(callee),
  args,
})
/** `of.method(...args)` */
export const method = (
  of: Expression,
  called: string,
  ...args: readonly Expression[]
): Expression => ({ kind: 'call', callee: { kind: 'member', of, name: called }, args })
