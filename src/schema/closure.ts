/** Attribute codecs as closures: no generated code, and the only form that interleaves unknowns. */
import { DecodeError, EncodeError } from '../errors.ts'
import { align4 } from '../wire/align.ts'
import { AttributeWalker } from '../wire/attribute.ts'
import type { Writer } from '../wire/writer.ts'
import type { Fields, FieldsWriter, Reader } from './codec.ts'
import { copyBytes } from './payload.ts'
import type { StructType } from './struct.ts'
import type { AttrEntry, AttrSelection, UnknownAttr } from './table.ts'
import { type Shape, short, show, type Type, within } from './type.ts'

/** Keeps an attribute that no schema knows. */
export function keepUnknown(
  out: Fields,
  rawType: number,
  view: DataView,
  payload: number,
  end: number,
  index: number,
): void {
  const attr: UnknownAttr = { type: rawType, data: copyBytes(view, payload, end), index }
  if (out.unknown === undefined) out.unknown = [attr]
  else out.unknown.push(attr)
}

/** A payload whose selector has not been read yet. */
export interface Pending {
  readonly name: string
  readonly type: Type<any, any>
  readonly rawType: number
  readonly payload: number
  readonly end: number
  readonly index: number
}

/** The form that the selector's value in `owner` stands for, if any is known. */
function chosenVariant(
  shape: Extract<Shape, { kind: 'selected' }>,
  owner: Fields,
): Type<any, any> | undefined {
  const chosen = owner[shape.selector]
  return chosen !== undefined && Object.hasOwn(shape.variants, chosen)
    ? shape.variants[chosen]
    : shape.otherwise
}

/** Reads a selected attribute when its selector is known; else, or when forced, keeps its bytes. */
export function decodeSelected(out: Fields, view: DataView, pending: Pending): void {
  const { shape } = pending.type
  if (shape.kind !== 'selected') return
  const variant = chosenVariant(shape, out)
  if (variant) {
    out[pending.name] = variant.get(view, pending.payload, pending.end)
    return
  }
  if (pending.name in out) delete out[pending.name]
  keepUnknown(out, pending.rawType, view, pending.payload, pending.end, pending.index)
}

/** Puts an item off until its selector is read; its key keeps the place that it has on the wire. */
export function postpone(out: Fields, pending: Pending[] | undefined, item: Pending): Pending[] {
  if (!(item.name in out)) out[item.name] = undefined
  if (pending === undefined) return [item]
  pending.push(item)
  return pending
}

/** Reads a selected attribute whose form is known by now, and puts off any other. */
export function decodeOrPostpone(
  out: Fields,
  view: DataView,
  pending: Pending[] | undefined,
  item: Pending,
): Pending[] | undefined {
  const { shape } = item.type
  const isKnown =
    shape.kind === 'selected' && out[shape.selector] !== undefined && chosenVariant(shape, out)
  if (!isKnown) return postpone(out, pending, item)
  decodeSelected(out, view, item)
  return pending
}

/** Throws the DecodeError of a message without an attribute that it must carry. */
export function lacking(name: string, at: number): never {
  throw new DecodeError(`${name} is required and absent`, at)
}

/** The closure form of a reader. */
export function closureReader(selection: AttrSelection, header?: StructType<any>): Reader {
  const entries = new Map<number, AttrEntry>()
  for (const entry of selection.table.entries) {
    if (selection.names.has(entry.name)) entries.set(entry.id, entry)
  }
  return (view, at, end) => {
    let out: Fields = {}
    let from = at
    if (header) {
      if (end - at < header.size) short(at, end, header.size)
      out = header.get(view, at, at + header.size) as Fields
      from = Math.min(end, at + align4(header.size))
    }
    readAttributes(entries, view, from, end, out)
    for (const name of selection.required) if (out[name] === undefined) lacking(name, from)
    return out
  }
}

