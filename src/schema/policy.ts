/**
 * Policies: what an attribute set accepts, and lib/nlattr.c's judgement over bytes.
 *
 * A policy is read off a type's shape; nothing is written twice.
 * Kernel: lib/nlattr.c __nla_validate_parse(), validate_nla() (Linux 6.12).
 */
import { isNetlinkError, NetlinkError, type PolicyDescription } from '../errors.ts'
import { align4 } from '../wire/align.ts'
import { NLA_F_NESTED, NLA_HDRLEN, NLA_TYPE_MASK } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import type { AttrType } from './attrs.ts'
import { describePolicy, ownMaxType } from './policy-description.ts'
import type { AttrSelection } from './table.ts'
import type { Shape, Type } from './type.ts'

/** Which checks apply (enum netlink_validation): a set of bits. */
export type ValidationLevel = number
export const NL_VALIDATE_LIBERAL = 0
const NL_VALIDATE_TRAILING = 1
const NL_VALIDATE_MAXTYPE = 2
const NL_VALIDATE_UNSPEC = 4
const NL_VALIDATE_STRICT_ATTRS = 8
const NL_VALIDATE_NESTED = 16
export const NL_VALIDATE_DEPRECATED_STRICT = 3
export const NL_VALIDATE_STRICT = 31
/**
 * Not Linux's: the policy has room for its own last attribute, not for the last one of the set, as
 * the policies of single operations have.
 */
export const NL_VALIDATE_OWN_MAXTYPE = 32

/** Nests deeper than this are refused (MAX_POLICY_RECURSION_DEPTH). */
const MAX_DEPTH = 10

/** A refusal inside an attribute; `at` is where that attribute starts in the view. */
class NlaError extends Error {
  readonly code: string
  readonly text: string | undefined
  readonly at: number | undefined
  readonly policy: PolicyDescription | undefined
  constructor(code: string, text: string | undefined, at?: number, policy?: PolicyDescription) {
    super(text)
    this.code = code
    this.text = text
    this.at = at
    this.policy = policy
  }
}

/** Turns an internal refusal into the NetlinkError of a request that starts at `origin`. */
export function resolveNlaError(
  error: unknown,
  origin: number,
  pathAt: (offset: number) => string | undefined,
): unknown {
  if (!(error instanceof NlaError)) return error
  const { at, policy } = error
  return new NetlinkError(error.code, {
    extack: {
      ...(error.text === undefined ? {} : { message: error.text }),
      ...(at === undefined ? {} : { offset: at - origin, attribute: pathAt(at) }),
      ...(policy ? { policy } : {}),
    },
  })
}

/** What libc's callers see as a warning beside success, unless NL_VALIDATE_TRAILING is on. */
const LEFTOVER = 'bytes leftover after parsing attributes'

/**
 * Judges the attributes between `at` and `end`. The first failing one decides.
 * @returns the kernel's warning about bytes that are no attribute, if there are some.
 * @throws NlaError, internal to this room: `resolveNlaError` makes the NetlinkError.
 */
export function validateAttrs(
  selection: AttrSelection,
  view: DataView,
  at: number,
  end: number,
  level: ValidationLevel,
  depth = 0,
): string | undefined {
  let warning: string | undefined
  const maxType = level & NL_VALIDATE_OWN_MAXTYPE ? ownMaxType(selection) : selection.table.maxType
  if (depth >= MAX_DEPTH) throw new NlaError('EINVAL', 'allowed policy recursion depth exceeded')
  while (end - at >= NLA_HDRLEN) {
    const length = view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > end - at) break
    const raw = view.getUint16(at + 2, HOST_LE)
    const id = raw & NLA_TYPE_MASK
    if (id === 0 || id > maxType) {
      if (level & NL_VALIDATE_MAXTYPE) throw new NlaError('EINVAL', 'Unknown attribute type', at)
    } else {
      const entry = selection.table.byId.get(id)
      const type = entry && selection.names.has(entry.name) ? entry.type : undefined
      const { strictStart = 0 } = selection.table
      const strictness = strictStart > 0 && id >= strictStart ? NL_VALIDATE_STRICT : level
      if (type)
        warning = validateAttr(type, raw, view, at, at + length, strictness, depth) ?? warning
      else if (strictness & NL_VALIDATE_UNSPEC)
        throw new NlaError('EINVAL', 'Unsupported attribute', at)
    }
    at += align4(length)
  }
  if (at >= end) return warning
  if (level & NL_VALIDATE_TRAILING) throw new NlaError('EINVAL', LEFTOVER)
  return LEFTOVER
}

