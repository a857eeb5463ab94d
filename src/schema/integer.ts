/** Integers of the description language: sizes, byte orders, ranges, names for values and bits. */
import { EncodeError } from '../errors.ts'
import { HOST_LE } from '../wire/order.ts'
import type { Writer } from '../wire/writer.ts'
import { type Scope, type Shape, short, show, type Type } from './type.ts'

type IntegerShape = Extract<Shape, { kind: 'integer' }>

/** An integer of up to 32 bits: a `number`. Limits are checked before sending and become policy. */
export interface IntegerType extends Type<number> {
  readonly shape: IntegerShape
  readonly size: 1 | 2 | 4
  min(value: number): IntegerType
  max(value: number): IntegerType
  range(min: number, max: number): IntegerType
  /** Bits that may be set (NLA_POLICY_MASK). */
  mask(bits: number): IntegerType
}

/** An integer of 64 bits, or of either size: a `bigint`; encoders take numbers too. */
export interface BigIntegerType extends Type<bigint, bigint | number> {
  readonly shape: IntegerShape
  min(value: bigint): BigIntegerType
  max(value: bigint): BigIntegerType
  /** Bits that may be set (NLA_POLICY_MASK). */
  mask(bits: bigint): BigIntegerType
}

/** @throws EncodeError unless `value` is an integer from `min` to `max`. */
export function checkInteger(value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new EncodeError(`an integer expected, got ${show(value)}`)
  }
  if (value < min || value > max) throw new EncodeError(`${value} is not within ${min}..${max}`)
  return value
}

function checkMask(value: number, mask: number): number {
  if ((value & ~mask) !== 0)
    throw new EncodeError(`bits 0x${((value & ~mask) >>> 0).toString(16)} are reserved`)
  return value
}

/** Reads and writes of each size, as methods of DataView and Writer. */
const access = {
  1: { get: 'getUint8', getSigned: 'getInt8', put: 'u8' },
  2: { get: 'getUint16', getSigned: 'getInt16', put: 'u16' },
  4: { get: 'getUint32', getSigned: 'getInt32', put: 'u32' },
} as const

/** `read`, behind a check that the payload has `size` bytes. */
function emitChecked(scope: Scope, read: string, at: string, end: string, size: number): string {
  return `(${end} - ${at} < ${size} ? ${scope.ref(short)}(${at}, ${end}, ${size}) : ${read})`
}

/**
 * Code for a whole attribute in host order. On little-endian machines the short ones are the first
 * bytes of a padded u32 with another nla_len.
 */
function emitHostAttr(
  size: 1 | 2 | 4,
  emitCheck: (scope: Scope, value: string) => string,
): NonNullable<Type<number>['emitAttr']> {
  return (scope, value, nlaType) => {
    const checked = emitCheck(scope, value)
    if (size === 4) return `w.attrU32(${nlaType}, ${checked});`
    if (!HOST_LE)
      return `m = w.attrStart(${nlaType}); w.${access[size].put}(${checked}); w.attrEnd(m);`
    return `w.attrU32(${nlaType}, ${checked} & ${2 ** (8 * size) - 1}); w.view.setUint16(w.length - 8, ${4 + size}, true);`
  }
}

/** Which byte comes first: as this machine has it, or as the network or a device does anywhere. */
type ByteOrder = 'host' | 'big' | 'little'

const isLittle = (order: ByteOrder): boolean => (order === 'host' ? HOST_LE : order === 'little')

/** What a shape says of its order. */
function orderShape(order: ByteOrder): Pick<IntegerShape, 'bigEndian' | 'littleEndian'> {
  return { bigEndian: order === 'big', ...(order === 'little' ? { littleEndian: true } : {}) }
}

