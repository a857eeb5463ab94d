/**
 * The system calls on a netlink socket with C's arguments: addresses and option values are bytes,
 * as a program hands them over. What does it all is `UserSocket`.
 *
 * Kernel: net/netlink/af_netlink.c netlink_ops; net/core/sock.c sock_setsockopt(),
 * sock_getsockopt() (Linux 6.12).
 */
import { AF_NETLINK, NETLINK_LIST_MEMBERSHIPS, SOL_NETLINK } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { type Capability, type Credentials, nsCapable, UserNamespace } from '../credentials.ts'
import { EINVAL, EPERM } from '../errno.ts'
import { NSID_NONE } from '../net-namespace.ts'
import type { Destination, Sender } from './send.ts'
import { SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, timeoutBytes } from './socket-options.ts'
import type { SendWait } from './unicast.ts'
import type { UserSocket } from './user-socket.ts'

const AF_UNSPEC = 0
/** struct sockaddr_nl: u16 family, u16 pad, u32 pid, u32 groups. */
export const SOCKADDR_NL_SIZE = 12
const INT = 4

const SO_PEERCRED = 17
const SO_ATTACH_FILTER = 26
const SO_COOKIE = 57
const SO_NETNS_COOKIE = 71

/** What comes with a datagram that a program sends. */
export interface SendInit {
  /** msg_name. */
  readonly name?: Uint8Array | undefined
  /** Who sends. */
  readonly current: Credentials
  /** SCM_CREDENTIALS: who the program says that it is. */
  readonly claimed?: Claimed | undefined
}

/** struct ucred. */
export type Claimed = Pick<Credentials, 'pid' | 'uid' | 'gid'>

/** A netlink socket as a program holds it. Calls return counts or negative errnos. */
export interface SocketOps {
  /** Of the datagram that was received last. */
  readonly senderPortid: number
  /** Its group as a mask, bit n-1 for group n; none for groups above 32. */
  readonly senderGroups: number
  /** Its group's number, if NETLINK_PKTINFO is on. */
  readonly pktinfo: number | undefined
  /** Its namespace's id, if it has one and NETLINK_LISTEN_ALL_NSID is on. */
  readonly senderNsid: number | undefined
  /** Who sent it, if SO_PASSCRED is on. */
  readonly senderCredentials: Claimed | undefined
  /** Whether there is something to receive. */
  readonly isReadable: boolean
  /** Length of the datagram in front, if it is one that no dump and no error has a part in. */
  readonly plainLength: number | undefined
  /** The kernel has closed it. */
  readonly isClosed: boolean
  /** Called when one of these becomes true. */
  dataReady: (() => void) | undefined
  bind(address: Uint8Array, current: Credentials): number
  connect(address: Uint8Array, current: Credentials): number
  /** Writes a struct sockaddr_nl. */
  getsockname(into: Uint8Array): number
  getpeername(into: Uint8Array): number
  /** The value of SO_ATTACH_FILTER is the program itself. */
  setsockopt(level: number, option: number, value: Uint8Array, current: Credentials): number
  /** Writes what fits. @returns the value's length, or a negative errno. */
  getsockopt(level: number, option: number, into: Uint8Array): number
  sendmsg(parts: readonly Uint8Array[], init: SendInit): number
  /** The same, and waits for room: a promise where there is something to wait for. */
  sendmsgWait(
    parts: readonly Uint8Array[],
    init: SendInit,
    wait: SendWait,
  ): number | Promise<number>
  /** @returns the datagram's whole length, or a negative errno. */
  recvmsg(into: Uint8Array, flags: number): number
  close(): void
}

/** @returns family, port and groups, or a negative errno. */
function readAddress(address: Uint8Array): { portid: number; groups: number } | number {
  if (address.length < SOCKADDR_NL_SIZE) return -EINVAL
  const view = new DataView(address.buffer, address.byteOffset)
  if (view.getUint16(0, HOST_LE) !== AF_NETLINK) return -EINVAL
  return { portid: view.getUint32(4, HOST_LE), groups: view.getUint32(8, HOST_LE) }
}

function writeAddress(into: Uint8Array, portid: number, groups: number): number {
  const view = new DataView(into.buffer, into.byteOffset)
  view.setUint16(0, AF_NETLINK, HOST_LE)
  view.setUint16(2, 0, HOST_LE)
  view.setUint32(4, portid, HOST_LE)
  view.setUint32(8, groups, HOST_LE)
  return 0
}

/** ffs(): the number of the lowest group in `mask`, 0 for none. */
function lowestGroup(mask: number): number {
  return mask === 0 ? 0 : 32 - Math.clz32(mask & -mask)
}

/** scm_check_creds(): one's own values always, others with the capability for them. */
function mayClaim({ pid, uid, gid }: Claimed, current: Credentials): boolean {
  const can = (capability: Capability): boolean =>
    nsCapable(current, current.userNs ?? new UserNamespace(), capability)
  return (
    (pid === current.pid || can('CAP_SYS_ADMIN')) &&
    (uid === current.uid || can('CAP_SETUID')) &&
    (gid === current.gid || can('CAP_SETGID'))
  )
}

/** Where it goes, or a negative errno; and who sends it. */
function readInit({ name, current, claimed }: SendInit): {
  readonly to: Destination | number | undefined
  readonly sender: Sender
} {
  if (claimed && !mayClaim(claimed, current)) return { to: -EPERM, sender: { current } }
  const sender = claimed ? { current, claimed: { ...current, ...claimed } } : { current }
  if (!name) return { to: undefined, sender }
  const to = readAddress(name)
  if (typeof to === 'number') return { to, sender }
  return { to: { portid: to.portid, group: lowestGroup(to.groups) }, sender }
}

