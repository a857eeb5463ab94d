/**
 * Writes values by their signature, in either byte order; the forms are those that reader.ts gives.
 *
 * Where an array is wanted any iterable will do; where a dictionary is wanted a plain object will.
 */
import { EncodeError } from '../../errors.ts'
import { align, alignmentOf } from './align.ts'
import { MAX_ARRAY_BYTES, MAX_DEPTH, MAX_MESSAGE_BYTES } from './constants.ts'
import { isObjectPath } from './names.ts'
import { Variant } from './reader.ts'
import { isSignature, parseSignature, parseSingleType, type TypeNode } from './signature.ts'
import { encodeText } from './utf8.ts'

/** Smallest and largest value of the integer types. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  y: [0, 0xff],
  n: [-0x8000, 0x7fff],
  q: [0, 0xffff],
  i: [-0x80000000, 0x7fffffff],
  u: [0, 0xffffffff],
  h: [0, 0xffffffff],
}
const WIDE: Readonly<Record<string, readonly [bigint, bigint]>> = {
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
}
const FIRST_BYTES = 256
/** Texts that the encoder would take longer for than a loop. */
const SHORT = 64

/** Bytes that grow; alignment counts from their beginning. */
export class ValueWriter {
  bytes = new Uint8Array(FIRST_BYTES)
  view = new DataView(this.bytes.buffer)
  /** Bytes written. */
  at = 0
  readonly littleEndian: boolean

  constructor(littleEndian = true) {
    this.littleEndian = littleEndian
  }

  /** What has been written; a view. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.at)
  }

  /**
   * Writes `values`, as many as `signature` has types.
   * @throws EncodeError with the path of the value at fault, such as `1[0].name`.
   */
  values(signature: string, values: readonly unknown[]): void {
    const types = parseSignature(signature)
    if (types.length !== values.length)
      throw new EncodeError(
        `the signature "${signature}" has ${types.length} values, not ${values.length}`,
      )
    for (const [i, type] of types.entries()) this.#value(type, values[i], String(i), 0)
  }

  /** Moves to a multiple of `to`; zeroes between. */
  align(to: number): void {
    const next = align(this.at, to)
    this.reserve(next - this.at)
    this.bytes.fill(0, this.at, next)
    this.at = next
  }

