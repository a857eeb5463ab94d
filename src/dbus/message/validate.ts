/**
 * Judges the values of a message without making any of them: what a bus does with every body.
 *
 * What is refused: a boolean that is neither 0 nor 1, text that is not UTF-8 or has no NUL behind
 * it, padding that is not zero, a length that does not fit, nesting that is too deep
 * (D-Bus Specification, "Valid Signatures", "Marshaling").
 */
import { DecodeError } from '../../errors.ts'
import { align, alignmentOf } from './align.ts'
import { MAX_ARRAY_BYTES, MAX_DEPTH } from './constants.ts'
import { isObjectPath } from './names.ts'
import { isSignature, parseSingleType, type TypeNode } from './signature.ts'
import { isText, readText } from './utf8.ts'

/** The bytes of values, where they begin to count for alignment, and their byte order. */
export interface Values {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset in `bytes` that counts as 0 for alignment: a message's own beginning. */
  readonly origin: number
  readonly littleEndian: boolean
}

/**
 * Judges values of `types` from `at`; where they end.
 * @throws DecodeError
 */
export function skipValues(
  values: Values,
  types: readonly TypeNode[],
  at: number,
  end: number,
  depth = 0,
): number {
  let next = at
  for (const type of types) next = skipValue(values, type, next, end, depth)
  return next
}

/** Where the padding before a type of `alignment` ends; it has to be zero. */
export function skipPadding(values: Values, at: number, alignment: number, end: number): number {
  const next = values.origin + align(at - values.origin, alignment)
  if (next > end) throw new DecodeError('a value is cut off', at)
  for (let i = at; i < next; i++)
    if (values.bytes[i] !== 0) throw new DecodeError('padding is not zero', i)
  return next
}

function skipValue(values: Values, type: TypeNode, at: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new DecodeError('values are nested too deeply', at)
  switch (type.code) {
    case 's':
      return skipString(values, at, end)
    case 'o':
      return skipPath(values, at, end)
    case 'g':
      return skipSignature(values, at, end)
    case 'v':
      return skipVariant(values, at, end, depth)
    case 'a':
      return skipArray(values, type, at, end, depth)
    case '(':
    case '{':
      return skipValues(values, type.children, skipPadding(values, at, 8, end), end, depth + 1)
    case 'b':
      return skipBoolean(values, at, end)
    default:
      return skipFixed(values, type.code === 'h' ? 4 : type.fixed, at, end)
  }
}

function skipFixed(values: Values, size: number, at: number, end: number): number {
  const start = skipPadding(values, at, size, end)
  if (start + size > end) throw new DecodeError('a value is cut off', start)
  return start + size
}

function skipBoolean(values: Values, at: number, end: number): number {
  const next = skipFixed(values, 4, at, end)
  const value = values.view.getUint32(next - 4, values.littleEndian)
  if (value > 1) throw new DecodeError(`a boolean is ${value}`, next - 4)
  return next
}

/** A length of 32 bits and as many bytes, and the NUL behind them; where they end. */
function skipString(values: Values, at: number, end: number): number {
  const start = skipFixed(values, 4, at, end)
  const length = values.view.getUint32(start - 4, values.littleEndian)
  if (length >= end - start) throw new DecodeError('a string is cut off', start)
  if (values.bytes[start + length] !== 0)
    throw new DecodeError('a string has no NUL behind it', start)
  if (!isText(values.bytes, values.view, start, start + length))
    throw new DecodeError('a string is not UTF-8, or has a NUL inside', start)
  return start + length + 1
}

function skipPath(values: Values, at: number, end: number): number {
  const next = skipString(values, at, end)
  const start = values.origin + align(at - values.origin, 4) + 4
  const path = readText(values.bytes, start, next - 1)
  if (!isObjectPath(path)) throw new DecodeError(`"${path}" is no object path`, start)
  return next
}

function skipSignature(values: Values, at: number, end: number): number {
  const text = signatureAt(values, at, end)
  if (!isSignature(text)) throw new DecodeError(`"${text}" is no signature`, at)
  return at + text.length + 2
}

/** The signature at `at`: a length of 8 bits, as many characters, a NUL. */
export function signatureAt(values: Values, at: number, end: number): string {
  if (at >= end) throw new DecodeError('a value is cut off', at)
  const length = values.bytes[at]!
  if (at + 1 + length >= end) throw new DecodeError('a signature is cut off', at)
  if (values.bytes[at + 1 + length] !== 0)
    throw new DecodeError('a signature has no NUL behind it', at)
  return readText(values.bytes, at + 1, at + 1 + length)
}

function skipVariant(values: Values, at: number, end: number, depth: number): number {
  const signature = signatureAt(values, at, end)
  const type = parseSingleType(signature)
  return skipValue(values, type, at + signature.length + 2, end, depth + 1)
}

function skipArray(values: Values, type: TypeNode, at: number, end: number, depth: number): number {
  const element = type.children[0]!
  const head = skipFixed(values, 4, at, end)
  const length = values.view.getUint32(head - 4, values.littleEndian)
  if (length > MAX_ARRAY_BYTES) throw new DecodeError(`an array has ${length} bytes`, head - 4)
  const start = skipPadding(values, head, alignmentOf(element.code), end)
  if (length > end - start) throw new DecodeError('an array is cut off', start)
  const stop = start + length
  if (element.fixed > 0) {
    if (length % element.fixed !== 0) throw new DecodeError('an array ends inside a value', start)
    return stop
  }
  let next = start
  while (next < stop) next = skipValue(values, element, next, stop, depth + 1)
  return stop
}
