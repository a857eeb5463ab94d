/**
 * JSON as a request: what a schema's encoder takes, made of what JSON can say.
 *
 * 64-bit integers come as numbers or digits, bytes as hexadecimal, flags as `true`, enums and bits as
 * names, and an attribute's name may be spelt as Linux's specs do (`if-index` for `ifIndex`).
 */
import { didYouMean } from '../client/nearest.ts'
import { EncodeError } from '../errors.ts'
import type { AnyMessage, AnyType, AttrTable, Shape } from '../schema/index.ts'

type Fields = Readonly<Record<string, unknown>>
type Members = ReadonlyMap<string, AnyType>

/** JSON's name for what `value` is. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return JSON.stringify(value)
}

class Place {
  readonly path: string
  constructor(path = '') {
    this.path = path
  }
  member(name: string): Place {
    return new Place(this.path === '' ? name : `${this.path}.${name}`)
  }
  element(index: number | string): Place {
    return new Place(`${this.path}[${index}]`)
  }
  /** @throws EncodeError with this path. */
  refuse(reason: string): never {
    throw new EncodeError(reason, this.path)
  }
}

/** `if-index`, `if_index` and `ifIndex` are one name. */
function camelCase(name: string): string {
  return name.replace(/[-_]+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase())
}

function fieldsOf(value: unknown, at: Place): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  return at.refuse(`an object expected, got ${kindOf(value)}`)
}

function arrayOf(value: unknown, at: Place): readonly unknown[] {
  return Array.isArray(value) ? value : at.refuse(`an array expected, got ${kindOf(value)}`)
}

/** What a message or a nest may carry. */
function membersOf(table: AttrTable | undefined, header: AnyMessage['header']): Members {
  const members = new Map<string, AnyType>()
  for (const { name, type } of header?.shape.fields ?? []) members.set(name, type)
  for (const { name, type } of table?.entries ?? []) members.set(name, type)
  return members
}

/** One object of attributes, and header fields. */
function readFields(value: unknown, members: Members, at: Place): Fields {
  const fields = fieldsOf(value, at)
  const named: [string, unknown][] = Object.entries(fields).map(([key, each]) => {
    const name = members.has(key) ? key : camelCase(key)
    if (members.has(name)) return [name, each]
    const hint = didYouMean(name, members.keys()) ?? `there are ${[...members.keys()].join(', ')}`
    return at.member(key).refuse(`no such attribute: ${hint}`)
  })
  const siblings = Object.fromEntries(named)
  return Object.fromEntries(
    named.map(([name, each]) => {
      const type = formOf(members.get(name) as AnyType, siblings)
      return [name, type ? readValue(type, each, at.member(name)) : each]
    }),
  )
}

/** The type of an attribute whose form a sibling decides. */
function formOf(type: AnyType, siblings: Fields): AnyType | undefined {
  const { shape } = type
  if (shape.kind !== 'selected') return type
  const chosen = String(siblings[shape.selector])
  return Object.hasOwn(shape.variants, chosen) ? shape.variants[chosen] : shape.otherwise
}

function readInteger(
  shape: Extract<Shape, { kind: 'integer' }>,
  value: unknown,
  at: Place,
): unknown {
  const { names = {}, namesAre, bytes } = shape
  const numberOf = (word: string): bigint => {
    const text = word.trim()
    if (/^(-?\d+|0x[\da-f]+)$/i.test(text)) return BigInt(text)
    const known = Object.hasOwn(names, text) ? names[text] : names[camelCase(text)]
    if (known !== undefined) return BigInt(known)
    const hint = didYouMean(text, Object.keys(names))
    return at.refuse(`a number expected, got ${JSON.stringify(word)}${hint ? `: ${hint}` : ''}`)
  }
  const fit = (number: bigint): number | bigint =>
    bytes === 8 || bytes === 'variable' ? number : Number(number)
  if (typeof value === 'boolean' && bytes === 1) return value ? 1 : 0
  if (Array.isArray(value) && namesAre === 'bits') {
    return fit(value.reduce<bigint>((sum, word) => sum | numberOf(String(word)), 0n))
  }
  if (typeof value === 'string') {
    if (namesAre === 'values' && Object.hasOwn(names, value)) return value
    return fit(numberOf(value))
  }
  if (typeof value !== 'number') return at.refuse(`a number expected, got ${kindOf(value)}`)
  return value
}

/** `00:11:22`, `00 11 22`, `001122` or an array of bytes. */
function readBytes(value: unknown, at: Place): Uint8Array {
  if (Array.isArray(value)) {
    const wrong = value.findIndex((each) => !Number.isInteger(each) || each < 0 || each > 255)
    if (wrong >= 0) at.element(wrong).refuse(`a byte expected, got ${kindOf(value[wrong])}`)
    return Uint8Array.from(value)
  }
  const digits = typeof value === 'string' ? value.replace(/^0x|[\s:]/g, '') : undefined
  if (digits === undefined || !/^([\da-f]{2})*$/i.test(digits))
    return at.refuse(`bytes in hexadecimal expected, got ${kindOf(value)}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

function readKeyed(of: AnyType, value: unknown, at: Place): unknown {
  return arrayOf(value, at).map((item, i) => {
    const { key, value: inner } = fieldsOf(item, at.element(i))
    return { key, value: readValue(of, inner, at.element(i).member('value')) }
  })
}

/** @throws EncodeError with the path of what does not fit. */
function readValue(type: AnyType, value: unknown, at: Place): unknown {
  const { shape } = type
  switch (shape.kind) {
    case 'integer':
      return readInteger(shape, value, at)
    case 'flag':
      if (typeof value === 'boolean') return value
      return value === null ? true : at.refuse(`true or false expected, got ${kindOf(value)}`)
    case 'string':
      return typeof value === 'string' ? value : at.refuse(`text expected, got ${kindOf(value)}`)
    case 'address':
      return typeof value === 'string'
        ? value
        : at.refuse(`an address expected, got ${kindOf(value)}`)
    case 'binary':
      return readBytes(value, at)
    case 'struct':
      return readFields(value, new Map(shape.fields.map((each) => [each.name, each.type])), at)
    case 'nest':
      return readFields(value, membersOf(shape.table, undefined), at)
    case 'message':
      return readMessage(shape.of, value, at)
    case 'records':
      return arrayOf(value, at).map((item, i) => readMessage(shape.of, item, at.element(i)))
    case 'array':
    case 'multi':
    case 'list':
      return arrayOf(value, at).map((item, i) => readValue(shape.of, item, at.element(i)))
    case 'keyed':
      return readKeyed(shape.of, value, at)
    default:
      return value
  }
}

function readMessage(message: AnyMessage, value: unknown, at: Place): Fields {
  const { header, attrs } = message
  const names = attrs?.selection.names
  const members = new Map(
    [...membersOf(attrs?.shape.table, header)].filter(
      ([name]) => !names || names.has(name) || header?.shape.fields.some((f) => f.name === name),
    ),
  )
  return readFields(value, members, at)
}

/**
 * `json`, already parsed, as the value that `message` encodes. Without a message only an empty
 * object fits.
 * @throws EncodeError with the path of what does not fit: a wrong kind, an unknown name.
 */
export function requestFromJson(message: AnyMessage | undefined, json: unknown): Fields {
  if (message) return readMessage(message, json, new Place())
  return readFields(json, new Map(), new Place())
}