function integer(
  size: 1 | 2 | 4,
  signed: boolean,
  byteOrder: ByteOrder,
  limits: Partial<IntegerShape> = {},
): IntegerType {
  const le = isLittle(byteOrder)
  const getter = signed ? access[size].getSigned : access[size].get
  const putter = access[size].put
  const natural = 2 ** (8 * size)
  const lowest = signed ? -natural / 2 : 0
  const highest = signed ? natural / 2 - 1 : natural - 1
  const min = Math.max(lowest, Number(limits.min ?? lowest))
  const max = Math.min(highest, Number(limits.max ?? highest))
  const mask = limits.mask === undefined ? undefined : Number(limits.mask)
  const setter = getter.replace('get', 'set')
  const order = size === 1 ? '' : `, ${le}`
  const spare = 32 - 8 * size
  const truncate = signed ? `<< ${spare} >> ${spare}` : `<< ${spare} >>> ${spare}`
  const isNatural = min === lowest && max === highest
  const emitCheck = (scope: Scope, value: string): string => {
    const call = `${scope.ref(checkInteger)}(${value}, ${min}, ${max})`
    const isCheap = isNatural && /^\w+$/.test(value)
    const checked = isCheap ? `((${value} ${truncate}) === ${value} ? ${value} : ${call})` : call
    return mask === undefined ? checked : `${scope.ref(checkMask)}(${checked}, ${mask})`
  }
  const again = (more: Partial<IntegerShape>): IntegerType =>
    integer(size, signed, byteOrder, { ...limits, ...more })
  return {
    shape: { kind: 'integer', bytes: size, signed, ...limits, ...orderShape(byteOrder) },
    size,
    flags: 0,
    get(view, at, end) {
      if (end - at < size) short(at, end, size)
      return size === 1 ? view[getter](at) : view[getter](at, le)
    },
    put(w, value) {
      const checked = checkInteger(value, min, max)
      w[putter](mask === undefined ? checked : checkMask(checked, mask), le)
    },
    emitGet(scope, at, end) {
      const read = `view.${getter}(${at}${order})`
      return end === undefined ? read : emitChecked(scope, read, at, end, size)
    },
    emitPut: (scope, value) => `w.${putter}(${emitCheck(scope, value)}${order});`,
    emitSet: (scope, value, at) => `v.${setter}(${at}, ${emitCheck(scope, value)}${order});`,
    ...(byteOrder === 'host' ? { emitAttr: emitHostAttr(size, emitCheck) } : {}),
    min: (value) => again({ min: BigInt(value) }),
    max: (value) => again({ max: BigInt(value) }),
    range: (low, high) => again({ min: BigInt(low), max: BigInt(high) }),
    mask: (bits) => again({ mask: BigInt(bits >>> 0) }),
  }
}

/** Host order, natural size: `__u8` to `__s32`. */
export const u8: IntegerType = integer(1, false, 'host')
export const u16: IntegerType = integer(2, false, 'host')
export const u32: IntegerType = integer(4, false, 'host')
export const s8: IntegerType = integer(1, true, 'host')
export const s16: IntegerType = integer(2, true, 'host')
export const s32: IntegerType = integer(4, true, 'host')
/** Network order: `__be16`, `__be32`. */
export const be16: IntegerType = integer(2, false, 'big')
export const be32: IntegerType = integer(4, false, 'big')

/** @throws EncodeError unless `value` is an integer from `min` to `max`, of bits in `mask`. */
function checkBigInteger(value: unknown, min: bigint, max: bigint, mask?: bigint): bigint {
  const big =
    typeof value === 'bigint'
      ? value
      : typeof value === 'number' && Number.isSafeInteger(value)
        ? BigInt(value)
        : undefined
  if (big === undefined)
    throw new EncodeError(`a bigint or safe integer expected, got ${show(value)}`)
  if (big < min || big > max) throw new EncodeError(`${big} is not within ${min}..${max}`)
  if (mask !== undefined && (big & ~mask) !== 0n)
    throw new EncodeError(`bits 0x${(big & ~mask).toString(16)} are reserved`)
  return big
}

interface BigAccess {
  readonly size: number | undefined
  get(view: DataView, at: number, end: number): bigint
  put(w: Writer, value: bigint): void
  /** Code for it, given code that checks a value. */
  emit?(check: (scope: Scope, value: string) => string): Emitters
}
type Emitters = Pick<Type<bigint>, 'emitGet' | 'emitPut' | 'emitSet'>

