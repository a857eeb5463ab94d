/** Payloads that begin with a struct: a message inside an attribute, records, a struct with a rest. */
import { DecodeError, EncodeError } from '../errors.ts'
import { align4 } from '../wire/align.ts'
import { HOST_LE } from '../wire/order.ts'
import type { Message } from './message.ts'
import type { StructType } from './struct.ts'
import { type Infer, type Input, type Simplify, short, show, type Type, within } from './type.ts'

type DecodedOf<M> = M extends Message<infer Out, any> ? Out : never
type InputOf<M> = M extends Message<any, infer In> ? In : never
/** A message as a payload. */
export interface EmbeddedType<M extends Message<any, any>> extends Type<DecodedOf<M>, InputOf<M>> {}
/** Messages as records of a payload. */
export interface RecordsType<M extends Message<any, any>>
  extends Type<DecodedOf<M>[], readonly InputOf<M>[]> {}

/** The message's own path is not the whole one: the outer message finds that. */
function decodeInner<Out>(of: Message<Out, any>, view: DataView, at: number, end: number): Out {
  try {
    return of.decode(view, at, end)
  } catch (error) {
    throw error instanceof DecodeError ? new DecodeError(error.reason, error.offset) : error
  }
}

const behindDot = (path: string | undefined): string => (path ? `.${path}` : '')

/** A header and attributes as an attribute's payload, such as VETH_INFO_PEER. */
export function embedded<M extends Message<any, any>>(of: M): EmbeddedType<M> {
  return {
    shape: { kind: 'message', of },
    size: undefined,
    flags: 0,
    get: (view, at, end) => decodeInner(of, view, at, end),
    put: (w, value) => of.encode(w, value),
    pathAt: (view, at, end, offset) => behindDot(of.pathAt(view, at, end, offset)),
    offsetOf: (view, at, end, path) => of.offsetOf(view, at, end, path.join('.')),
  }
}

/** Where the record at `at` ends. */
function recordEnd(view: DataView, at: number, end: number, least: number): number {
  if (end - at < least) short(at, end, least)
  const length = view.getUint16(at, HOST_LE)
  if (length < least || length > end - at) {
    throw new DecodeError(`a record of ${length} bytes where ${end - at} are left`, at)
  }
  return at + length
}

/**
 * Records back to back, such as RTA_MULTIPATH: each is a header whose first two bytes are the
 * record's length (give them as padding), and attributes.
 */
export function records<M extends Message<any, any>>(of: M): RecordsType<M> {
  const least = of.header?.size ?? 2
  return {
    shape: { kind: 'records', of },
    size: undefined,
    flags: 0,
    get(view, at, end) {
      const items: DecodedOf<M>[] = []
      while (at < end) {
        const stop = recordEnd(view, at, end, least)
        items.push(decodeInner(of, view, at, stop))
        at += align4(stop - at)
      }
      return items
    },
    put(w, items) {
      if (!Array.isArray(items)) throw new EncodeError(`an array expected, got ${show(items)}`)
      for (let i = 0; i < items.length; i++) {
        const mark = w.length
        try {
          of.encode(w, items[i] as never)
        } catch (error) {
          throw within(error, `[${i}]`)
        }
        w.view.setUint16(mark, w.length - mark, HOST_LE)
        w.pad()
      }
    },
    pathAt(view, at, end, offset) {
      for (let i = 0; at < end; i++) {
        const stop = recordEnd(view, at, end, least)
        if (offset < stop) return `[${i}]${behindDot(of.pathAt(view, at, stop, offset))}`
        at += align4(stop - at)
      }
      return ''
    },
    offsetOf(view, at, end, [index, ...rest]) {
      for (let i = 0; at < end; i++) {
        const stop = recordEnd(view, at, end, least)
        if (String(i) === index) {
          return rest.length === 0 ? at : (of.offsetOf(view, at, stop, rest.join('.')) ?? at)
        }
        at += align4(stop - at)
      }
      return undefined
    },
  }
}

/** A struct and, behind it, one more value that takes the rest: `struct rtvia`. */
export function followed<HO, HI, const N extends string, T extends Type<any, any>>(
  head: StructType<HO, HI>,
  name: N,
  rest: T,
): Type<
  Simplify<Omit<HO, 'tail'> & { [K in N]: Infer<T> }>,
  Simplify<Omit<HI, 'tail'> & { [K in N]: Input<T> }>
> {
  return {
    shape: { kind: 'followed', head, name, rest },
    size: undefined,
    flags: 0,
    get(view, at, end) {
      if (end - at < head.size) short(at, end, head.size)
      const value = head.get(view, at, at + head.size) as Record<string, unknown>
      value[name] = rest.get(view, at + head.size, end)
      return value as never
    },
    put(w, value) {
      head.put(w, value as never)
      try {
        rest.put(w, (value as Record<string, unknown>)[name])
      } catch (error) {
        throw within(error, name)
      }
    },
    pathAt: (view, at, end, offset) =>
      offset < at + head.size ? (head.pathAt?.(view, at, end, offset) ?? '') : `.${name}`,
  }
}
