/** Attribute sets: what a family's attributes are called, their numbers, their types. */
import { AttributeWalker } from '../wire/attribute.ts'
import { NLA_F_NESTED } from '../wire/constants.ts'
import { variantOf } from './closure.ts'
import { type Codec, type Fields, makeCodec } from './codec.ts'
import { codecs } from './compile.ts'
import type { NestFlag, SelectedType, Variants } from './container.ts'
import {
  type AttrEntry,
  Attribute,
  type AttrSelection,
  type AttrTable,
  constantName,
  makeTable,
  type UnknownAttr,
} from './table.ts'
import type { Infer, Input, Simplify, Type } from './type.ts'

/** An attribute: its number, its type; its constant where that does not follow from its name. */
export type AttrDefinition = readonly [id: number, type: Type<any, any>, constant?: string]
/** Attributes by name; interfaces qualify too, and keep the printed types of large sets short. */
export type AttrDefinitions<A = any> = { readonly [K in keyof A]: AttrDefinition }

type Keys<A> = keyof A & string
type SelectedKeys<A extends AttrDefinitions<A>> = {
  [K in keyof A]: A[K][1] extends SelectedType<any, any, any> ? K : never
}[keyof A] &
  string
type SelectorOf<A extends AttrDefinitions<A>, K extends Keys<A>> =
  A[K][1] extends SelectedType<infer S, any, any> ? S : never
/** Names whose value decides the form of another attribute in `N`. */
type Selectors<A extends AttrDefinitions<A>, N extends Keys<A>> =
  N extends SelectedKeys<A> ? SelectorOf<A, N> : never
type Plain<A extends AttrDefinitions<A>, N extends Keys<A>> = Exclude<
  N,
  SelectedKeys<A> | Selectors<A, N>
>

/** What a value has of which the selector names no variant. */
type Otherwise<O, T> = [O] extends [never] ? undefined : T
type VariantOut<S extends string, K extends string, V extends Variants, O> =
  | { [N in keyof V & string]: { [P in S]: N } & { [P in K]?: Infer<V[N]> } }[keyof V & string]
  | ({ [P in S]?: string } & { [P in K]?: Otherwise<O, Infer<O>> })
type VariantIn<S extends string, K extends string, V extends Variants, O> =
  | { [N in keyof V & string]: { [P in S]: N } & { [P in K]?: Input<V[N]> | undefined } }[keyof V &
      string]
  | ({ [P in S]?: string | undefined } & { [P in K]?: Otherwise<O, Input<O>> | undefined })
type ToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never
type SelectedOut<A extends AttrDefinitions<A>, N extends Keys<A>> =
  N extends SelectedKeys<A>
    ? A[N][1] extends SelectedType<infer S, infer V, infer O>
      ? { v: VariantOut<S, N, V, O> }
      : never
    : never
type SelectedIn<A extends AttrDefinitions<A>, N extends Keys<A>> =
  N extends SelectedKeys<A>
    ? A[N][1] extends SelectedType<infer S, infer V, infer O>
      ? { v: VariantIn<S, N, V, O> }
      : never
    : never
/** All of them at once; each stands in a box, so that unions inside are left alone. */
type Unwrap<T> = [T] extends [never]
  ? unknown
  : ToIntersection<T> extends { v: infer X }
    ? X
    : unknown

/** Attributes that this schema does not know, never dropped. */
export interface WithUnknown {
  unknown?: UnknownAttr[]
}
export interface WithUnknownInput {
  unknown?: readonly UnknownAttr[] | undefined
}

/** What decoding gives: `R` are required, `O` may be absent. */
export type AttrValues<
  A extends AttrDefinitions<A>,
  R extends Keys<A>,
  O extends Keys<A>,
> = Simplify<
  { -readonly [K in Plain<A, R>]: Infer<A[K][1]> } & {
    -readonly [K in Plain<A, O>]?: Infer<A[K][1]>
  } & WithUnknown
