/** The transport to a kernel that another process serves, on a Unix socket. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import { NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP, SOL_NETLINK } from '../wire/constants.ts'
import { loadAddon } from './addon.ts'
import { KernelConnection, scratchOf } from './kernel-connection.ts'
import type { NativeSocket } from './native-socket.ts'
import {
  invalid,
  isUnsigned,
  optionValue,
  optionValues,
  SO_ATTACH_FILTER,
  SO_DETACH_FILTER,
  SO_RCVBUF,
  SOL_SOCKET,
} from './options.ts'
import type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'
import { connectKernel, handshake } from './unix-connect.ts'
import {
  ANSWER_SIZE,
  AT_GROUP,
  AT_NSID,
  AT_PORTID,
  AT_RECEIVED,
  AT_RESULT,
  EAGAIN,
  EMSGSIZE,
  FLAG_TO,
  MAGIC,
  OP_BIND,
  OP_GETSOCKOPT,
  OP_OPEN,
  OP_POLL,
  OP_RECEIVE,
  OP_SEND,
  OP_SETSOCKOPT,
  PAYLOAD_MAX,
  VERSION,
} from './wire-protocol.ts'

const EBADF = -9
const ENODATA = -61
const ENOBUFS = -105
const ECONNRESET = -104
/** Longest datagram that is copied byte by byte: a view of it would cost more. */
const SHORT = 80

/** Sockets to the kernel that is served at `path`. */
export function unixTransport(path: string, load: () => NativeSocket = loadAddon): Transport {
  return {
    open: (init) => openSocket(load(), path, init),
  }
}

async function openSocket(native: NativeSocket, path: string, init: SocketInit): Promise<Socket> {
  const { protocol, portid = 0, groups = [], netns } = init
  if (!isUnsigned(protocol, 0x7fffffff)) throw invalid(`${protocol} is no netlink protocol`)
  if (!isUnsigned(portid, 0xffffffff)) throw invalid(`${portid} is no port id`)
  if (netns !== undefined && typeof netns !== 'string')
    throw invalid('netns is the name of a namespace of the served kernel')
  const options = optionValues(init.options)
  const connection = new KernelConnection(scratchOf(native), connectKernel(native, path), path)
  try {
    const name = netns === undefined ? [] : [new TextEncoder().encode(netns)]
    await handshake(connection, path, () =>
      connection.ask(OP_OPEN, 0, MAGIC, VERSION, protocol, name),
    )
    const socket = new ServedSocket(connection, protocol)
    for (const { level, option, value } of options) await socket.set(level, option, value)
    await socket.bind(portid)
    for (const group of groups) await socket.join(group)
    await socket.readReceiveBuffer()
    return socket
  } catch (error) {
    connection.close()
    throw error
  }
}

/** A datagram, copied out of the packet that brought it. */
interface Kept {
  readonly bytes: Uint8Array
  /** Its whole length, or a negative errno. */
  readonly received: number
  readonly portid: number
  readonly group: number
  readonly nsid: number
}

class ServedSocket implements Socket {
  readonly protocol: number
  portid = 0
  receiveBuffer = 0
  senderPortid = 0
  senderGroup = 0
  senderNsid = -1
  readonly #connection: KernelConnection
  /** A pull stands: what is queued next comes by itself. */
  #isPulling = false
  #isPolling = false
  /** Those in `readable`. */
  #waiting = 0
  /** There was word of something to receive. */
  #isReady = false
  /** Datagrams that came before they were asked for again: two at most, for one pull stands. */
  readonly #kept: Kept[] = []
  /** What a send came to whose caller did not wait for it. */
  #error = 0

  constructor(connection: KernelConnection, protocol: number) {
    this.#connection = connection
    this.protocol = protocol
    connection.onData = () => this.#keep()
    connection.onReady = () => {
      this.#isPolling = false
      this.#isReady = true
    }
  }

