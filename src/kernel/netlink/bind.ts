/**
 * bind(2) and connect(2).
 *
 * Kernel: net/netlink/af_netlink.c netlink_bind(), netlink_connect() (Linux 6.12).
 */
import type { Credentials } from '../credentials.ts'
import { EBADF, EINVAL, EPERM } from '../errno.ts'
import {
  bindGroup,
  mayReceive,
  maySend,
  reallocGroups,
  unbindGroup,
  updateMembership,
} from './groups.ts'
import { autobind, insertPort } from './port.ts'
import type { NetlinkSock } from './sock.ts'

const MASK_GROUPS = 32

function hasBit(mask: number, group: number): boolean {
  return (mask & (1 << (group - 1))) !== 0
}

/** netlink_undo_bind(): tells the protocol that the groups of `mask` below `end` are left. */
function undoBind(sock: NetlinkSock, mask: number, end: number): void {
  for (let group = 1; group < end; group++) if (hasBit(mask, group)) unbindGroup(sock, group)
}

/**
 * Takes a port, 0 for any, and replaces the membership in groups 1 to 32 by `mask` (bit n-1 is
 * group n).
 * @returns 0, -EPERM, -ENOENT, -EINVAL (it has another port), -EADDRINUSE, or a bind hook's errno.
 */
export function bindSock(
  sock: NetlinkSock,
  portid: number,
  mask: number,
  current: Credentials,
): number {
  if (sock.isClosed) return -EBADF
  if (mask !== 0) {
    if (!mayReceive(sock, current)) return -EPERM
    const error = reallocGroups(sock)
    if (error) return error
  }
  if (sock.isBound && portid !== sock.portid) return -EINVAL
  for (let group = 1; mask !== 0 && group <= MASK_GROUPS; group++) {
    if (!hasBit(mask, group)) continue
    const refused = bindGroup(sock, group, current)
    if (!refused) continue
    undoBind(sock, mask, group)
    return refused
  }
  if (!sock.isBound) {
    const taken = portid === 0 ? autobind(sock, current) : insertPort(sock, portid >>> 0)
    if (taken) {
      undoBind(sock, mask, MASK_GROUPS + 1)
      return taken
    }
  }
  for (let group = 1; sock.groups && group <= MASK_GROUPS; group++) {
    updateMembership(sock, group, hasBit(mask, group))
  }
  return 0
}

/**
 * Names where datagrams go that name no destination; of a mask only the lowest group counts. From
 * then on unicasts are taken from `portid` alone. The peer need not exist.
 * @returns 0 or -EPERM.
 */
export function connectSock(
  sock: NetlinkSock,
  portid: number,
  mask: number,
  current: Credentials,
): number {
  if (sock.isClosed) return -EBADF
  if ((portid !== 0 || mask !== 0) && !maySend(sock, current)) return -EPERM
  if (!sock.isBound) autobind(sock, current)
  sock.isConnected = true
  sock.dstPortid = portid >>> 0
  sock.dstGroup = lowestGroup(mask)
  return 0
}

/** connect() with AF_UNSPEC: back to the kernel. */
export function disconnectSock(sock: NetlinkSock): number {
  if (sock.isClosed) return -EBADF
  sock.isConnected = false
  sock.dstPortid = 0
  sock.dstGroup = 0
  return 0
}

/** ffs(): the number of the lowest group in `mask`, 0 for none. */
function lowestGroup(mask: number): number {
  return mask === 0 ? 0 : 32 - Math.clz32(mask & -mask)
}
