/** Values of every type of the description language, made from what the type says of itself. */
import fc from 'fast-check'
import type { AnyMessage, AnyType, Shape } from 'nlkit/schema'

/** A value by attribute name. */
type Fields = Record<string, unknown>
type Arbitrary = fc.Arbitrary<unknown>

/** Attributes that one nest gets, beside the required ones. */
const MOST_ATTRIBUTES = 5
/** Items of an array, bytes of a binary. */
const MOST_ITEMS = 3
const MOST_BYTES = 24

/** Many types are made of the same few: each is built once. */
const built = new WeakMap<AnyType, Arbitrary>()

/** Objects as decoders make them. */
const record = (model: Record<string, Arbitrary>): fc.Arbitrary<Fields> =>
  fc.record(model, { noNullPrototype: true })

/** Values that `type` encodes, in the form in which it decodes them. */
function valuesOf(type: AnyType): Arbitrary {
  let known = built.get(type)
  if (!known) {
    known = build(type)
    built.set(type, known)
  }
  return known
}

function build(type: AnyType): Arbitrary {
  const { shape } = type
  switch (shape.kind) {
    case 'integer':
      return integers(shape)
    case 'flag':
      return fc.constant(true)
    case 'string':
      return strings(shape.max ?? MOST_BYTES)
    case 'binary':
      return binaries(
        type,
        shape.min ?? 0,
        Math.max(shape.min ?? 0, Math.min(shape.max ?? MOST_BYTES, MOST_BYTES)),
      )
    case 'address':
      return addresses(type)
    case 'bitfield32':
      return bitfields(shape.mask)
    case 'struct':
      return record(Object.fromEntries(shape.fields.map((f) => [f.name, valuesOf(f.type)])))
    case 'nest':
      return attributes(type, {})
    case 'array':
    case 'list':
      return fc.array(valuesOf(shape.of), { maxLength: MOST_ITEMS })
    case 'multi':
      return fc.array(valuesOf(shape.of), { minLength: 1, maxLength: MOST_ITEMS })
    case 'keyed':
      return fc.array(
        record({ key: fc.integer({ min: 0, max: 0x3fff }), value: valuesOf(shape.of) }),
        {
          maxLength: MOST_ITEMS,
        },
      )
    case 'followed':
      return fc
        .tuple(valuesOf(shape.head), valuesOf(shape.rest))
        .map(([head, rest]) => ({ ...(head as Fields), [shape.name]: rest }))
    case 'message':
      return messageValues(shape.of)
    case 'records':
      return fc.array(messageValues(shape.of), { minLength: 1, maxLength: MOST_ITEMS })
    default:
      throw new Error(`${shape.kind} depends on what is beside it`)
  }
}

function integers(shape: Extract<Shape, { kind: 'integer' }>): Arbitrary {
  const bits = shape.bytes === 'variable' ? 64 : shape.bytes * 8
  const natural = 2n ** BigInt(bits)
  const min = shape.min ?? (shape.signed ? -natural / 2n : 0n)
  const max = shape.max ?? (shape.signed ? natural / 2n - 1n : natural - 1n)
  if (bits === 64) return fc.bigInt({ min, max })
  const numbers = fc
    .integer({ min: Number(min), max: Number(max) })
    .map((value) => (shape.mask === undefined ? value : (value & Number(shape.mask)) >>> 0))
  if (shape.namesAre !== 'values') return numbers
  const names = shape.names ?? {}
  const known = new Set(Object.values(names))
  return fc.oneof(
    fc.constantFrom(...Object.keys(names)),
    numbers.filter((value) => !known.has(value)),
  )
}

const utf8 = new TextEncoder()
function strings(max: number): Arbitrary {
  return fc
    .string({ unit: 'grapheme', maxLength: Math.min(max, MOST_BYTES) })
    .filter((text) => !text.includes('\0') && utf8.encode(text).length <= max)
}

/** Bytes as the type reads them: those that are not plain bytes come out as what they mean. */
function binaries(type: AnyType, minLength: number, maxLength: number): Arbitrary {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => read(type, bytes))
}

