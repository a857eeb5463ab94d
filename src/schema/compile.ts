/** Codecs as straight-line code, made with `new Function` from the schema at first use. */
import { align4 } from '../wire/align.ts'
import { badLength } from '../wire/attribute.ts'
import { NLA_TYPE_MASK } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import {
  attributesWriter,
  decodeOrPostpone,
  decodeSelected,
  keepUnknown,
  lacking,
  missing,
  notFields,
  postpone,
  putEntry,
  strange,
} from './closure.ts'
import type { Codec, FieldsWriter, Reader } from './codec.ts'
import { emitMembers, type StructType } from './struct.ts'
import type { AttrEntry, AttrSelection } from './table.ts'
import { type Scope, short, type Type, within } from './type.ts'

/** The constants and the functions of one piece of generated code. */
export class References implements Scope {
  readonly values: unknown[] = []
  readonly functions: string[] = []
  ref(value: unknown): string {
    const known = this.values.indexOf(value)
    return `k${known < 0 ? this.values.push(value) - 1 : known}`
  }
  define(parameters: string, body: string): string {
    const known = this.functions.indexOf(`(${parameters}) {${body}}`)
    return `f${known < 0 ? this.functions.push(`(${parameters}) {${body}}`) - 1 : known}`
  }
  build(parameters: string, body: string): unknown {
    const names = this.values.map((_, i) => `k${i}`)
    const functions = this.functions.map((text, i) => `function f${i}${text}\n`).join('')
    const source = `'use strict';${functions}return function (${parameters}) {${body}}`
    return new Function(...names, source)(...this.values)
  }
}

/**
 * The codecs of nests, by their `get` and `put`: generated code calls them without the detour. A
 * type that was made from a nest with a `get` of its own is not found here, and keeps its own.
 */
export const codecs = new WeakMap<object, Codec>()

const field = (name: string): string => `out.${name}`

/** An expression that reads a payload from `p` to `e` of `view`. */
export function emitRead(scope: Scope, type: Type<any, any>): string {
  const codec = codecs.get(type.get)
  if (codec) return `${scope.ref(codec)}.read(view, p, e)`
  return type.emitGet?.(scope, 'p', 'e') ?? `${scope.ref(type)}.get(view, p, e)`
}

/**
 * The same for a payload whose form depends on `selector`, an expression; undefined where some
 * values of the selector give it none.
 */
export function emitSelected(
  scope: Scope,
  { shape }: Type<any, any>,
  selector: string,
): string | undefined {
  if (shape.kind !== 'selected' || shape.otherwise === undefined) return undefined
  let read = emitRead(scope, shape.otherwise)
  for (const [value, type] of Object.entries(shape.variants))
    read = `${selector} == ${JSON.stringify(value)} ? ${emitRead(scope, type)} : ${read}`
  return `(${read})`
}

/** A statement that reads an attribute into `out`. */
export function emitCase(scope: Scope, entry: AttrEntry): string {
  const { name, type } = entry
  const { shape } = type
  if (shape.kind === 'multi') {
    return `(${field(name)} ??= []).push(${emitRead(scope, shape.of)})`
  }
  if (shape.kind !== 'selected') return `${field(name)} = ${emitRead(scope, type)}`
  const read = emitSelected(scope, type, field(shape.selector))
  const item = `{name: '${name}', type: ${scope.ref(type)}, rawType: raw, payload: p, end: e, index}`
  if (!read) return `pending = ${scope.ref(decodeOrPostpone)}(out, view, pending, ${item})`
  return (
    `if (${field(shape.selector)} === undefined) pending = ${scope.ref(postpone)}(out, pending, ${item});` +
    `else ${field(name)} = ${read}`
  )
}

/**
 * A constructor of plain objects with room for all of `names`: the engine counts the assignments,
 * though they never run, and takes back what the first few objects do not need.
 */
function makeRoom(names: readonly string[]): unknown {
  const assignments = names.map((name) => `this.${name} = 0;`).join('')
  const room = new Function(`if (false) {${assignments}}`)
  room.prototype = Object.prototype
  return room
}

/** The header's members as the beginning of `out`; `at` moves behind it. */
function emitHeader(scope: Scope, header: StructType<any> | undefined, room: string): string {
  if (!header) return `const out = new ${room}();`
  const { size, shape } = header
  return `
    if (end - at < ${size}) ${scope.ref(short)}(at, end, ${size});
    const out = new ${room}();
    ${emitMembers(scope, shape.fields, 'at')
      .map(([name, read]) => `out.${name} = ${read};`)
      .join('')}
    at += ${align4(size)};
    if (at > end) at = end;`
}

