/**
 * Values that are read in part: integers at once; strings, addresses, 64-bit integers, nests and
 * structs at their first reading, from a copy of the datagram.
 *
 * Instances of a class made for the message. A program that looks at a few members of many items,
 * as readers of large tables do, pays for what it looks at.
 */
import { DecodeError } from '../errors.ts'
import { NLA_HDRLEN } from '../wire/constants.ts'
import { viewOf } from '../wire/message.ts'
import { HOST_LE } from '../wire/order.ts'
import { formatIpv4Bits } from './address.ts'
import { canCompile, type Fields } from './codec.ts'
import { emitCase, emitRead, emitReader, emitSelected, References } from './compile.ts'
import { copyBytes } from './payload.ts'
import { emitScan, type Scan } from './scan.ts'
import type { StructType } from './struct.ts'
import type { AttrEntry, AttrSelection } from './table.ts'
import type { AnyType, Scope, Shape } from './type.ts'

/** What was read in part. */
export type Deferred<Out> = Out & {
  /** The whole, as a plain object of its own. */
  toJSON(): Out
}

/**
 * Appends to `items` the messages that `scan` expects in the first `size` bytes of `view`, each read
 * in part.
 * @throws DecodeError
 */
export type DeferredReader = (view: DataView, size: number, scan: Scan, items: unknown[]) => void

/** A copy of the datagram that is being read, at the same offsets; made when first asked for. */
class Keeper {
  #view: DataView | undefined
  #size = 0
  #copy: DataView | undefined

  begin(view: DataView, size: number): void {
    this.#view = view
    this.#size = size
    this.#copy = undefined
  }
  copy(): DataView {
    const view = this.#view as DataView
    this.#copy ??= viewOf(copyBytes(view, 0, this.#size))
    return this.#copy
  }
}

/** Kinds that cost little or nothing: they are read at once. */
const AT_ONCE: ReadonlySet<Shape['kind']> = new Set(['flag', 'multi'])

function isDeferred({ shape }: AnyType): boolean {
  if (shape.kind === 'integer') return shape.bytes === 8 || shape.bytes === 'variable'
  if (shape.kind === 'selected') return shape.otherwise !== undefined
  return !AT_ONCE.has(shape.kind)
}

/** The type of an attribute where nothing chooses another. */
const plainType = (type: AnyType): AnyType =>
  type.shape.kind === 'selected' ? (type.shape.otherwise ?? type) : type

/** Whether four bytes of it are an IPv4 address, which is kept as a number. */
function mayBeIpv4(type: AnyType): boolean {
  const { shape } = plainType(type)
  return shape.kind === 'address' && ['any', 'ip', 'ipv4'].includes(shape.family)
}

/** An expression: whether another form than the usual one is chosen. */
function emitIsChosen({ shape }: AnyType, owner: string): string {
  if (shape.kind !== 'selected') return 'false'
  const is = (value: string) => `${owner}.${shape.selector} == ${JSON.stringify(value)}`
  return Object.keys(shape.variants).map(is).join(' || ') || 'false'
}

/** Where the parts of one class's instances are kept. */
class Slots {
  /** The copy that the offsets are in. */
  readonly view: symbol = Symbol('view')
  readonly #offsets = new Map<string, symbol>()
  readonly #bits = new Map<string, symbol>()