  send(parts: readonly Uint8Array[], to?: Address): number {
    const length = sizeOf(parts)
    const sent = this.#ask(parts, length, 0, to)
    if (sent < 0) return sent
    this.#isPulling = false
    const result = sent === 0 ? this.#later(length) : this.#answerToSend()
    if (this.#waiting > 0) this.#tell()
    return result
  }
  #answerToSend(): number {
    this.#keep()
    return this.#connection.scratch.view.getInt32(AT_RESULT, true)
  }
  /** A send took back the pull for which those in `readable` wait, or brought what they wait for. */
  #tell(): void {
    if (this.#kept.length > 0) this.#connection.wake()
    else this.#poll()
  }
  /** Asks for word of something to receive. */
  #poll(): void {
    if (this.#isPulling || this.#isPolling) return
    this.#isPolling = this.#connection.put(OP_POLL, 0) === 0
  }

  receive(buffer: Uint8Array): number {
    const connection = this.#connection
    if (connection.isClosed) return EBADF
    for (;;) {
      if (this.#error !== 0) return this.#takeError()
      if (this.#kept.length > 0) return this.#giveKept(buffer)
      if (!this.#isPulling && !connection.isLate) return this.#pull(buffer)
      const came = connection.take()
      if (came === 'nothing') return EAGAIN
      if (came === 'gone') return ECONNRESET
    }
  }

  exchange(parts: readonly Uint8Array[], buffer: Uint8Array): number {
    const connection = this.#connection
    if (this.#kept.length > 0 || this.#error !== 0 || connection.isLate) {
      const sent = this.send(parts)
      return sent < 0 ? unsent(sent) : this.receive(buffer)
    }
    const length = sizeOf(parts)
    const sent = this.#ask(parts, length, buffer.length)
    if (sent < 0) return unsent(sent)
    this.#isPulling = true
    if (sent === 0) {
      this.#later(length)
      return EAGAIN
    }
    const result = connection.scratch.view.getInt32(AT_RESULT, true)
    if (result >= 0) return this.#give(buffer)
    this.#keep()
    if (this.#waiting > 0) this.#tell()
    return unsent(result)
  }

  /** Puts a datagram under way, with a pull of `pull` bytes unless that is 0: see `ask`. */
  #ask(parts: readonly Uint8Array[], length: number, pull: number, to?: Address): number {
    if (this.#connection.isClosed) return EBADF
    if (length === 0) return ENODATA
    if (length > PAYLOAD_MAX) return EMSGSIZE
    if (to === undefined) return this.#connection.ask(OP_SEND, 0, 0, 0, pull, parts)
    const { portid = 0, group = 0 } = to
    return this.#connection.ask(OP_SEND, FLAG_TO, portid, group, pull, parts)
  }
  /** The answer to a send comes later: a refusal is then told by the next `receive`. */
  #later(length: number): number {
    this.#connection.expect((view) => {
      const result = view?.getInt32(AT_RESULT, true) ?? 0
      if (result < 0) this.#error = unsent(result)
    })
    return length
  }
  #pull(buffer: Uint8Array): number {
    const connection = this.#connection
    const asked = connection.ask(OP_RECEIVE, 0, 0, 0, buffer.length)
    if (asked < 0) return asked
    this.#isPulling = true
    if (asked > 0) return this.#give(buffer)
    connection.expect(() => {})
    return EAGAIN
  }

