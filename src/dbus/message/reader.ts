/**
 * Reads values by their signature.
 *
 * y n q i u d are numbers, x t bigints, b booleans, s o g strings, h numbers (a place in the
 * message's descriptors), v a Variant, a struct an array of its members, an array an array, `ay` a
 * Uint8Array of its own, a dictionary a Map.
 */
import { DecodeError } from '../../errors.ts'
import { align, alignmentOf } from './align.ts'
import { parseSignature, parseSingleType, type TypeNode } from './signature.ts'
import { readText } from './utf8.ts'
import { signatureAt, skipValues, type Values } from './validate.ts'

/** A value that carries its own type (`v`). */
export class Variant<T = unknown> {
  /** One complete type, such as `as`. */
  readonly signature: string
  readonly value: T

  constructor(signature: string, value: T) {
    this.signature = signature
    this.value = value
  }
}

/**
 * The values of `signature` from `at` to `end`, which have to end there.
 * @throws DecodeError
 */
export function readValues(values: Values, signature: string, at: number, end: number): unknown[] {
  const types = parseSignature(signature)
  const stop = skipValues(values, types, at, end)
  if (stop !== end) throw new DecodeError(`${end - stop} bytes are left behind the values`, stop)
  const reader = new ValueReader(values, at)
  return types.map((type) => reader.read(type))
}

/** Reads values that skipValues() has judged. */
class ValueReader {
  at: number
  readonly #values: Values

  constructor(values: Values, at: number) {
    this.#values = values
    this.at = at
  }

  read(type: TypeNode): unknown {
    const { bytes } = this.#values
    switch (type.code) {
      case 'y':
        return bytes[this.at++]
      case 's':
      case 'o':
        return this.#string()
      case 'g':
        return this.#signature()
      case 'v':
        return this.#variant()
      case 'a':
        return this.#array(type.children[0]!)
      case '(':
      case '{':
        this.#align(8)
        return type.children.map((child) => this.read(child))
      default:
        return this.#number(type.code)
    }
  }

  #align(to: number): void {
    const { origin } = this.#values
    this.at = origin + align(this.at - origin, to)
  }

  #number(code: string): number | bigint | boolean {
    const { view, littleEndian } = this.#values
    const size = alignmentOf(code)
    this.#align(size)
    const at = this.at
    this.at += size
    switch (code) {
      case 'n':
        return view.getInt16(at, littleEndian)
      case 'q':
        return view.getUint16(at, littleEndian)
      case 'i':
        return view.getInt32(at, littleEndian)
      case 'b':
        return view.getUint32(at, littleEndian) === 1
      case 'x':
        return view.getBigInt64(at, littleEndian)
      case 't':
        return view.getBigUint64(at, littleEndian)
      case 'd':
        return view.getFloat64(at, littleEndian)
      default:
        return view.getUint32(at, littleEndian)
    }
  }

  #string(): string {
    const length = this.#number('u') as number
    const start = this.at
    this.at += length + 1
    return readText(this.#values.bytes, start, start + length)
  }

  #signature(): string {
    const text = signatureAt(this.#values, this.at, this.#values.bytes.length)
    this.at += text.length + 2
    return text
  }

  #variant(): Variant {
    const signature = this.#signature()
    return new Variant(signature, this.read(parseSingleType(signature)))
  }

  #array(element: TypeNode): unknown {
    const length = this.#number('u') as number
    this.#align(alignmentOf(element.code))
    const stop = this.at + length
    if (element.code === 'y') {
      const copy = this.#values.bytes.slice(this.at, stop)
      this.at = stop
      return copy
    }
    const items: unknown[] = []
    while (this.at < stop) items.push(this.read(element))
    return element.code === '{' ? new Map(items as [unknown, unknown][]) : items
  }
}