> &
  Unwrap<SelectedOut<A, R | O>>
/** What encoding accepts. */
export type AttrInputs<
  A extends AttrDefinitions<A>,
  R extends Keys<A>,
  O extends Keys<A>,
> = Simplify<
  { [K in Plain<A, R>]: Input<A[K][1]> } & {
    [K in Plain<A, O>]?: Input<A[K][1]> | undefined
  } & WithUnknownInput
> &
  Unwrap<SelectedIn<A, R | O>>

/** `name` may be there, `name!` must. */
export type Listed<A extends AttrDefinitions<A>> = Keys<A> | `${Keys<A>}!`
type RequiredOf<A extends AttrDefinitions<A>, L> = (L extends `${infer N}!` ? N : never) & Keys<A>
type OptionalOf<A extends AttrDefinitions<A>, L> = (L extends `${string}!` ? never : L) & Keys<A>

/** Attributes as one message or nest carries them. */
export interface AttrType<Out, In> extends Type<Out, In> {
  readonly shape: { readonly kind: 'nest'; readonly table: AttrTable }
  readonly selection: AttrSelection
  readonly codec: Codec
}

/** Some attributes of a set: `R` are required, `O` may be absent. */
export interface AttrPart<A extends AttrDefinitions<A>, R extends Keys<A>, O extends Keys<A>>
  extends AttrType<AttrValues<A, R, O>, AttrInputs<A, R, O>> {}

/** A whole set, from which messages take what they carry. */
export interface AttrSet<A extends AttrDefinitions<A>>
  extends AttrType<AttrValues<A, never, Keys<A>>, AttrInputs<A, never, Keys<A>>> {
  readonly definitions: A
  /** The attributes that one message carries; `!` marks those that it must carry. */
  only<const L extends readonly Listed<A>[]>(
    ...names: L
  ): AttrPart<A, RequiredOf<A, L[number]>, OptionalOf<A, L[number]>>
}

/** A selection as a type; message headers add names that are not attributes. */
function attrType(selection: AttrSelection, flags: number = NLA_F_NESTED): AttrType<any, any> {
  const codec = makeCodec(selection)
  const type: AttrType<any, any> = {
    shape: { kind: 'nest', table: selection.table },
    selection,
    codec,
    size: undefined,
    flags,
    get: (view, at, end) => codec.read(view, at, end),
    put: (w, value) => codec.write(w, value),
    pathAt: (view, at, end, offset) => `.${attrPathAt(selection.table, view, at, end, offset)}`,
    offsetOf: (view, at, end, path) => attrOffsetOf(selection.table, view, at, end, path),
  }
  codecs.set(type.get, codec)
  codecs.set(type.put, codec)
  return type
}

/** What the form of a sibling may depend on: the owner's fields, and plain attributes. */
export function readSelectors(
  table: AttrTable,
  owner: Fields,
  view: DataView,
  at: number,
  end: number,
): Fields {
  const seen: Fields = { ...owner }
  const walker = new AttributeWalker(view, at, end)
  try {
    while (walker.next()) {
      const entry = table.byId.get(walker.type)
      const kind = entry?.type.shape.kind
      if (kind !== 'string' && kind !== 'integer') continue
      seen[(entry as AttrEntry).name] = (entry as AttrEntry).type.get(
        view,
        walker.payload,
        walker.end,
      )
    }
  } catch {
    return seen
  }
  return seen
}

/** The type of `entry` beside these attributes; undefined when its form is not known. */
function formOf(entry: AttrEntry, selectors: () => Fields): Type<any, any> | undefined {
  if (entry.type.shape.kind !== 'selected') return entry.type
  try {
    return variantOf(entry.type, selectors())
  } catch {
    return undefined
  }
}

/**
 * The attribute in which `offset` lies, as far inward as the schema knows. `owner` has the fields of
 * the message's header, if it has one.
 */
