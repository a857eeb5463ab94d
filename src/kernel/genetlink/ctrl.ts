/**
 * nlctrl, the family that tells of the others, served by generic netlink itself.
 *
 * Kernel: net/netlink/genetlink.c ctrl_fill_info(), ctrl_getfamily(), ctrl_dumpfamily(),
 * genl_ctrl_event() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { nlctrl } from '../../families/nlctrl.ts'
import type { ReplyInput } from '../../schema/index.ts'
import { GENL_MAX_ID, GENL_MIN_ID } from '../../wire/constants.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { Genetlink } from './genetlink.ts'
import { type PolicyDump, preparePolicyDump } from './policy-dump.ts'
import type { FamilyEntry, RegisteredFamily } from './registered-family.ts'

type FamilyInfo = ReplyInput<typeof nlctrl, 'getFamily'>

/** nlctrl's first command that checks its header. */
const CTRL_RESV_START_OP = 11

/** ctrl_fill_info(): attributes in the kernel's order. */
function describe({ family, id, headerSize, ops, groups }: FamilyEntry): FamilyInfo {
  return {
    familyName: family.name,
    familyId: id,
    version: family.version,
    hdrsize: headerSize,
    maxattr: family.maxattr ?? 0,
    ops: ops.size > 0 ? [...ops.values()].map(({ cmd, flags }) => ({ id: cmd, flags })) : undefined,
    mcastGroups:
      groups.length > 0 ? groups.map((group) => ({ id: group.id, name: group.name })) : undefined,
  }
}

/** Whether `family` is to be seen in `net`. */
function isVisible(genl: Genetlink, family: FamilyEntry, net: Net): boolean {
  return family.netnsok || net === genl.kernel.initNet
}

/** Registers nlctrl with `genl`. */
export function registerNlctrl(genl: Genetlink): void {
  const prepared = new WeakMap<RequestContext, PolicyDump>()
  /** A family is what it is as long as it is registered. */
  const described = new WeakMap<FamilyEntry, FamilyInfo>()
  genl.registerFamily(
    nlctrl,
    {
      getPolicy: {
        doneAlone: true,
        start(request, ctx) {
          const family = genl.find(request.familyId ?? request.familyName ?? '')
          if (request.familyId === undefined && request.familyName === undefined)
            throw new NetlinkError('EINVAL')
          if (!family) throw new NetlinkError('ENOENT')
          prepared.set(ctx, preparePolicyDump(family, request.op))
        },
        *dumpit(_, ctx) {
          yield* prepared.get(ctx)?.items() ?? []
        },
      },
      getFamily: {
        validate: 'liberal',
        doit({ familyId, familyName }, { net }) {
          const which = familyName ?? familyId
          if (which === undefined) throw new NetlinkError('EINVAL')
          const family = genl.find(which)
          if (!family || !isVisible(genl, family, net)) throw new NetlinkError('ENOENT')
          let info = described.get(family)
          if (!info) {
            info = describe(family)
            described.set(family, info)
          }
          return info
        },
        *dumpit(_, { net }) {
          for (let id = GENL_MIN_ID; id <= GENL_MAX_ID; id++) {
            const family = genl.find(id)
            if (family && isVisible(genl, family, net)) yield describe(family)
          }
        },
      },
    },
    { resvStartOp: CTRL_RESV_START_OP },
  )
}

function eventScope(genl: Genetlink, family: FamilyEntry): { net: Net | 'all' } {
  return { net: family.netnsok ? 'all' : genl.kernel.initNet }
}

function ctrlOf(genl: Genetlink): RegisteredFamily<typeof nlctrl> {
  return genl.find(nlctrl.name) as FamilyEntry<typeof nlctrl>
}

/** genl_ctrl_event(): NEWFAMILY, then NEWMCAST_GRP for each group. */
export function announceFamily(genl: Genetlink, family: FamilyEntry): void {
  const ctrl = ctrlOf(genl)
  const scope = eventScope(genl, family)
  ctrl.notify('newFamily', describe(family), scope)
  for (const group of family.groups) ctrl.notify('newMcastGrp', describeGroup(family, group), scope)
}

/** genl_ctrl_event(): DELMCAST_GRP for each group, then DELFAMILY. */
export function withdrawFamily(genl: Genetlink, family: FamilyEntry): void {
  const ctrl = ctrlOf(genl)
  const scope = eventScope(genl, family)
  for (const group of family.groups) ctrl.notify('delMcastGrp', describeGroup(family, group), scope)
  ctrl.notify('delFamily', describe(family), scope)
}

function describeGroup(
  { family, id }: FamilyEntry,
  { name, id: group }: { name: string; id: number },
): { familyName: string; familyId: number; mcastGroups: { id: number; name: string }[] } {
  return { familyName: family.name, familyId: id, mcastGroups: [{ id: group, name }] }
}