function bigInteger(
  bytes: 8 | 'variable',
  signed: boolean,
  byteOrder: ByteOrder,
  form: BigAccess,
  limits: Partial<IntegerShape> = {},
): BigIntegerType {
  const min = limits.min ?? (signed ? -(2n ** 63n) : 0n)
  const max = limits.max ?? (signed ? 2n ** 63n - 1n : 2n ** 64n - 1n)
  const again = (more: Partial<IntegerShape>): BigIntegerType =>
    bigInteger(bytes, signed, byteOrder, form, { ...limits, ...more })
  return {
    shape: { kind: 'integer', bytes, signed, ...limits, ...orderShape(byteOrder) },
    size: form.size,
    flags: 0,
    get: form.get,
    put: (w, value) => form.put(w, checkBigInteger(value, min, max, limits.mask)),
    ...form.emit?.((scope, value) => {
      const check = scope.ref((given: unknown) => checkBigInteger(given, min, max, limits.mask))
      return `${check}(${value})`
    }),
    min: (value) => again({ min: value }),
    max: (value) => again({ max: value }),
    mask: (bits) => again({ mask: bits }),
  }
}

function fixed64(signed: boolean, le: boolean): BigAccess {
  return {
    size: 8,
    get(view, at, end) {
      if (end - at < 8) short(at, end, 8)
      return signed ? view.getBigInt64(at, le) : view.getBigUint64(at, le)
    },
    put: (w, value) => w.u64(BigInt.asUintN(64, value), le),
    emit(check) {
      const kind = signed ? 'BigInt64' : 'BigUint64'
      return {
        emitGet(scope, at, end) {
          const read = `view.get${kind}(${at}, ${le})`
          return end === undefined ? read : emitChecked(scope, read, at, end, 8)
        },
        emitPut: (scope, value) => `w.u64(${check(scope, value)}, ${le});`,
        emitSet: (scope, value, at) => `v.set${kind}(${at}, ${check(scope, value)}, ${le});`,
      }
    },
  }
}

/** nla_put_uint(), nla_put_sint(): 4 bytes when the value fits, else 8. */
function variable(signed: boolean): BigAccess {
  return {
    size: undefined,
    get(view, at, end) {
      const size = end - at
      if (size === 4)
        return BigInt(signed ? view.getInt32(at, HOST_LE) : view.getUint32(at, HOST_LE))
      if (size !== 8) short(at, end, 8)
      return signed ? view.getBigInt64(at, HOST_LE) : view.getBigUint64(at, HOST_LE)
    },
    put(w, value) {
      const small = signed ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value)
      if (small === value) w.u32(Number(BigInt.asUintN(32, value)))
      else w.u64(BigInt.asUintN(64, value))
    },
  }
}

export const u64: BigIntegerType = bigInteger(8, false, 'host', fixed64(false, HOST_LE))
export const s64: BigIntegerType = bigInteger(8, true, 'host', fixed64(true, HOST_LE))
export const be64: BigIntegerType = bigInteger(8, false, 'big', fixed64(false, false))
/** NLA_UINT and NLA_SINT: 4 or 8 bytes. */
export const uint: BigIntegerType = bigInteger('variable', false, 'host', variable(false))
export const sint: BigIntegerType = bigInteger('variable', true, 'host', variable(true))

/** An integer of `base`'s size, sign and limits, in an order of its own. */
function ordered(base: IntegerType | BigIntegerType, order: ByteOrder): AnyInteger {
  const { bytes, signed, bigEndian: _, littleEndian: __, kind: ___, ...limits } = base.shape
  if (bytes === 'variable') throw new TypeError('uint and sint are in host order')
  return bytes === 8
    ? bigInteger(8, signed, order, fixed64(signed, isLittle(order)), limits)
    : integer(bytes, signed, order, limits)
}

type AnyInteger = IntegerType | BigIntegerType

/**
 * In network order, which `be16`, `be32` and `be64` are already: for signed integers.
 * @throws TypeError for `uint` and `sint`.
 */
export function bigEndian<T extends AnyInteger>(base: T): T {
  return ordered(base, 'big') as T
}

/**
 * The least byte first on any machine, as `__le16` and kin.
 * @throws TypeError for `uint` and `sint`.
 */
export function littleEndian<T extends AnyInteger>(base: T): T {
  return ordered(base, 'little') as T
}

