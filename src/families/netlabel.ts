/**
 * NetLabel's four families: which security label a packet of which host has. Its numbers are in no
 * uapi header.
 *
 * Kernel: net/netlabel/netlabel_mgmt.h, netlabel_unlabeled.h, netlabel_cipso_v4.h,
 * netlabel_calipso.h (Linux 6.18).
 */
import { attrs, genlFamily, message, string, u8, u16, u32 } from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

export const nlblMgmtAttrs = attrs('NLBL_MGMT_A_', {
  domain: [1, string],
  protocol: [2, u32],
  version: [3, u32],
  cv4doi: [4, u32],
  family: [11, u16],
  clpdoi: [12, u32],
})
export const nlblUnlabelAttrs = attrs('NLBL_UNLABEL_A_', { acptflg: [1, u8] })
export const nlblCipsoAttrs = attrs('NLBL_CIPSOV4_A_', { doi: [1, u32], mtype: [2, u32] })
export const nlblCalipsoAttrs = attrs('NLBL_CALIPSO_A_', { doi: [1, u32], mtype: [2, u32] })

/** The mapping of domains to protocols. */
export const nlblMgmt = genlFamily({
  name: 'NLBL_MGMT',
  version: 3,
  maxattr: 12,
  ops: {
    listAll: {
      cmd: 3,
      constant: 'NLBL_MGMT_C_LISTALL',
      dump: {
        reply: message(nlblMgmtAttrs.only('domain', 'protocol', 'cv4doi', 'family', 'clpdoi')),
      },
    },
    protocols: {
      cmd: 7,
      constant: 'NLBL_MGMT_C_PROTOCOLS',
      dump: { reply: message(nlblMgmtAttrs.only('protocol!')) },
    },
    version: {
      cmd: 8,
      constant: 'NLBL_MGMT_C_VERSION',
      do: { reply: message(nlblMgmtAttrs.only('version!')) },
    },
  },
})

/** What becomes of packets without a label. */
export const nlblUnlabel = genlFamily({
  name: 'NLBL_UNLBL',
  version: 3,
  maxattr: 7,
  ops: {
    accept: {
      cmd: 1,
      constant: 'NLBL_UNLABEL_C_ACCEPT',
      flags: GENL_ADMIN_PERM,
      do: { request: message(nlblUnlabelAttrs.only('acptflg!')) },
    },
    list: {
      cmd: 2,
      constant: 'NLBL_UNLABEL_C_LIST',
      do: { reply: message(nlblUnlabelAttrs.only('acptflg!')) },
    },
  },
})

/** Labels in IPv4 options. */
export const nlblCipso = genlFamily({
  name: 'NLBL_CIPSOv4',
  version: 3,
  maxattr: 12,
  ops: {
    listAll: {
      cmd: 4,
      constant: 'NLBL_CIPSOV4_C_LISTALL',
      dump: { reply: message(nlblCipsoAttrs) },
    },
  },
})

/** Labels in IPv6 options. */
export const nlblCalipso = genlFamily({
  name: 'NLBL_CALIPSO',
  version: 3,
  maxattr: 2,
  ops: {
    listAll: {
      cmd: 4,
      constant: 'NLBL_CALIPSO_C_LISTALL',
      dump: { reply: message(nlblCalipsoAttrs) },
    },
  },
})