function read(type: AnyType, bytes: Uint8Array): unknown {
  return type.get(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
}

/** Lengths at which an address of a family is well formed. */
const LENGTHS = { ip: [4, 16], ipv4: [4], ipv6: [16], ether: [6], mac: [6, 0, 20], mpls: [4, 8] }
function addresses(type: AnyType): Arbitrary {
  const family = (type.shape as Extract<Shape, { kind: 'address' }>).family
  const lengths = family === 'any' ? [4, 16, 0, 1, 8, 20] : LENGTHS[family]
  return fc
    .constantFrom(...lengths)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
    .map((bytes) => read(type, bytes))
}

function bitfields(mask: number): Arbitrary {
  const numbers = fc.integer({ min: 0, max: 0xffffffff })
  return fc.tuple(numbers, numbers).map(([one, other]) => {
    const selector = (one & mask) >>> 0
    return { value: (other & selector) >>> 0, selector }
  })
}

interface Selection {
  readonly names: ReadonlySet<string>
  readonly required: readonly string[]
}

const selectionOf = (type: AnyType): Selection =>
  (type as AnyType & { selection: Selection }).selection

/** Some attributes of a set, in any order; what decides another's form comes before it or after. */
function attributes(type: AnyType, header: Fields): Arbitrary {
  const { table } = (type as AnyType & { shape: Extract<Shape, { kind: 'nest' }> }).shape
  const { names, required } = selectionOf(type)
  const types = new Map(table.entries.map((entry) => [entry.name, entry.type]))
  const optional = [...names].filter((name) => !required.includes(name))
  return fc
    .shuffledSubarray(optional, { maxLength: Math.min(MOST_ATTRIBUTES, optional.length) })
    .chain((chosen) => {
      const keys = [...required, ...chosen]
      const plain = keys.filter((name) => types.get(name)?.shape.kind !== 'selected')
      return fc
        .tuple(...plain.map((name) => valuesOf(types.get(name) as AnyType)))
        .map((values) => Object.fromEntries(plain.map((name, i) => [name, values[i]])) as Fields)
        .chain((value) => withSelected(keys, types, value, header))
    })
}

/** Adds the attributes whose form a sibling or the header decides; keeps the order of `keys`. */
function withSelected(
  keys: readonly string[],
  types: ReadonlyMap<string, AnyType>,
  value: Fields,
  header: Fields,
): Arbitrary {
  let all: fc.Arbitrary<Fields> = fc.constant(value)
  for (const name of keys) {
    const { shape } = types.get(name) as AnyType
    if (shape.kind !== 'selected') continue
    const { selector, variants, otherwise } = shape
    all = all.chain((sofar) => {
      const said = (sofar[selector] ?? header[selector]) as string | undefined
      if (said !== undefined || selector in header) {
        const form =
          said !== undefined && Object.hasOwn(variants, said) ? variants[said] : otherwise
        return form
          ? valuesOf(form).map((inner) => ({ ...sofar, [name]: inner }))
          : fc.constant(sofar)
      }
      const forms = Object.keys(variants)
      return fc.constantFrom(...forms).chain((form) =>
        valuesOf(variants[form] as AnyType).map((inner) => ({
          ...sofar,
          [selector]: form,
          [name]: inner,
        })),
      )
    })
  }
  return all.map((whole) => {
    const order = [...keys, ...Object.keys(whole).filter((key) => !keys.includes(key))]
    return Object.fromEntries(order.filter((key) => key in whole).map((key) => [key, whole[key]]))
  })
}

/** Values of a whole message: its header's fields, then attributes. */
export function messageValues(message: AnyMessage): fc.Arbitrary<Fields> {
  const { header, attrs } = message
  const headers = header ? (valuesOf(header) as fc.Arbitrary<Fields>) : fc.constant<Fields>({})
  if (!attrs) return headers
  return forms(message, headers).chain((fields) =>
    (attributes(attrs, fields) as fc.Arbitrary<Fields>).map((value) => ({ ...fields, ...value })),
  )
}

/** Headers whose fields often have the values on which the form of an attribute depends. */
function forms(message: AnyMessage, headers: fc.Arbitrary<Fields>): fc.Arbitrary<Fields> {
  let all = headers
  for (const { type } of message.attrs?.shape.table.entries ?? []) {
    if (type.shape.kind !== 'selected') continue
    const { selector, variants } = type.shape
    if (!message.header?.shape.fields.some((field) => field.name === selector)) continue
    const values = Object.keys(variants).map(Number)
    all = fc.oneof(
      all,
      fc
        .tuple(all, fc.constantFrom(0, ...values))
        .map(([fields, value]) => ({ ...fields, [selector]: value })),
    )
  }
  return all
}