export function attrPathAt(
  table: AttrTable,
  view: DataView,
  at: number,
  end: number,
  offset: number,
  owner: Fields = {},
): string {
  const walker = new AttributeWalker(view, at, end)
  while (walker.next()) {
    if (offset < walker.start || offset >= walker.end) continue
    const entry = table.byId.get(walker.type)
    if (!entry) return `#${walker.type}`
    if (offset < walker.payload) return entry.name
    const form = formOf(entry, () => readSelectors(table, owner, view, at, end))
    return entry.name + innerPath(form, view, walker, offset)
  }
  return ''
}

function innerPath(
  type: Type<any, any> | undefined,
  view: DataView,
  walker: AttributeWalker,
  offset: number,
): string {
  try {
    const path = type?.pathAt?.(view, walker.payload, walker.end, offset) ?? ''
    return path === '.' ? '' : path
  } catch {
    return ''
  }
}

/** Where the attribute at `path` starts; a path that ends nowhere gives the nearest nest's start. */
export function attrOffsetOf(
  table: AttrTable,
  view: DataView,
  at: number,
  end: number,
  [name, ...rest]: readonly string[],
  owner: Fields = {},
): number | undefined {
  const entry = table.byName.get(name ?? '')
  if (!entry) return undefined
  const walker = new AttributeWalker(view, at, end)
  while (walker.next()) {
    if (walker.type !== entry.id) continue
    if (rest.length === 0) return walker.start
    try {
      const form = formOf(entry, () => readSelectors(table, owner, view, at, end))
      return form?.offsetOf?.(view, walker.payload, walker.end, rest) ?? walker.start
    } catch {
      return walker.start
    }
  }
  return undefined
}

/**
 * An attribute set. `prefix` and the upper-case name are the kernel's own constant: `numTxQueues`
 * of `IFLA_` is `IFLA_NUM_TX_QUEUES`. Every number is written out.
 */
export function attrs<const A extends AttrDefinitions<A>>(
  prefix: string,
  definitions: A,
): AttrSet<A> {
  const entries = Object.entries<AttrDefinition>(definitions).map(
    ([name, [id, type, constant]]) => new Attribute(name, id, type, prefix, constant),
  )
  const table = makeTable(prefix, entries)
  const everything = attrType({
    table,
    names: new Set(table.byName.keys()),
    required: [],
    header: new Set(),
  })
  return {
    ...everything,
    definitions,
    only(...list) {
      const names = list.map((name) => name.replace('!', ''))
      for (const name of names) {
        if (!table.byName.has(name))
          throw new TypeError(`${constantName(prefix, name)} is not in its set`)
      }
      const required = names.filter((_, i) => (list[i] as string).endsWith('!'))
      return attrType({ table, names: new Set(names), required, header: new Set() })
    },
  }
}

/** A set, or part of one, as a payload; `noflag` for nests that never carry NLA_F_NESTED. */
export function nest<T extends AttrType<any, any>>(of: T, flag: NestFlag = 'flag'): T {
  return { ...of, flags: flag === 'flag' ? NLA_F_NESTED : 0 }
}

/**
 * A set that refers to itself or to one defined further down: built when it is first needed.
 * `lazy(() => innerAttrs)`.
 */
export function lazy<T extends AttrType<any, any>>(build: () => T): AttrType<Infer<T>, Input<T>> {
  let built: T | undefined
  const of = (): T => (built ??= build())
  return {
    get shape() {
      return of().shape
    },
    get selection() {
      return of().selection
    },
    get codec() {
      return of().codec
    },
    size: undefined,
    flags: NLA_F_NESTED,
    get: (view, at, end) => of().get(view, at, end),
    put: (w, value) => of().put(w, value as never),
    pathAt: (view, at, end, offset) => of().pathAt?.(view, at, end, offset) ?? '',
    offsetOf: (view, at, end, path) => of().offsetOf?.(view, at, end, path),
  }
}
