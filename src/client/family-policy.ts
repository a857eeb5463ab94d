/**
 * What the kernel accepts of a family's operation: its live policy, as CTRL_CMD_GETPOLICY tells it.
 *
 * Kernel: net/netlink/genetlink.c ctrl_dumppolicy(); net/netlink/policy.c (Linux 6.18).
 */
import { isNetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import type { policyTypeAttrs } from '../families/nlmsgerr.ts'
import type { ExchangeKind, Infer, Reply } from '../schema/index.ts'
import {
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_CMD_CAP_HASPOL,
  GENL_ID_CTRL,
} from '../wire/index.ts'
import { makeCall } from './call.ts'
import type { Endpoint } from './endpoint.ts'

/** What is told of one attribute. */
export type AttrPolicy = Infer<typeof policyTypeAttrs>
/** The attributes of one policy, by number. */
export type Policy = ReadonlyMap<number, AttrPolicy>

/** The numbers of the policies of one operation. */
export interface OpPolicies {
  /** 0 for a command that can only be dumped, where that is all that was told. */
  readonly cmd: number
  readonly do?: number | undefined
  readonly dump?: number | undefined
}

/** The policies of a family, or of one of its operations. */
export interface FamilyPolicies {
  readonly ops: readonly OpPolicies[]
  readonly policies: ReadonlyMap<number, Policy>
}

const DUMPED_WITH_POLICY = GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL
const CAPABILITIES = GENL_CMD_CAP_DO | DUMPED_WITH_POLICY

type Item = Reply<typeof nlctrl, 'getPolicy', 'dump'>

/** What nlctrl says of a family's operations. */
type OpInfo = NonNullable<Reply<typeof nlctrl, 'getFamily'>['ops']>

/**
 * Gathers the messages of a dump, which has one operation or one attribute in each. Linux says 0 in
 * place of a command that can only be dumped: given the family's operations, it is put back.
 */
export function gatherPolicies(items: Iterable<Item>, known: OpInfo = []): FamilyPolicies {
  const nameless = known
    .filter(({ flags = 0 }) => (flags & CAPABILITIES) === DUMPED_WITH_POLICY)
    .map(({ id = 0 }) => id)
  const ops: OpPolicies[] = []
  const policies = new Map<number, Map<number, AttrPolicy>>()
  for (const { opPolicy = [], policy = [] } of items) {
    for (const { key, value } of opPolicy) {
      const cmd = key === 0 ? (nameless.shift() ?? key) : key
      ops.push({ cmd, do: value.do, dump: value.dump })
    }
    for (const { key, value: attributes } of policy) {
      const seen = policies.get(key) ?? new Map<number, AttrPolicy>()
      policies.set(key, seen)
      for (const attribute of attributes) seen.set(attribute.key, attribute.value)
    }
  }
  return { ops, policies }
}

/** What the kernel accepts of one operation; `undefined` where it does not tell. */
export interface LivePolicy {
  /** The number of the operation's own policy. */
  readonly index: number
  readonly policies: ReadonlyMap<number, Policy>
}

const dump = makeCall(nlctrl, 'getPolicy', 'dump', GENL_ID_CTRL)

/** Asks for the policy of one command of the family `familyName`. */
export async function readLivePolicy(
  endpoint: Endpoint,
  familyName: string,
  op: number,
  kind: ExchangeKind,
): Promise<LivePolicy | undefined> {
  try {
    const items = await endpoint.dump<Item>(dump, { value: () => ({ familyName, op }) }).toArray()
    const { ops, policies } = gatherPolicies(items)
    const index = ops[0]?.[kind]
    return index === undefined ? undefined : { index, policies }
  } catch (error) {
    if (isNetlinkError(error, 'ENODATA') || isNetlinkError(error, 'ENOENT')) return undefined
    if (isNetlinkError(error, 'EOPNOTSUPP')) return undefined
    throw error
  }
}
