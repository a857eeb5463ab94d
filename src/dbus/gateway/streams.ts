/**
 * All clients' sockets of this thread: many are read in one system call's time, and written in one.
 *
 * What is read lies in a memory that is used again in the next turn; so does what is sent, as far as
 * the sockets take it at once. While clients talk JavaScript stays here and waits for them, unless
 * there is anything else to do.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { errnoName } from '../../errno.ts'
import { NetlinkError } from '../../errors.ts'
import { type NativeSocket, STREAMS_LEAVE } from '../../transport/native-socket.ts'
import { EPOLLIN, EPOLLOUT } from '../../transport/readiness.ts'
import type { Outgoing } from '../bus/outgoing.ts'
import { judgeLongTexts } from '../message/utf8.ts'
import { BufferPool, Lease } from './pool.ts'

/** Bytes of each half: what is read, and what is put together to be sent. */
const HALF = 1 << 20
const EVENT_WORDS = 6
const EVENTS = 64
const DESCRIPTORS = 2048
const PLAN = 1 << 16
/** Bodies from here on are sent from where they were read. */
const COPIED = 4096
/** Longest message that is sent out of the memory; a longer one waits where it is. */
export const LARGE = 64 * 1024

export type StreamKind = 0 | 1 | 2
/** What is done with a socket that is ready. */
export const REPORT: StreamKind = 0
export const READ: StreamKind = 1
export const READ_FDS: StreamKind = 2

/** Who is at a socket. */
export interface Stream {
  /** It may take numbers of descriptors that others have closed: it comes last in a turn. */
  readonly takesNew?: boolean
  /**
   * The socket is ready: `result` bytes were read to `at` of the memory, or it is a negative errno.
   * `descriptors` came with them.
   */
  ready(events: number, result: number, at: number, descriptors: readonly number[]): void
}

/** Who sends from the memory. */
export interface Sender {
  readonly fd: number
  isDirty: boolean
  /** Where its parts are, two words each, and how many words. */
  readonly segments: Int32Array
  readonly segmentWords: number
  /** So much of the parts was sent, or a negative errno; they are gone when it returns. */
  sent(result: number): void
  /** Sends what waits elsewhere. Neither gives anything to another sender. */
  sendWaiting(): void
  close(): void
}

/** The longest interval, milliseconds. */
const FOR_EVER = 2 ** 31 - 1
const shared = Symbol.for('nlkit.streams')
const NONE: readonly number[] = []

/** Node looks at many bytes at once. */
function isLongText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(0) < 0
}

/** The one of this thread. @throws NetlinkError NETLINK_NO_NATIVE */
export function streamsOf(native: NativeSocket & { [shared]?: Streams }): Streams {
  judgeLongTexts(isLongText)
  native[shared] ??= new Streams(native)
  return native[shared]
}

export class Streams {
  readonly native: NativeSocket
  readonly memory = new Uint8Array(2 * HALF)
  readonly pool = new BufferPool()
  /** The message that is being dispatched, if it has an array of its own. */
  lease: Lease | undefined
  readonly #events = new Int32Array(EVENTS * EVENT_WORDS)
  readonly #descriptors = new Int32Array(DESCRIPTORS)
  readonly #plan = new Int32Array(PLAN)
  readonly #streams: (Stream | undefined)[] = []
  /** Who has something to send, and how many these are; what lies behind them is nobody. */
  #dirty: (Sender | undefined)[] = []
  #dirtyCount = 0
  #spare: (Sender | undefined)[] = []
  /** Where the next message is put together. */
  #free = HALF
  /** What was put together before it became another number is overwritten. */
  #epoch = 1
  #waiting = 0
  #keeper: NodeJS.Timeout | undefined
  #isBusy = false
  #isSending = false
  #doomed: Sender[] = []
  /** Nothing in this turn has left work to JavaScript's own queues. */
  isStill = true

