/**
 * A generic family of a live kernel, as nlkit's kernel would have it: the same name, operations,
 * groups and policies, read from nlctrl. What its handlers do is up to the test.
 */
import { gatherPolicies } from '../client/family-policy.ts'
import type { Netlink } from '../client/netlink.ts'
import { PolicySets } from '../client/policy-message.ts'
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { nlctrl } from '../families/nlctrl.ts'
import type { FamilyHandlers, FamilyOptions } from '../kernel/index.ts'
import {
  attrs,
  type GenlFamily,
  genlFamily,
  message,
  type Op,
  type Reply,
} from '../schema/index.ts'
import {
  GENL_ADMIN_PERM,
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_CMD_CAP_HASPOL,
  GENL_UNS_ADMIN_PERM,
} from '../wire/index.ts'

/** What nlctrl says of a family. */
export type FamilyInfo = Reply<typeof nlctrl, 'getFamily'>

/** What `registerFamily` takes. */
export interface Mirror {
  readonly info: FamilyInfo
  readonly family: GenlFamily
  /** Each answers EOPNOTSUPP, and lists nothing; replace what the test is about. */
  readonly handlers: FamilyHandlers<GenlFamily>
  readonly options: FamilyOptions
}

const nothing = message(attrs('', {}))

/** All families that a client sees, in nlctrl's order. */
export async function mirrorFamilies(nl: Netlink): Promise<Mirror[]> {
  const ctrl = await nl.family(nlctrl)
  const mirrors: Mirror[] = []
  for (const info of await ctrl.dump('getFamily').toArray()) {
    if (info.familyName !== nlctrl.name) mirrors.push(await mirrorOf(nl, info))
  }
  return mirrors
}

/** One family. @throws NetlinkError ENOENT when there is none of that name. */
export async function mirrorFamily(nl: Netlink, name: string): Promise<Mirror> {
  const ctrl = await nl.family(nlctrl)
  return mirrorOf(nl, await ctrl.do('getFamily', { familyName: name }))
}

type Maps = ReadonlyMap<
  number,
  { readonly do?: number | undefined; readonly dump?: number | undefined }
>

async function mirrorOf(nl: Netlink, info: FamilyInfo): Promise<Mirror> {
  const { maps, sets, hasAttributes } = await policiesOf(nl, info)
  const hasUnjudged = (info.ops ?? []).some(({ flags = 0 }) => !(flags & GENL_CMD_CAP_HASPOL))
  const ops: Record<string, Op> = {}
  const handlers: Record<string, object> = {}
  for (const { id: cmd = 0, flags = 0 } of info.ops ?? []) {
    const map = maps.get(cmd) ?? {}
    const request = (index: number | undefined) =>
      index === undefined || !hasAttributes(index) ? {} : { request: message(sets.of(index)) }
    const canDo = (flags & GENL_CMD_CAP_DO) !== 0
    const canDump = (flags & GENL_CMD_CAP_DUMP) !== 0
    ops[`op${cmd}`] = {
      cmd,
      flags: flags & (GENL_ADMIN_PERM | GENL_UNS_ADMIN_PERM),
      ...(canDo ? { do: { ...request(map.do), reply: nothing } } : {}),
      ...(canDump ? { dump: { ...request(map.dump), reply: nothing } } : {}),
    }
    handlers[`op${cmd}`] = {
      ...(canDo ? { doit: unsupported } : {}),
      ...(canDump ? { dumpit: () => [] } : {}),
      ...(hasUnjudged && map.do === undefined ? { validate: 'none' } : {}),
      ...(hasUnjudged && map.dump === undefined ? { validateDump: 'none' } : {}),
    }
  }
  const family = genlFamily({
    name: info.familyName,
    version: info.version,
    headerSize: info.hdrsize,
    ...(info.maxattr > 0 ? { maxattr: info.maxattr } : {}),
    groups: (info.mcastGroups ?? []).map(({ name = '' }) => name),
    ops,
  })
  const isOld = hasUnjudged || info.maxattr > 0
  const options = isOld ? { resvStartOp: behindLast(info) } : { splitOps: true }
  return { info, family, handlers, options }
}

/** Where the commands begin whose header is looked at: older families all end in front of that. */
function behindLast({ ops = [] }: FamilyInfo): number {
  return Math.max(0, ...ops.map(({ id = 0 }) => id)) + 1
}

function unsupported(): never {
  throw new NetlinkError('EOPNOTSUPP')
}

interface Policies {
  readonly maps: Maps
  readonly sets: PolicySets
  hasAttributes(index: number): boolean
}

async function policiesOf(nl: Netlink, { familyName, ops = [] }: FamilyInfo): Promise<Policies> {
  const ctrl = await nl.family(nlctrl)
  try {
    const items = await ctrl.dump('getPolicy', { familyName }).toArray()
    const { ops: told, policies } = gatherPolicies(items, ops)
    return {
      maps: new Map(told.map((each) => [each.cmd, each])),
      sets: new PolicySets(policies),
      hasAttributes: (index) => policies.has(index),
    }
  } catch (error) {
    if (!isNetlinkError(error, 'ENODATA')) throw error
    const none = new PolicySets(new Map())
    return { maps: new Map(), sets: none, hasAttributes: () => false }
  }
}