/** A socket of nlkit's kernel, as a program holds it. */
export class KernelSocketOps implements SocketOps {
  readonly #sock: UserSocket

  constructor(sock: UserSocket) {
    this.#sock = sock
  }
  get senderPortid(): number {
    return this.#sock.senderPortid
  }
  get senderGroups(): number {
    const group = this.#sock.senderGroup
    return group > 0 && group <= 32 ? (1 << (group - 1)) >>> 0 : 0
  }
  get pktinfo(): number | undefined {
    return this.#sock.pktinfo ? this.#sock.senderGroup : undefined
  }
  get senderNsid(): number | undefined {
    const { senderNsid } = this.#sock
    return senderNsid === NSID_NONE ? undefined : senderNsid
  }
  get senderCredentials(): Credentials | undefined {
    return this.#sock.passCredentials ? this.#sock.senderCredentials : undefined
  }
  get isReadable(): boolean {
    return this.#sock.isReadable
  }
  get plainLength(): number | undefined {
    const { queue, dump } = this.#sock
    return queue.error !== 0 || dump ? undefined : queue.peek()?.length
  }
  get isClosed(): boolean {
    return this.#sock.isClosed
  }
  get dataReady(): (() => void) | undefined {
    return this.#sock.dataReady
  }
  set dataReady(ready: (() => void) | undefined) {
    this.#sock.dataReady = ready
  }

  bind(address: Uint8Array, current: Credentials): number {
    const name = readAddress(address)
    return typeof name === 'number' ? name : this.#sock.bind(name.portid, name.groups, current)
  }
  connect(address: Uint8Array, current: Credentials): number {
    if (address.length < 2) return -EINVAL
    const family = new DataView(address.buffer, address.byteOffset).getUint16(0, HOST_LE)
    if (family === AF_UNSPEC) return this.#sock.disconnect()
    const name = readAddress(address)
    return typeof name === 'number' ? name : this.#sock.connect(name.portid, name.groups, current)
  }
  getsockname(into: Uint8Array): number {
    const { portid, groups } = this.#sock.getsockname()
    return writeAddress(into, portid, groups)
  }
  getpeername(into: Uint8Array): number {
    const { portid, groups } = this.#sock.getpeername()
    return writeAddress(into, portid, groups)
  }

  setsockopt(level: number, option: number, value: Uint8Array, current: Credentials): number {
    if (level === SOL_SOCKET && option === SO_ATTACH_FILTER) return this.#sock.attachFilter(value)
    if (level === SOL_SOCKET && (option === SO_RCVTIMEO || option === SO_SNDTIMEO))
      return this.#sock.setTimeout(option, value)
    const isShort = value.length < INT
    if (level === SOL_SOCKET && isShort) return -EINVAL
    const view = new DataView(value.buffer, value.byteOffset)
    const number = isShort ? 0 : view.getInt32(0, HOST_LE)
    return this.#sock.setsockopt(level, option, number, current)
  }
  getsockopt(level: number, option: number, into: Uint8Array): number {
    if (level === SOL_NETLINK && option === NETLINK_LIST_MEMBERSHIPS) return this.#memberships(into)
    if (level === SOL_SOCKET) {
      const special = this.#special(option, into)
      if (special !== undefined) return special
    }
    const value = this.#sock.getsockopt(level, option)
    if (value < 0) return value
    return level === SOL_NETLINK && into.length < INT ? -EINVAL : putInts(into, value)
  }
  /** Options of sockets that have no number in `UserSocket`. */
  #special(option: number, into: Uint8Array): number | undefined {
    switch (option) {
      case SO_PEERCRED:
        return putInts(into, 0, -1, -1)
      case SO_RCVTIMEO:
        return putBytes(into, timeoutBytes(this.#sock.receiveTimeout))
      case SO_SNDTIMEO:
        return putBytes(into, timeoutBytes(this.#sock.sendTimeout))
      case SO_COOKIE:
        return putInts(into, this.#sock.cookie, 0)
      case SO_NETNS_COOKIE:
        return putInts(into, this.#sock.net.cookie, 0)
      default:
        return undefined
    }
  }
  #memberships(into: Uint8Array): number {
    const words = this.#sock.listMemberships()
    const whole = words.subarray(0, into.length >>> 2)
    putInts(into, ...whole)
    return words.length * INT
  }

  sendmsg(parts: readonly Uint8Array[], init: SendInit): number {
    const { to, sender } = readInit(init)
    return typeof to === 'number' ? to : this.#sock.send(parts, to, sender)
  }
  sendmsgWait(
    parts: readonly Uint8Array[],
    init: SendInit,
    wait: SendWait,
  ): number | Promise<number> {
    const { to, sender } = readInit(init)
    return typeof to === 'number' ? to : this.#sock.sendWait(parts, to, wait, sender)
  }
  recvmsg(into: Uint8Array, flags: number): number {
    return this.#sock.receive(into, flags)
  }
  close(): void {
    this.#sock.close()
  }
}

/** Writes ints, as much as fits. @returns the bytes that fit. */
function putInts(into: Uint8Array, ...values: readonly number[]): number {
  const bytes = new Uint8Array(values.length * INT)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setInt32(INT * i, value, HOST_LE)
  return putBytes(into, bytes)
}

function putBytes(into: Uint8Array, bytes: Uint8Array): number {
  const size = Math.min(bytes.length, into.length)
  into.set(bytes.subarray(0, size))
  return size
}
