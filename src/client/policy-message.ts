/** A live policy as a message whose `validate` judges a request's bytes as the kernel would. */
import type { AnyMessage, AnyType, AttrDefinition, AttrType } from '../schema/index.ts'
import {
  array,
  attrs,
  binary,
  bitfield32,
  flag,
  lazy,
  message,
  nest,
  s8,
  s16,
  s32,
  s64,
  sint,
  string,
  u8,
  u16,
  u32,
  u64,
  uint,
} from '../schema/index.ts'
import type { AttrPolicy, LivePolicy } from './family-policy.ts'

const small = { u8, u16, u32, s8, s16, s32 } as const
const big = { u64, s64, uint, sint } as const

function integerType(type: string, policy: AttrPolicy): AnyType | undefined {
  const min = policy.minValueU ?? policy.minValueS
  const max = policy.maxValueU ?? policy.maxValueS
  const base: AnyType | undefined = Object.hasOwn(small, type)
    ? small[type as keyof typeof small]
    : big[type as keyof typeof big]
  if (base?.shape.kind !== 'integer') return undefined
  const { mask } = policy
  const limits = {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(mask === undefined ? {} : { mask }),
  }
  return { ...base, shape: { ...base.shape, ...limits } }
}

/** One attribute as the description language has it. */
function typeOf(policy: AttrPolicy, nested: (index: number) => AnyType): AnyType {
  const { type, minLength, maxLength, policyIdx, bitfield32Mask } = policy
  switch (type) {
    case 'flag':
      return flag
    case 'string':
      return { ...string, shape: limited('string', false, maxLength) }
    case 'nul-string':
      return { ...string, shape: limited('string', true, maxLength) }
    case 'bitfield32':
      return bitfield32(bitfield32Mask)
    case 'nested':
      return policyIdx === undefined ? opaque : nested(policyIdx)
    case 'nested-array':
      return policyIdx === undefined ? opaque : array(nested(policyIdx))
    default:
      return integerType(String(type), policy) ?? sized(minLength, maxLength)
  }
}

function limited(kind: 'string', nul: boolean, max: number | undefined): AnyType['shape'] {
  return max === undefined ? { kind, nul } : { kind, nul, max }
}

function sized(min: number | undefined, max: number | undefined): AnyType {
  const bound = min === undefined ? binary : binary.min(min)
  return max === undefined ? bound : bound.max(max)
}

const anything = attrs('', {})
/** NLA_NESTED whose content the family itself looks at. */
const opaque: AnyType = {
  ...nest(anything),
  shape: { kind: 'nest', table: anything.selection.table, isOpaque: true },
}

/** The policies of a family as attribute sets: `a5` is the attribute 5. */
export class PolicySets {
  readonly #policies: LivePolicy['policies']
  readonly #built = new Map<number, AttrType<unknown, unknown>>()

  constructor(policies: LivePolicy['policies']) {
    this.#policies = policies
  }

  /** The set of policy `index`, always the same one. */
  of(index: number): AttrType<unknown, unknown> {
    const before = this.#built.get(index)
    if (before) return before
    const definitions: Record<string, AttrDefinition> = {}
    for (const [id, policy] of this.#policies.get(index) ?? [])
      definitions[`a${id}`] = [id, typeOf(policy, (inner) => lazy(() => this.of(inner)))]
    const set: AttrType<unknown, unknown> = attrs('', definitions)
    this.#built.set(index, set)
    return set
  }
}

/** The message that an operation's live policy makes. */
export function policyMessage(
  { index, policies }: LivePolicy,
  header: AnyMessage['header'],
): AnyMessage {
  const set = new PolicySets(policies).of(index)
  return header ? message(header, set) : message(set)
}
