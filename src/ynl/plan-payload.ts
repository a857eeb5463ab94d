/** Payloads that are no nests: integers, strings, bytes and addresses, as calls of the schema. */
import { call, type Expression, literal, method, name, type Spelled } from './expression.ts'
import { lengthOf, limitOf } from './limits.ts'
import type { Attribute, AttributeType, Checks, Payload } from './model.ts'
import type { Plan } from './plan.ts'

const BITS: Readonly<Record<string, number>> = { '8': 8, '16': 16, '32': 32, '64': 64 }

/** Bits and sign of an integer; 0 bits for `uint` and `sint`. */
export function integerOf(type: AttributeType): { bits: number; isSigned: boolean } | undefined {
  if (type === 'uint' || type === 'sint') return { bits: 0, isSigned: type === 'sint' }
  const [, sign, size] = /^([us])(8|16|32|64)$/.exec(type) ?? []
  return size === undefined ? undefined : { bits: BITS[size] as number, isSigned: sign === 's' }
}

/** Whether a payload's numbers are bits. */
function isFlags(plan: Plan, payload: Payload): boolean {
  return payload.enumAsFlags || plan.enumOf(payload.enum)?.kind === 'flags'
}

/** How the spec spells a payload. */
export function spelledOf(plan: Plan, payload: Payload): Spelled {
  return {
    name: payload.name,
    enum: plan.enumOf(payload.enum),
    isFlags: isFlags(plan, payload),
    hint: payload.hint,
    typeValue: (payload as Attribute).typeValue,
  }
}

/** `u16.range(1, 9)`: limits that say something. */
function limited(
  plan: Plan,
  base: Expression,
  bits: number,
  checks: Checks | undefined,
): Expression {
  const isBig = bits === 0 || bits === 64
  const number = (key: 'min' | 'max'): Expression | undefined => {
    const ref = checks?.[key]
    const value = ref && limitOf(plan.spec, ref)
    if (ref === undefined || value === undefined) return undefined
    return isBig ? literal(value) : plan.number(ref, value)
  }
  const min = number('min')
  const max = number('max')
  if (min && max && !isBig) return method(base, 'range', min, max)
  const low = min ? method(base, 'min', min) : base
  const high = max ? method(low, 'max', max) : low
  const mask = isBig ? undefined : maskOf(plan, checks)
  return mask === undefined ? high : method(high, 'mask', literal(mask))
}

function maskOf(plan: Plan, checks: Checks | undefined): number | undefined {
  const ref = checks?.['flags-mask']
  if (!ref) return undefined
  const flags = plan.enumOf(ref)
  if (!flags) return Number(limitOf(plan.spec, ref) ?? 0n)
  return flags.entries.reduce((mask, { value }) => mask + 2 ** value, 0)
}

/** As the spec orders its bytes: `be16`, `bigEndian(s16)`, `littleEndian(u16)`. */
function inOrder(base: Expression, type: AttributeType, { order }: Payload): Expression {
  const { bits, isSigned } = integerOf(type) as { bits: number; isSigned: boolean }
  if (order === undefined || bits <= 8) return base
  if (order === 'big-endian') return isSigned ? call('bigEndian', base) : name(`be${bits}`)
  return call('littleEndian', base)
}

/** An integer, with names for its values or its bits if the spec has some. */
export function integer(
  plan: Plan,
  type: AttributeType,
  payload: Payload,
  checks?: Checks,
): Expression {
  const { bits } = integerOf(type) as { bits: number }
  if (bits === 32 && payload.hint === 'ipv4') return name('ipv4')
  const isBig = bits === 0 || bits === 64
  const inner = limited(plan, inOrder(name(type), type, payload), bits, checks)
  const names = plan.enumOf(payload.enum)
  if (!names) return inner
  if (isFlags(plan, payload)) return call('bits', inner, plan.bitNames(names))
  return call(isBig ? 'named' : 'enumeration', inner, plan.enumNames(names))
}

function text(plan: Plan, checks: Checks): Expression {
  const limit = checks['max-len'] ?? checks['exact-len']
  const base = name('string')
  const max = limit
    ? method(base, 'max', plan.number(limit, BigInt(lengthOf(plan.spec, limit))))
    : base
  return checks.unterminatedOk ? method(max, 'unterminated') : max
}

/** Bytes: an address where the hint says so, else as many as the checks allow. */
function bytes(plan: Plan, { hint, checks }: Attribute): Expression {
  const exact = checks['exact-len']
  const size = exact && lengthOf(plan.spec, exact)
  if (hint === 'mac' || hint === 'fddi') return name(size === 6 ? 'etherAddress' : 'mac')
  if (hint?.startsWith('ipv'))
    return name(size === 4 ? 'ipv4' : size === 16 ? 'ipv6' : 'protocolAddress')
  const base = name('binary')
  const limit = (key: 'min-len' | 'max-len' | 'exact-len', called: string, of: Expression) => {
    const ref = checks[key]
    if (!ref) return of
    return method(of, called, plan.number(ref, BigInt(lengthOf(plan.spec, ref))))
  }
  return limit('exact-len', 'exact', limit('max-len', 'max', limit('min-len', 'min', base)))
}

/** A payload that is neither a nest nor a struct; undefined for those. */
export function plain(
  plan: Plan,
  type: AttributeType,
  attribute: Attribute,
): Expression | undefined {
  if (integerOf(type)) return integer(plan, type, attribute, attribute.checks)
  if (type === 'flag') return name('flag')
  if (type === 'string') return text(plan, attribute.checks)
  if (type === 'bitfield32') return bitfield(plan, attribute)
  if (type !== 'binary' || attribute.struct) return undefined
  const { subType } = attribute
  return subType && integerOf(subType)
    ? call('list', integer(plan, subType, attribute))
    : bytes(plan, attribute)
}

/** The bits that may be selected are not limited: a newer kernel has more of them. */
function bitfield(plan: Plan, attribute: Attribute): Expression {
  const names = plan.enumOf(attribute.enum)
  if (!names) return call('bitfield32')
  return call('bitfield32', literal(0xffffffff), plan.bitNames(names))
}
