/** Types made of types: numbered nests, repeated attributes, packed lists, variants. */
import { DecodeError, EncodeError } from '../errors.ts'
import { AttributeWalker } from '../wire/attribute.ts'
import { NLA_F_NESTED, NLA_TYPE_MASK } from '../wire/constants.ts'
import { emitAttributeHeader, emitPayload, emitRead } from './compile.ts'
import { checkInteger } from './integer.ts'
import { type Infer, type Input, show, type Type, within } from './type.ts'

/** Whether a nest carries NLA_F_NESTED: newer families demand it, older ones never send it. */
export type NestFlag = 'flag' | 'noflag'

function checkArray(value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new EncodeError(`an array expected, got ${show(value)}`)
}

/**
 * A nest whose attributes are the elements, numbered from `first` (`indexed-array` in Linux's
 * specs). The numbers themselves are not kept.
 */
export function array<T extends Type<any, any>>(
  of: T,
  flag: NestFlag = 'flag',
  first = 1,
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
      for (let i = 0; i < items.length; i++) {
        try {
          const mark = w.attrStart((i + first) | inner)
          of.put(w, items[i])
          w.attrEnd(mark)
        } catch (error) {
          throw within(error, `[${i}]`)
        }
      }
    },
    emitGet(scope, at, end) {
      const read = (to: string): string => `{
        ${emitAttributeHeader(scope)}
        const p = at + 4, e = at + len;
        ${to}${emitRead(scope, of)};
        at += (len + 3) & ~3;
      }`
      const all = scope.define(
        'view, at, end',
        `if (end - at < 4) return [];
         let first;
         ${read('first = ')}
         if (end - at < 4) return [first];
         let second;
         ${read('second = ')}
         const items = [first, second];
         while (end - at >= 4) ${read('items[items.length] = ')}
         return items;`,
      )
      return `${all}(view, ${at}, ${end})`
    },
    emitPut(scope, value) {
      const inner = flag === 'flag' ? of.flags : 0
      const all = scope.define(
        'w, x',
        `${scope.ref(checkArray)}(x);
         let i = 0;
         try {
           for (; i < x.length; i++) {
             const y = x[i], m = w.attrStart((i + ${first}) | ${inner});
             ${emitPayload(scope, of, 'y')}
             w.attrEnd(m);
           }
         } catch (error) {
           throw ${scope.ref(within)}(error, '[' + i + ']');
         }`,
      )
      return `${all}(w, ${value});`
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

/** An element of a nest whose attribute numbers say something: a command, an index. */
export interface Keyed<T> {
  /** The attribute's number, 0 to 16383. */
  key: number
  value: T
}

/** A nest whose attributes all have one type, and whose numbers are kept (`nest-type-value`). */
export function keyed<T extends Type<any, any>>(
  of: T,
  flag: NestFlag = 'flag',
): Type<Keyed<Infer<T>>[], readonly Keyed<Input<T>>[]> {
  const find = (
    view: DataView,
    at: number,
    end: number,
    found: (w: AttributeWalker) => boolean,
  ) => {
    const walker = new AttributeWalker(view, at, end)
    while (walker.next()) if (found(walker)) return walker
    return undefined
  }
  return {
    shape: { kind: 'keyed', of },
    size: undefined,
    flags: flag === 'flag' ? NLA_F_NESTED : 0,
    get(view, at, end) {
      const items: Keyed<Infer<T>>[] = []
      const walker = new AttributeWalker(view, at, end)
      while (walker.next()) {
        items.push({ key: walker.type, value: of.get(view, walker.payload, walker.end) })
      }
      return items
    },
    put(w, items) {
      checkArray(items)
      for (const item of items) {
        const { key, value } = (item ?? {}) as Keyed<unknown>
        try {
          const mark = w.attrStart(checkInteger(key, 0, NLA_TYPE_MASK) | of.flags)
          of.put(w, value)
          w.attrEnd(mark)
        } catch (error) {
          throw within(error, `[${key}]`)
        }
      }
    },
    pathAt(view, at, end, offset) {
      const hit = find(view, at, end, (walker) => offset >= walker.start && offset < walker.end)
      if (!hit) return ''
      const inner = offset < hit.payload ? '' : of.pathAt?.(view, hit.payload, hit.end, offset)
      return `[${hit.type}]${inner ?? ''}`
    },
    offsetOf(view, at, end, [key, ...rest]) {
      const hit = find(view, at, end, (walker) => String(walker.type) === key)
      if (!hit || rest.length === 0) return hit?.start
      return of.offsetOf?.(view, hit.payload, hit.end, rest) ?? hit.start
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
    emitGet(scope, at, end) {
      const read = of.emitGet?.(scope, 'p') ?? `${scope.ref(of)}.get(view, p, p + ${size})`
      const all = scope.define(
        'view, p, end',
        `if ((end - p) % ${size} !== 0) return ${scope.ref(this)}.get(view, p, end);
         const items = [];
         for (; p < end; p += ${size}) items.push(${read});
         return items;`,
      )
      return `${all}(view, ${at}, ${end})`
    },
    emitPut(scope, value) {
      const put = of.emitPut?.(scope, 'y') ?? `${scope.ref(of)}.put(w, y);`
      const all = scope.define(
        'w, x',
        `${scope.ref(checkArray)}(x);
         let i = 0;
         try {
           for (; i < x.length; i++) { const y = x[i]; ${put} }
         } catch (error) {
           throw ${scope.ref(within)}(error, '[' + i + ']');
         }`,
      )
      return `${all}(w, ${value});`
    },
    put(w, items) {
      checkArray(items)
      for (let i = 0; i < items.length; i++) {
        try {
          of.put(w, items[i])
        } catch (error) {
          throw within(error, `[${i}]`)
        }
      }
    },
  }
}

/** An attribute whose form another attribute, or a header field, selects (`sub-message`). */
export interface SelectedType<S extends string, V extends Variants, O = never>
  extends Type<unknown> {
  readonly shape: {
    readonly kind: 'selected'
    readonly selector: S
    readonly variants: V
    readonly otherwise?: O & Type<any, any>
  }
}
export type Variants = Readonly<Record<string, Type<any, any>>>

/**
 * `selected('kind', { vlan: vlanAttrs })`: the sibling `kind` says how to read it. With another
 * value of the selector it is read as `otherwise`; without that the bytes are kept among the unknown
 * attributes.
 */
export function selected<
  const S extends string,
  const V extends Variants,
  O extends Type<any, any> = never,
>(selector: S, variants: V, otherwise?: O): SelectedType<S, V, O> {
  return {
    shape: { kind: 'selected', selector, variants, ...(otherwise ? { otherwise } : {}) },
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

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never
/** Each stands in a box, so that unions inside are left alone. */
type Unbox<B> = B extends { v: infer X } ? X : never
type Boxed<V extends Variants> = { [K in keyof V]: { v: Infer<V[K]> } }[keyof V]
type BoxedInput<V extends Variants> = { [K in keyof V]: { v: Input<V[K]> } }[keyof V]

/**
 * `variant('family', { 7: bridgeSpec }, afSpec)`: one number, whose meaning a header field (or a
 * sibling) decides. Their names do not clash, so the value's type has all of them.
 */
export function variant<const V extends Variants, const O extends Type<any, any>>(
  selector: string,
  variants: V,
  otherwise: O,
): Type<
  Unbox<Intersection<Boxed<V> | { v: Infer<O> }>>,
  Unbox<Intersection<BoxedInput<V> | { v: Input<O> }>>
> {
  const type = selected(selector, variants)
  return { ...type, shape: { ...type.shape, otherwise } } as never
}