/** Names for values: decodes to the name, or to the number when it has none; encodes either. */
export function enumeration<const N extends Readonly<Record<string, number>>>(
  base: IntegerType,
  names: N,
): Type<(keyof N & string) | number> & { readonly size: 1 | 2 | 4 } {
  type Name = keyof N & string
  const byValue = new Map<number, Name>()
  for (const name of Object.keys(names)) {
    const value = names[name] as number
    if (!byValue.has(value)) byValue.set(value, name)
  }
  const few = [...byValue.keys()].every((value) => value >= 0 && value < 256)
  const table: (Name | undefined)[] = few
    ? Array.from({ length: 256 }, (_, value) => byValue.get(value))
    : []
  const toName = few
    ? (value: number): Name | number => (value < 256 ? table[value] : undefined) ?? value
    : (value: number): Name | number => byValue.get(value) ?? value
  const toNumber = (value: Name | number): number => {
    if (typeof value === 'number') return value
    const number = Object.hasOwn(names, value) ? names[value] : undefined
    if (number === undefined) {
      throw new EncodeError(`${show(value)} is not one of ${Object.keys(names).join(', ')}`)
    }
    return number
  }
  return {
    shape: { ...base.shape, names, namesAre: 'values' },
    size: base.size,
    flags: 0,
    get: (view, at, end) => toName(base.get(view, at, end)),
    put: (w, value) => base.put(w, toNumber(value)),
    emitGet: (scope, at, end) => `${scope.ref(toName)}(${base.emitGet!(scope, at, end)})`,
    emitPut: (scope, value) => base.emitPut!(scope, `${scope.ref(toNumber)}(${value})`),
    emitSet: (scope, value, at) => base.emitSet!(scope, `${scope.ref(toNumber)}(${value})`, at),
    ...(base.emitAttr
      ? {
          emitAttr: (scope: Scope, value: string, nlaType: number) =>
            base.emitAttr!(scope, `${scope.ref(toNumber)}(${value})`, nlaType),
        }
      : {}),
  }
}

type Names = Readonly<Record<string, number>>

/** The names that begin with `prefix`, without it, by their values. */
function withPrefix(names: Names, prefix: string): Names {
  const entries = Object.entries(names)
    .filter(([name]) => name.startsWith(prefix))
    .sort(([, a], [, b]) => (a >>> 0) - (b >>> 0))
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
}

/**
 * Names for bits, by the constants' own spelling: the value stays a number. With a prefix, `names`
 * may hold more, such as all of a file's constants.
 */
export function bits<T extends IntegerType | BigIntegerType>(
  base: T,
  names: Names,
  prefix = '',
): T {
  return { ...base, shape: { ...base.shape, names: withPrefix(names, prefix), namesAre: 'bits' } }
}

/** Names for values that stay numbers, to be compared with the constants; as for `bits`. */
export function named<T extends IntegerType | BigIntegerType>(
  base: T,
  names: Names,
  prefix = '',
): T {
  const shape = { ...base.shape, names: withPrefix(names, prefix), namesAre: 'constants' } as const
  return { ...base, shape }
}

/** A value and which of its bits are meant (struct nla_bitfield32). */
export interface Bitfield32 {
  value: number
  selector: number
}

/** NLA_BITFIELD32; `valid` are the bits that may be selected, `names` what some are called. */
export function bitfield32(valid = 0xffffffff, names?: Names): Type<Bitfield32> {
  return {
    shape: { kind: 'bitfield32', mask: valid >>> 0, ...(names ? { names } : {}) },
    size: 8,
    flags: 0,
    get(view, at, end) {
      if (end - at < 8) short(at, end, 8)
      return { value: view.getUint32(at, HOST_LE), selector: view.getUint32(at + 4, HOST_LE) }
    },
    put(w, field) {
      if (typeof field !== 'object' || field === null) {
        throw new EncodeError(`{ value, selector } expected, got ${show(field)}`)
      }
      const value = checkInteger(field.value, 0, 0xffffffff)
      const selector = checkInteger(field.selector, 0, 0xffffffff)
      checkMask(selector, valid)
      if ((value & ~selector) !== 0) throw new EncodeError('value has bits that are not selected')
      w.u32(value)
      w.u32(selector)
    },
  }
}
