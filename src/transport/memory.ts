/** The transport to a kernel in this process: its sockets, behind the seam. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
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
} from '../wire/constants.ts'
import type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'

/** A process' socket at the kernel's side: its calls return counts or negative errnos. */
export interface KernelSide {
  readonly protocol: number
  readonly portid: number
  readonly senderPortid: number
  readonly senderGroup: number
  readonly senderNsid: number
  /** Whether `receive` has something to say. */
  readonly isReadable: boolean
  /** Whether the kernel has closed it. */
  readonly isClosed: boolean
  /** Called when that becomes true. */
  dataReady: (() => void) | undefined
  bind(portid: number, groups: number): number
  send(parts: readonly Uint8Array[], to?: Address): number
  receive(buffer: Uint8Array): number
  setsockopt(level: number, option: number, value: number): number
  getsockopt(level: number, option: number): number
  attachFilter(program: Uint8Array): number
  close(): void
}

/** A kernel in this process. */
export interface MemoryKernel {
  /** socket(2). @throws NetlinkError */
  socket(init: SocketInit): KernelSide
}

const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_DETACH_FILTER = 27
const SO_RCVBUFFORCE = 33

/** Level and number of each option. */
const options: Readonly<Record<keyof SocketOptions, readonly [level: number, option: number]>> = {
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

/** Sockets to `kernel`. */
export function memoryTransport(kernel: MemoryKernel): Transport {
  return {
    async open(init) {
      const peer = kernel.socket(init)
      try {
        for (const [name, value] of Object.entries(init.options ?? {})) {
          if (value !== undefined) setOption(peer, name as keyof SocketOptions, value)
        }
        check(peer.bind(init.portid ?? 0, 0), 'bind')
        for (const group of init.groups ?? []) joinGroup(peer, group)
        return new MemorySocket(peer)
      } catch (error) {
        peer.close()
        throw error
      }
    },
  }
}

/** Throws what a negative `result` of `syscall` says. */
function check(result: number, syscall: string): void {
  if (result < 0) throw new NetlinkError(errnoName(result), { syscall })
}

function setOption(peer: KernelSide, name: keyof SocketOptions, value: number | boolean): void {
  const option = options[name]
  if (!option) {
    throw new NetlinkError('NETLINK_INVALID', { message: `there is no socket option ${name}` })
  }
  check(peer.setsockopt(option[0], option[1], Number(value)), 'setsockopt')
}

function joinGroup(peer: KernelSide, group: number): void {
  check(peer.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group), 'setsockopt')
}

/** Somebody who waits for data. */
interface Waiter {
  resolve(): void
  reject(reason: unknown): void
}

class MemorySocket implements Socket {
  readonly #peer: KernelSide
  readonly #waiters = new Set<Waiter>()

  constructor(peer: KernelSide) {
    this.#peer = peer
    peer.dataReady = () => {
      if (this.#waiters.size > 0) this.#wake()
    }
  }
  get protocol(): number {
    return this.#peer.protocol
  }
  get portid(): number {
    return this.#peer.portid
  }
  get senderPortid(): number {
    return this.#peer.senderPortid
  }
  get senderGroup(): number {
    return this.#peer.senderGroup
  }
  get senderNsid(): number {
    return this.#peer.senderNsid
  }
  get receiveBuffer(): number {
    return this.#peer.getsockopt(SOL_SOCKET, SO_RCVBUF)
  }
  send(parts: readonly Uint8Array[], to?: Address): number {
    return this.#peer.send(parts, to)
  }
  receive(buffer: Uint8Array): number {
    return this.#peer.receive(buffer)
  }
  exchange(parts: readonly Uint8Array[], buffer: Uint8Array): number {
    const sent = this.#peer.send(parts)
    return sent < 0 ? sent : this.#peer.receive(buffer)
  }
  async readable(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#peer.isClosed) throw closed()
    if (this.#peer.isReadable) return
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
      }
      const abort = (): void => waiter.reject(signal?.reason)
      const waiter: Waiter = {
        resolve() {
          settle()
          resolve()
        },
        reject(reason) {
          settle()
          reject(reason)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', abort)
    })
  }
  async setOption<K extends keyof SocketOptions>(
    name: K,
    value: NonNullable<SocketOptions[K]>,
  ): Promise<void> {
    setOption(this.#peer, name, value)
  }
  async attachFilter(program?: Uint8Array): Promise<void> {
    const result = program
      ? this.#peer.attachFilter(program)
      : this.#peer.setsockopt(SOL_SOCKET, SO_DETACH_FILTER, 0)
    check(result, 'setsockopt')
  }
  async join(group: number): Promise<void> {
    joinGroup(this.#peer, group)
  }
  async leave(group: number): Promise<void> {
    check(this.#peer.setsockopt(SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, group), 'setsockopt')
  }
  close(): void {
    this.#peer.close()
  }

  /** There is something to read, or the kernel has closed the socket. */
  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      if (this.#peer.isClosed) waiter.reject(closed())
      else waiter.resolve()
    }
  }
}

function closed(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
}