  constructor(native: NativeSocket) {
    this.native = native
    const onReady = (): void => this.#serve()
    const { memory } = this
    const result = native.startStreams(memory, this.#events, this.#descriptors, this.#plan, onReady)
    if (result < 0)
      throw new NetlinkError('NETLINK_NO_NATIVE', {
        message: `stream sockets cannot be served here: ${errnoName(result)}`,
      })
  }

  /** Counts those who wait for clients: the process lives as long as there is one. */
  count(change: number): void {
    this.#waiting += change
    if (this.#waiting > 0) this.#keeper ??= setInterval(() => undefined, FOR_EVER)
    else {
      clearInterval(this.#keeper)
      this.#keeper = undefined
    }
  }

  /** Serves `fd`, or serves it in another way. @throws NetlinkError the errno of epoll_ctl(2). */
  watch(stream: Stream, fd: number, kind: StreamKind, wantsRoom = false): void {
    const result = this.native.watchStream(fd, kind, wantsRoom ? EPOLLIN | EPOLLOUT : EPOLLIN)
    if (result < 0) throw new NetlinkError(errnoName(result), { syscall: 'epoll_ctl' })
    this.#streams[fd] = stream
  }

  /** Serves `fd` no more. */
  unwatch(fd: number): void {
    this.#streams[fd] = undefined
    this.native.unwatchStream(fd)
  }

  /** Closes `fd`, which may have been served. */
  close(fd: number): void {
    this.isStill = false
    this.#streams[fd] = undefined
    this.native.unwatchStream(fd)
    this.native.close(fd)
  }

  /** Turn after turn, until there is nothing left or somebody else has something to do. */
  #serve(): void {
    let hasLeft = false
    try {
      let count = this.native.turnStreams(0)
      for (;;) {
        this.isStill = true
        this.#turn(count & (STREAMS_LEAVE - 1))
        hasLeft = (count & STREAMS_LEAVE) !== 0
        if (hasLeft || !this.isStill) return
        count = this.native.turnStreams(1)
      }
    } finally {
      if (!hasLeft) this.native.leaveStreams()
    }
  }

  #turn(count: number): void {
    this.#isBusy = true
    try {
      let last: Stream[] | undefined
      for (let at = 0; at < count * EVENT_WORDS; at += EVENT_WORDS) {
        const stream = this.#streams[this.#events[at]!]
        if (stream?.takesNew) {
          last ??= []
          last.push(stream)
        } else this.#tell(stream, at)
      }
      if (last) for (const stream of last) stream.ready(EPOLLIN, -1, 0, NONE)
    } finally {
      this.flush()
      this.#isBusy = false
    }
  }

  #tell(stream: Stream | undefined, at: number): void {
    const events = this.#events
    const fds = events[at + 5]!
    const first = events[at + 4]!
    const descriptors =
      fds === 0 ? NONE : Array.from(this.#descriptors.subarray(first, first + fds))
    if (stream) stream.ready(events[at + 1]!, events[at + 2]!, events[at + 3]!, descriptors)
    else for (const fd of descriptors) this.native.close(fd)
  }

  /** `sender` has something to send: at the end of the turn. */
  note(sender: Sender): void {
    sender.isDirty = true
    this.#dirty[this.#dirtyCount++] = sender
    if (this.#dirtyCount === 1 && !this.#isBusy) queueMicrotask(() => this.flush())
  }

  /** Dispatches a message that has an array of the pool's, which goes back when it is sent. */
  lend(bytes: Uint8Array, dispatch: () => void): void {
    const lease = new Lease(this.pool, bytes)
    this.lease = lease
    try {
      dispatch()
    } finally {
      this.lease = undefined
      lease.release()
    }
  }

  /** `sender` cannot send any more: it is closed when nobody else is just sending. */
  doom(sender: Sender): void {
    this.isStill = false
    this.#doomed.push(sender)
  }

  /**
   * Where `outgoing` is in the memory, for those who send it before the epoch ends: its head alone
   * if the body is long and in the memory anyway. -1 if there is no room.
   */
  place(outgoing: Outgoing): number {
    if (outgoing.mark === this.#epoch) return outgoing.markedAt
    const size = this.isApart(outgoing) ? outgoing.headLength : outgoing.length
    if (this.#free + size > this.memory.length) {
      if (this.#isSending) return -1
      this.flush()
    }
    const at = this.#free
    this.#free += size
    outgoing.writeHead(this.memory, at)
    if (size > outgoing.headLength) outgoing.writeBody(this.memory, at + outgoing.headLength)
    outgoing.mark = this.#epoch
    outgoing.markedAt = at
    return at
  }

  /** Whether the body is sent from where it was read. */
  isApart(outgoing: Outgoing): boolean {
    return outgoing.bodyLength >= COPIED && outgoing.source === this.memory
  }

  /** Sends all that is noted; what a socket does not take waits with its sender. */
  flush(): void {
    const wasBusy = this.#isBusy
    this.#isBusy = true
    do {
      this.#isSending = true
      while (this.#dirtyCount > 0) {
        const dirty = this.#dirty
        const count = this.#dirtyCount
        this.#dirty = this.#spare
        this.#dirtyCount = 0
        for (let at = 0; at < count; ) at = this.#send(dirty, at, count)
        this.#spare = dirty
      }
      this.#isSending = false
      this.#free = HALF
      this.#epoch++
      if (this.#doomed.length > 0) for (const sender of this.#doomed.splice(0)) sender.close()
    } while (this.#dirtyCount > 0)
    this.#isBusy = wasBusy
  }

  /** Sends for the senders from `first` on, as many as one plan has room for; the next. */
  #send(dirty: (Sender | undefined)[], first: number, count: number): number {
    const plan = this.#plan
    let words = 0
    let next = first
    for (; next < count; next++) {
      const { fd, segments, segmentWords } = dirty[next]!
      if (segmentWords === 0) continue
      if (words + 2 + segmentWords > PLAN) break
      plan[words] = fd
      plan[words + 1] = segmentWords >> 1
      for (let i = 0; i < segmentWords; i++) plan[words + 2 + i] = segments[i]!
      words += 2 + segmentWords
    }
    if (words > 0) this.native.sendStreams(words)
    words = 0
    for (let at = first; at < next; at++) {
      const sender = dirty[at]!
      dirty[at] = undefined
      sender.isDirty = false
      const { segmentWords } = sender
      if (segmentWords > 0) {
        sender.sent(plan[words]!)
        words += 2 + 2 * plan[words + 1]!
      }
      sender.sendWaiting()
    }
    return next
  }
}
