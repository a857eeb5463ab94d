/**
 * Events: a socket of its own in some groups, read as they come, into a bounded queue.
 *
 * Loss is an event. A queue that overran in the kernel says ENOBUFS; ours says so when its reader
 * is too slow. Whoever can take the state anew does, as soon as the reader has heard of the loss:
 * what comes between is thrown away, what comes later follows the new state.
 */
import { isNetlinkError, NetlinkError } from '../errors.ts'
import type { Socket } from '../transport/transport.ts'
import { type MessageWalker, NLMSG_OVERRUN } from '../wire/index.ts'
import { onAbort } from './abort.ts'
import { later, TURN } from './loop.ts'
import { callError, malformed } from './receiver.ts'
import { Ring } from './ring.ts'
import { openSocket, type Session } from './session.ts'

/** Bytes of receive buffer for those who may have as much: some ten thousand events. */
const RECEIVE_BUFFER = 8 << 20
/** Events that wait for their reader. */
const MOST_EVENTS = 4096

/** Who could not keep up: the socket, or the program that reads the events. */
export type OverrunSource = 'kernel' | 'iterator'

/** How events are waited for. */
export interface EventOptions {
  /** Ends it: the iterator rejects with the signal's reason, unchanged. */
  readonly signal?: AbortSignal | undefined
  /** Events that may wait for their reader, 4,096 unless said otherwise. */
  readonly buffer?: number | undefined
  /** Bytes of receive buffer (SO_RCVBUF); 8 MiB, or what the kernel allows, unless said otherwise. */
  readonly receiveBuffer?: number | undefined
  /**
   * Whether to hear all namespaces that have a number in ours (NETLINK_LISTEN_ALL_NSID): their
   * events say it in `nsid`, ours have none. Needs CAP_NET_BROADCAST.
   */
  readonly allNamespaces?: boolean | undefined
}

/** What becomes of messages and losses. */
export interface EventSource<T> {
  readonly protocol: number
  readonly groups: () => readonly number[] | Promise<readonly number[]>
  /** The event in a message; undefined for what is none. @throws DecodeError */
  readonly decode: (m: MessageWalker, nsid: number | undefined) => T | undefined
  readonly overrun: (source: OverrunSource) => T
  /** Takes the state anew, after a loss. */
  readonly resync?: (signal: AbortSignal) => Promise<T>
}

/** Events in their order. Leaving the loop ends it, and so do `close` and the client's closing. */
export class Events<T> implements AsyncIterableIterator<T> {
  /** Resolves when the groups are joined: from then on nothing is missed without a word. */
  readonly ready: Promise<void>
  readonly #session: Session
  readonly #source: EventSource<T>
  readonly #options: EventOptions
  readonly #queue: Ring<T>
  readonly #stop = new AbortController()
  readonly #whenClosed: () => void
  #socket: Socket | undefined
  /** Since a loss that the reader has not heard of, and since one that it has. */
  #isLost = false
  #mustResync = false
  #end: { readonly error: unknown } | 'closed' | undefined
  #wake: (() => void) | undefined
  #unlisten: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()
  #unfinished = 0

  /** `whenClosed` is called once, when it holds nothing any more. */
  constructor(
    session: Session,
    source: EventSource<T>,
    options: EventOptions,
    whenClosed: () => void,
  ) {
    this.#session = session
    this.#source = source
    this.#options = options
    this.#whenClosed = whenClosed
    this.#queue = new Ring(checkBuffer(options.buffer ?? MOST_EVENTS) + 1)
    const { signal } = options
    this.#unlisten = signal && onAbort(signal, () => this.fail(signal.reason))
    this.ready = this.#open()
    this.ready.catch((error) => this.fail(error))
  }

