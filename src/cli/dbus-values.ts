/** D-Bus values as busctl writes them: words of a command line, words of an answer, JSON, a monitor's text. */
import { isObjectPath, parseSignature, type TypeNode, Variant } from '../dbus/message/index.ts'
import { UsageError } from './exit.ts'

/** Takes the words of a command line one after the other. */
class Words {
  readonly #words: readonly string[]
  #at = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  next(): string {
    const word = this.#words[this.#at++]
    if (word === undefined) throw new UsageError('too few parameters for signature')
    return word
  }

  end(): void {
    if (this.#at < this.#words.length) throw new UsageError('too many parameters for signature')
  }
}

/**
 * The values that `words` are: of an array its length first, of a variant its signature.
 * @throws UsageError
 */
export function parseValues(signature: string, words: readonly string[]): unknown[] {
  const reader = new Words(words)
  const values = typesOf(signature).map((type) => parseValue(type, reader))
  reader.end()
  return values
}

function typesOf(signature: string): readonly TypeNode[] {
  try {
    return parseSignature(signature)
  } catch {
    throw new UsageError(`"${signature}" is no signature`)
  }
}

/** Bits of integers, and whether they have a sign. */
const INTEGERS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  y: [8, false],
  n: [16, true],
  q: [16, false],
  i: [32, true],
  u: [32, false],
  x: [64, true],
  t: [64, false],
}

function parseInteger(code: string, word: string): number | bigint {
  const [bits, signed] = INTEGERS[code]!
  const match = /^([-+]?)(0x[\da-f]+|\d+)$/i.exec(word)
  const value = match ? BigInt(match[2]!) * (match[1] === '-' ? -1n : 1n) : undefined
  const fits = signed ? BigInt.asIntN : BigInt.asUintN
  if (value === undefined || fits(bits, value) !== value)
    throw new UsageError(`"${word}" is no value of type ${code}`)
  return bits === 64 ? value : Number(value)
}

function parseValue(type: TypeNode, words: Words): unknown {
  const { code, children } = type
  if (INTEGERS[code]) return parseInteger(code, words.next())
  switch (code) {
    case 'v': {
      const inner = typesOf(words.next())
      if (inner.length !== 1) throw new UsageError('a variant has one complete type')
      return new Variant(inner[0]!.text, parseValue(inner[0]!, words))
    }
    case '(':
      return children.map((child) => parseValue(child, words))
    case 'a':
      return parseArray(children[0]!, words)
    case 'h':
      throw new UsageError('descriptors cannot be given on a command line')
    default:
      return parseText(code, words.next())
  }
}

function parseArray(element: TypeNode, words: Words): unknown {
  const count = Number(parseInteger('u', words.next()))
  if (element.code === '{') {
    const [key, value] = element.children as [TypeNode, TypeNode]
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < count; i++) map.set(parseValue(key, words), parseValue(value, words))
    return map
  }
  const values: unknown[] = []
  for (let i = 0; i < count; i++) values.push(parseValue(element, words))
  return element.code === 'y' ? Uint8Array.from(values as number[]) : values
}

const YES = new Set(['1', 'yes', 'y', 'true', 't', 'on'])
const NO = new Set(['0', 'no', 'n', 'false', 'f', 'off'])

function parseText(code: string, word: string): unknown {
  if (code === 'b' && YES.has(word.toLowerCase())) return true
  if (code === 'b' && NO.has(word.toLowerCase())) return false
  if (code === 'd' && word.trim() !== '' && !Number.isNaN(Number(word))) return Number(word)
  if (code === 's' || (code === 'o' && isObjectPath(word))) return word
  if (code === 'g') return typesOf(word) && word
  throw new UsageError(`"${word}" is no value of type ${code}`)
}

/** The entries of an array, whatever form it has. */
function elementsOf(value: unknown): unknown[] {
  return [...(value as Iterable<unknown>)]
}

/** Values as words, strings quoted, without their signature. */
export function formatValues(signature: string, values: readonly unknown[]): string {
  return parseSignature(signature)
    .map((type, i) => formatValue(type, values[i]))
    .filter((text) => text !== '')
    .join(' ')
}

