/**
 * Options of SOL_SOCKET, as far as they mean something to a netlink socket.
 *
 * Kernel: net/core/sock.c sk_setsockopt(), sk_getsockopt(), net/core/filter.c sk_attach_filter()
 * (Linux 6.12; limits of Linux 6.18).
 */
import { AF_NETLINK } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import type { Credentials } from '../credentials.ts'
import { EDOM, EINVAL, ENOENT, ENOPROTOOPT, EPERM } from '../errno.ts'
import { filterProgram, SocketFilter } from './filter.ts'
import type { NetlinkSock } from './sock.ts'

export const SOL_SOCKET = 1
const SO_TYPE = 3
export const SO_ERROR = 4
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
const SO_PASSCRED = 16
export const SO_RCVTIMEO = 20
export const SO_SNDTIMEO = 21
const SO_ATTACH_FILTER = 26
const SO_DETACH_FILTER = 27
const SO_ACCEPTCONN = 30
const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_PROTOCOL = 38
const SO_DOMAIN = 39
const SO_LOCK_FILTER = 44

/** The most that SO_RCVBUF and SO_SNDBUF take, bytes (net.core.rmem_max, wmem_max of Linux 6.18). */
const BUFFER_MAX = 4194304
/** What SO_RCVBUFFORCE takes at most: half of the largest int. */
const FORCE_MAX = 0x3fffffff
const LEAST_RECEIVE_BUFFER = 2304
const LEAST_SEND_BUFFER = 4608
/** struct timeval of a 64-bit machine: s64 seconds, s64 microseconds. */
const TIMEVAL = 16

/** Sets an option that is an int. @returns 0, -EPERM, -ENOENT, -EINVAL or -ENOPROTOOPT. */
export function setSocketOption(
  sock: NetlinkSock,
  option: number,
  value: number,
  current: Credentials,
): number {
  switch (option) {
    case SO_RCVBUF:
    case SO_SNDBUF:
      return setBuffer(sock, option === SO_RCVBUF, Math.min(value >>> 0, BUFFER_MAX))
    case SO_RCVBUFFORCE:
    case SO_SNDBUFFORCE:
      if (!sock.capable('CAP_NET_ADMIN', current)) return -EPERM
      return setBuffer(sock, option === SO_RCVBUFFORCE, Math.min(Math.max(0, value), FORCE_MAX))
    case SO_PASSCRED:
      sock.passCredentials = value !== 0
      return 0
    case SO_DETACH_FILTER:
      return detachFilter(sock)
    case SO_LOCK_FILTER:
      if (sock.isFilterLocked && value === 0) return -EPERM
      sock.isFilterLocked = value !== 0
      return 0
    case SO_ATTACH_FILTER:
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
      return -EINVAL
    default:
      return -ENOPROTOOPT
  }
}

/** Linux doubles what is asked for. */
function setBuffer(sock: NetlinkSock, isReceive: boolean, size: number): number {
  if (isReceive) sock.queue.limit = Math.max(size * 2, LEAST_RECEIVE_BUFFER)
  else sock.sendBuffer = Math.max(size * 2, LEAST_SEND_BUFFER)
  return 0
}

/**
 * SO_ATTACH_FILTER: `program` is an array of struct sock_filter; it takes the place of another.
 * @returns 0, -EPERM when the filter is locked, -EINVAL for what is no program.
 */
export function attachFilter(sock: NetlinkSock, program: Uint8Array): number {
  if (sock.isFilterLocked) return -EPERM
  const instructions = filterProgram(program)
  const { kernel } = sock.netlink
  const filter = instructions && SocketFilter.from(instructions, () => kernel.random())
  if (!filter) return -EINVAL
  sock.filter = filter
  return 0
}

/** SO_DETACH_FILTER. */
function detachFilter(sock: NetlinkSock): number {
  if (sock.isFilterLocked) return -EPERM
  if (!sock.filter) return -ENOENT
  sock.filter = undefined
  return 0
}

/** SO_RCVTIMEO, SO_SNDTIMEO: a struct timeval; zero is for ever. @returns 0, -EINVAL or -EDOM. */
export function setTimeouts(sock: NetlinkSock, option: number, timeval: Uint8Array): number {
  if (timeval.length < TIMEVAL) return -EINVAL
  const view = new DataView(timeval.buffer, timeval.byteOffset, timeval.length)
  const seconds = Number(view.getBigInt64(0, HOST_LE))
  const microseconds = Number(view.getBigInt64(8, HOST_LE))
  if (microseconds < 0 || microseconds >= 1_000_000) return -EDOM
  const given = seconds < 0 ? 0 : seconds * 1000 + microseconds / 1000
  const timeout = seconds >= 0 && given === 0 ? Number.POSITIVE_INFINITY : given
  if (option === SO_RCVTIMEO) sock.receiveTimeout = timeout
  else sock.sendTimeout = timeout
  return 0
}

/** SO_RCVTIMEO or SO_SNDTIMEO as a struct timeval; zero is for ever. */
export function timeoutBytes(milliseconds: number): Uint8Array {
  const bytes = new Uint8Array(TIMEVAL)
  if (!Number.isFinite(milliseconds)) return bytes
  const view = new DataView(bytes.buffer)
  const seconds = Math.floor(milliseconds / 1000)
  view.setBigInt64(0, BigInt(seconds), HOST_LE)
  view.setBigInt64(8, BigInt(Math.round((milliseconds - seconds * 1000) * 1000)), HOST_LE)
  return bytes
}

/** An option that is an int. @returns its value, or -ENOPROTOOPT. */
export function getSocketOption(sock: NetlinkSock, option: number): number {
  switch (option) {
    case SO_TYPE:
      return sock.type
    case SO_ERROR: {
      const { error } = sock.queue
      sock.queue.error = 0
      return error
    }
    case SO_SNDBUF:
      return sock.sendBuffer
    case SO_RCVBUF:
      return sock.queue.limit
    case SO_PASSCRED:
      return Number(sock.passCredentials)
    case SO_ACCEPTCONN:
      return 0
    case SO_PROTOCOL:
      return sock.protocol
    case SO_DOMAIN:
      return AF_NETLINK
    case SO_LOCK_FILTER:
      return Number(sock.isFilterLocked)
    default:
      return -ENOPROTOOPT
  }
}