  /** An attribute's offset; when it was read, its value. */
  offset(name: string): symbol {
    return slot(this.#offsets, name)
  }
  /** An IPv4 address as 32 bits. */
  bits(name: string): symbol {
    return slot(this.#bits, name)
  }
}

function slot(slots: Map<string, symbol>, name: string): symbol {
  let symbol = slots.get(name)
  if (symbol === undefined) {
    symbol = Symbol(name)
    slots.set(name, symbol)
  }
  return symbol
}

/** A statement that keeps what the getter of `entry` will read. */
function emitKeep(scope: Scope, slots: Slots, { name, type }: AttrEntry): string {
  const keep = `{ out[${scope.ref(slots.view)}] = keeper.copy(); out[${scope.ref(slots.offset(name))}] = p; }`
  if (!mayBeIpv4(type)) return keep
  const isBits = `e - p === 4 && !(${emitIsChosen(type, 'out')})`
  const offset = `out[${scope.ref(slots.offset(name))}]`
  const keepBits = `{ out[${scope.ref(slots.bits(name))}] = view.getInt32(p); if (${offset} !== undefined) ${offset} = undefined; }`
  return `if (${isBits}) ${keepBits} else ${keep}`
}

/** The getter and the setter of an attribute that is read later. */
function makeAccessor(slots: Slots, { name, type }: AttrEntry): PropertyDescriptor {
  const scope = new References()
  const offset = `this[${scope.ref(slots.offset(name))}]`
  const selector = type.shape.kind === 'selected' ? `this.${type.shape.selector}` : ''
  const read = emitSelected(scope, type, selector) ?? emitRead(scope, type)
  const bits = `this[${scope.ref(slots.bits(name))}]`
  const ipv4 = mayBeIpv4(type)
    ? `if (${bits} !== undefined) return ${offset} = ${scope.ref(formatIpv4Bits)}(${bits});`
    : ''
  const body = `
    const p = ${offset};
    if (typeof p !== 'number') {
      if (p !== undefined) return p;
      ${ipv4}
      return undefined;
    }
    const view = this[${scope.ref(slots.view)}], e = p - ${NLA_HDRLEN} + view.getUint16(p - ${NLA_HDRLEN}, ${HOST_LE});
    try { return ${offset} = ${read}; } catch (error) { throw ${scope.ref(placed)}(error, '${name}'); }`
  return {
    get: scope.build('', body) as () => unknown,
    set: scope.build('value', `${offset} = value; ${bits} = undefined;`) as () => void,
    enumerable: true,
    configurable: true,
  }
}

/** A DecodeError with the attribute in which it happened. */
function placed(error: unknown, name: string): unknown {
  if (!(error instanceof DecodeError) || error.path !== undefined) return error
  return new DecodeError(error.reason, error.offset, name)
}

/** All members that are there, own and read later. */
function toPlain(this: Fields): Fields {
  const plain: Fields = {}
  for (const name in this) if (this[name] !== undefined) plain[name] = this[name]
  return plain
}

/** Members that an instance has room for beside those of the header; more are kept elsewhere. */
const ROOM = 7
/** Objects after which the engine settles how much room the objects of a constructor get. */
const SETTLED = 8

/** The class of a message's instances. */
function makeClass(names: number, slots: Slots, deferred: readonly AttrEntry[]) {
  const room = Array.from({ length: names + ROOM }, (_, i) => `m${i}`)
  const assignments = room.map((name) => `this.${name} = 0;`).join('')
  const made = new Function(`if (false) {${assignments}}`) as unknown as new () => Fields
  for (let i = 0; i < SETTLED; i++) {
    const filled = new made()
    for (const name of room) filled[name] = i
  }
  const hidden = { enumerable: false, configurable: true, writable: true, value: toPlain }
  Object.defineProperty(made.prototype, 'toJSON', hidden)
  Object.defineProperty(made.prototype, Symbol.for('nodejs.util.inspect.custom'), hidden)
  Object.defineProperty(made.prototype, 'constructor', { ...hidden, value: Object })
  for (const entry of deferred)
    Object.defineProperty(made.prototype, entry.name, makeAccessor(slots, entry))
  return made
}

/** A reader of instances; undefined where no code may be generated. */
export function makeDeferred(
  selection: AttrSelection,
  header: StructType<any> | undefined,
): DeferredReader | undefined {
  if (!canCompile()) return undefined
  const slots = new Slots()
  const entries = selection.table.entries.filter(({ name }) => selection.names.has(name))
  const deferred = entries.filter(({ type }) => isDeferred(type))
  const scope = new References()
  const body = emitReader(scope, selection, {
    room: scope.ref(makeClass(header?.shape.fields.length ?? 0, slots, deferred)),
    header,
    emitCase: (inner, entry) =>
      isDeferred(entry.type) ? emitKeep(inner, slots, entry) : emitCase(inner, entry),
  })
  const read = scope.define('view, at, end, keeper', body)
  const keeper = scope.ref(new Keeper())
  return scope.build(
    'view, size, scan, items',
    `${keeper}.begin(view, size);
     ${emitScan(`items.push(${read}(view, from, to, ${keeper}));`)}`,
  ) as DeferredReader
}
