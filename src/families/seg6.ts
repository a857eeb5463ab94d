/**
 * SEG6: keys of segment routing over IPv6, and the source of its tunnels, as `ip sr` shows them.
 *
 * Kernel: include/uapi/linux/seg6_genl.h; net/ipv6/seg6.c (Linux 6.18).
 */
import { attrs, binary, genlFamily, ipv6, message, s32, u8, u32 } from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

export const SEG6_CMD_SETHMAC = 1
export const SEG6_CMD_DUMPHMAC = 2
export const SEG6_CMD_SET_TUNSRC = 3
export const SEG6_CMD_GET_TUNSRC = 4

export const seg6Attrs = attrs('SEG6_ATTR_', {
  dst: [1, ipv6],
  dstlen: [2, s32],
  hmackeyid: [3, u32],
  secret: [4, binary],
  /** Bytes; 0 removes the key. */
  secretlen: [5, u8],
  algid: [6, u8],
  hmacinfo: [7, binary],
})
const key = message(seg6Attrs.only('hmackeyid', 'secret', 'secretlen', 'algid'))
const source = message(seg6Attrs.only('dst'))
const admin = { flags: GENL_ADMIN_PERM } as const

export const seg6 = genlFamily({
  name: 'SEG6',
  version: 1,
  maxattr: 7,
  ops: {
    setHmac: {
      cmd: SEG6_CMD_SETHMAC,
      constant: 'SEG6_CMD_SETHMAC',
      ...admin,
      do: { request: key },
    },
    getHmac: {
      cmd: SEG6_CMD_DUMPHMAC,
      constant: 'SEG6_CMD_DUMPHMAC',
      ...admin,
      dump: { reply: key },
    },
    setTunsrc: {
      cmd: SEG6_CMD_SET_TUNSRC,
      constant: 'SEG6_CMD_SET_TUNSRC',
      ...admin,
      do: { request: source },
    },
    getTunsrc: {
      cmd: SEG6_CMD_GET_TUNSRC,
      constant: 'SEG6_CMD_GET_TUNSRC',
      ...admin,
      do: { reply: source },
    },
  },
})
