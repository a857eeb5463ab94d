/** Attribute codecs as straight-line code, made with `new Function` from the schema at first use. */
import { badLength } from '../wire/attribute.ts'
import { NLA_TYPE_MASK } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import { decodeSelected, keepUnknown, postpone, putEntry, strange } from './closure.ts'
import type { Decoder, Encoder } from './codec.ts'
import type { AttrEntry, AttrSelection } from './table.ts'
import { type Scope, type Type, within } from './type.ts'

/** The constants of one generated function. */
class References implements Scope {
  readonly values: unknown[] = []
  ref(value: unknown): string {
    const known = this.values.indexOf(value)
    return `k${known < 0 ? this.values.push(value) - 1 : known}`
  }
  build(parameters: string, body: string): unknown {
    const names = this.values.map((_, i) => `k${i}`)
    return new Function(...names, `'use strict';return function (${parameters}) {${body}}`)(
      ...this.values,
    )
  }
}

const field = (name: string): string => `out.${name}`

function emitRead(scope: Scope, type: Type<any, any>): string {
  return type.emitGet?.(scope, 'p', 'e') ?? `${scope.ref(type)}.get(view, p, e)`
}

function emitCase(scope: Scope, entry: AttrEntry): string {
  const { name, type } = entry
  const { shape } = type
  if (shape.kind === 'multi') {
    return `(${field(name)} ??= []).push(${emitRead(scope, shape.of)})`
  }
  if (shape.kind !== 'selected') return `${field(name)} = ${emitRead(scope, type)}`
  const item = `{name: '${name}', type: ${scope.ref(type)}, rawType: raw, payload: p, end: e, index}`
  return (
    `if (${field(shape.selector)} === undefined) pending = ${scope.ref(postpone)}(out, pending, ${item});` +
    `else ${scope.ref(decodeSelected)}(out, view, ${item})`
  )
}

/** The compiled form of a decoder. */
export function compileDecoder(selection: AttrSelection): Decoder {
  const scope = new References()
  let cases = ''
  for (const entry of selection.table.entries) {
    if (selection.names.has(entry.name))
      cases += `case ${entry.id}: ${emitCase(scope, entry)}; break;`
  }
  const body = `
    let pending;
    for (let index = 0; end - at >= 4; index++) {
      const len = view.getUint16(at, ${HOST_LE});
      if (len < 4 || len > end - at) ${scope.ref(badLength)}(len, end - at, at);
      const raw = view.getUint16(at + 2, ${HOST_LE}), p = at + 4, e = at + len;
      switch (raw & ${NLA_TYPE_MASK}) {
        ${cases}
        default: ${scope.ref(keepUnknown)}(out, raw, view, p, e, index);
      }
      at += (len + 3) & ~3;
    }
    if (pending !== undefined) for (const item of pending) ${scope.ref(decodeSelected)}(out, view, item);`
  return scope.build('view, at, end, out', body) as Decoder
}

function emitWrite(scope: Scope, entry: AttrEntry): string {
  const { type } = entry
  const { kind } = type.shape
  if (kind === 'multi' || kind === 'selected' || kind === 'flag') {
    return `${scope.ref(putEntry)}(w, ${scope.ref(entry)}, value, x);`
  }
  const payload = type.emitPut?.(scope, 'x') ?? `${scope.ref(type)}.put(w, x);`
  return `m = w.attrStart(${entry.id | type.flags}); ${payload} w.attrEnd(m);`
}

/** The compiled form of an encoder; values with unknown attributes take the closure form. */
export function compileEncoder(selection: AttrSelection, withUnknown: Encoder): Encoder {
  const scope = new References()
  let cases = ''
  for (const name of selection.header) cases += `case '${name}': `
  if (cases) cases += 'break;'
  for (const entry of selection.table.entries) {
    if (selection.names.has(entry.name))
      cases += `case '${entry.name}': ${emitWrite(scope, entry)} break;`
  }
  const body = `
    if (value.unknown !== undefined) return ${scope.ref(withUnknown)}(w, value);
    let m = 0;
    for (const key in value) {
      const x = value[key];
      if (x === undefined) continue;
      try {
        switch (key) {
          ${cases}
          default: m = -1;
        }
      } catch (error) {
        throw ${scope.ref(within)}(error, key);
      }
      if (m < 0) ${scope.ref(strange)}(${scope.ref(selection)}, key);
    }`
  return scope.build('w, value', body) as Encoder
}