  [Symbol.asyncIterator](): this {
    return this
  }
  /** The next event. Calls that overlap wait for each other. */
  next(): Promise<IteratorResult<T>> {
    if (this.#unfinished === 0 && this.#queue.length > 0 && !this.#mustResync)
      return Promise.resolve({ done: false, value: this.#shift() })
    this.#unfinished++
    const step = this.#last.then(() => this.#next())
    const finish = (): void => {
      this.#unfinished--
    }
    this.#last = step.then(finish, finish)
    return step
  }
  return(): Promise<IteratorResult<T>> {
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
  /** Joins more groups; what was sent to them before then is lost, and said to be. */
  rejoin(groups: readonly number[]): void {
    const socket = this.#socket
    if (!socket) return
    Promise.all(groups.map((group) => socket.join(group))).then(
      () => {
        if (this.#socket === socket) this.#lose('kernel')
      },
      (error) => this.fail(error),
    )
  }
  /** Ends it: whoever waits, or comes next, gets `error`. */
  fail(error: unknown): void {
    this.#finish({ error })
  }

  #finish(end: { readonly error: unknown } | 'closed'): void {
    if (this.#end) return
    this.#end = end
    this.#unlisten?.()
    this.#stop.abort(end === 'closed' ? undefined : end.error)
    this.#socket?.close()
    this.#socket = undefined
    this.#queue.clear()
    this.#wake?.()
    this.#whenClosed()
  }

  async #open(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const groups = await this.#source.groups()
    const { protocol } = this.#source
    const socket = await openEvents(this.#session, protocol, groups, this.#options)
    if (this.#end) {
      socket.close()
      throw this.#end === 'closed' ? closedEvents() : this.#end.error
    }
    this.#socket = socket
    this.#pump()
  }

  /**
   * Reads what there is, then waits for more; in turns that are short, and that leave a reader who
   * keeps up the time to empty the queue.
   */
  readonly #pump = (): void => {
    const until = performance.now() + TURN
    const most = this.#queue.length + this.#queue.room / 4
    while (this.#socket) {
      if (this.#take(this.#socket)) {
        if (performance.now() < until && this.#queue.length <= most) continue
        later(this.#pump)
        return
      }
      this.#socket?.readable(this.#stop.signal).then(this.#pump, (error) => this.fail(error))
      return
    }
  }

  /** Takes a datagram. @returns whether there may be another. */
  #take(socket: Socket): boolean {
    const { receiver } = this.#session
    switch (receiver.take(socket, socket.receive(receiver.buffer))) {
      case 'again':
        return false
      case 'nothing':
        return true
      case 'overrun':
        this.#lose('kernel')
        return true
      case 'failed':
        this.fail(callError('recvmsg', receiver.errno))
        return false
    }
    if (receiver.cutFrom > 0) {
      receiver.reserve(receiver.cutFrom)
      this.#lose('kernel')
      return true
    }
    const { walker } = receiver
    const nsid = socket.senderNsid >= 0 ? socket.senderNsid : undefined
    while (!this.#isLost && walker.next()) this.#message(walker, nsid)
    if (!this.#isLost && receiver.isMalformed) this.fail(malformed())
    return true
  }

  #message(m: MessageWalker, nsid: number | undefined): void {
    if (m.type === NLMSG_OVERRUN) {
      this.#lose('kernel')
      return
    }
    let event: T | undefined
    try {
      event = this.#source.decode(m, nsid)
    } catch (error) {
      this.fail(error)
      return
    }
    if (event === undefined) return
    if (this.#queue.room > 1) this.#push(event)
    else this.#lose('iterator')
  }

  #push(event: T): void {
    this.#queue.push(event)
    this.#wake?.()
  }

  /** Tells the reader of a loss; until it has heard, what comes is of no use to it. */
  #lose(source: OverrunSource): void {
    const socket = this.#socket
    if (this.#isLost || !socket) return
    if (source === 'iterator') this.#session.tap.overran(socket, source)
    const canGoOn = source === 'kernel' && !this.#source.resync && this.#queue.room > 1
    this.#isLost = !canGoOn
    this.#push(this.#source.overrun(source))
  }

  /** The oldest event. The last one that is queued while lost is the overrun itself. */
  #shift(): T {
    const event = this.#queue.shift() as T
    if (this.#isLost && this.#queue.length === 0) {
      if (this.#source.resync) this.#mustResync = true
      else this.#isLost = false
    }
    return event
  }

  async #next(): Promise<IteratorResult<T>> {
    while (!this.#end) {
      if (this.#mustResync) return this.#resync(this.#source.resync!)
      if (this.#queue.length > 0) return { done: false, value: this.#shift() }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    return this.#ended()
  }

  #ended(): IteratorResult<T> {
    const end = this.#end
    this.#end = 'closed'
    if (end !== undefined && end !== 'closed') throw end.error
    return { done: true, value: undefined }
  }

  /** The state anew; events from now on follow it. */
  async #resync(take: (signal: AbortSignal) => Promise<T>): Promise<IteratorResult<T>> {
    const until = performance.now() + TURN
    while (this.#socket && this.#take(this.#socket) && performance.now() < until);
    this.#mustResync = this.#isLost = false
    try {
      const value = await take(this.#stop.signal)
      if (!this.#end) return { done: false, value }
    } catch (error) {
      this.fail(error)
    }
    return this.#ended()
  }
}

/** A socket in `groups`, with the receive buffer that is wanted, or as much as there may be. */
export async function openEvents(
  session: Session,
  protocol: number,
  groups: readonly number[],
  { receiveBuffer, allNamespaces }: Pick<EventOptions, 'receiveBuffer' | 'allNamespaces'>,
): Promise<Socket> {
  const more = allNamespaces ? { listenAllNsid: true } : {}
  if (receiveBuffer !== undefined)
    return openSocket(session, { protocol, groups, options: { receiveBuffer, ...more } })
  try {
    const options = { receiveBufferForce: RECEIVE_BUFFER, ...more }
    return await openSocket(session, { protocol, groups, options })
  } catch (error) {
    if (!isNetlinkError(error, 'EPERM')) throw error
    const options = { receiveBuffer: RECEIVE_BUFFER, ...more }
    return openSocket(session, { protocol, groups, options })
  }
}

function closedEvents(): NetlinkError {
  return new NetlinkError('NETLINK_CLOSED', { message: 'closed before it was open' })
}

function checkBuffer(events: number): number {
  if (Number.isSafeInteger(events) && events > 0) return events
  throw new NetlinkError('NETLINK_INVALID', {
    message: `buffer is ${String(events)}: a number of events above 0 expected`,
  })
}
