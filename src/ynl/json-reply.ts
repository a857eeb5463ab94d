/**
 * What a kernel answered as JSON in a spec's own words: names as the spec has them, enums and flags
 * by name, addresses and UUIDs as text, bytes in hexadecimal.
 */
import type { AnyMessage, AnyType, Shape, UnknownAttr } from '../schema/index.ts'
import type { Spelling } from './evaluate.ts'
import type { Spelled, Spellings } from './expression.ts'
import { flagWords } from './flag-words.ts'

type Fields = Readonly<Record<string, unknown>>

const hex = (bytes: Uint8Array, between = ''): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(between)

/** Items of a dump are read in part, until the whole is asked for. */
function plain(value: unknown): Fields {
  const { toJSON } = value as { toJSON?: () => Fields }
  return typeof toJSON === 'function' ? toJSON.call(value) : (value as Fields)
}

function uuid(bytes: Uint8Array): string {
  const digits = hex(bytes)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function bytesText(bytes: Uint8Array, hint: string | undefined): string {
  if (hint === 'uuid') return uuid(bytes)
  return hex(bytes, hint === 'hex' ? ' ' : '')
}

/** One spec's way of showing values. */
export class JsonReply {
  readonly #spelling: Spelling
  constructor(spelling: Spelling) {
    this.#spelling = spelling
  }

  /** A decoded message. */
  message({ header, attrs }: AnyMessage, value: unknown): Fields {
    const shapes = [attrs?.shape, header?.shape].filter((shape) => shape !== undefined)
    return this.#fields(shapes, plain(value))
  }

  /** The values of one object, whose names come from `shapes`. */
  #fields(shapes: readonly Shape[], value: Fields): Fields {
    const out: Record<string, unknown> = {}
    for (const [key, each] of Object.entries(value)) {
      if (each === undefined) continue
      if (key === 'unknown') Object.assign(out, unknownOf(each as readonly UnknownAttr[]))
      else if (key === 'tail' && each instanceof Uint8Array) out.tail = hex(each)
      else {
        const [type, spelled] = this.#find(shapes, key)
        const form = type && formOf(type, value)
        out[spelled?.name ?? key] = form ? this.#value(form, each, spelled) : each
      }
    }
    return out
  }

  #find(shapes: readonly Shape[], key: string): [AnyType | undefined, Spelled | undefined] {
    for (const shape of shapes) {
      const spells: Spellings | undefined = this.#spelling.of(shape)
      const type =
        shape.kind === 'nest'
          ? shape.table.byName.get(key)?.type
          : shape.kind === 'struct'
            ? shape.fields.find(({ name }) => name === key)?.type
            : undefined
      if (type) return [type, spells?.get(key)]
    }
    return [undefined, undefined]
  }

  #value(type: AnyType, value: unknown, spelled: Spelled | undefined): unknown {
    const { shape } = type
    switch (shape.kind) {
      case 'integer':
        return integerText(value as number | bigint | string, spelled)
      case 'binary':
        return bytesText(value as Uint8Array, spelled?.hint)
      case 'bitfield32': {
        const { value: on, selector } = value as { value: number; selector: number }
        return { value: integerText(on, spelled), selector: integerText(selector, spelled) }
      }
      case 'nest':
      case 'struct':
        return this.#fields([shape], value as Fields)
      case 'message':
        return this.message(shape.of, value)
      case 'array':
      case 'list':
      case 'multi':
        return (value as readonly unknown[]).flatMap((each) =>
          shape.kind === 'multi' && shape.of.shape.kind === 'keyed'
            ? (this.#value(shape.of, each, spelled) as readonly unknown[])
            : [this.#value(shape.of, each, spelled)],
        )
      case 'keyed':
        return this.#keyed(type, value, spelled, 0)
      default:
        return value
    }
  }

  /** A nest whose attributes' numbers mean something: flat objects, with the numbers by name. */
  #keyed(type: AnyType, value: unknown, spelled: Spelled | undefined, depth: number): unknown[] {
    const { shape } = type
    if (shape.kind !== 'keyed') {
      const inner = this.#value(type, value, spelled)
      return [typeof inner === 'object' && inner !== null ? inner : { value: inner }]
    }
    const called = spelled?.typeValue?.[depth] ?? 'key'
    return (value as readonly { key: number; value: unknown }[]).flatMap(({ key, value: inner }) =>
      this.#keyed(shape.of, inner, spelled, depth + 1).map((each) => ({
        [called]: key,
        ...(each as Fields),
      })),
    )
  }
}

/** The type of an attribute whose form a sibling decides. */
export function formOf(type: AnyType, owner: Fields): AnyType | undefined {
  const { shape } = type
  if (shape.kind !== 'selected') return type
  const chosen = String(owner[shape.selector])
  return Object.hasOwn(shape.variants, chosen) ? shape.variants[chosen] : shape.otherwise
}

/** Attributes that the spec does not have, as Linux's own tool calls them. */
function unknownOf(unknown: readonly UnknownAttr[]): Fields {
  return Object.fromEntries(
    unknown.map(({ type, data }) => [`UnknownAttr(${type & 0x3fff})`, hex(data)]),
  )
}

function integerText(value: number | bigint | string, spelled: Spelled | undefined): unknown {
  if (typeof value === 'string' || !spelled) return value
  const { enum: names, isFlags, hint } = spelled
  if (names && isFlags) return flagWords(names, value)
  if (names)
    return names.entries.find((entry) => BigInt(entry.value) === BigInt(value))?.name ?? value
  return hint === 'hex' ? `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}` : value
}
