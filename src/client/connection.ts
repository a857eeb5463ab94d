/**
 * The scheduler: requests over one socket. Those made in one turn share a datagram; a lone one takes
 * one call. A window keeps expected answers under half of the receive buffer. After an overrun
 * unanswered reads are asked again; changes fail.
 */
import type { Socket } from '../transport/transport.ts'
import { type MessageWalker, NLM_F_ACK, NLMSG_OVERRUN } from '../wire/index.ts'
import { type Call, readReply, writeRequest } from './call.ts'
import { DeadlineTimer } from './deadline.ts'
import { Exchange } from './exchange.ts'
import { readExtack, refusal } from './extack.ts'
import { Flight } from './flight.ts'
import { ERROR_ROOM, PAUSE, RECEIVE_BUFFER } from './limits.ts'
import { later } from './loop.ts'
import { ManyAnswers } from './many.ts'
import { checkTimeout, type RequestOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { Pending, type Rescue, timedOut } from './pending.ts'
import { type Asked, answerTo, MORE, Prompt, sendNow } from './prompt.ts'
import { callError, EAGAIN, ENOBUFS, isMalformed, malformed, type Receiver } from './receiver.ts'
import { Repeats } from './repeats.ts'
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
  readonly #repeats = new Repeats(this.#flight, this.#outbox, () => this.#nextSeq())
  readonly #prompt = new Prompt()
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
   * Asks, when the current turn's microtasks run; at once where those before were alone in their turns.
   * @returns the first reply's value; undefined for what is only acknowledged.
   */
  request(
    call: Call,
    value: unknown,
    options: RequestOptions = NO_OPTIONS,
    rescue?: Rescue,
  ): Promise<unknown> {
    try {
      const prompt = options === NO_OPTIONS && this.#prompt.isDue() && this.#promptSocket()
      if (prompt) return this.#askNow(prompt, call, value, rescue)
      if (this.#closed) throw this.#closed.reason
      options.signal?.throwIfAborted()
      const { flags = 0, isQuiet = false, ack = call.reply === undefined && !isQuiet } = options
      if (options.timeout !== undefined) checkTimeout(options.timeout)
      const { writer } = this.#outbox
      const at = writer.length
      const asked = { call, seq: this.#nextSeq(), ack }
      writeRequest(writer, call, ack ? flags | NLM_F_ACK : flags, asked.seq, value)
      const pending = this.#pending(asked, options, rescue)
      pending.at = at
      this.#outbox.add(pending)
      this.#schedule()
      return pending.answer
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The socket, when nothing else is going on. */
  #promptSocket(): Socket | undefined {
    if (this.#isScheduled || this.#isPumping || this.#isYielding || this.#hasOverrun) return
    if (this.#flight.size > 0 || this.#outbox.isInUse || this.#session.tap.isOn) return
    if (!this.#socket?.exchangeFirst || this.#session.turn.isOver(1)) return
    return this.#socket
  }

  /** Sends, and takes the answer, which most often is there at once. */
  #askNow(socket: Socket, call: Call, value: unknown, rescue?: Rescue): Promise<unknown> {
    const asked = { call, seq: this.#nextSeq(), ack: call.reply === undefined }
    const size = sendNow(asked, value, socket, this.#outbox.writer, this.#receiver)
    const answer = answerTo(asked, this.#receiver, socket.portid, size)
    if (answer !== MORE) {
      this.#outbox.writer.length = 0
      return Promise.resolve(answer)
    }
    const pending = this.#pending(asked, NO_OPTIONS, rescue)
    this.#flight.admit(pending)
    this.#isPumping = true
    if (this.#datagram(socket, size, pending)) this.#pump(socket)
    this.#isPumping = false
    this.#keep()
    return pending.answer
  }

  /** A request that the writer ends with. */
  #pending({ call, seq, ack }: Asked, options: RequestOptions, rescue?: Rescue): Pending {
    const pending = new Pending(call, new Exchange(seq, false, ack), options, rescue)
    pending.timeout = checkTimeout(options.timeout ?? this.#session.timeout)
    pending.isQuiet = options.isQuiet === true
    pending.place = this.#made++
    pending.end = this.#outbox.writer.length
    return pending
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
        this.#prompt.turned(1)
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
    this.#prompt.turned(chosen.length)
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
        if (this.#hasOverrun) this.#repeats.afterLoss()
        this.#hasOverrun = false
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
    if (cutFrom > 0) {
      this.#receiver.reserve(cutFrom)
      this.#repeats.afterCut(walker, cutFrom)
    }
    if (cutFrom === 0 && isMalformed(walker)) this.#failFlight(({ call }) => malformed(call.name))
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
