/** Fixed C structs: fields in memory order, padding written out, offsets computed once. */
import { EncodeError } from '../errors.ts'
import type { Writer } from '../wire/writer.ts'
import { copyBytes } from './payload.ts'
import {
  type Infer,
  type Input,
  type Scope,
  type Simplify,
  type StructField,
  short,
  show,
  type Type,
  within,
} from './type.ts'

/** A member, or a number of padding bytes. */
type Member = Type<any, any> | number
type Members = Readonly<Record<string, Member>>
type Fields<F extends Members> = {
  -readonly [K in keyof F as F[K] extends number ? never : K]: Infer<F[K]>
}
type FieldInputs<F extends Members> = {
  [K in keyof F as F[K] extends number ? never : K]?: Input<F[K]> | undefined
}

/** A struct's type. Absent members are written as zero. */
export interface StructType<Out, In = Out> extends Type<Out, In> {
  readonly shape: {
    readonly kind: 'struct'
    readonly name: string
    readonly fields: readonly StructField[]
  }
  readonly size: number
  /** Bytes that older kernels sent: members behind them read as zero when they are not there. */
  since(size: number): StructType<Out, In>
}

/**
 * A C struct without implicit padding: give padding as a number of bytes under a name of its own.
 * Bytes behind the last member (a newer kernel's) are kept in `tail`.
 * @throws TypeError when a member has no fixed size or is not where C would put it.
 */
export function struct<const F extends Members>(
  name: string,
  members: F,
): StructType<
  Simplify<Fields<F> & { tail?: Uint8Array }>,
  Simplify<FieldInputs<F> & { tail?: Uint8Array | undefined }>
> {
  const fields: StructField[] = []
  let offset = 0
  for (const [key, member] of Object.entries(members)) {
    if (typeof member === 'number') {
      offset += member
      continue
    }
    if (member.size === undefined) throw new TypeError(`struct ${name}: ${key} has no fixed size`)
    fields.push({ name: key, offset, type: member })
    offset += member.size
  }
  return makeStruct(name, fields, offset, offset) as never
}

function makeStruct(
  name: string,
  fields: readonly StructField[],
  size: number,
  least: number,
): StructType<any> {
  const zero = new DataView(new ArrayBuffer(size))
  /** The payload, or a copy with zeros behind it when an older kernel sent less. */
  const whole = (view: DataView, at: number, end: number): DataView => {
    const padded = new Uint8Array(size)
    padded.set(copyBytes(view, at, end))
    return new DataView(padded.buffer)
  }
  return {
    shape: { kind: 'struct', name, fields },
    size,
    flags: 0,
    get(view, at, end) {
      if (end - at < least) short(at, end, least)
      if (end - at < size) return this.get(whole(view, at, end), 0, size)
      const out: Record<string, unknown> = {}
      for (const { name: key, offset, type } of fields) {
        out[key] = type.get(view, at + offset, at + offset + (type.size as number))
      }
      if (end - at > size) out.tail = copyBytes(view, at + size, end)
      return out
    },
    put: (w, value) => putStruct(w, name, fields, size, value, zero),
    emitGet(scope, at, end) {
      const members = emitMembers(scope, fields, at)
      const literal = `{${members.map(([key, read]) => `${key}: ${read}`).join(', ')}}`
      if (end === undefined) return literal
      return `(${end} - ${at} === ${size} ? ${literal} : ${scope.ref(this)}.get(view, ${at}, ${end}))`
    },
    ...(fields.every(({ type }) => type.emitSet)
      ? {
          emitPut: (scope: Scope, value: string): string =>
            emitPutStruct(scope, name, fields, size, value),
        }
      : {}),
    pathAt(_view, at, _end, offset) {
      const field = fields.find(
        (f) => offset - at >= f.offset && offset - at < f.offset + (f.type.size as number),
      )
      return field ? `.${field.name}` : ''
    },
    since: (oldest) => makeStruct(name, fields, size, oldest),
  }
}

/** Each member's name, and the code that reads it from a struct that begins at `at`. */
export function emitMembers(
  scope: Scope,
  fields: readonly StructField[],
  at: string,
): [name: string, read: string][] {
  return fields.map(({ name, offset, type }) => {
    const from = offset === 0 ? at : `(${at} + ${offset})`
    const to = `${at} + ${offset + (type.size as number)}`
    const read = type.emitGet?.(scope, from) ?? `${scope.ref(type)}.get(view, ${from}, ${to})`
    return [name, read]
  })
}

function notMembers(name: string, value: unknown): never {
  throw new EncodeError(`an object with the members of ${name} expected, got ${show(value)}`)
}

/** A function that writes the struct; the call of it. */
function emitPutStruct(
  scope: Scope,
  name: string,
  fields: readonly StructField[],
  size: number,
  value: string,
): string {
  const sets = fields.map(
    ({ name: key, offset, type }) =>
      `if (x.${key} !== undefined) {f = '${key}'; ${type.emitSet?.(scope, `x.${key}`, `o + ${offset}`)}}`,
  )
  const put = scope.define(
    'w, x',
    `if (typeof x !== 'object' || x === null) ${scope.ref(notMembers)}('${name}', x);
     const o = w.reserve(${size}), v = w.view;
     let f;
     try {${sets.join('\n')}} catch (error) { throw ${scope.ref(within)}(error, f); }
     if (x.tail !== undefined) ${scope.ref(putTail)}(w, x.tail);`,
  )
  return `${put}(w, ${value});`
}

function putTail(w: Writer, tail: unknown): void {
  if (tail instanceof Uint8Array) w.put(tail)
}

function putStruct(
  w: Writer,
  name: string,
  fields: readonly StructField[],
  size: number,
  value: any,
  zero: DataView,
): void {
  if (typeof value !== 'object' || value === null) notMembers(name, value)
  const start = w.length
  for (const { name: key, offset, type } of fields) {
    if (w.length < start + offset) w.reserve(start + offset - w.length)
    const member = value[key]
    try {
      if (member === undefined) w.put(new Uint8Array(zero.buffer, offset, type.size))
      else type.put(w, member)
    } catch (error) {
      throw within(error, key)
    }
  }
  if (w.length < start + size) w.reserve(start + size - w.length)
  putTail(w, value.tail)
}
