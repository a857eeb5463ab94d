/** One dump, from its request to its NLMSG_DONE, a datagram at a time. */
import { NetlinkError } from '../errors.ts'
import type { DeferredReader, Scan, Visitor } from '../schema/index.ts'
import type { Socket } from '../transport/transport.ts'
import { NLM_F_DUMP, NLMSG_HDRLEN, NLMSG_OVERRUN, Writer } from '../wire/index.ts'
import { type Call, payloadOf, readReply, writeRequest } from './call.ts'
import { Exchange } from './exchange.ts'
import { readExtack, refusal } from './extack.ts'
import { hintFor } from './hints.ts'
import { callError, malformed, type Receiver } from './receiver.ts'
import type { Session } from './session.ts'

/** What a dump asks for, and what becomes of its items; undefined ones are left out. */
export interface DumpRequest<T> {
  readonly call: Call
  readonly value: unknown
  readonly flags: number
  readonly map: ((item: unknown) => T | undefined) | undefined
  /** Whether items are read in part, and the rest when it is asked for. */
  readonly isDeferred: boolean
}

/** Who is shown each item instead of having it in a list; the item may be another one afterwards. */
export type Visit<T> = (item: T) => void

export class DumpReader<T> {
  readonly #session: Session
  readonly #receiver: Receiver
  readonly #socket: Socket
  readonly #asked: DumpRequest<T>
  readonly #exchange: Exchange
  readonly #bytes: Uint8Array
  readonly #visit: Visit<T> | undefined
  readonly #visitor: Visitor | undefined
  readonly #deferred: DeferredReader | undefined
  readonly #scan: Scan
  #isSent = false
  #hasOverrun = false
  /** Whether there will be no more items: the kernel said so, or `error` does. */
  isOver = false
  /** Why it failed, or was refused. */
  error: unknown
  /** Why its items are not the whole truth; asking again may mend it. */
  spoiled: NetlinkError | undefined

  /** @throws EncodeError when the request cannot be written. */
  constructor(
    session: Session,
    socket: Socket,
    asked: DumpRequest<T>,
    seq: number,
    visit?: Visit<T>,
  ) {
    this.#session = session
    this.#receiver = session.receiver
    this.#socket = socket
    this.#asked = asked
    this.#exchange = new Exchange(seq, true, false)
    const w = new Writer(128)
    writeRequest(w, asked.call, NLM_F_DUMP | asked.flags, seq, asked.value)
    this.#bytes = w.peek()
    this.#visit = visit
    const { call, isDeferred } = asked
    this.#scan = {
      type: call.replyType,
      seq,
      cmd: call.genl?.replyCmd ?? -1,
      skip: payloadOf(call, NLMSG_HDRLEN),
      at: 0,
    }
    this.#visitor = isDeferred && visit ? call.reply?.visitor() : undefined
    this.#deferred = isDeferred && !visit ? call.reply?.deferred() : undefined
  }

  /** What is asked, for errors. */
  get name(): string {
    return this.#asked.call.name
  }
  /** Whether the kernel is done with it, so that its socket is free. */
  get isFree(): boolean {
    return this.#exchange.over || !this.#isSent
  }

  /** The next datagram's items, which may be none; undefined when there is no datagram yet. */
  step(): T[] | undefined {
    const items: T[] = []
    switch (this.#receiver.take(this.#socket, this.#receive())) {
      case 'again':
        if (!this.#hasOverrun) return undefined
        this.isOver = true
        return items
      case 'nothing':
        return items
      case 'overrun':
        this.#hasOverrun = true
        this.#spoil('NETLINK_OVERFLOW', 'the kernel had no room for all of it')
        return items
      case 'failed':
        this.#fail(callError('recvmsg', this.#receiver.errno, this.#asked.call.name))
        return items
    }
    try {
      this.#walk(items)
    } catch (error) {
      this.#fail(error)
    }
    const { cutFrom } = this.#receiver
    if (cutFrom > 0) {
      this.#receiver.reserve(cutFrom)
      this.#spoil('NETLINK_OVERFLOW', `a datagram of ${cutFrom} bytes did not fit`)
      this.isOver = true
    }
    if (!this.isOver && this.#receiver.isMalformed) this.#fail(malformed(this.#asked.call.name))
    return items
  }

  /** Reads without looking, to have the socket free again; up to `bytes` of it. */
  drain(bytes: number): void {
    let left = bytes
    while (!this.isFree && left > 0) {
      const received = this.#receiver.take(
        this.#socket,
        this.#socket.receive(this.#receiver.buffer),
      )
      if (received !== 'messages' || this.#receiver.cutFrom > 0) return
      const { walker } = this.#receiver
      left -= walker.size
      try {
        while (walker.next()) this.#exchange.push(walker)
      } catch {
        return
      }
    }
  }

  #receive(): number {
    const { buffer } = this.#receiver
    if (this.#isSent) return this.#socket.receive(buffer)
    this.#isSent = true
    const parts = [this.#bytes]
    const { tap } = this.#session
    if (tap.isOn) tap.sent(this.#socket, parts)
    if (this.#socket.exchange) return this.#socket.exchange(parts, buffer)
    const sent = this.#socket.send(parts)
    return sent < 0 ? sent : this.#socket.receive(buffer)
  }

  /** The messages of the datagram: replies in one go, where they are read in part. */
  #walk(items: T[]): void {
    const { walker } = this.#receiver
    const { view, size } = walker
    const scan = this.#scan
    do {
      scan.at = walker.following
      if (this.#visitor) this.#visitor(view, size, scan, this.#visit as Visit<unknown>)
      else if (this.#deferred) this.#deferred(view, size, scan, items)
      walker.following = scan.at
    } while (walker.next() && this.#message(items))
  }

  #item(items: T[]): void {
    const { call, map } = this.#asked
    const value = readReply(call, this.#receiver.walker)
    const item = map ? map(value) : (value as T)
    if (item === undefined) return
    if (this.#visit) this.#visit(item)
    else items.push(item)
  }

  /** The message at which the walker stands. @returns whether to go on. */
  #message(items: T[]): boolean {
    const { walker } = this.#receiver
    const exchange = this.#exchange
    const { call } = this.#asked
    if (walker.type === NLMSG_OVERRUN)
      this.#spoil('NETLINK_OVERFLOW', 'the kernel had no room for all of it')
    if (exchange.push(walker) === 'reply') this.#item(items)
    if (!exchange.over) return true
    this.isOver = true
    const { errno, extackAt, extackEnd } = exchange
    if (errno < 0) {
      const sent = { call, bytes: this.#bytes }
      this.error = refusal(errno, call, readExtack(walker.view, extackAt, extackEnd, sent))
    }
    if (exchange.interrupted)
      this.#spoil('NETLINK_INTERRUPTED', 'the table changed while it was read')
    return false
  }

  #spoil(code: 'NETLINK_INTERRUPTED' | 'NETLINK_OVERFLOW', message: string): void {
    const { name } = this.#asked.call
    this.spoiled ??= new NetlinkError(code, {
      request: name,
      message,
      hint: hintFor(code, { name }),
    })
  }
  #fail(error: unknown): void {
    this.error = error
    this.isOver = true
  }
}
