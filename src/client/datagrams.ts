/**
 * Datagrams of a group that are no netlink requests: process events and uevents, read as they come
 * into a bounded queue. There is no state that could be taken anew, so a loss is told, and no more.
 */

import { errnoName } from '../errno.ts'
import { isNetlinkError, NetlinkError } from '../errors.ts'
import type { Socket } from '../transport/transport.ts'
import { onAbort } from './abort.ts'
import type { EventOptions } from './events.ts'
import { later } from './loop.ts'
import { Ring } from './ring.ts'
import { closedError, type Session } from './session.ts'

const EAGAIN = -11
const ENOBUFS = -105
/** Bytes of receive buffer, where the kernel allows as much. */
const RECEIVE_BUFFER = 8 << 20
/** Events that wait for their reader. */
const MOST_EVENTS = 4096
/** Datagrams that are read before others have their turn. */
const TURN = 256
/** The longest that is told of: a uevent has 2,048 bytes of variables, and a path. */
const LONGEST = 16384

/** Events were lost. */
export interface LossEvent {
  readonly type: 'overrun'
  /** Who could not keep up: the socket, or the program that reads the events. */
  readonly source: 'kernel' | 'iterator'
}

/** What becomes of a group's datagrams. */
export interface DatagramSource<T> {
  readonly protocol: number
  readonly group: number
  /** What a datagram tells; undefined: nothing. @throws DecodeError */
  decode(view: DataView, size: number, socket: Socket): T | undefined
  /** Resolves when the kernel has begun to tell; `fail` ends all that waits. */
  start?(socket: Socket, signal: AbortSignal): Promise<void>
  /** Called before the socket is closed, whyever. */
  end?(socket: Socket): void
}

/** Events in their order. Leaving the loop ends it, and so do `close` and the client's closing. */
export class DatagramEvents<T> implements AsyncIterableIterator<T | LossEvent> {
  /** Resolves when the kernel has begun to tell. */
  readonly ready: Promise<void>
  readonly #source: DatagramSource<T>
  readonly #queue: Ring<T | LossEvent>
  readonly #stop = new AbortController()
  readonly #whenClosed: () => void
  readonly #buffer = new Uint8Array(LONGEST)
  readonly #view = new DataView(this.#buffer.buffer)
  #socket: Socket | undefined
  /** Since a loss for want of room, until the reader has heard of it. */
  #isLost = false
  #end: { readonly error: unknown } | 'closed' | undefined
  #wake: (() => void) | undefined
  #unlisten: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** `whenClosed` is called once, when it holds nothing any more. */
  constructor(
    session: Session,
    source: DatagramSource<T>,
    options: EventOptions,
    whenClosed: () => void,
  ) {
    this.#source = source
    this.#queue = new Ring(checkBuffer(options.buffer ?? MOST_EVENTS) + 1)
    this.#whenClosed = whenClosed
    const { signal } = options
    this.#unlisten = signal && onAbort(signal, () => this.fail(signal.reason))
    this.ready = this.#open(session, options)
    this.ready.catch((error) => this.fail(error))
  }

  [Symbol.asyncIterator](): this {
    return this
  }
  /** The next event. Calls that overlap wait for each other. */
  next(): Promise<IteratorResult<T | LossEvent>> {
    const step = this.#last.then(() => this.#next())
    this.#last = step.catch(() => {})
    return step
  }
  return(): Promise<IteratorResult<T | LossEvent>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }
  /** Ends it without an error. Harmless when repeated. */
  close(): void {
    this.#finish('closed')
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }
  /** Ends it: whoever waits, or comes next, gets `error`. */
  fail(error: unknown): void {
    this.#finish({ error })
  }

  #finish(end: { readonly error: unknown } | 'closed'): void {
    if (this.#end) return
    this.#end = end
    this.#unlisten?.()
    if (this.#socket) {
      this.#source.end?.(this.#socket)
      this.#socket.close()
    }
    this.#socket = undefined
    this.#stop.abort(end === 'closed' ? closedError() : end.error)
    this.#queue.clear()
    this.#wake?.()
    this.#whenClosed()
  }

  async #open(session: Session, options: EventOptions): Promise<void> {
    options.signal?.throwIfAborted()
    const socket = await openSocket(session, this.#source, options.receiveBuffer)
    if (this.#end) {
      socket.close()
      throw this.#end === 'closed' ? closedError() : this.#end.error
    }
    this.#socket = socket
    const started = this.#source.start?.(socket, this.#stop.signal)
    this.#pump()
    await started
  }

  readonly #pump = (): void => {
    for (let left = TURN; this.#socket; left--) {
      if (left === 0) {
        later(this.#pump)
        return
      }
      if (this.#take(this.#socket)) continue
      this.#socket?.readable(this.#stop.signal).then(this.#pump, (error) => this.fail(error))
      return
    }
  }
  /** Takes a datagram. @returns whether there may be another. */
  #take(socket: Socket): boolean {
    const size = socket.receive(this.#buffer)
    if (size === EAGAIN) return false
    if (size === ENOBUFS) this.#lose('kernel')
    else if (size < 0) this.fail(new NetlinkError(errnoName(size), { syscall: 'recvmsg' }))
    else if (socket.senderPortid === 0) this.#datagram(socket, Math.min(size, LONGEST))
    return true
  }
  #datagram(socket: Socket, size: number): void {
    let event: T | undefined
    try {
      event = this.#source.decode(this.#view, size, socket)
    } catch (error) {
      this.fail(error)
      return
    }
    if (event === undefined || this.#isLost) return
    if (this.#queue.room > 1) this.#push(event)
    else this.#lose('iterator')
  }
  #push(event: T | LossEvent): void {
    this.#queue.push(event)
    this.#wake?.()
  }
  /** Tells of a loss, unless the last thing that waits to be told is one. */
  #lose(source: LossEvent['source']): void {
    if (this.#isLost) return
    this.#isLost = this.#queue.room <= 1
    this.#push({ type: 'overrun', source })
  }

  async #next(): Promise<IteratorResult<T | LossEvent>> {
    while (!this.#end) {
      if (this.#queue.length > 0) {
        const value = this.#queue.shift() as T | LossEvent
        if (this.#queue.length === 0) this.#isLost = false
        return { done: false, value }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    const end = this.#end
    this.#end = 'closed'
    if (end !== 'closed') throw end.error
    return { done: true, value: undefined }
  }
}

/** With a large receive buffer, as far as the kernel allows; or with the one that is asked for. */
async function openSocket<T>(
  { transport, netns }: Session,
  { protocol, group }: DatagramSource<T>,
  receiveBuffer: number | undefined,
): Promise<Socket> {
  const init = { protocol, groups: [group], netns }
  if (receiveBuffer !== undefined) return transport.open({ ...init, options: { receiveBuffer } })
  try {
    return await transport.open({ ...init, options: { receiveBufferForce: RECEIVE_BUFFER } })
  } catch (error) {
    if (!isNetlinkError(error, 'EPERM')) throw error
    return transport.open({ ...init, options: { receiveBuffer: RECEIVE_BUFFER } })
  }
}

function checkBuffer(events: number): number {
  if (Number.isSafeInteger(events) && events > 0) return events
  throw new NetlinkError('NETLINK_INVALID', {
    message: `buffer is ${String(events)}: a number of events above 0 expected`,
  })
}
