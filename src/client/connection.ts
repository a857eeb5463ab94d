/**
 * The scheduler: requests over one socket.
 *
 * Those made in one turn share a datagram; a lone one takes one call. A window keeps expected answers
 * under half of the receive buffer. After an overrun unanswered reads are asked again; changes fail.
 */
import type { Socket } from '../transport/transport.ts'
import {
  HOST_LE,
  type MessageWalker,
  NLM_F_ACK,
  NLMSG_HDRLEN,
  NLMSG_OVERRUN,
  viewOf,
} from '../wire/index.ts'
import { type Call, readReply, writeRequest } from './call.ts'
import { DeadlineTimer } from './deadline.ts'
import { Exchange } from './exchange.ts'
import { readExtack, refusal } from './extack.ts'
import { Flight } from './flight.ts'
import { ERROR_ROOM, MOST_REPEATS, PAUSE, RECEIVE_BUFFER } from './limits.ts'
import { later } from './loop.ts'
import { ManyAnswers } from './many.ts'
import { checkTimeout, type RequestOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { lost, Pending, type Rescue, timedOut } from './pending.ts'
import { callError, EAGAIN, ENOBUFS, isMalformed, malformed, type Receiver } from './receiver.ts'
import { closedError, openSocket, type Session } from './session.ts'
import { Wake } from './wake.ts'

/** What follows it runs in this turn, before any I/O; cheaper than queueMicrotask() in Node. */
const turn = Promise.resolve()
const NO_OPTIONS: RequestOptions = {}

export class Connection {
  readonly #session: Session
  readonly #protocol: number
  readonly #receiver: Receiver
  readonly #outbox = new Outbox()
  readonly #flight = new Flight()
  readonly #many = new ManyAnswers()
  readonly #wake = new Wake()
  readonly #deadlines = new DeadlineTimer((now) => this.#expire(now))
  #seq = 0
  #made = 0
  #socket: Socket | undefined
  #opening: Promise<void> | undefined
  #closed: { readonly reason: unknown } | undefined
  #isScheduled = false
  #isPumping = false
  #isYielding = false
  #hasOverrun = false
  /** Messages that answered nothing. */
  strays = 0

  constructor(session: Session, protocol: number) {
    this.#session = session
    this.#protocol = protocol
    this.#receiver = session.receiver
  }

  /** Opens the socket, if it is not open. @throws NetlinkError of Transport.open(). */
  ready(): Promise<void> {
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /**
   * Asks; nothing is sent before the current turn's microtasks run.
   * @returns the first reply's value; undefined for what is only acknowledged.
   */
  request(
    call: Call,
    value: unknown,
    options: RequestOptions = NO_OPTIONS,
    rescue?: Rescue,
  ): Promise<unknown> {
    try {
      if (this.#closed) throw this.#closed.reason
      options.signal?.throwIfAborted()
      const { flags = 0, isQuiet = false, ack = call.reply === undefined && !isQuiet } = options
      const timeout =
        options.timeout === undefined ? this.#session.timeout : checkTimeout(options.timeout)
      const { writer } = this.#outbox
      const at = writer.length
      const seq = this.#nextSeq()
      writeRequest(writer, call, ack ? flags | NLM_F_ACK : flags, seq, value)
      const pending = new Pending(call, new Exchange(seq, false, ack), options, rescue)
      pending.timeout = timeout
      pending.isQuiet = isQuiet
      pending.place = this.#made++
      pending.at = at
      pending.end = writer.length
      this.#outbox.add(pending)
      this.#schedule()
      return pending.answer
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Ends all requests with `reason` and releases the socket. Harmless when repeated. */
  close(reason: unknown = closedError()): void {
    if (this.#closed) return
    this.#closed = { reason }
    this.#socket?.close()
    this.#socket = undefined
    this.#fail(() => reason)
  }

  #nextSeq(): number {
    this.#seq = (this.#seq + 1) >>> 0 || 1
    return this.#seq
  }

  async #open(): Promise<void> {
    const socket = await openSocket(this.#session, {
      protocol: this.#protocol,
      options: { receiveBuffer: RECEIVE_BUFFER },
    })
    if (this.#closed) {
      socket.close()
      throw this.#closed.reason
    }
    this.#socket = socket
    this.#flight.limit = socket.receiveBuffer / 2
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isYielding) return
    this.#isScheduled = true
    void turn.then(this.#run)
  }

  /** Sends and receives what can be, then sees to what remains. */
  readonly #run = (): void => {
    this.#isScheduled = false
    if (this.#closed || this.#isPumping || this.#isYielding) return
    if (this.#socket) {
      this.#isPumping = true
      try {
        this.#pump(this.#socket)
      } finally {
        this.#isPumping = false
      }
    } else if (!this.#outbox.isEmpty) {
      this.ready().catch((error) => this.#fail(() => error))
    }
    this.#keep()
  }

  #pump(socket: Socket): void {
    this.#drain(socket)
    while (this.#socket === socket && !this.#outbox.isEmpty) {
      if (this.#session.turn.isOver(1)) {
        this.#yield()
        return
      }
      if (!this.#sendSome(socket)) return
      this.#drain(socket)
    }
  }

  #yield(): void {
    this.#isYielding = true
    later(() => {
      this.#isYielding = false
      this.#run()
    })
  }

  /** Sends the next requests. @returns whether there is reason to go on. */
  #sendSome(socket: Socket): boolean {
    const { tap } = this.#session
    if (socket.exchange && this.#flight.size === 0) {
      const only = this.#outbox.takeOnly()
      if (only) {
        this.#outbox.askForAck(only)
        this.#flight.admit(only)
        this.#receiver.reserve(only.length + ERROR_ROOM)
        const parts = this.#outbox.partOf(only)
        if (tap.isOn) tap.sent(socket, parts)
        this.#datagram(socket, socket.exchange(parts, this.#receiver.buffer), only)
        return true
      }
    }
    const chosen = this.#outbox.take(this.#flight)
    if (chosen.length === 0) return false
    this.#outbox.askForAck(chosen.at(-1) as Pending)
    const parts = this.#outbox.partsOf(chosen)
    this.#receiver.reserve((chosen[0] as Pending).length + ERROR_ROOM)
    if (tap.isOn) tap.sent(socket, parts)
    const sent = socket.send(parts)
    return sent >= 0 || this.#unsent(chosen, sent)
  }

  /** Sees to requests that were not sent: they wait for room, or fail. */
  #unsent(chosen: readonly Pending[], errno: number): boolean {
    if (errno === ENOBUFS) {
      this.#hasOverrun = true
      return true
    }
    for (const pending of chosen) this.#flight.release(pending)
    if (errno === EAGAIN) {
      this.#outbox.putFirst(chosen)
      setTimeout(this.#run, PAUSE)
      return false
    }
    for (const pending of chosen) pending.reject(callError('sendmsg', errno, pending.call.name))
    return true
  }

  /** Reads until all is answered; after a loss until nothing is left, for that ends it. */
  #drain(socket: Socket): void {
    while ((this.#flight.size > 0 || this.#hasOverrun) && this.#socket === socket) {
      const look = (m: MessageWalker, cutFrom: number) => this.#messages(socket, m, cutFrom)
      const taken = this.#session.tap.isOn ? 0 : this.#many.take(socket, this.#flight, look)
      if (taken > 0) continue
      if (taken === ENOBUFS) this.#datagram(socket, taken)
      else if (!this.#datagram(socket, socket.receive(this.#receiver.buffer))) return
    }
  }

  /** Takes a datagram, or the lack of one. @returns whether to look for another. */
  #datagram(socket: Socket, size: number, sent?: Pending): boolean {
    const receiver = this.#receiver
    switch (receiver.take(socket, size)) {
      case 'again':
        if (this.#hasOverrun) this.#repeat()
        return false
      case 'overrun':
        this.#hasOverrun = true
        return true
      case 'nothing':
        return true
      case 'failed':
        if (sent) this.#unsent([sent], receiver.errno)
        else this.#broken(socket, receiver.errno)
        return false
    }
    this.#messages(socket, receiver.walker, receiver.cutFrom)
    return true
  }

  #messages({ portid }: Socket, walker: MessageWalker, cutFrom: number): void {
    while (walker.next()) this.#message(walker, portid)
    if (cutFrom > 0) this.#cut(walker, cutFrom)
    else if (isMalformed(walker)) this.#failFlight(({ call }) => malformed(call.name))
  }

  #message(m: MessageWalker, portid: number): void {
    if (m.type === NLMSG_OVERRUN) this.#hasOverrun = true
    const pending = this.#flight.get(m.seq)
    if (pending === undefined || (m.portid !== portid && m.portid !== 0)) {
      this.strays++
      return
    }
    const { exchange, call } = pending
    try {
      if (exchange.push(m) === 'reply') {
        if (m.end - m.start > call.replySize) call.replySize = m.end - m.start
        pending.value ??= readReply(call, m)
      }
    } catch (error) {
      this.#flight.release(pending)
      pending.reject(error)
      return
    }
    if (exchange.over) this.#finish(pending, m)
  }

  #finish(pending: Pending, m: MessageWalker): void {
    const { exchange, call, options } = pending
    this.#flight.release(pending)
    const { extackAt, extackEnd } = exchange
    const extack =
      extackEnd > extackAt
        ? readExtack(m.view, extackAt, extackEnd, { call, bytes: this.#outbox.bytesOf(pending) })
        : undefined
    if (pending.isQuiet)
      for (const each of this.#flight.takeCovered(pending)) each.resolve(undefined)
    if (exchange.errno < 0) {
      pending.reject(refusal(exchange.errno, call, extack))
      return
    }
    const warn = options.onWarning ?? this.#session.onWarning
    if (extack && warn) queueMicrotask(() => warn(extack))
    pending.resolve(pending.value)
  }

  /** The buffer was too small for the message before which `m` stopped. */
  #cut(m: MessageWalker, size: number): void {
    this.#receiver.reserve(size)
    const hasHeader = m.leftover >= NLMSG_HDRLEN
    const seq = hasHeader ? m.view.getUint32(m.size - m.leftover + 8, HOST_LE) : 0
    for (const pending of this.#flight.all()) {
      if (!hasHeader || pending.exchange.seq === seq)
        this.#again(pending, `an answer of ${size} bytes did not fit`)
    }
  }

  /** After a loss: what is unanswered stays so. */
  #repeat(): void {
    this.#hasOverrun = false
    this.#flight.narrow()
    for (const pending of this.#flight.all())
      this.#again(pending, 'the kernel had no room for the answer')
  }

  /** Asks again what may be asked again, under a number of its own. */
  #again(pending: Pending, why: string): void {
    this.#flight.release(pending)
    if (!pending.call.read || pending.repeats++ >= MOST_REPEATS) {
      pending.reject(lost(pending.call.name, why))
      return
    }
    pending.keep(this.#outbox.writer.bytes)
    const seq = this.#nextSeq()
    viewOf(pending.bytes as Uint8Array).setUint32(8, seq, HOST_LE)
    pending.exchange.restart(seq)
    pending.value = undefined
    this.#outbox.putFirst([pending])
  }

  /** The socket failed: what was asked over it fails, and the next request opens another. */
  #broken(socket: Socket, errno: number): void {
    socket.close()
    this.#socket = this.#opening = undefined
    this.#hasOverrun = false
    this.#failFlight(({ call }) => callError('recvmsg', errno, call.name))
    if (!this.#outbox.isEmpty) this.#schedule()
  }

  #failFlight(reasonOf: (pending: Pending) => unknown): void {
    for (const pending of this.#flight.all()) {
      this.#flight.release(pending)
      pending.reject(reasonOf(pending))
    }
  }
  #fail(reasonOf: (pending: Pending) => unknown): void {
    this.#failFlight(reasonOf)
    for (const pending of this.#outbox.clear()) pending.reject(reasonOf(pending))
    this.#idle()
  }

  /** Whatever is left waits: with bytes of its own, bounded, and with somebody who wakes it. */
  #keep(): void {
    const outbox = this.#outbox
    outbox.tidy()
    if (outbox.isEmpty && this.#flight.size === 0) {
      this.#idle()
      return
    }
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const pending of this.#unsettled()) {
      pending.keep(outbox.writer.bytes)
      pending.guard(now, () => this.#giveUp(pending, pending.options.signal?.reason))
      next = Math.min(next, pending.deadline)
    }
    outbox.writer.length = 0
    this.#deadlines.set(next)
    this.#wait()
  }

  /** Nothing is left: the loop need not stay alive for us. */
  #idle(): void {
    this.#outbox.writer.length = 0
    this.#deadlines.clear()
    this.#wake.cancel()
    this.#flight.widen()
  }

  /** Wakes when the socket has something, while something is expected. */
  #wait(): void {
    const socket = this.#socket
    if (!socket || this.#flight.size === 0) return
    this.#wake.wait(socket, this.#run, (error) => this.#fail(() => error))
  }

  #unsettled = (): Pending[] => [...this.#flight.all(), ...this.#outbox.waiting()]
  #expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const pending of this.#unsettled().sort((a, b) => a.deadline - b.deadline)) {
      if (pending.deadline > now) next = Math.min(next, pending.deadline)
      else this.#giveUp(pending, timedOut(pending.call.name, pending.timeout))
    }
    return next
  }
  #giveUp(pending: Pending, reason: unknown): void {
    this.#flight.release(pending)
    pending.reject(reason)
    this.#schedule()
  }
}
