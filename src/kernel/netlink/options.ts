/**
 * setsockopt(2) and getsockopt(2), by level and number.
 *
 * Kernel: net/netlink/af_netlink.c netlink_setsockopt(), netlink_getsockopt(); net/core/sock.c
 * (Linux 6.12).
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
import { EBADF, ENOPROTOOPT, EPERM } from '../errno.ts'
import { setMembership } from './groups.ts'
import type { NetlinkSock } from './sock.ts'

export const SOL_SOCKET = 1
export const SO_ERROR = 4
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_PROTOCOL = 38

/** The most that SO_RCVBUF and SO_SNDBUF take, bytes (net.core.rmem_max, wmem_max of Linux 6.18). */
const BUFFER_MAX = 4194304
/** What SO_RCVBUFFORCE takes at most: half of the largest int. */
const FORCE_MAX = 0x3fffffff
const LEAST_RECEIVE_BUFFER = 2304
const LEAST_SEND_BUFFER = 4608

/** Sets one option. @returns 0 or a negative errno: -ENOPROTOOPT, -EPERM, of membership others. */
export function setsockopt(
  sock: NetlinkSock,
  level: number,
  option: number,
  value: number,
): number {
  if (sock.isClosed) return -EBADF
  if (level === SOL_SOCKET) return setBuffer(sock, option, value)
  if (level !== SOL_NETLINK) return -ENOPROTOOPT
  const on = value !== 0
  switch (option) {
    case NETLINK_ADD_MEMBERSHIP:
      return setMembership(sock, value, true)
    case NETLINK_DROP_MEMBERSHIP:
      return setMembership(sock, value, false)
    case NETLINK_PKTINFO:
      sock.pktinfo = on
      return 0
    case NETLINK_BROADCAST_ERROR:
      sock.broadcastError = on
      return 0
    case NETLINK_NO_ENOBUFS:
      sock.queue.noEnobufs = on
      if (on) sock.queue.isCongested = false
      return 0
    case NETLINK_LISTEN_ALL_NSID:
      if (!sock.capable('CAP_NET_BROADCAST')) return -EPERM
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

/** SO_RCVBUF and kin: Linux doubles what is asked for. */
function setBuffer(sock: NetlinkSock, option: number, value: number): number {
  const isForced = option === SO_RCVBUFFORCE || option === SO_SNDBUFFORCE
  if (isForced && !sock.capable('CAP_NET_ADMIN')) return -EPERM
  const size = isForced
    ? Math.min(Math.max(0, value), FORCE_MAX)
    : Math.min(value >>> 0, BUFFER_MAX)
  if (option === SO_RCVBUF || option === SO_RCVBUFFORCE) {
    sock.queue.limit = Math.max(size * 2, LEAST_RECEIVE_BUFFER)
    return 0
  }
  if (option === SO_SNDBUF || option === SO_SNDBUFFORCE) {
    sock.sendBuffer = Math.max(size * 2, LEAST_SEND_BUFFER)
    return 0
  }
  return -ENOPROTOOPT
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

function getSocketOption(sock: NetlinkSock, option: number): number {
  switch (option) {
    case SO_RCVBUF:
      return sock.queue.limit
    case SO_SNDBUF:
      return sock.sendBuffer
    case SO_PROTOCOL:
      return sock.protocol
    case SO_ERROR: {
      const { error } = sock.queue
      sock.queue.error = 0
      return error
    }
    default:
      return -ENOPROTOOPT
  }
}
