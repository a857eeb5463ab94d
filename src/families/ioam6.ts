/**
 * IOAM6: namespaces and schemas of in-band telemetry over IPv6, as `ip ioam` shows them.
 *
 * Kernel: include/uapi/linux/ioam6_genl.h; net/ipv6/ioam6.c (Linux 6.18).
 */
import { attrs, binary, flag, genlFamily, message, u16, u32, u64 } from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

export const IOAM6_CMD_ADD_NAMESPACE = 1
export const IOAM6_CMD_DEL_NAMESPACE = 2
export const IOAM6_CMD_DUMP_NAMESPACES = 3
export const IOAM6_CMD_ADD_SCHEMA = 4
export const IOAM6_CMD_DEL_SCHEMA = 5
export const IOAM6_CMD_DUMP_SCHEMAS = 6
export const IOAM6_CMD_NS_SET_SCHEMA = 7

export const ioam6Attrs = attrs('IOAM6_ATTR_', {
  nsId: [1, u16],
  nsData: [2, u32],
  nsDataWide: [3, u64],
  scId: [4, u32],
  scData: [5, binary.max(1020)],
  /** The namespace has no schema any more. */
  scNone: [6, flag],
})
const admin = { flags: GENL_ADMIN_PERM } as const

export const ioam6 = genlFamily({
  name: 'IOAM6',
  version: 1,
  groups: ['ioam6_events'],
  ops: {
    addNamespace: {
      cmd: IOAM6_CMD_ADD_NAMESPACE,
      constant: 'IOAM6_CMD_ADD_NAMESPACE',
      ...admin,
      do: { request: message(ioam6Attrs.only('nsId!', 'nsData', 'nsDataWide')) },
    },
    delNamespace: {
      cmd: IOAM6_CMD_DEL_NAMESPACE,
      constant: 'IOAM6_CMD_DEL_NAMESPACE',
      ...admin,
      do: { request: message(ioam6Attrs.only('nsId!')) },
    },
    getNamespace: {
      cmd: IOAM6_CMD_DUMP_NAMESPACES,
      constant: 'IOAM6_CMD_DUMP_NAMESPACES',
      ...admin,
      dump: { reply: message(ioam6Attrs.only('nsId!', 'nsData', 'nsDataWide', 'scId')) },
    },
    addSchema: {
      cmd: IOAM6_CMD_ADD_SCHEMA,
      constant: 'IOAM6_CMD_ADD_SCHEMA',
      ...admin,
      do: { request: message(ioam6Attrs.only('scId!', 'scData!')) },
    },
    delSchema: {
      cmd: IOAM6_CMD_DEL_SCHEMA,
      constant: 'IOAM6_CMD_DEL_SCHEMA',
      ...admin,
      do: { request: message(ioam6Attrs.only('scId!')) },
    },
    getSchema: {
      cmd: IOAM6_CMD_DUMP_SCHEMAS,
      constant: 'IOAM6_CMD_DUMP_SCHEMAS',
      ...admin,
      dump: { reply: message(ioam6Attrs.only('scId!', 'scData!', 'nsId')) },
    },
    setSchema: {
      cmd: IOAM6_CMD_NS_SET_SCHEMA,
      constant: 'IOAM6_CMD_NS_SET_SCHEMA',
      ...admin,
      do: { request: message(ioam6Attrs.only('nsId!', 'scId', 'scNone')) },
    },
  },
})
