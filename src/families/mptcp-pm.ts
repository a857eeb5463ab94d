/**
 * mptcp_pm: which addresses Multipath TCP uses, as `ip mptcp` shows them.
 *
 * Kernel: include/uapi/linux/mptcp_pm.h; net/mptcp/pm_netlink.c (Linux 6.18).
 */
import { attrs, bits, genlFamily, ipv4, ipv6, message, s32, u8, u16, u32 } from '../schema/index.ts'
import { GENL_UNS_ADMIN_PERM } from '../wire/constants.ts'

export const MPTCP_PM_CMD_ADD_ADDR = 1
export const MPTCP_PM_CMD_DEL_ADDR = 2
export const MPTCP_PM_CMD_GET_ADDR = 3
export const MPTCP_PM_CMD_FLUSH_ADDRS = 4
export const MPTCP_PM_CMD_SET_LIMITS = 5
export const MPTCP_PM_CMD_GET_LIMITS = 6
export const MPTCP_PM_CMD_SET_FLAGS = 7

export const MPTCP_PM_ADDR_FLAG_SIGNAL = 1
export const MPTCP_PM_ADDR_FLAG_SUBFLOW = 2
export const MPTCP_PM_ADDR_FLAG_BACKUP = 4
export const MPTCP_PM_ADDR_FLAG_FULLMESH = 8
export const MPTCP_PM_ADDR_FLAG_IMPLICIT = 16

/** An endpoint. */
export const mptcpAddrAttrs = attrs('MPTCP_PM_ADDR_ATTR_', {
  /** AF_INET or AF_INET6. */
  family: [1, u16],
  id: [2, u8],
  addr4: [3, ipv4],
  addr6: [4, ipv6],
  port: [5, u16],
  flags: [
    6,
    bits(
      u32,
      {
        MPTCP_PM_ADDR_FLAG_SIGNAL,
        MPTCP_PM_ADDR_FLAG_SUBFLOW,
        MPTCP_PM_ADDR_FLAG_BACKUP,
        MPTCP_PM_ADDR_FLAG_FULLMESH,
        MPTCP_PM_ADDR_FLAG_IMPLICIT,
      },
      'MPTCP_PM_ADDR_FLAG_',
    ),
  ],
  ifIdx: [7, s32],
})

export const mptcpAttrs = attrs('MPTCP_PM_ATTR_', {
  addr: [1, mptcpAddrAttrs],
  rcvAddAddrs: [2, u32],
  subflows: [3, u32],
  token: [4, u32],
  locId: [5, u8],
  addrRemote: [6, mptcpAddrAttrs],
})

const endpoint = message(mptcpAttrs.only('addr'))
const limits = message(mptcpAttrs.only('rcvAddAddrs', 'subflows'))

export const mptcpPm = genlFamily({
  name: 'mptcp_pm',
  version: 1,
  groups: ['mptcp_pm_cmds', 'mptcp_pm_events'],
  ops: {
    addAddr: {
      cmd: MPTCP_PM_CMD_ADD_ADDR,
      constant: 'MPTCP_PM_CMD_ADD_ADDR',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: endpoint },
    },
    delAddr: {
      cmd: MPTCP_PM_CMD_DEL_ADDR,
      constant: 'MPTCP_PM_CMD_DEL_ADDR',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: endpoint },
    },
    /** One endpoint by its id, or all. */
    getAddr: {
      cmd: MPTCP_PM_CMD_GET_ADDR,
      constant: 'MPTCP_PM_CMD_GET_ADDR',
      do: { request: endpoint, reply: endpoint },
      dump: { reply: endpoint },
    },
    flushAddrs: {
      cmd: MPTCP_PM_CMD_FLUSH_ADDRS,
      constant: 'MPTCP_PM_CMD_FLUSH_ADDRS',
      flags: GENL_UNS_ADMIN_PERM,
      do: {},
    },
    setLimits: {
      cmd: MPTCP_PM_CMD_SET_LIMITS,
      constant: 'MPTCP_PM_CMD_SET_LIMITS',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: limits },
    },
    getLimits: {
      cmd: MPTCP_PM_CMD_GET_LIMITS,
      constant: 'MPTCP_PM_CMD_GET_LIMITS',
      do: { request: limits, reply: limits },
    },
    setFlags: {
      cmd: MPTCP_PM_CMD_SET_FLAGS,
      constant: 'MPTCP_PM_CMD_SET_FLAGS',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: message(mptcpAttrs.only('addr', 'token', 'addrRemote')) },
    },
  },
})