function readAttributes(
  entries: ReadonlyMap<number, AttrEntry>,
  view: DataView,
  at: number,
  end: number,
  out: Fields,
): void {
  const walker = new AttributeWalker(view, at, end)
  let pending: Pending[] | undefined
  for (let index = 0; walker.next(); index++) {
    const entry = entries.get(walker.type)
    if (!entry) {
      keepUnknown(out, walker.rawType, view, walker.payload, walker.end, index)
      continue
    }
    const { name, type } = entry
    const { shape } = type
    if (shape.kind === 'multi') {
      out[name] ??= []
      out[name].push(shape.of.get(view, walker.payload, walker.end))
    } else if (shape.kind === 'selected') {
      const { rawType, payload, end: stop } = walker
      const item = { name, type, rawType, payload, end: stop, index }
      pending = decodeOrPostpone(out, view, pending, item)
    } else {
      out[name] = type.get(view, walker.payload, walker.end)
    }
  }
  if (pending) for (const item of pending) decodeSelected(out, view, item)
}

/** The type that a selected attribute has in `value`. */
export function variantOf(type: Type<any, any>, value: Fields): Type<any, any> {
  const { shape } = type
  if (shape.kind !== 'selected') return type
  const variant = chosenVariant(shape, value)
  if (!variant) {
    throw new EncodeError(
      `no form of it is known for ${shape.selector} ${show(value[shape.selector])}`,
    )
  }
  return variant
}

function putAttr(w: Writer, id: number, type: Type<any, any>, value: unknown): void {
  const mark = w.attrStart(id | type.flags)
  type.put(w, value)
  w.attrEnd(mark)
}

/** Writes one named value: none for `false` flags, several for a multi-attribute. */
export function putEntry(w: Writer, entry: AttrEntry, owner: Fields, value: unknown): number {
  const type = variantOf(entry.type, owner)
  const { shape } = type
  if (shape.kind === 'flag' && value === false) return 0
  if (shape.kind !== 'multi') {
    putAttr(w, entry.id, type, value)
    return 1
  }
  if (!Array.isArray(value)) throw new EncodeError(`an array expected, got ${show(value)}`)
  for (let i = 0; i < value.length; i++) {
    try {
      putAttr(w, entry.id, shape.of, value[i])
    } catch (error) {
      throw within(error, `[${i}]`)
    }
  }
  return value.length
}

/** Throws the EncodeError of a key that the message does not have. */
export function strange(selection: AttrSelection, key: string): never {
  const known = selection.table.byName.get(key)
  throw new EncodeError(
    known ? `${known.constant} does not belong in this message` : 'no such attribute',
    key,
  )
}

/** Throws the EncodeError of a value that is not an object of attributes. */
export function notFields(value: unknown): never {
  throw new EncodeError(`an object expected, got ${show(value)}`)
}

/** Throws the EncodeError of a value without what its message must carry. */
export function missing(name: string): never {
  throw new EncodeError('required', name)
}

/** The closure form of a writer. */
export function closureWriter(selection: AttrSelection, header?: StructType<any>): FieldsWriter {
  const write = attributesWriter(selection)
  return (w, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) notFields(value)
    for (const name of selection.required) if (value[name] === undefined) missing(name)
    if (header) {
      header.put(w, value)
      w.pad()
    }
    write(w, value)
  }
}

/** Writes attributes alone; unknown ones go back to where they were. */
export function attributesWriter(selection: AttrSelection): FieldsWriter {
  return (w, value) => {
    const unknown: readonly UnknownAttr[] = value.unknown ?? []
    let next = 0
    let count = 0
    /** Writes the unknown ones whose turn it is: each moves the turn on. */
    const flush = (all: boolean): void => {
      while (next < unknown.length) {
        const { type, data, index } = unknown[next] as UnknownAttr
        if (!all && index > count) return
        w.attrBytes(type, data)
        next++
        count++
      }
    }
    for (const key in value) {
      if (value[key] === undefined || key === 'unknown' || selection.header.has(key)) continue
      const entry = selection.names.has(key) ? selection.table.byName.get(key) : undefined
      if (!entry) strange(selection, key)
      flush(false)
      try {
        count += putEntry(w, entry, value, value[key])
      } catch (error) {
        throw within(error, key)
      }
    }
    flush(true)
  }
}