function formatValue({ code, children }: TypeNode, value: unknown): string {
  if (code === 'v') {
    const { signature, value: inner } = value as Variant
    return `${signature} ${formatValues(signature, [inner])}`
  }
  if (code === 'a') {
    const elements = elementsOf(value)
    return [elements.length, ...elements.map((one) => formatValue(children[0]!, one))].join(' ')
  }
  if (code === '(' || code === '{')
    return children.map((child, i) => formatValue(child, (value as unknown[])[i])).join(' ')
  if ('sog'.includes(code)) return quote(String(value))
  return code === 'd' ? formatDouble(value as number) : String(value)
}

/** As C's %g. */
function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf').toLowerCase()
  const [mantissa, exponent] = value.toExponential(5).split('e') as [string, string]
  const power = Number(exponent)
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
  if (power >= -4 && power < 6) return trim(value.toFixed(5 - power))
  return `${trim(mantissa)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
  "'": "\\'",
}

function quote(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    const char = String.fromCharCode(byte)
    if (ESCAPES[char]) return ESCAPES[char]
    return byte < 32 || byte >= 127 ? `\\${byte.toString(8).padStart(3, '0')}` : char
  })
  return `"${escaped.join('')}"`
}

/** A value as JSON: a variant has its type beside it, a dictionary is an object. */
export function jsonOf({ code, children }: TypeNode, value: unknown): unknown {
  if (code === 'v') {
    const { signature, value: inner } = value as Variant
    return { type: signature, data: jsonOf(parseSignature(signature)[0]!, inner) }
  }
  if (value instanceof Map) {
    const [, element] = children[0]!.children as [TypeNode, TypeNode]
    return Object.fromEntries([...value].map(([key, one]) => [String(key), jsonOf(element, one)]))
  }
  if (code === 'a') return elementsOf(value).map((one) => jsonOf(children[0]!, one))
  if (code === '(') return children.map((child, i) => jsonOf(child, (value as unknown[])[i]))
  return value
}

/** A message's values as JSON. */
export function jsonValues(signature: string, values: readonly unknown[]): unknown[] {
  return parseSignature(signature).map((type, i) => jsonOf(type, values[i]))
}

const NAMES: Readonly<Record<string, string>> = {
  y: 'BYTE',
  b: 'BOOLEAN',
  n: 'INT16',
  q: 'UINT16',
  i: 'INT32',
  u: 'UINT32',
  x: 'INT64',
  t: 'UINT64',
  d: 'DOUBLE',
  s: 'STRING',
  o: 'OBJECT_PATH',
  g: 'SIGNATURE',
  h: 'UNIX_FD',
}

/** Values one below the other, containers in braces, as a monitor shows them. */
export function dumpValues(signature: string, values: readonly unknown[], depth = 1): string[] {
  return parseSignature(signature).flatMap((type, i) => dumpValue(type, values[i], depth))
}

function dumpValue({ code, text, children }: TypeNode, value: unknown, depth: number): string[] {
  const indent = `  ${'        '.repeat(depth)}`
  const block = (name: string, contents: string, lines: string[]): string[] => [
    `${indent}${name} "${contents}" {`,
    ...lines,
    `${indent}};`,
  ]
  const inside = text.slice(1, -1)
  if (code === 'v') {
    const { signature, value: inner } = value as Variant
    return block('VARIANT', signature, dumpValues(signature, [inner], depth + 1))
  }
  if (code === 'a') {
    const element = children[0]!
    const lines = elementsOf(value).flatMap((one) => dumpValue(element, one, depth + 1))
    return block('ARRAY', element.text, lines)
  }
  if (code === '(' || code === '{') {
    const members = value as unknown[]
    const lines = children.flatMap((child, i) => dumpValue(child, members[i], depth + 1))
    return block(code === '(' ? 'STRUCT' : 'DICT_ENTRY', inside, lines)
  }
  const shown = 'sog'.includes(code) ? quote(String(value)) : String(value)
  return [`${indent}${NAMES[code]} ${code === 'd' ? formatDouble(value as number) : shown};`]
}
