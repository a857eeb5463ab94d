/**
 * A process' socket: the system calls on it.
 *
 * Nothing throws, and nothing waits but what says so: as in Linux the calls return 0, a count, or a
 * negative errno. Each is made by somebody, `current`: who opened the socket unless given. A socket
 * may be handed on, and a process may change what it is: what a call may do is judged by who makes
 * it.
 *
 * Kernel: net/netlink/af_netlink.c netlink_ops.
 */
import type { Credentials } from '../credentials.ts'
import { EBADF } from '../errno.ts'
import { type Net, NSID_NONE } from '../net-namespace.ts'
import { bindSock, connectSock, disconnectSock } from './bind.ts'
import type { Netlink } from './netlink.ts'
import { getsockopt, setsockopt } from './options.ts'
import { consumeDatagram, copyDatagram, nextDatagram } from './receive.ts'
import { releaseSock } from './release.ts'
import { type Destination, type Sender, sendmsg, sendmsgWait } from './send.ts'
import { NetlinkSock } from './sock.ts'
import { attachFilter, setTimeouts } from './socket-options.ts'
import type { ProtocolTable } from './table.ts'
import type { SendWait } from './unicast.ts'

/** Leave the datagram in the queue. */
export const MSG_PEEK = 2

/** A port and a mask of groups, as sockaddr_nl holds them: bit n-1 is group n. */
export interface SockaddrNl {
  readonly portid: number
  readonly groups: number
}

/** Groups above 32 have no bit. */
function groupBit(group: number): number {
  return group > 0 && group <= 32 ? (1 << (group - 1)) >>> 0 : 0
}

export class UserSocket extends NetlinkSock {
  /** Of the last datagram: its sender's port, its group's number, its namespace's id or -1. */
  senderPortid = 0
  senderGroup = 0
  senderNsid = NSID_NONE
  /** Of the last datagram: who sent it (SCM_CREDENTIALS). */
  senderCredentials: Credentials | undefined
  readonly #opener: Sender

  constructor(netlink: Netlink, net: Net, table: ProtocolTable, credentials: Credentials) {
    super(netlink, net.get(), table, credentials)
    this.#opener = { current: credentials }
  }
  /** bind(2): see `bindSock`. */
  bind(portid = 0, groups = 0, current: Credentials = this.credentials): number {
    return bindSock(this, portid, groups, current)
  }
  /** connect(2): see `connectSock`. */
  connect(portid: number, groups = 0, current: Credentials = this.credentials): number {
    return connectSock(this, portid, groups, current)
  }
  /** connect(2) with AF_UNSPEC. */
  disconnect(): number {
    return disconnectSock(this)
  }
  /** getsockname(2). */
  getsockname(): SockaddrNl {
    return { portid: this.portid, groups: this.groupMask }
  }
  /** getpeername(2): where datagrams go that name no destination. */
  getpeername(): SockaddrNl {
    return { portid: this.dstPortid, groups: groupBit(this.dstGroup) }
  }
  /** sendmsg(2) with MSG_DONTWAIT: see `sendmsg`. */
  send(parts: readonly Uint8Array[], to?: Destination, sender: Sender = this.#opener): number {
    return sendmsg(this, parts, to, sender)
  }
  /**
   * sendmsg(2) that waits while the receiver is full, SO_SNDTIMEO at most unless told otherwise:
   * see `sendmsgWait`. The answer is a promise only where there was something to wait for.
   */
  sendWait(
    parts: readonly Uint8Array[],
    to?: Destination,
    wait: SendWait = { timeout: this.sendTimeout },
    sender: Sender = this.#opener,
  ): number | Promise<number> {
    return sendmsgWait(this, parts, to, sender, wait)
  }
  /**
   * recvmsg(2) with MSG_DONTWAIT and MSG_TRUNC: the datagram in front, as much as fits; what came
   * with it is in `sender…`. The rest of a datagram that does not fit is lost.
   * @returns the datagram's whole length; -EAGAIN when there is none; what the socket has to
   * report, such as -ENOBUFS after an overrun.
   */
  receive(buffer: Uint8Array, flags = 0): number {
    const skb = nextDatagram(this)
    if (typeof skb === 'number') return skb
    const { length, dstGroup } = skb
    copyDatagram(this, skb, buffer)
    this.senderPortid = skb.portid
    this.senderGroup = dstGroup <= 32 || this.pktinfo ? dstGroup : 0
    this.senderNsid = this.listenAllNsid ? skb.nsid : NSID_NONE
    this.senderCredentials = skb.credentials
    if ((flags & MSG_PEEK) === 0) consumeDatagram(this)
    return length
  }
  /** Whether a read has something to say. */
  get isReadable(): boolean {
    return this.queue.length > 0 || this.queue.error !== 0
  }
  /** setsockopt(2) with an int: see `setsockopt`. */
  setsockopt(
    level: number,
    option: number,
    value: number,
    current: Credentials = this.credentials,
  ): number {
    return setsockopt(this, level, option, value, current)
  }
  /** getsockopt(2) of an int: see `getsockopt`. */
  getsockopt(level: number, option: number): number {
    return getsockopt(this, level, option)
  }
  /** SO_RCVTIMEO or SO_SNDTIMEO with a struct timeval: see `setTimeouts`. */
  setTimeout(option: number, timeval: Uint8Array): number {
    return this.isClosed ? -EBADF : setTimeouts(this, option, timeval)
  }
  /** SO_ATTACH_FILTER with an array of struct sock_filter: see `attachFilter`. */
  attachFilter(program: Uint8Array): number {
    return this.isClosed ? -EBADF : attachFilter(this, program)
  }
  /** NETLINK_LIST_MEMBERSHIPS: a bit for each group from 1 on; empty before the first use. */
  listMemberships(): Uint32Array {
    return this.groups?.slice() ?? new Uint32Array()
  }
  /** close(2): see `releaseSock`. Harmless when repeated. */
  close(): void {
    releaseSock(this)
  }
}