/** Whether a number without limits, or a string with its NUL, passes at any level: most are that. */
function isPlain(shape: Shape, raw: number, view: DataView, end: number, size: number): boolean {
  if (raw & NLA_F_NESTED) return false
  if (shape.kind === 'integer') {
    const { bytes, min, max, mask } = shape
    return size === bytes && min === undefined && max === undefined && mask === undefined
  }
  if (shape.kind !== 'string' || size < 1 || view.getUint8(end - 1) !== 0) return false
  return shape.max === undefined || size <= shape.max + 1
}

function validateAttr(
  type: Type<any, any>,
  raw: number,
  view: DataView,
  start: number,
  end: number,
  level: ValidationLevel,
  depth: number,
): string | undefined {
  const { shape } = type
  const size = end - start - NLA_HDRLEN
  if (!type.judge && isPlain(shape, raw, view, end, size)) return undefined
  const refuse = (code: 'EINVAL' | 'ERANGE', text: string): never => {
    throw new NlaError(code, text, start, describePolicy(type))
  }
  if (shape.kind === 'multi') {
    return validateAttr(shape.of, raw, view, start, end, level, depth)
  }
  const nested = shape.kind === 'nest' || shape.kind === 'array' || shape.kind === 'keyed'
  if (
    shape.kind === 'integer' &&
    shape.bytes !== 'variable' &&
    !shape.isDuration &&
    size !== shape.bytes &&
    level & NL_VALIDATE_STRICT_ATTRS
  ) {
    refuse('EINVAL', 'invalid attribute length')
  }
  if (level & NL_VALIDATE_NESTED && shape.kind !== 'selected') {
    const flagged = (raw & NLA_F_NESTED) !== 0
    if (nested && !flagged) refuse('EINVAL', 'NLA_F_NESTED is missing')
    if (!nested && flagged) refuse('EINVAL', 'NLA_F_NESTED not expected')
  }
  const warning = validatePayload(type, view, start + NLA_HDRLEN, end, level, depth, refuse, start)
  if (type.judge) judge(type, view, start, end)
  return warning
}

/** NLA_VALIDATE_FUNCTION: the errno and the words are the function's own. */
function judge(type: Type<any, any>, view: DataView, start: number, end: number): void {
  try {
    type.judge?.(view, start + NLA_HDRLEN, end)
  } catch (error) {
    if (!isNetlinkError(error) || error.extack?.offset !== undefined) throw error
    throw new NlaError(error.code, error.extack?.message, start)
  }
}

type Refuse = (code: 'EINVAL' | 'ERANGE', text: string) => never
const FAILED = 'Attribute failed policy validation'

function validatePayload(
  type: Type<any, any>,
  view: DataView,
  at: number,
  end: number,
  level: ValidationLevel,
  depth: number,
  refuse: Refuse,
  start: number,
): string | undefined {
  const { shape } = type
  const size = end - at
  switch (shape.kind) {
    case 'reject':
      if (shape.message !== undefined) throw new NlaError('EINVAL', shape.message, start)
      return refuse('EINVAL', FAILED)
    case 'flag':
      if (size > 0) refuse('ERANGE', FAILED)
      return undefined
    case 'integer':
      validateInteger(shape, view, at, end, refuse, start)
      return undefined
    case 'bitfield32':
      validateBitfield(shape.mask, view, at, size, refuse)
      return undefined
    case 'string':
      validateString(shape, view, at, end, refuse)
      return undefined
    case 'binary':
      validateBinary(shape, size, level, refuse)
      return undefined
    case 'nest':
      if (size === 0) return undefined
      if (size < NLA_HDRLEN) refuse('ERANGE', FAILED)
      if (shape.isOpaque) return undefined
      return validateAttrs((type as AttrType<any, any>).selection, view, at, end, level, depth + 1)
    case 'array':
    case 'keyed':
      if (size === 0) return undefined
      if (size < NLA_HDRLEN) refuse('ERANGE', FAILED)
      return validateArray(shape.of, view, at, end, level, depth)
    case 'message':
    case 'records':
      if (size < (shape.of.header?.size ?? 0)) refuse('ERANGE', FAILED)
      return undefined
    case 'followed':
      if (size < (shape.head.size ?? 0)) refuse('ERANGE', FAILED)
      return undefined
    default:
      if (type.size !== undefined && size < type.size) refuse('ERANGE', FAILED)
      return undefined
  }
}

