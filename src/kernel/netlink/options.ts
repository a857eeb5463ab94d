/**
 * setsockopt(2) and getsockopt(2) of SOL_NETLINK, by number.
 *
 * Kernel: net/netlink/af_netlink.c netlink_setsockopt(), netlink_getsockopt() (Linux 6.12).
 */
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_BROADCAST_ERROR,
  NETLINK_CAP_ACK,
  NETLINK_DROP_MEMBERSHIP,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_NO_ENOBUFS,
  NETLINK_PKTINFO,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import type { Credentials } from '../credentials.ts'
import { EBADF, ENOPROTOOPT, EPERM } from '../errno.ts'
import { setMembership } from './groups.ts'
import type { NetlinkSock } from './sock.ts'
import { getSocketOption, SOL_SOCKET, setSocketOption } from './socket-options.ts'

/** Sets one option. @returns 0 or a negative errno: -ENOPROTOOPT, -EPERM, of membership others. */
export function setsockopt(
  sock: NetlinkSock,
  level: number,
  option: number,
  value: number,
  current: Credentials,
): number {
  if (sock.isClosed) return -EBADF
  if (level === SOL_SOCKET) return setSocketOption(sock, option, value, current)
  if (level !== SOL_NETLINK) return -ENOPROTOOPT
  const on = value !== 0
  switch (option) {
    case NETLINK_ADD_MEMBERSHIP:
      return setMembership(sock, value, true, current)
    case NETLINK_DROP_MEMBERSHIP:
      return setMembership(sock, value, false, current)
    case NETLINK_PKTINFO:
      sock.pktinfo = on
      return 0
    case NETLINK_BROADCAST_ERROR:
      sock.broadcastError = on
      return 0
    case NETLINK_NO_ENOBUFS:
      sock.queue.noEnobufs = on
      if (on) {
        sock.queue.isCongested = false
        sock.senders.wakeUp()
      }
      return 0
    case NETLINK_LISTEN_ALL_NSID:
      if (!sock.capable('CAP_NET_BROADCAST', current)) return -EPERM
      sock.listenAllNsid = on
      return 0
    case NETLINK_CAP_ACK:
      sock.capAck = on
      return 0
    case NETLINK_EXT_ACK:
      sock.extAck = on
      return 0
    case NETLINK_GET_STRICT_CHK:
      sock.strictCheck = on
      return 0
    default:
      return -ENOPROTOOPT
  }
}

/** Reads one option. @returns its value, or a negative errno. */
export function getsockopt(sock: NetlinkSock, level: number, option: number): number {
  if (sock.isClosed) return -EBADF
  if (level === SOL_SOCKET) return getSocketOption(sock, option)
  if (level !== SOL_NETLINK) return -ENOPROTOOPT
  switch (option) {
    case NETLINK_PKTINFO:
      return Number(sock.pktinfo)
    case NETLINK_BROADCAST_ERROR:
      return Number(sock.broadcastError)
    case NETLINK_NO_ENOBUFS:
      return Number(sock.queue.noEnobufs)
    case NETLINK_LISTEN_ALL_NSID:
      return Number(sock.listenAllNsid)
    case NETLINK_CAP_ACK:
      return Number(sock.capAck)
    case NETLINK_EXT_ACK:
      return Number(sock.extAck)
    case NETLINK_GET_STRICT_CHK:
      return Number(sock.strictCheck)
    default:
      return -ENOPROTOOPT
  }
}
