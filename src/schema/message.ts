/** Messages: a family header and attributes, in one flat object. */
import { DecodeError, NetlinkError } from '../errors.ts'
import { align4 } from '../wire/align.ts'
import type { Writer } from '../wire/writer.ts'
import { type AttrType, attrOffsetOf, attrPathAt } from './attrs.ts'
import { type Fields, makeCodec } from './codec.ts'
import { type DeferredReader, makeDeferred } from './deferred.ts'
import { resolveNlaError, type ValidationLevel, validateAttrs } from './policy.ts'
import type { StructType } from './struct.ts'
import { makeTable } from './table.ts'
import type { Infer, Input, Simplify } from './type.ts'
import { makeVisitor, type Visitor } from './visitor.ts'

/** What follows nlmsghdr (and genlmsghdr, for generic families). */
export interface Message<Out, In = Out> {
  readonly header: StructType<any> | undefined
  /** Undefined for messages that carry no attributes. */
  readonly attrs: AttrType<any, any> | undefined
  /** @throws DecodeError with offset and path, and nothing else. */
  decode(view: DataView, at?: number, end?: number): Out
  /** Reads messages in part; undefined where no code may be generated. */
  deferred(): DeferredReader | undefined
  /** An object that stands on one message after another; undefined where no code may be generated. */
  visitor(): Visitor | undefined
  /** Writes at the writer's end; on an error nothing is left there. @throws EncodeError with the path. */
  encode(w: Writer, value: In): void
  /**
   * What lib/nlattr.c does with a policy. Offsets in the error are relative to `origin`, which is
   * where the request's nlmsghdr starts.
   * @returns the warning that a lenient level leaves in the extack of a success, if there is one.
   * @throws NetlinkError EINVAL or ERANGE with an extack.
   */
  validate(
    view: DataView,
    at: number,
    end: number,
    level: ValidationLevel,
    origin?: number,
  ): string | undefined
  /** The header field or attribute in which `offset` lies, such as `linkinfo.data.id`. */
  pathAt(view: DataView, at: number, end: number, offset: number): string | undefined
  /** Where the attribute at `path` starts, or undefined when it is not there. */
  offsetOf(view: DataView, at: number, end: number, path: string): number | undefined
}

/** A message of which nothing is known but that it is one. */
export type AnyMessage = Message<any, any>
/** A message of attributes alone. */
export interface AttrMessage<A extends AttrType<any, any>> extends Message<Infer<A>, Input<A>> {}
/** A message that is a struct alone. */
export interface StructMessage<H extends StructType<any>> extends Message<Infer<H>, Input<H>> {}
/** A header and attributes. */
export interface HeaderMessage<H extends StructType<any>, A extends AttrType<any, any>>
  extends Message<Join<Infer<H>, Infer<A>>, Join<Sparse<Input<H>>, Input<A>>> {}

type Join<H, T> = T extends unknown ? Simplify<H & T> : never
/** Header fields may be left out of what is sent: they are zero. */
type Sparse<H> = { [K in keyof H]?: H[K] | undefined }

const nothing = makeTable('', [])

/** A message of attributes alone. */
export function message<A extends AttrType<any, any>>(attributes: A): AttrMessage<A>
/** A message that is a struct alone. */
export function message<H extends StructType<any>>(header: H): StructMessage<H>
/**
 * A header, padded to 4 bytes, and attributes behind it.
 * @throws TypeError when a header field and an attribute share a name.
 */
export function message<H extends StructType<any>, A extends AttrType<any, any>>(
  header: H,
  attributes: A,
): HeaderMessage<H, A>
export function message(
  first: StructType<any> | AttrType<any, any>,
  second?: AttrType<any, any>,
): Message<any, any> {
  if (!isStruct(first)) return makeMessage(undefined, first)
  return makeMessage(first, second)
}

function isStruct(type: StructType<any> | AttrType<any, any>): type is StructType<any> {
  return type.shape.kind === 'struct'
}

function makeMessage(
  header: StructType<any> | undefined,
  attributes: AttrType<any, any> | undefined,
): Message<any, any> {
  const headerNames = new Set(header?.shape.fields.map((field) => field.name))
  for (const name of attributes?.selection.names ?? []) {
    if (headerNames.has(name)) throw new TypeError(`${name} is both in the header and an attribute`)
  }
  const selection = attributes?.selection ?? {
    table: nothing,
    names: new Set<string>(),
    required: [],
    header: headerNames,
  }
  const whole = { ...selection, header: headerNames }
  const codec = makeCodec(whole, header)
  let deferred: DeferredReader | undefined
  let visitors: (() => Visitor) | undefined
  const headerSize = header ? align4(header.size) : 0
  const behind = (at: number, end: number): number => Math.min(end, at + headerSize)

  const headerOf = (view: DataView, at: number, end: number): Fields =>
    header && end - at >= header.size ? header.get(view, at, at + header.size) : {}
  const pathAt = (view: DataView, at: number, end: number, offset: number): string | undefined => {
    try {
      if (header && offset < behind(at, end))
        return header.pathAt?.(view, at, end, offset)?.slice(1) || undefined
      const from = behind(at, end)
      const owner = headerOf(view, at, end)
      return attrPathAt(selection.table, view, from, end, offset, owner) || undefined
    } catch {
      return undefined
    }
  }
  return {
    header,
    attrs: attributes,
    decode(view, at = 0, end = view.byteLength) {
      try {
        return codec.read(view, at, end)
      } catch (error) {
        if (!(error instanceof DecodeError) || error.path !== undefined) throw error
        throw new DecodeError(error.reason, error.offset, pathAt(view, at, end, error.offset))
      }
    },
    deferred() {
      deferred ??= makeDeferred(whole, header)
      return deferred
    },
    visitor() {
      visitors ??= makeVisitor(whole, header, codec)
      return visitors?.()
    },
    encode(w, value) {
      const mark = w.length
      try {
        codec.write(w, value)
      } catch (error) {
        w.trim(mark)
        throw error
      }
    },
    validate(view, at, end, level, origin = at) {
      if (header && end - at < header.size)
        throw new NetlinkError('EINVAL', 'Invalid header length')
      try {
        return validateAttrs(selection, view, behind(at, end), end, level)
      } catch (error) {
        throw resolveNlaError(error, origin, (offset) => pathAt(view, at, end, offset))
      }
    },
    pathAt,
    offsetOf(view, at, end, path) {
      try {
        const names = path.replace(/\[(\d+)\]/g, '.$1').split('.')
        const owner = headerOf(view, at, end)
        return attrOffsetOf(selection.table, view, behind(at, end), end, names, owner)
      } catch {
        return undefined
      }
    },
  }
}