function validateArray(
  of: Type<any, any>,
  view: DataView,
  at: number,
  end: number,
  level: ValidationLevel,
  depth: number,
): string | undefined {
  let warning: string | undefined
  while (end - at >= NLA_HDRLEN) {
    const length = view.getUint16(at, HOST_LE)
    if (length < NLA_HDRLEN || length > end - at) return warning
    const size = length - NLA_HDRLEN
    if (size > 0 && size < NLA_HDRLEN && of.shape.kind === 'nest') {
      throw new NlaError('ERANGE', 'Array element too short', at)
    }
    if (size > 0 && of.shape.kind === 'nest') {
      const inner = validateAttrs(
        (of as AttrType<any, any>).selection,
        view,
        at + NLA_HDRLEN,
        at + length,
        level,
        depth + 1,
      )
      warning = inner ?? warning
    }
    at += align4(length)
  }
  return warning
}

/** `.len` alone is a length that was always checked; a range has words of its own. */
function validateBinary(
  { min, max, warnsTooLong }: Extract<Shape, { kind: 'binary' }>,
  size: number,
  level: ValidationLevel,
  refuse: Refuse,
): void {
  const isTooLong = max !== undefined && size > max
  if (min === undefined) {
    if (isTooLong) refuse('ERANGE', FAILED)
    return
  }
  if (isTooLong && warnsTooLong) {
    if (level & NL_VALIDATE_STRICT_ATTRS) refuse('EINVAL', 'invalid attribute length')
    return
  }
  if (isTooLong || size < min) refuse('ERANGE', 'binary attribute size out of range')
}

function validateInteger(
  shape: Extract<Shape, { kind: 'integer' }>,
  view: DataView,
  at: number,
  end: number,
  refuse: Refuse,
  start: number,
): void {
  const size = end - at
  if (shape.bytes === 'variable') {
    if (size !== 4 && size !== 8) refuse('EINVAL', 'invalid attribute length')
  } else if (size < shape.bytes) refuse('ERANGE', FAILED)
  if (shape.min === undefined && shape.max === undefined && shape.mask === undefined) return
  const value = readInteger(
    shape,
    view,
    at,
    shape.bytes === 'variable' ? (size as 4 | 8) : shape.bytes,
  )
  if (shape.mask !== undefined && (value & ~shape.mask) !== 0n)
    throw new NlaError('EINVAL', 'reserved bit set', start)
  if (
    (shape.min !== undefined && value < shape.min) ||
    (shape.max !== undefined && value > shape.max)
  ) {
    refuse('ERANGE', 'integer out of range')
  }
}

function readInteger(
  shape: Extract<Shape, { kind: 'integer' }>,
  view: DataView,
  at: number,
  bytes: 1 | 2 | 4 | 8,
): bigint {
  const le = shape.bigEndian ? false : shape.littleEndian === true || HOST_LE
  if (bytes === 8) return shape.signed ? view.getBigInt64(at, le) : view.getBigUint64(at, le)
  if (bytes === 4) return BigInt(shape.signed ? view.getInt32(at, le) : view.getUint32(at, le))
  if (bytes === 2) return BigInt(shape.signed ? view.getInt16(at, le) : view.getUint16(at, le))
  return BigInt(shape.signed ? view.getInt8(at) : view.getUint8(at))
}

function validateBitfield(
  mask: number,
  view: DataView,
  at: number,
  size: number,
  refuse: Refuse,
): void {
  if (size !== 8) refuse('ERANGE', FAILED)
  const value = view.getUint32(at, HOST_LE)
  const selector = view.getUint32(at + 4, HOST_LE)
  if (mask === 0 || selector & ~mask || value & ~mask || value & ~selector) refuse('EINVAL', FAILED)
}

function validateString(
  shape: Extract<Shape, { kind: 'string' }>,
  view: DataView,
  at: number,
  end: number,
  refuse: Refuse,
): void {
  let size = end - at
  if (shape.nul) {
    const limit = shape.max === undefined ? size : Math.min(size, shape.max + 1)
    let terminated = false
    for (let i = at; i < at + limit && !terminated; i++) terminated = view.getUint8(i) === 0
    if (!terminated) refuse('EINVAL', FAILED)
  }
  if (size < 1) refuse('ERANGE', FAILED)
  if (view.getUint8(end - 1) === 0) size--
  if (shape.max !== undefined && size > shape.max) refuse('ERANGE', FAILED)
}