  /** Room for `count` more bytes. */
  reserve(count: number): void {
    const wanted = this.at + count
    if (wanted <= this.bytes.length) return
    if (wanted > MAX_MESSAGE_BYTES) throw new EncodeError('the message is longer than 128 MiB')
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2))
    grown.set(this.bytes)
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  uint32(value: number): void {
    this.align(4)
    this.reserve(4)
    this.view.setUint32(this.at, value, this.littleEndian)
    this.at += 4
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.at++] = value
  }

  string(text: string): void {
    if (text.length <= SHORT && this.#short(text)) return
    const encoded = encodeText(text)
    this.uint32(encoded.length)
    this.reserve(encoded.length + 1)
    this.bytes.set(encoded, this.at)
    this.at += encoded.length
    this.bytes[this.at++] = 0
  }

  /** A loop is quicker for a short text; false, and nothing is written, if it is not ASCII. */
  #short(text: string): boolean {
    this.align(4)
    const { length } = text
    this.reserve(4 + length + 1)
    const { bytes, at } = this
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      bytes[at + 4 + i] = code
    }
    this.view.setUint32(at, length, this.littleEndian)
    bytes[at + 4 + length] = 0
    this.at = at + 4 + length + 1
    return true
  }

  signature(text: string): void {
    this.byte(text.length)
    this.reserve(text.length + 1)
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i)
    this.bytes[this.at++] = 0
  }

  #value(type: TypeNode, value: unknown, path: string, depth: number): void {
    if (depth > MAX_DEPTH) throw new EncodeError('values are nested too deeply', path)
    switch (type.code) {
      case 's':
      case 'o':
      case 'g':
        this.#text(type.code, value, path)
        break
      case 'v':
        this.#variant(value, path, depth)
        break
      case 'a':
        this.#array(type.children[0]!, value, path, depth)
        break
      case '(':
      case '{':
        this.#struct(type, value, path, depth)
        break
      default:
        this.#number(type.code, value, path)
    }
  }

  #text(code: string, value: unknown, path: string): void {
    if (typeof value !== 'string') throw new EncodeError('is no string', path)
    if (value.includes('\0')) throw new EncodeError('has a NUL inside', path)
    if (code === 'o' && !isObjectPath(value))
      throw new EncodeError(`"${value}" is no object path`, path)
    if (code === 'g' && !isSignature(value))
      throw new EncodeError(`"${value}" is no signature`, path)
    if (code === 'g') this.signature(value)
    else this.string(value)
  }

  #number(code: string, value: unknown, path: string): void {
    const size = alignmentOf(code)
    this.align(size)
    this.reserve(size)
    const at = this.at
    this.at += size
    if (code === 'b') {
      if (typeof value !== 'boolean') throw new EncodeError('is no boolean', path)
      this.view.setUint32(at, value ? 1 : 0, this.littleEndian)
    } else if (code === 'd') {
      if (typeof value !== 'number') throw new EncodeError('is no number', path)
      this.view.setFloat64(at, value, this.littleEndian)
    } else if (code === 'x' || code === 't') {
      this.view.setBigInt64(at, wide(code, value, path), this.littleEndian)
    } else {
      this.#integer(size, at, narrow(code, value, path))
    }
  }

  #integer(size: number, at: number, value: number): void {
    if (size === 1) this.bytes[at] = value
    else if (size === 2) this.view.setInt16(at, value, this.littleEndian)
    else this.view.setInt32(at, value, this.littleEndian)
  }

  #variant(value: unknown, path: string, depth: number): void {
    if (!(value instanceof Variant)) throw new EncodeError('is no Variant', path)
    const type = parseSingleType(value.signature)
    this.signature(value.signature)
    this.#value(type, value.value, path, depth + 1)
  }

  #struct(type: TypeNode, value: unknown, path: string, depth: number): void {
    const members = itemsOf(value, path)
    if (members.length !== type.children.length)
      throw new EncodeError(`has ${members.length} members, not ${type.children.length}`, path)
    this.align(8)
    for (const [i, child] of type.children.entries())
      this.#value(child, members[i], `${path}.${i}`, depth + 1)
  }

  #array(element: TypeNode, value: unknown, path: string, depth: number): void {
    this.uint32(0)
    const head = this.at - 4
    this.align(alignmentOf(element.code))
    const start = this.at
    if (element.code === 'y' && value instanceof Uint8Array) {
      this.reserve(value.length)
      this.bytes.set(value, start)
      this.at += value.length
    } else {
      const items = element.code === '{' ? entriesOf(value, path) : itemsOf(value, path)
      for (const [i, item] of items.entries())
        this.#value(element, item, `${path}[${i}]`, depth + 1)
    }
    const length = this.at - start
    if (length > MAX_ARRAY_BYTES) throw new EncodeError('an array is longer than 64 MiB', path)
    this.view.setUint32(head, length, this.littleEndian)
  }
}

function narrow(code: string, value: unknown, path: string): number {
  const [least, most] = RANGES[code]!
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new EncodeError('is no integer', path)
  if (value < least || value > most)
    throw new EncodeError(`${value} is not within ${least} to ${most}`, path)
  return value
}

function wide(code: string, value: unknown, path: string): bigint {
  const [least, most] = WIDE[code]!
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value))
    throw new EncodeError('is no integer', path)
  const big = BigInt(value as number | bigint)
  if (big < least || big > most)
    throw new EncodeError(`${big} is not within ${least} to ${most}`, path)
  return big
}

function itemsOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'object' && value !== null && Symbol.iterator in value)
    return [...(value as Iterable<unknown>)]
  throw new EncodeError('is no array', path)
}

function entriesOf(value: unknown, path: string): readonly unknown[] {
  if (typeof value === 'object' && value !== null && !(Symbol.iterator in value))
    return Object.entries(value)
  return itemsOf(value, path)
}
