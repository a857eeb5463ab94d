/**
 * Signatures: what types the values of a message have (D-Bus Specification, "Type System").
 *
 * A signature is parsed once into a tree, and kept: messages of a program have few of them.
 */
import { DecodeError } from '../../errors.ts'
import { MAX_ARRAY_DEPTH, MAX_SIGNATURE_BYTES, MAX_STRUCT_DEPTH } from './constants.ts'

/** A complete type. Its code is its first character; `{` is a dict entry. */
export interface TypeNode {
  readonly code: string
  /** The type as a signature, such as `a{sv}`. */
  readonly text: string
  /** Of an array its element, of a struct its members, of a dict entry key and value. */
  readonly children: readonly TypeNode[]
  /** Bytes of one value, where it does not depend on the value and needs no look; else 0. */
  readonly fixed: number
}

const BASIC = 'ybnqiuxtdsogh'
/** Types whose every bit pattern is a value. */
const FIXED: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8 }
/** Signatures that are kept parsed. */
const MOST_KEPT = 1024
const kept = new Map<string, readonly TypeNode[]>()

/**
 * The complete types of `signature`.
 * @throws DecodeError when it is none; the offset is that of the character at fault.
 */
export function parseSignature(signature: string): readonly TypeNode[] {
  const known = kept.get(signature)
  if (known) return known
  if (signature.length > MAX_SIGNATURE_BYTES)
    throw new DecodeError('a signature is longer than 255 bytes', 0)
  const parser = new SignatureParser(signature)
  const types: TypeNode[] = []
  while (parser.at < signature.length) types.push(parser.complete(0, 0))
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(signature, types)
  return types
}

/** Whether `text` is a signature. */
export function isSignature(text: string): boolean {
  try {
    parseSignature(text)
    return true
  } catch {
    return false
  }
}

/**
 * The type of `signature`, which is one complete type, as a variant has.
 * @throws DecodeError when it is none, or several.
 */
export function parseSingleType(signature: string): TypeNode {
  const types = parseSignature(signature)
  const [type] = types
  if (type === undefined || types.length !== 1)
    throw new DecodeError(`"${signature}" is not one complete type`, 0)
  return type
}

class SignatureParser {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** One complete type at `at`, inside so many arrays and structs. */
  complete(arrays: number, structs: number): TypeNode {
    const start = this.at
    const code = this.#text[this.at++]
    if (code === undefined) this.#fail('a type is missing', start)
    if (BASIC.includes(code) || code === 'v')
      return { code, text: code, children: [], fixed: FIXED[code] ?? 0 }
    if (code === 'a') return this.#array(start, arrays + 1, structs)
    if (code === '(') return this.#struct(start, arrays, structs + 1)
    this.#fail(`there is no type "${code}"`, start)
  }

  #array(start: number, arrays: number, structs: number): TypeNode {
    if (arrays > MAX_ARRAY_DEPTH) this.#fail('arrays are nested too deeply', start)
    const entry = this.#text[this.at] === '{'
    const element = entry ? this.#entry(arrays, structs + 1) : this.complete(arrays, structs)
    return this.#node('a', start, [element])
  }

  #struct(start: number, arrays: number, structs: number): TypeNode {
    if (structs > MAX_STRUCT_DEPTH) this.#fail('structs are nested too deeply', start)
    const members: TypeNode[] = []
    while (this.#text[this.at] !== ')') members.push(this.complete(arrays, structs))
    this.at++
    if (members.length === 0) this.#fail('a struct is empty', start)
    return this.#node('(', start, members)
  }

  #entry(arrays: number, structs: number): TypeNode {
    const start = this.at++
    if (structs > MAX_STRUCT_DEPTH) this.#fail('structs are nested too deeply', start)
    const key = this.complete(arrays, structs)
    if (!BASIC.includes(key.code)) this.#fail('the key of a dict entry is not basic', start)
    const value = this.complete(arrays, structs)
    if (this.#text[this.at++] !== '}') this.#fail('a dict entry has not two types', start)
    return this.#node('{', start, [key, value])
  }

  #node(code: string, start: number, children: readonly TypeNode[]): TypeNode {
    return { code, text: this.#text.slice(start, this.at), children, fixed: 0 }
  }

  #fail(reason: string, at: number): never {
    throw new DecodeError(`${reason} in the signature "${this.#text}"`, at)
  }
}