  /** Hands out what the answer in `scratch` brought, unless something came before it. */
  #give(buffer: Uint8Array): number {
    const { packet, view } = this.#connection.scratch
    const received = view.getInt32(AT_RECEIVED, true)
    if (this.#kept.length > 0) {
      this.#keep()
      return this.#giveKept(buffer)
    }
    this.#isReady = false
    if (received === EAGAIN) return EAGAIN
    this.#isPulling = false
    if (received < 0) return received
    this.senderPortid = view.getUint32(AT_PORTID, true)
    this.senderGroup = view.getUint32(AT_GROUP, true)
    this.senderNsid = view.getInt32(AT_NSID, true)
    const copied = Math.min(received, buffer.length)
    if (copied <= SHORT)
      for (let i = 0; i < copied; i++) buffer[i] = packet[ANSWER_SIZE + i] as number
    else buffer.set(packet.subarray(ANSWER_SIZE, ANSWER_SIZE + copied))
    return received
  }
  /** Keeps what the packet in `scratch` brought, if anything. */
  #keep(): void {
    const { packet, view } = this.#connection.scratch
    const received = view.getInt32(AT_RECEIVED, true)
    if (received === EAGAIN) return
    this.#isPulling = false
    this.#kept.push({
      bytes: packet.slice(ANSWER_SIZE, ANSWER_SIZE + Math.max(0, Math.min(received, PAYLOAD_MAX))),
      received,
      portid: view.getUint32(AT_PORTID, true),
      group: view.getUint32(AT_GROUP, true),
      nsid: view.getInt32(AT_NSID, true),
    })
  }
  #giveKept(buffer: Uint8Array): number {
    const { bytes, received, portid, group, nsid } = this.#kept.shift() as Kept
    if (received < 0) return received
    this.senderPortid = portid
    this.senderGroup = group
    this.senderNsid = nsid
    buffer.set(bytes.length > buffer.length ? bytes.subarray(0, buffer.length) : bytes)
    return received
  }
  #takeError(): number {
    const error = this.#error
    this.#error = 0
    return error
  }

  async readable(signal?: AbortSignal): Promise<void> {
    const connection = this.#connection
    for (;;) {
      signal?.throwIfAborted()
      if (connection.isClosed) throw closed()
      const isAlive = connection.drain()
      if (this.#kept.length > 0 || this.#error !== 0 || this.#isReady) return
      if (!isAlive) throw connection.goneError()
      this.#poll()
      if (connection.isGone) continue
      this.#waiting++
      try {
        await connection.readable(signal)
      } finally {
        this.#waiting--
      }
    }
  }

  async setOption<K extends keyof SocketOptions>(
    name: K,
    value: NonNullable<SocketOptions[K]>,
  ): Promise<void> {
    const { level, option, value: number } = optionValue(name, value)
    await this.set(level, option, number)
    if (level === SOL_SOCKET) await this.readReceiveBuffer()
  }
  attachFilter(program?: Uint8Array): Promise<void> {
    if (!program) return this.set(SOL_SOCKET, SO_DETACH_FILTER, 0)
    return this.set(SOL_SOCKET, SO_ATTACH_FILTER, 0, [program])
  }
  join(group: number): Promise<void> {
    return this.set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
  }
  leave(group: number): Promise<void> {
    return this.set(SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, group)
  }
  /** setsockopt(2). */
  async set(level: number, option: number, value: number, parts?: Uint8Array[]): Promise<void> {
    const connection = this.#connection
    const ask = (): number => connection.ask(OP_SETSOCKOPT, 0, level, option, value, parts)
    check(await connection.call(ask, resultOf), 'setsockopt')
  }
  /** bind(2) to a port, then getsockname(2). */
  async bind(portid: number): Promise<void> {
    const connection = this.#connection
    const bound = await connection.call(
      () => connection.ask(OP_BIND, 0, portid),
      (view) => ({ result: resultOf(view), portid: view.getUint32(AT_PORTID, true) }),
    )
    check(bound.result, 'bind')
    this.portid = bound.portid
  }
  async readReceiveBuffer(): Promise<void> {
    const connection = this.#connection
    const ask = (): number => connection.ask(OP_GETSOCKOPT, 0, SOL_SOCKET, SO_RCVBUF)
    this.receiveBuffer = await connection.call(ask, resultOf)
  }
  close(): void {
    this.#connection.close()
  }
}

function resultOf(view: DataView): number {
  return view.getInt32(AT_RESULT, true)
}

/** A datagram that the kernel had no room for is lost to its sender, not kept for later. */
function unsent(errno: number): number {
  return errno === EAGAIN ? ENOBUFS : errno
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0
  for (let i = 0; i < parts.length; i++) size += (parts[i] as Uint8Array).length
  return size
}

/** Throws what a negative `result` of `syscall` says. */
function check(result: number, syscall: string): void {
  if (result < 0) throw new NetlinkError(errnoName(result), { syscall })
}

function closed(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
}
