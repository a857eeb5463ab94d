/**
 * Groups: who may join, the protocol's say, and the membership bits.
 *
 * Kernel: net/netlink/af_netlink.c netlink_realloc_groups(), netlink_update_socket_mc(),
 * netlink_setsockopt() (Linux 6.12).
 */
import { isNetlinkError } from '../../errors.ts'
import type { Credentials } from '../credentials.ts'
import { EINVAL, EIO, ENOENT, EPERM } from '../errno.ts'
import { KERN_ERR } from '../printk/log.ts'
import type { NetlinkSock } from './sock.ts'

/** netlink_allowed(): whether `current`, whoever opened the socket, may join groups on it. */
export function mayReceive(sock: NetlinkSock, current: Credentials): boolean {
  return sock.table.nonrootRecv || sock.capable('CAP_NET_ADMIN', current)
}

/** netlink_allowed(): whether `current`, whoever opened it, may send to ports and groups on it. */
export function maySend(sock: NetlinkSock, current: Credentials): boolean {
  return sock.table.nonrootSend || sock.capable('CAP_NET_ADMIN', current)
}

/** Groups that the socket knows of: none before its first group operation. */
function groupCount(sock: NetlinkSock): number {
  return sock.groups ? sock.groups.length * 32 : 0
}

/** netlink_realloc_groups(): as many bits as the protocol has groups now. @returns 0 or -ENOENT. */
export function reallocGroups(sock: NetlinkSock): number {
  if (sock.table.registered === 0) return -ENOENT
  const words = Math.ceil(sock.table.groups / 32)
  if (sock.groups && sock.groups.length >= words) return 0
  const groups = new Uint32Array(words)
  if (sock.groups) groups.set(sock.groups)
  sock.groups = groups
  return 0
}

/** netlink_update_socket_mc(): sets or clears one bit. */
export function updateMembership(sock: NetlinkSock, group: number, join: boolean): void {
  if (!sock.groups || sock.isMember(group) === join) return
  const word = (group - 1) >>> 5
  sock.groups[word] = (sock.groups[word] as number) ^ (1 << ((group - 1) & 31))
  if (join) sock.table.addMember(group, sock)
  else sock.table.removeMember(group, sock)
}

/** The groups that the socket is a member of, ascending. */
export function* memberships(sock: NetlinkSock): Generator<number> {
  const count = groupCount(sock)
  for (let group = 1; group <= count; group++) if (sock.isMember(group)) yield group
}

/** Asks the protocol. @returns 0 or the negative errno of its refusal. */
export function bindGroup(sock: NetlinkSock, group: number, current: Credentials): number {
  try {
    sock.hooks.bind?.(sock.net, group, current, sock)
    return 0
  } catch (error) {
    if (isNetlinkError(error) && error.errno !== undefined) return error.errno
    sock.netlink.kernel.printk(KERN_ERR, `netlink: bind of group ${group} failed: ${error}`)
    return -EIO
  }
}

/** Tells the protocol. */
export function unbindGroup(sock: NetlinkSock, group: number): void {
  try {
    sock.hooks.unbind?.(sock.net, group, sock)
  } catch (error) {
    sock.netlink.kernel.printk(KERN_ERR, `netlink: unbind of group ${group} failed: ${error}`)
  }
}

/**
 * NETLINK_ADD_MEMBERSHIP and NETLINK_DROP_MEMBERSHIP. The port is not bound by it.
 * @returns 0, -EPERM, -ENOENT, -EINVAL, or what the protocol's bind hook says.
 */
export function setMembership(
  sock: NetlinkSock,
  group: number,
  join: boolean,
  current: Credentials,
): number {
  if (!mayReceive(sock, current)) return -EPERM
  const error = reallocGroups(sock)
  if (error) return error
  if (!Number.isInteger(group) || group < 1 || group > sock.table.groups) return -EINVAL
  if (join) {
    const refused = bindGroup(sock, group, current)
    if (refused) return refused
  }
  updateMembership(sock, group, join)
  if (!join) unbindGroup(sock, group)
  return 0
}
