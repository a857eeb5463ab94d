/** One dump, from its request to its NLMSG_DONE, a datagram at a time. */
import { NetlinkError } from '../errors.ts'
import type { DeferredReader, Scan, Visitor } from '../schema/index.ts'
import type { Socket } from '../transport/transport.ts'
import {
  MessageWalker,
  NLM_F_DUMP,
  NLMSG_HDRLEN,
  NLMSG_OVERRUN,
  viewOf,
  Writer,
} from '../wire/index.ts'
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

/** A copy of a datagram; empty when there is nothing in it for us. */
export type Kept = Uint8Array
const NONE: Kept = new Uint8Array(0)

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
    return this.#next((walker) => this.#walk(walker, this.#exchange, items)) ? items : undefined
  }

  /** The same of a copy of the datagram, whose items `read` makes. Not for those who visit. */
  keep(): Kept | undefined {
    let bytes = NONE
    return this.#next((walker) => {
      const { buffer } = this.#receiver
      bytes = buffer.slice(0, walker.size)
      while (walker.next() && this.#judge(walker, this.#exchange) !== 'last');
    })
      ? bytes
      : undefined
  }

  /** The items of a datagram that was kept. @throws DecodeError */
  read(kept: Kept, items: T[]): void {
    const again = new Exchange(this.#exchange.seq, true, false)
    this.#walk(new MessageWalker(viewOf(kept)), again, items)
  }

  /** Takes the next datagram and lets `look` see its messages. @returns false when there is none yet. */
  #next(look: (walker: MessageWalker) => void): boolean {
    switch (this.#receiver.take(this.#socket, this.#receive())) {
      case 'again':
        this.isOver = this.#hasOverrun
        return this.#hasOverrun
      case 'nothing':
        return true
      case 'overrun':
        this.#hasOverrun = true
        this.#spoil('NETLINK_OVERFLOW', 'the kernel had no room for all of it')
        return true
      case 'failed':
        this.#fail(callError('recvmsg', this.#receiver.errno, this.#asked.call.name))
        return true
    }
    try {
      look(this.#receiver.walker)
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
    return true
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

  /** The messages of a datagram: replies in one go, where they are read in part. */
  #walk(walker: MessageWalker, exchange: Exchange, items: T[]): void {
    const { view, size } = walker
    const scan = this.#scan
    for (;;) {
      scan.at = walker.following
      if (this.#visitor) this.#visitor(view, size, scan, this.#visit as Visit<unknown>)
      else if (this.#deferred) this.#deferred(view, size, scan, items)
      walker.following = scan.at
      if (!walker.next()) return
      const verdict = this.#judge(walker, exchange)
      if (verdict === 'last') return
      if (verdict === 'reply') this.#item(walker, items)
    }
  }

  #item(walker: MessageWalker, items: T[]): void {
    const { call, map } = this.#asked
    const value = readReply(call, walker)
    const item = map ? map(value) : (value as T)
    if (item === undefined) return
    if (this.#visit) this.#visit(item)
    else items.push(item)
  }

  /** What the message at which the walker stands is to the dump. */
  #judge(walker: MessageWalker, exchange: Exchange): 'reply' | 'last' | 'other' {
    const { call } = this.#asked
    if (walker.type === NLMSG_OVERRUN)
      this.#spoil('NETLINK_OVERFLOW', 'the kernel had no room for all of it')
    const isReply = exchange.push(walker) === 'reply'
    if (!exchange.over) return isReply ? 'reply' : 'other'
    this.isOver = true
    const { errno, extackAt, extackEnd } = exchange
    if (errno < 0) {
      const sent = { call, bytes: this.#bytes }
      this.error ??= refusal(errno, call, readExtack(walker.view, extackAt, extackEnd, sent))
    }
    if (exchange.interrupted)
      this.#spoil('NETLINK_INTERRUPTED', 'the table changed while it was read')
    return 'last'
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