/** Statements that read `len` and `raw`, the nla_type with its flag bits, of the attribute at `at`. */
export function emitAttributeHeader(scope: Scope, at = 'at', end = 'end'): string {
  const halves = HOST_LE
    ? 'len = head & 0xffff, raw = head >>> 16'
    : 'len = head >>> 16, raw = head & 0xffff'
  return `const head = view.getUint32(${at}, ${HOST_LE}), ${halves};
    if (len < 4 || len > ${end} - ${at}) ${scope.ref(badLength)}(len, ${end} - ${at}, ${at});`
}

/** What makes one reader different from another. */
interface ReaderParts {
  /** The name, in the generated code, of a constructor of what is read. */
  readonly room: string
  readonly header: StructType<any> | undefined
  emitCase(scope: Scope, entry: AttrEntry): string
}

/** The body of a function of `view`, `at` and `end` that reads a header and attributes. */
export function emitReader(scope: Scope, selection: AttrSelection, parts: ReaderParts): string {
  let cases = ''
  for (const entry of selection.table.entries) {
    if (selection.names.has(entry.name))
      cases += `case ${entry.id}: ${parts.emitCase(scope, entry)}; break;\n`
  }
  const required = selection.required.map(
    (name) => `if (${field(name)} === undefined) ${scope.ref(lacking)}('${name}', from);`,
  )
  return `${emitHeader(scope, parts.header, parts.room)}
    const from = at;
    let pending;
    for (let index = 0; end - at >= 4; index++) {
      ${emitAttributeHeader(scope)}
      const p = at + 4, e = at + len;
      switch (raw & ${NLA_TYPE_MASK}) {
        ${cases}
        default: ${scope.ref(keepUnknown)}(out, raw, view, p, e, index);
      }
      at += (len + 3) & ~3;
    }
    if (pending !== undefined) for (const item of pending) ${scope.ref(decodeSelected)}(out, view, item);
    ${required.join('')}
    return out;`
}

/** The compiled form of a reader. */
export function compileReader(selection: AttrSelection, header?: StructType<any>): Reader {
  const scope = new References()
  const headerNames = header?.shape.fields.map(({ name }) => name) ?? []
  const room = scope.ref(makeRoom([...headerNames, ...selection.names]))
  return scope.build(
    'view, at, end',
    emitReader(scope, selection, { room, header, emitCase }),
  ) as Reader
}

/** A statement that writes `value`, an expression, as a payload. */
export function emitPayload(scope: Scope, type: Type<any, any>, value: string): string {
  const codec = codecs.get(type.put)
  if (codec) return `${scope.ref(codec)}.write(w, ${value});`
  return type.emitPut?.(scope, value) ?? `${scope.ref(type)}.put(w, ${value});`
}

function emitWrite(scope: Scope, entry: AttrEntry): string {
  const { type } = entry
  const { kind } = type.shape
  if (kind === 'multi' || kind === 'selected' || kind === 'flag') {
    return `${scope.ref(putEntry)}(w, ${scope.ref(entry)}, value, x);`
  }
  const whole = type.emitAttr?.(scope, 'x', entry.id | type.flags)
  if (whole !== undefined) return whole
  return `m = w.attrStart(${entry.id | type.flags}); ${emitPayload(scope, type, 'x')} w.attrEnd(m);`
}

/** The compiled form of a writer; attributes of values with unknown ones take the closure form. */
export function compileWriter(selection: AttrSelection, header?: StructType<any>): FieldsWriter {
  const scope = new References()
  let cases = ''
  for (const name of selection.header) cases += `case '${name}': `
  if (cases) cases += 'break;'
  for (const entry of selection.table.entries) {
    if (selection.names.has(entry.name))
      cases += `case '${entry.name}': ${emitWrite(scope, entry)} break;\n`
  }
  const put = header?.emitPut?.(scope, 'value')
  const headerPut = header ? `${put ?? `${scope.ref(header)}.put(w, value);`} w.pad();` : ''
  const required = selection.required.map(
    (name) => `if (value.${name} === undefined) ${scope.ref(missing)}('${name}');`,
  )
  const body = `
    if (typeof value !== 'object' || value === null || Array.isArray(value)) ${scope.ref(notFields)}(value);
    ${required.join('')}
    ${headerPut}
    if (value.unknown !== undefined) return ${scope.ref(attributesWriter(selection))}(w, value);
    let m = 0, name;
    try {
      for (const key in value) {
        const x = value[key];
        if (x === undefined) continue;
        name = key;
        switch (key) {
          ${cases}
          default: m = -1;
        }
        if (m < 0) break;
      }
    } catch (error) {
      throw ${scope.ref(within)}(error, name);
    }
    if (m < 0) ${scope.ref(strange)}(${scope.ref(selection)}, name);`
  return scope.build('w, value', body) as FieldsWriter
}
