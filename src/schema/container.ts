/** Types made of types: numbered nests, repeated attributes, packed lists, variants. */
import { DecodeError, EncodeError } from '../errors.ts'
import { AttributeWalker } from '../wire/attribute.ts'
import { NLA_F_NESTED } from '../wire/constants.ts'
import { type Infer, type Input, show, type Type, within } from './type.ts'

/** Whether a nest carries NLA_F_NESTED: newer families demand it, older ones never send it. */
export type NestFlag = 'flag' | 'noflag'

function checkArray(value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new EncodeError(`an array expected, got ${show(value)}`)
}

/**
 * A nest whose attributes are the elements, numbered from 1 (`indexed-array` in Linux's specs).
 * The numbers themselves are not kept.
 */
export function array<T extends Type<any, any>>(
  of: T,
  flag: NestFlag = 'flag',
): Type<Infer<T>[], readonly Input<T>[]> {
  return {
    shape: { kind: 'array', of },
    size: undefined,
    flags: flag === 'flag' ? NLA_F_NESTED : 0,
    get(view, at, end) {
      const items: Infer<T>[] = []
      const walker = new AttributeWalker(view, at, end)
      while (walker.next()) items.push(of.get(view, walker.payload, walker.end))
      return items
    },
    put(w, items) {
      checkArray(items)
      const inner = flag === 'flag' ? of.flags : 0
      items.forEach((item, i) => {
        try {
          const mark = w.attrStart((i + 1) | inner)
          of.put(w, item)
          w.attrEnd(mark)
        } catch (error) {
          throw within(error, `[${i}]`)
        }
      })
    },
    pathAt(view, at, end, offset) {
      const walker = new AttributeWalker(view, at, end)
      for (let i = 0; walker.next(); i++) {
        if (offset >= walker.end) continue
        if (offset < walker.payload) return `[${i}]`
        return `[${i}]${of.pathAt?.(view, walker.payload, walker.end, offset) ?? ''}`
      }
      return ''
    },
    offsetOf(view, at, end, [index, ...rest]) {
      const walker = new AttributeWalker(view, at, end)
      for (let i = 0; walker.next(); i++) {
        if (String(i) !== index) continue
        if (rest.length === 0) return walker.start
        return of.offsetOf?.(view, walker.payload, walker.end, rest) ?? walker.start
      }
      return undefined
    },
  }
}

/** An attribute that may come several times (`multi-attr`): an array, in the order of the wire. */
export function multi<T extends Type<any, any>>(of: T): Type<Infer<T>[], readonly Input<T>[]> {
  return {
    shape: { kind: 'multi', of },
    size: undefined,
    flags: of.flags,
    get: (view, at, end) => [of.get(view, at, end)],
    put() {
      throw new EncodeError('a repeated attribute cannot stand inside another type')
    },
    ...(of.pathAt ? { pathAt: of.pathAt.bind(of) } : {}),
    ...(of.offsetOf ? { offsetOf: of.offsetOf.bind(of) } : {}),
  }
}

/** A payload that packs values of one fixed size back to back. */
export function list<T extends Type<any, any>>(of: T): Type<Infer<T>[], readonly Input<T>[]> {
  const size = of.size
  if (!size) throw new TypeError('list() needs a type of fixed size')
  return {
    shape: { kind: 'list', of },
    size: undefined,
    flags: 0,
    get(view, at, end) {
      if ((end - at) % size !== 0) {
        throw new DecodeError(`a multiple of ${size} bytes expected, got ${end - at}`, at)
      }
      const items: Infer<T>[] = []
      for (let from = at; from < end; from += size) items.push(of.get(view, from, from + size))
      return items
    },
    put(w, items) {
      checkArray(items)
      items.forEach((item, i) => {
        try {
          of.put(w, item)
        } catch (error) {
          throw within(error, `[${i}]`)
        }
      })
    },
  }
}

/** An attribute whose form another attribute, or a header field, selects (`sub-message`). */
export interface SelectedType<S extends string, V extends Variants> extends Type<unknown> {
  readonly shape: { readonly kind: 'selected'; readonly selector: S; readonly variants: V }
}
export type Variants = Readonly<Record<string, Type<any, any>>>

/**
 * `selected('kind', { vlan: vlanAttrs })`: the sibling `kind` says how to read it. With another
 * value of the selector the bytes are kept among the unknown attributes.
 */
export function selected<const S extends string, const V extends Variants>(
  selector: S,
  variants: V,
): SelectedType<S, V> {
  return {
    shape: { kind: 'selected', selector, variants },
    size: undefined,
    flags: 0,
    get() {
      throw new DecodeError(`${selector} decides its form`, 0)
    },
    put() {
      throw new EncodeError(`${selector} decides its form`)
    },
  }
}
