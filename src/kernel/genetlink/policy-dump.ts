/**
 * CTRL_CMD_GETPOLICY: what a family accepts, told attribute by attribute.
 *
 * Policies are numbered in the order in which they are met: an operation's own, then those of its
 * nests. One policy that several operations share has one number.
 *
 * Kernel: net/netlink/policy.c netlink_policy_dump_add_policy(), __netlink_policy_dump_write_attr();
 * net/netlink/genetlink.c ctrl_dumppolicy_start(), ctrl_dumppolicy() (Linux 6.18).
 */
import { NetlinkError, type PolicyDescription } from '../../errors.ts'
import type { nlctrl } from '../../families/nlctrl.ts'
import type { policyTypeAttrs } from '../../families/nlmsgerr.ts'
import {
  type AnyType,
  type AttrSelection,
  describePolicy,
  type Input,
  ownMaxType,
  type ReplyInput,
} from '../../schema/index.ts'
import type { OpPolicy } from './family.ts'
import type { FamilyEntry } from './registered-family.ts'

type Item = ReplyInput<typeof nlctrl, 'getPolicy', 'dump'>
type AttrInput = Input<typeof policyTypeAttrs>

/** The policies of a family or of one operation, with their numbers. */
class PolicyList {
  readonly #all: OpPolicy[] = []

  get size(): number {
    return this.#all.length
  }

  /** A policy, and whatever its nests refer to. @returns its number. */
  add(policy: OpPolicy): number {
    const known = this.indexOf(policy)
    if (known >= 0) return known
    const index = this.#all.push(policy) - 1
    for (let i = index; i < this.#all.length; i++)
      for (const [, type] of attributesOf(this.#all[i] as OpPolicy)) {
        const inner = nestedPolicy(type)
        if (inner && this.indexOf(inner) < 0) this.#all.push(inner)
      }
    return index
  }
  indexOf({ selection, maxattr }: OpPolicy): number {
    return this.#all.findIndex((each) => each.selection === selection && each.maxattr === maxattr)
  }

  /** One message for each attribute that there is something to say of. */
  *attributes(familyId: number): Generator<Item> {
    for (const [index, policy] of this.#all.entries())
      for (const [id, type] of attributesOf(policy)) {
        const value = this.#describe(type)
        if (value) yield { familyId, policy: [{ key: index, value: [{ key: id, value }] }] }
      }
  }

  #describe(type: AnyType): AttrInput | undefined {
    const policy = describePolicy(type)
    if (!policy) return undefined
    const inner = nestedPolicy(type)
    const nest = inner ? { policyIdx: this.indexOf(inner), policyMaxtype: inner.maxattr } : {}
    return { ...nest, ...limitsOf(policy), type: policy.type as AttrInput['type'] }
  }
}

/** The attributes of a policy by ascending number; a policy that refuses all has none. */
function attributesOf({ selection, maxattr }: OpPolicy): [number, AnyType][] {
  const { table, names } = selection ?? {}
  const own = (table?.entries ?? []).filter(({ id, name }) => names?.has(name) && id <= maxattr)
  return own.map(({ id, type }): [number, AnyType] => [id, type]).sort(([a], [b]) => a - b)
}

/** The policy inside a nest, or in the elements of an array of nests. */
function nestedPolicy(type: AnyType): OpPolicy | undefined {
  const { shape } = type
  if (shape.kind === 'multi') return nestedPolicy(shape.of)
  if (shape.kind === 'array') return nestedPolicy(shape.of)
  if (shape.kind !== 'nest' || shape.isOpaque) return undefined
  const { selection } = type as AnyType & { selection: AttrSelection }
  return { selection, maxattr: ownMaxType(selection) }
}

function limitsOf({ type, min, max, mask, minLength, maxLength }: PolicyDescription): AttrInput {
  if (type === 'bitfield32') return { bitfield32Mask: Number(mask ?? 0n) }
  const isSigned = /^s(8|16|32|64|int)$/.test(type)
  return {
    ...(mask === undefined ? {} : { mask }),
    ...(min === undefined ? {} : isSigned ? { minValueS: min } : { minValueU: min }),
    ...(max === undefined ? {} : isSigned ? { maxValueS: max } : { maxValueU: max }),
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
  }
}

/** genl_get_cmd_split() fills in no policy that refuses all, genl_op_iter_next_split() does. */
function isUntold({ options }: FamilyEntry, { selection }: OpPolicy): boolean {
  return selection === undefined && options.splitOps === true
}

/** What is to be dumped, found before the dump begins. */
export interface PolicyDump {
  readonly items: () => Iterable<Item>
}

/**
 * ctrl_dumppolicy_start(). @throws NetlinkError ENOENT for an operation that is not there, ENODATA
 * where nothing has a policy.
 */
export function preparePolicyDump(family: FamilyEntry, cmd: number | undefined): PolicyDump {
  const { id } = family
  const single = cmd === undefined ? undefined : family.ops.get(cmd)
  if (cmd !== undefined && !single)
    throw new NetlinkError('ENOENT', { extack: { attribute: 'op' } })
  const ops = single ? [single] : [...family.ops.values()]
  const list = new PolicyList()
  const add = (policy: OpPolicy | undefined): number | undefined =>
    policy && !(single && isUntold(family, policy)) ? list.add(policy) : undefined
  const maps = ops.flatMap(({ cmd: number, doHandler, doPolicy, dumpPolicy }) => {
    const first = add(doPolicy)
    const second = add(dumpPolicy)
    if (first === undefined && second === undefined) return []
    return [{ key: doHandler ? number : 0, value: { do: first, dump: second } }]
  })
  if (list.size === 0) throw new NetlinkError('ENODATA')
  return {
    *items() {
      for (const map of maps) yield { familyId: id, opPolicy: [map] }
      yield* list.attributes(id)
    },
  }
}
