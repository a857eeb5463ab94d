/**
 * The policy of a type, as a kernel side describes it to who broke it or asks for it.
 *
 * Kernel: net/netlink/policy.c __netlink_policy_dump_write_attr() (Linux 6.12).
 */
import type { PolicyDescription } from '../errors.ts'
import type { AttrSelection } from './table.ts'
import type { Shape, Type } from './type.ts'

const INTEGER_MAX = { 1: 0xffn, 2: 0xffffn, 4: 0xffffffffn, 8: 0xffffffffffffffffn } as const

/** The policy of a type as NLMSGERR_ATTR_POLICY and CTRL_ATTR_POLICY describe it. */
export function describePolicy(type: Type<any, any>): PolicyDescription | undefined {
  const { shape } = type
  switch (shape.kind) {
    case 'integer':
      return describeInteger(shape)
    case 'reject':
      return undefined
    case 'flag':
      return { type: 'flag' }
    case 'string':
      return {
        type: shape.nul ? 'nul-string' : 'string',
        ...(shape.max === undefined ? {} : { maxLength: shape.max }),
      }
    case 'binary':
      return {
        type: 'binary',
        ...(shape.min === undefined ? {} : { minLength: shape.min }),
        ...(shape.max === undefined ? {} : { maxLength: shape.max }),
      }
    case 'bitfield32':
      return { type: 'bitfield32', mask: BigInt(shape.mask) }
    case 'nest':
      return { type: 'nested' }
    case 'array':
      return { type: 'nested-array' }
    case 'multi':
      return describePolicy(shape.of)
    case 'address':
      return type.size === undefined ? { type: 'binary' } : { type: 'binary', minLength: type.size }
    case 'struct':
      return { type: 'binary', minLength: type.size as number }
    case 'keyed':
      return { type: 'nested-array' }
    case 'message':
    case 'records':
      return { type: 'binary', minLength: shape.of.header?.size ?? 0 }
    case 'followed':
      return { type: 'binary', minLength: shape.head.size ?? 0 }
    default:
      return { type: 'binary' }
  }
}

function describeInteger(
  shape: Extract<Shape, { kind: 'integer' }>,
): PolicyDescription | undefined {
  const { bytes, signed, mask } = shape
  if (shape.bigEndian || shape.littleEndian) return undefined
  const name =
    bytes === 'variable' || shape.isDuration
      ? `${signed ? 's' : 'u'}int`
      : `${signed ? 's' : 'u'}${bytes * 8}`
  if (mask !== undefined) return { type: name, mask }
  const top = INTEGER_MAX[bytes === 'variable' ? 8 : bytes]
  const half = (top + 1n) / 2n
  return {
    type: name,
    min: shape.min ?? (signed ? -half : 0n),
    max: shape.max ?? (signed ? half - 1n : top),
  }
}

const ownMaxTypes = new WeakMap<AttrSelection, number>()

/** The largest number among the attributes that belong to a selection. */
export function ownMaxType(selection: AttrSelection): number {
  let max = ownMaxTypes.get(selection)
  if (max === undefined) {
    max = 0
    for (const { id, name } of selection.table.entries)
      if (id > max && selection.names.has(name)) max = id
    ownMaxTypes.set(selection, max)
  }
  return max
}
