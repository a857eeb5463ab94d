/**
 * Datagrams out of sockets: one buffer, used again and again, and a walker over what it holds.
 *
 * What a stranger sent is dropped here, for anybody may write to a netlink socket.
 */

import { errnoName, errnoNumber } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import type { Socket } from '../transport/transport.ts'
import { MessageWalker, NLMSG_HDRLEN, viewOf } from '../wire/index.ts'
import type { Tap } from './diagnostics.ts'
import { isBetweenProcesses } from './session.ts'

const negative = (name: string): number => -(errnoNumber(name) as number)
export const EAGAIN: number = negative('EAGAIN')
const EINTR = negative('EINTR')
export const ENOBUFS: number = negative('ENOBUFS')

/** Dumps come in at most 32,448 bytes; single answers in more, but seldom. */
const BUFFER_SIZE = 65_536

/** What came: messages to walk; nothing to see; nothing yet; a loss; or `errno`. */
export type Received = 'messages' | 'nothing' | 'again' | 'overrun' | 'failed'

/** Serves any number of sockets, one datagram at a time: walk it before the next `receive`. */
export class Receiver {
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_SIZE)
  /** Over the last datagram; decoders read its view. */
  readonly walker: MessageWalker = new MessageWalker(viewOf(this.buffer), 0)
  /** Negative, after 'failed'. */
  errno = 0
  /** The last datagram's length when it did not fit, else 0. */
  cutFrom = 0
  /** Datagrams dropped because of their sender. */
  strangers = 0
  readonly #tap: Tap
  #view: DataView = viewOf(this.buffer)

  constructor(tap: Tap) {
    this.#tap = tap
  }

  /** Makes the buffer at least `size` bytes long. */
  reserve(size: number): void {
    if (size <= this.buffer.length) return
    let length = this.buffer.length
    while (length < size) length *= 2
    this.buffer = new Uint8Array(length)
    this.#view = viewOf(this.buffer)
  }

  /** The walker, before the first of `size` bytes that the kernel alone can have sent. */
  look(size: number): MessageWalker {
    return this.walker.reset(this.#view, size)
  }

  /** Looks at what `socket.receive(buffer)`, or `exchange`, answered. */
  take(socket: Socket, size: number): Received {
    if (this.#tap.isOn && size !== EAGAIN) this.#tap.received(socket, this.buffer, size)
    if (size < 0) return this.#refused(socket, size)
    if (socket.senderPortid !== 0 && !isBetweenProcesses(socket.protocol)) {
      this.strangers++
      return 'nothing'
    }
    this.cutFrom = size > this.buffer.length ? size : 0
    this.walker.reset(this.#view, size)
    return 'messages'
  }

  #refused(socket: Socket, errno: number): Received {
    if (errno === EAGAIN) return 'again'
    if (errno === EINTR) return 'nothing'
    this.errno = errno
    if (errno !== ENOBUFS) return 'failed'
    this.#tap.overran(socket, 'kernel')
    return 'overrun'
  }

  /** Whether the datagram, now walked, held something that is no message. */
  get isMalformed(): boolean {
    return this.cutFrom === 0 && isMalformed(this.walker)
  }
}

/** Whether a datagram that fitted, now walked, held something that is no message. */
export function isMalformed({ leftover, size }: MessageWalker): boolean {
  return leftover >= NLMSG_HDRLEN || (leftover > 0 && leftover === size)
}

/** The error of a system call that failed with `errno`, negative. */
export function callError(syscall: string, errno: number, request?: string): NetlinkError {
  return new NetlinkError(errnoName(errno), { syscall, request })
}

/** The error of a datagram that holds something that is no message. */
export function malformed(request?: string): NetlinkError {
  return new NetlinkError('NETLINK_PROTOCOL', {
    request,
    message: 'the kernel sent a datagram that is not made of messages',
  })
}
