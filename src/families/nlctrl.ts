/**
 * nlctrl: the family that describes every generic netlink family, itself included.
 *
 * Kernel: include/uapi/linux/genetlink.h; net/netlink/genetlink.c, policy.c (Linux 6.18).
 */
import {
  array,
  attrs,
  bits,
  genlFamily,
  keyed,
  message,
  nest,
  string,
  u16,
  u32,
} from '../schema/index.ts'
import {
  GENL_ADMIN_PERM,
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_CMD_CAP_HASPOL,
  GENL_ID_CTRL,
  GENL_UNS_ADMIN_PERM,
} from '../wire/constants.ts'
import { policyTypeAttrs } from './nlmsgerr.ts'

export const CTRL_CMD_NEWFAMILY = 1
export const CTRL_CMD_DELFAMILY = 2
export const CTRL_CMD_GETFAMILY = 3
export const CTRL_CMD_NEWOPS = 4
export const CTRL_CMD_DELOPS = 5
export const CTRL_CMD_GETOPS = 6
export const CTRL_CMD_NEWMCAST_GRP = 7
export const CTRL_CMD_DELMCAST_GRP = 8
export const CTRL_CMD_GETMCAST_GRP = 9
export const CTRL_CMD_GETPOLICY = 10

/** An operation of a family. */
export const opAttrs = attrs('CTRL_ATTR_OP_', {
  /** genlmsghdr's cmd. */
  id: [1, u32],
  flags: [
    2,
    bits(
      u32,
      {
        GENL_ADMIN_PERM,
        GENL_CMD_CAP_DO,
        GENL_CMD_CAP_DUMP,
        GENL_CMD_CAP_HASPOL,
        GENL_UNS_ADMIN_PERM,
      },
      'GENL_',
    ),
  ],
})

/** A multicast group of a family. */
export const mcastGroupAttrs = attrs('CTRL_ATTR_MCAST_GRP_', {
  /** The number to join: one space for all families. */
  id: [2, u32],
  name: [1, string.max(15)],
})

/** The numbers of the policies of one operation. */
export const opPolicyAttrs = attrs('CTRL_ATTR_POLICY_', { do: [1, u32], dump: [2, u32] })

const ctrlDefinitions = {
  familyName: [2, string.max(15)],
  /** nlmsg_type of the family's messages. */
  familyId: [1, u16],
  version: [3, u32],
  /** Bytes of the family's own header behind genlmsghdr. */
  hdrsize: [4, u32],
  /** 0 for a family whose operations have policies of their own. */
  maxattr: [5, u32],
  ops: [6, array(opAttrs, 'noflag')],
  mcastGroups: [7, array(mcastGroupAttrs, 'noflag')],
  /** By number of the policy, then by attribute; the kernel sends one attribute a message. */
  policy: [8, keyed(keyed(nest(policyTypeAttrs)))],
  /** By command. */
  opPolicy: [9, keyed(nest(opPolicyAttrs))],
  /** The command to whose policies the answer is limited. */
  op: [10, u32],
} as const
export interface CtrlDefinitions extends Readonly<typeof ctrlDefinitions> {}
export const ctrlAttrs = attrs('CTRL_ATTR_', ctrlDefinitions as CtrlDefinitions)

const family = message(
  ctrlAttrs.only(
    'familyName!',
    'familyId!',
    'version!',
    'hdrsize!',
    'maxattr!',
    'ops',
    'mcastGroups',
  ),
)
const whichFamily = message(ctrlAttrs.only('familyId', 'familyName'))
const group = message(ctrlAttrs.only('familyName!', 'familyId!', 'mcastGroups!'))

export const nlctrl = genlFamily({
  name: 'nlctrl',
  id: GENL_ID_CTRL,
  version: 2,
  groups: ['notify'],
  ops: {
    /** One family by id or name (the name wins), or all. */
    getFamily: {
      cmd: CTRL_CMD_GETFAMILY,
      replyCmd: CTRL_CMD_NEWFAMILY,
      constant: 'CTRL_CMD_GETFAMILY',
      do: { request: whichFamily, reply: family },
      /** All of them, whatever the request names. */
      dump: { request: whichFamily, reply: family },
    },
    /** The policies of a family by id or name (the id wins), or of one of its operations. */
    getPolicy: {
      cmd: CTRL_CMD_GETPOLICY,
      constant: 'CTRL_CMD_GETPOLICY',
      dump: {
        request: message(ctrlAttrs.only('familyId', 'familyName', 'op')),
        reply: message(ctrlAttrs.only('familyId!', 'opPolicy', 'policy')),
      },
    },
  },
  notifications: {
    newFamily: { cmd: CTRL_CMD_NEWFAMILY, group: 'notify', body: family },
    delFamily: { cmd: CTRL_CMD_DELFAMILY, group: 'notify', body: family },
    newMcastGrp: { cmd: CTRL_CMD_NEWMCAST_GRP, group: 'notify', body: group },
    delMcastGrp: { cmd: CTRL_CMD_DELMCAST_GRP, group: 'notify', body: group },
  },
})
