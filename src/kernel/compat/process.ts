/**
 * A process' netlink sockets under the names of libc, over any transport: the live kernel's, a
 * kernel's in this process, or a served one's. Calls that may wait return promises.
 *
 * System calls: socket(2), bind(2), sendmsg(2), recvmsg(2), netlink(7).
 */
import { errnoNumber } from '../../errno.ts'
import { isNetlinkError } from '../../errors.ts'
import type { Socket, Transport } from '../../transport/transport.ts'
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_DROP_MEMBERSHIP,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { nlmsghdr } from './nlmsghdr.ts'

export const AF_NETLINK = 16
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
const ESOCKTNOSUPPORT = 94
const EAFNOSUPPORT = 97
const EBADF = 9
const EINVAL = 22
const ENOPROTOOPT = 92
const EAGAIN = 11

/** struct sockaddr_nl. `nl_groups` is a mask: bit n-1 is group n. */
export interface sockaddr_nl {
  nl_family: number
  nl_pad?: number
  nl_pid: number
  nl_groups: number
}
/** struct iovec. */
export interface iovec {
  iov_base: Uint8Array | nlmsghdr
  iov_len: number
}
/** struct msghdr. */
export interface msghdr {
  msg_name?: sockaddr_nl
  msg_iov: iovec[]
}

interface Descriptor {
  readonly protocol: number
  socket: Socket | undefined
}

/** Groups of a mask, ascending. */
function groupsOf(mask: number): number[] {
  const groups: number[] = []
  for (let bit = 0; bit < 32; bit++) if (mask & (1 << bit)) groups.push(bit + 1)
  return groups
}
const bytesOf = ({ iov_base, iov_len }: iovec): Uint8Array =>
  (iov_base instanceof nlmsghdr ? iov_base.bytes : iov_base).subarray(0, iov_len)

/** A process: descriptors, and `errno` of the last call that returned -1. */
export class Process {
  errno = 0
  readonly #transport: Transport
  readonly #table = new Map<number, Descriptor>()
  #next = 3

  constructor(transport: Transport) {
    this.#transport = transport
  }
  /** socket(2). @returns a descriptor, or -1. */
  async socket(domain: number, type: number, protocol: number): Promise<number> {
    if (domain !== AF_NETLINK) return this.#fail(EAFNOSUPPORT)
    if (type !== SOCK_RAW && type !== SOCK_DGRAM) return this.#fail(ESOCKTNOSUPPORT)
    return await this.#try(async () => {
      // opened for a look: whether the kernel has the protocol shows now, the address with bind()
      const probe = await this.#transport.open({ protocol })
      probe.close()
      const fd = this.#next++
      this.#table.set(fd, { protocol, socket: undefined })
      return fd
    })
  }
  /** bind(2), once. @returns 0 or -1. */
  async bind(fd: number, addr: sockaddr_nl): Promise<number> {
    const entry = this.#table.get(fd)
    if (!entry) return this.#fail(EBADF)
    if (addr.nl_family !== AF_NETLINK) return this.#fail(EINVAL)
    if (entry.socket) {
      return entry.socket.portid === addr.nl_pid
        ? await this.#join(entry, addr)
        : this.#fail(EINVAL)
    }
    return await this.#try(async () => {
      entry.socket = await this.#transport.open({
        protocol: entry.protocol,
        portid: addr.nl_pid,
        groups: groupsOf(addr.nl_groups),
      })
      return 0
    })
  }
  /** getsockname(2), as far as it is the port. */
  getsockname(fd: number): sockaddr_nl {
    const socket = this.#table.get(fd)?.socket
    return { nl_family: AF_NETLINK, nl_pid: socket?.portid ?? 0, nl_groups: 0 }
  }
  /** setsockopt(2), as far as it is membership. @returns 0 or -1. */
  async setsockopt(fd: number, level: number, name: number, group: number): Promise<number> {
    const socket = await this.#bound(fd)
    if (!socket) return -1
    if (level !== SOL_NETLINK) return this.#fail(ENOPROTOOPT)
    return await this.#try(async () => {
      if (name === NETLINK_ADD_MEMBERSHIP) await socket.join(group)
      else if (name === NETLINK_DROP_MEMBERSHIP) await socket.leave(group)
      else return this.#fail(ENOPROTOOPT)
      return 0
    })
  }
  /** sendmsg(2). An unbound socket is bound first. @returns bytes or -1. */
  async sendmsg(fd: number, msg: msghdr, _flags: number): Promise<number> {
    const socket = await this.#bound(fd)
    if (!socket) return -1
    const { msg_name } = msg
    const to = msg_name && {
      portid: msg_name.nl_pid,
      group: groupsOf(msg_name.nl_groups)[0] ?? 0,
    }
    const sent = socket.send(msg.msg_iov.map(bytesOf), to)
    return sent < 0 ? this.#fail(-sent) : sent
  }
  /** recvmsg(2): waits for a datagram and fills the vector. @returns bytes or -1. */
  async recvmsg(fd: number, msg: msghdr, _flags: number, signal?: AbortSignal): Promise<number> {
    const socket = await this.#bound(fd)
    if (!socket) return -1
    const buffer = new Uint8Array(msg.msg_iov.reduce((sum, { iov_len }) => sum + iov_len, 0))
    let length = socket.receive(buffer)
    while (length === -EAGAIN) {
      await socket.readable(signal)
      length = socket.receive(buffer)
    }
    if (length < 0) return this.#fail(-length)
    let at = 0
    for (const part of msg.msg_iov.map(bytesOf)) {
      part.set(buffer.subarray(at, Math.min(length, at + part.length)))
      at += part.length
    }
    const { senderPortid, senderGroup } = socket
    const nl_groups = senderGroup > 0 && senderGroup <= 32 ? (1 << (senderGroup - 1)) >>> 0 : 0
    msg.msg_name = { nl_family: AF_NETLINK, nl_pid: senderPortid, nl_groups }
    return Math.min(length, buffer.length)
  }
  /** close(2). @returns 0 or -1. */
  close(fd: number): number {
    const entry = this.#table.get(fd)
    if (!entry) return this.#fail(EBADF)
    entry.socket?.close()
    this.#table.delete(fd)
    return 0
  }
  /** exit(2): every descriptor is closed. */
  exit(): void {
    for (const fd of [...this.#table.keys()]) this.close(fd)
  }

  #fail(errno: number): -1 {
    this.errno = errno
    return -1
  }
  async #try(run: () => Promise<number>): Promise<number> {
    try {
      return await run()
    } catch (error) {
      if (!isNetlinkError(error)) throw error
      const errno = errnoNumber(error.code)
      if (errno === undefined) throw error
      return this.#fail(errno)
    }
  }
  async #join({ socket }: Descriptor, { nl_groups }: sockaddr_nl): Promise<number> {
    return await this.#try(async () => {
      for (const group of groupsOf(nl_groups)) await socket?.join(group)
      return 0
    })
  }
  /** The socket, bound by the kernel's choice where it is not yet; undefined sets errno. */
  async #bound(fd: number): Promise<Socket | undefined> {
    const entry = this.#table.get(fd)
    if (!entry) this.#fail(EBADF)
    else if (!entry.socket) await this.bind(fd, { nl_family: AF_NETLINK, nl_pid: 0, nl_groups: 0 })
    return entry?.socket
  }
}
