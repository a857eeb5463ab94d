/** Socket options by name: level, number and value, as setsockopt(2) takes them. */
import { NetlinkError } from '../errors.ts'
import {
  NETLINK_BROADCAST_ERROR,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_NO_ENOBUFS,
  NETLINK_PKTINFO,
  SOL_NETLINK,
} from '../wire/constants.ts'
import type { SocketOptions } from './transport.ts'

export const SOL_SOCKET = 1
export const SO_RCVBUF = 8
export const SO_SNDBUF = 7
const SO_RCVBUFFORCE = 33
export const SO_ATTACH_FILTER = 26
export const SO_DETACH_FILTER = 27

/** An option as setsockopt(2) takes it. */
export interface OptionValue {
  readonly name: keyof SocketOptions
  readonly level: number
  readonly option: number
  readonly value: number
}

const numbers: Readonly<Record<keyof SocketOptions, readonly [level: number, option: number]>> = {
  extAck: [SOL_NETLINK, NETLINK_EXT_ACK],
  capAck: [SOL_NETLINK, NETLINK_CAP_ACK],
  strictCheck: [SOL_NETLINK, NETLINK_GET_STRICT_CHK],
  pktinfo: [SOL_NETLINK, NETLINK_PKTINFO],
  broadcastError: [SOL_NETLINK, NETLINK_BROADCAST_ERROR],
  noEnobufs: [SOL_NETLINK, NETLINK_NO_ENOBUFS],
  listenAllNsid: [SOL_NETLINK, NETLINK_LISTEN_ALL_NSID],
  receiveBuffer: [SOL_SOCKET, SO_RCVBUF],
  receiveBufferForce: [SOL_SOCKET, SO_RCVBUFFORCE],
  sendBuffer: [SOL_SOCKET, SO_SNDBUF],
}

/** @throws NetlinkError NETLINK_INVALID for a name or a value that no option has. */
export function optionValue(name: string, value: unknown): OptionValue {
  if (!Object.hasOwn(numbers, name)) throw invalid(`there is no socket option ${name}`)
  const known = name as keyof SocketOptions
  const [level, option] = numbers[known]
  if (level === SOL_SOCKET) {
    if (!isUnsigned(value, 0x7fffffff)) throw invalid(`${name} takes bytes, not ${String(value)}`)
    return { name: known, level, option, value }
  }
  if (typeof value !== 'boolean') throw invalid(`${name} takes a boolean, not ${String(value)}`)
  return { name: known, level, option, value: value ? 1 : 0 }
}

/** The options of `all` that are given, in its order. @throws as optionValue() */
export function optionValues(all: SocketOptions = {}): OptionValue[] {
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => optionValue(name, value))
}

/** Whether `value` is an integer between 0 and `max`. */
export function isUnsigned(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
}

/** A value that no kernel was asked about. */
export function invalid(message: string): NetlinkError {
  return new NetlinkError('NETLINK_INVALID', { message })
}
