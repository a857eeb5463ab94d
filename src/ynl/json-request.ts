/**
 * JSON in a spec's own words as a value that a message encodes. What does not fit is an EncodeError
 * with its path, in the spec's words too.
 */
import { EncodeError } from '../errors.ts'
import type { AnyMessage, AnyType, Shape } from '../schema/index.ts'
import type { Spelling } from './evaluate.ts'
import type { Spelled } from './expression.ts'
import { flagBit } from './flag-words.ts'
import { formOf } from './json-reply.ts'
import { camelCase } from './names.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a name in JSON stands for. */
interface Member {
  readonly key: string
  readonly type: AnyType
  readonly spelled: Spelled | undefined
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : JSON.stringify(value)
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new EncodeError(`${expected} expected, got ${kindOf(value)}`, path)
}

const inside = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

function fieldsOf(value: unknown, path: string): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Fields) : refuse(path, 'an object', value)
}

function bytesOf(value: unknown, path: string): Uint8Array {
  const text = typeof value === 'string' ? value.replace(/^0x|[\s:-]/g, '') : undefined
  if (text === undefined || !/^([\da-f]{2})*$/i.test(text))
    return refuse(path, 'bytes in hexadecimal', value)
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

/** One spec's way of reading values. */
export class JsonRequest {
  readonly #spelling: Spelling
  constructor(spelling: Spelling) {
    this.#spelling = spelling
  }

  /**
   * `json`, already parsed, for `message`; without a message only an empty object fits.
   * @throws EncodeError
   */
  message(message: AnyMessage | undefined, json: unknown): Fields {
    return this.#message(message, json, '')
  }

  #message(message: AnyMessage | undefined, json: unknown, path: string): Fields {
    const { attrs, header } = message ?? {}
    const allowed = attrs?.selection.names
    const members = this.#members([attrs?.shape, header?.shape])
    for (const [word, { key }] of members) {
      const isField = header?.shape.fields.some(({ name }) => name === key)
      if (allowed && !allowed.has(key) && !isField) members.delete(word)
    }
    return this.#fields(members, json, path)
  }

  /** By the spec's names; attributes win over members of the header. */
  #members(shapes: readonly (Shape | undefined)[]): Map<string, Member> {
    const members = new Map<string, Member>()
    for (const shape of shapes) {
      if (!shape) continue
      const spells = this.#spelling.of(shape)
      const parts =
        shape.kind === 'nest' ? shape.table.entries : shape.kind === 'struct' ? shape.fields : []
      for (const { name: key, type } of parts) {
        const spelled = spells?.get(key)
        const word = spelled?.name ?? key
        if (!members.has(word)) members.set(word, { key, type, spelled })
      }
    }
    return members
  }

  #fields(members: ReadonlyMap<string, Member>, json: unknown, path: string): Fields {
    const found: [Member, unknown, string][] = []
    const owner: Record<string, unknown> = {}
    for (const [word, value] of Object.entries(fieldsOf(json, path))) {
      const member =
        members.get(word) ??
        [...members.values()].find(({ key }) => key === word || key === camelCase(word))
      if (!member) throw noSuch(members, word, path)
      found.push([member, value, inside(path, word)])
      owner[member.key] = value
    }
    const out: Record<string, unknown> = {}
    for (const [{ key, type, spelled }, value, at] of found) {
      const form = formOf(type, owner)
      if (!form) {
        const { selector } = type.shape as Extract<Shape, { kind: 'selected' }>
        throw new EncodeError(
          `no form of it is known for ${selector} ${kindOf(owner[selector])}`,
          at,
        )
      }
      out[key] = this.#value(form, value, spelled, at)
    }
    return out
  }

  #value(type: AnyType, value: unknown, spelled: Spelled | undefined, at: string): unknown {
    const { shape } = type
    switch (shape.kind) {
      case 'integer':
        return this.#integer(shape, value, spelled, at)
      case 'flag':
        if (value === null) return true
        return typeof value === 'boolean' ? value : refuse(at, 'true or false', value)
      case 'string':
        return typeof value === 'string' ? value : refuse(at, 'text', value)
      case 'address':
        return typeof value === 'string' ? value : refuse(at, 'an address', value)
      case 'binary':
        return bytesOf(value, at)
      case 'bitfield32':
        return this.#bitfield(value, spelled, at)
      case 'nest':
      case 'struct':
        return this.#fields(this.#members([shape]), value, at)
      case 'message':
        return this.#message(shape.of, value, at)
      case 'multi':
      case 'array':
      case 'list':
        return this.#list(shape, value, spelled, at)
      case 'keyed':
        return this.#keyed(type, value, spelled, at)
      default:
        return value
    }
  }

  /** A repeated attribute may be given as one value. */
  #list(
    shape: Extract<Shape, { kind: 'multi' | 'array' | 'list' }>,
    value: unknown,
    spelled: Spelled | undefined,
    at: string,
  ): unknown {
    if (Array.isArray(value))
      return value.map((each, i) => this.#value(shape.of, each, spelled, `${at}[${i}]`))
    if (shape.kind !== 'multi') return refuse(at, 'an array', value)
    return [this.#value(shape.of, value, spelled, at)]
  }

  #integer(
    shape: Extract<Shape, { kind: 'integer' }>,
    value: unknown,
    spelled: Spelled | undefined,
    at: string,
  ): unknown {
    const isBig = shape.bytes === 8 || shape.bytes === 'variable'
    const fit = (number: bigint): number | bigint => (isBig ? number : Number(number))
    if (typeof value === 'number') return value
    if (typeof value === 'boolean' && shape.bytes === 1) return Number(value)
    const names = spelled?.enum
    if (names && spelled.isFlags && (Array.isArray(value) || typeof value === 'string')) {
      const words = Array.isArray(value) ? value.map(String) : value.split(/[|,\s]+/)
      const bits = words
        .filter(Boolean)
        .map((word) => flagBit(names, word) ?? refuse(at, bitsOf(names), word))
      return fit(bits.reduce((all, bit) => all | bit, 0n))
    }
    if (typeof value !== 'string') return refuse(at, 'a number', value)
    const entry = names?.entries.find(({ name }) => name === value)
    if (entry) return shape.namesAre === 'values' ? value : fit(BigInt(entry.value))
    if (/^(-?\d+|0x[\da-f]+)$/i.test(value)) return fit(BigInt(value))
    return refuse(
      at,
      names ? `one of ${names.entries.map(({ name }) => name).join(', ')}` : 'a number',
      value,
    )
  }

  #bitfield(value: unknown, spelled: Spelled | undefined, at: string): unknown {
    const { value: on, selector } = fieldsOf(value, at)
    const number = { kind: 'integer', bytes: 4, signed: false, bigEndian: false } as const
    return {
      value: this.#integer(number, on, spelled, `${at}.value`),
      selector: this.#integer(number, selector, spelled, `${at}.selector`),
    }
  }

  /** Flat objects with the numbers by name, one or several. */
  #keyed(type: AnyType, json: unknown, spelled: Spelled | undefined, at: string): unknown[] {
    const items = Array.isArray(json) ? json : [json]
    return items.map((item, i) => {
      let rest = fieldsOf(item, `${at}[${i}]`)
      const keys: number[] = []
      let of = type
      for (let depth = 0; of.shape.kind === 'keyed'; depth++) {
        const called = spelled?.typeValue?.[depth] ?? 'key'
        const { [called]: key, ...others } = rest
        if (typeof key !== 'number') return refuse(`${at}[${i}].${called}`, 'a number', key)
        keys.push(key)
        rest = others
        of = of.shape.of
      }
      const isPlain = of.shape.kind !== 'nest'
      let value = this.#value(of, isPlain ? rest.value : rest, spelled, `${at}[${i}]`)
      for (const key of keys.slice(1).reverse()) value = [{ key, value }]
      return { key: keys[0], value }
    })
  }
}

function bitsOf(names: NonNullable<Spelled['enum']>): string {
  return `some of ${names.entries.map(({ name }) => name).join(', ')}`
}

function noSuch(members: ReadonlyMap<string, Member>, word: string, path: string): EncodeError {
  const known = [...members.keys()]
  const list = known.length === 0 ? 'it takes none' : `there are ${known.join(', ')}`
  return new EncodeError(`no such attribute: ${list}`, inside(path, word))
}
