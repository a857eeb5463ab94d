/**
 * A program that came in through a Unix socket: it says who it is, then it is a peer of the bus.
 *
 * It has a netlink socket of its own in the kernel: when the program goes, that is closed, and the
 * rest is NETLINK_URELEASE's.
 */
import { errnoName } from '../../errno.ts'
import type { UserSocket } from '../../kernel/index.ts'
import { type Armed, EPOLLIN, EPOLLOUT } from '../../transport/readiness.ts'
import { dispatch } from '../bus/dispatch.ts'
import type { Outgoing, Peer, PeerCredentials, PeerDoor } from '../bus/peer.ts'
import { parseHeader } from '../message/index.ts'
import type { Attachment, DbusBus } from '../netlink/router.ts'
import type { Gateway } from './gateway.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { MAX_BUFFERED, Sasl } from './sasl.ts'

/** Reads in a row, before others have their turn. */
const READS = 16
const NO_TOKENS: readonly bigint[] = []
/** Words of receiveControl's array: flags, credentials and a count, then the descriptors. */
const CONTROL_COUNT = 4
const CONTROL_FDS = 5
const MSG_CTRUNC = 8
const LATIN1 = new TextDecoder('latin1')
const TEXT = new TextEncoder()

export class Client implements Armed, PeerDoor, Attachment {
  readonly gateway: Gateway
  readonly bus: DbusBus
  readonly credentials: PeerCredentials
  /** Set when it has said who it is. */
  sock!: UserSocket
  peer!: Peer
  readonly #fd: number
  readonly #sasl: Sasl
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  /** What was said before BEGIN and is no whole line yet. */
  #said = ''
  #isPeer = false
  #hasBegun = false
  /** The first byte was not NUL: what follows is not heard, as by the reference. */
  #isUnheard = false
  #isClosed = false
  /** Its turn to flush is noted. */
  isDirty = false
  /** Descriptors that came before the message that they belong to. */
  #fds: number[] = []
  #fdTimer: (() => void) | undefined
  #authTimer: (() => void) | undefined
  #armed: number | undefined
  #control: Int32Array | undefined

  constructor(gateway: Gateway, fd: number, credentials: PeerCredentials) {
    this.gateway = gateway
    this.bus = gateway.bus
    this.credentials = credentials
    this.#fd = fd
    const { limits, guid } = this.bus.bus
    const { mechanisms } = gateway
    this.#sasl = new Sasl({ guid, mechanisms, uid: credentials.uid, canPassFds: true })
    this.#inbox = new Inbox(() => this.bus.bus.limits.maxMessageSize)
    this.#outbox = new Outbox(gateway.native, this.bus.bus.tokens)
    this.#authTimer = gateway.timer(limits.authTimeout, () => {
      gateway.log(`a client has not authenticated within ${limits.authTimeout} ms`)
      this.close()
    })
    this.#arm(EPOLLIN)
  }

  /** It has said Hello. */
  get isComplete(): boolean {
    return this.#isPeer && this.peer.isActive
  }

  #arm(events: number): void {
    if (this.#isClosed) return
    const { readiness } = this.gateway
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    this.#armed = readiness.arm(this, this.#fd, events)
  }

  /** Something is to be read, or there is room to write. */
  ready(): void {
    this.#armed = undefined
    for (let left = READS; left > 0 && !this.#isClosed; left--) if (!this.#read()) break
    if (this.#isClosed) return
    this.flush()
  }

  /** False when nothing is left to read. */
  #read(): boolean {
    const { native, buffer } = this.gateway
    const room = this.#inbox.room
    const into = room ?? buffer
    const count = this.#sasl.passesFds ? this.#receiveFds(into) : native.receive(this.#fd, into)
    if (count <= 0) {
      if (count < 0 && errnoName(count) === 'EAGAIN') return false
      this.close()
      return false
    }
    try {
      if (room) this.#finish(count)
      else if (this.#isPeer) this.#inbox.feed(buffer.slice(0, count), this.#take)
      else this.#authenticate(buffer.slice(0, count))
    } catch (error) {
      this.gateway.log(
        `peer ${this.#isPeer ? this.peer.uniqueName : ''} is disconnected: ${(error as Error).message}`,
      )
      this.close()
      return false
    }
    return count === into.length
  }

  #receiveFds(into: Uint8Array): number {
    const most = this.bus.bus.limits.maxMessageUnixFds
    this.#control ??= new Int32Array(CONTROL_FDS + Math.min(253, Math.max(1, most)))
    const count = this.gateway.native.receiveControl(this.#fd, into, this.#control)
    if (count <= 0) return count
    const fds = this.#control[CONTROL_COUNT]!
    for (let at = 0; at < fds; at++) this.#fds.push(this.#control[CONTROL_FDS + at]!)
    if (this.#control[0]! & MSG_CTRUNC || this.#fds.length > most) return 0
    return count
  }

  #finish(count: number): void {
    const message = this.#inbox.filled(count)
    if (message) this.#take(message)
  }

  readonly #take = (message: Uint8Array): void => {
    if (this.#isClosed) return
    const { bus } = this.bus
    if (this.#fds.length === 0) dispatch(bus, this.peer, message)
    else this.#takeWithFds(message)
    if (this.#authTimer && this.peer.isActive) this.#completed()
  }

  #takeWithFds(message: Uint8Array): void {
    const { bus } = this.bus
    const count = parseHeader(message).unixFds
    if (count > this.#fds.length || count === 0) {
      dispatch(bus, this.peer, message, NO_TOKENS)
      return
    }
    const tokens = this.#fds.splice(0, count).map((fd) => bus.tokens.add(fd))
    try {
      dispatch(bus, this.peer, message, tokens)
    } finally {
      bus.tokens.release(tokens)
    }
  }

  #completed(): void {
    this.#authTimer?.()
    this.#authTimer = undefined
    this.gateway.completed()
  }

  /** Before BEGIN: lines; what follows it are messages. */
  #authenticate(chunk: Uint8Array): void {
    let at = 0
    if (!this.#hasBegun && chunk.length > 0) {
      this.#hasBegun = true
      this.#isUnheard = chunk[0] !== 0
      at = 1
    }
    if (this.#isUnheard) return
    let answer = ''
    while (!this.#sasl.isDone && !this.#sasl.hasFailed) {
      const end = lineEnd(chunk, at)
      if (end < 0) break
      const line = this.#said + LATIN1.decode(chunk.subarray(at, end))
      this.#said = ''
      at = end + 1
      answer += this.#sasl.take(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    if (answer !== '') this.gateway.native.send(this.#fd, TEXT.encode(answer))
    if (this.#sasl.hasFailed) this.close()
    else if (this.#sasl.isDone) this.#becomePeer(chunk.subarray(at))
    else this.#said += LATIN1.decode(chunk.subarray(at))
    if (this.#said.length > MAX_BUFFERED) this.close()
  }

  #becomePeer(rest: Uint8Array): void {
    const { bus } = this.bus
    const { isAnonymous, passesFds } = this.#sasl
    const credentials = isAnonymous ? { ...this.credentials, uid: undefined } : this.credentials
    const isAllowed = isAnonymous ? this.gateway.allowAnonymous : bus.policy.mayConnect(credentials)
    if (!isAllowed) {
      this.close()
      return
    }
    this.sock = this.gateway.socketFor(this.credentials)
    this.peer = bus.connect(this, credentials, passesFds)
    this.#isPeer = true
    this.gateway.router.attach(this)
    if (rest.length > 0) this.#inbox.feed(rest, this.#take)
  }

  deliver(outgoing: Outgoing, _sender: Peer | undefined): boolean {
    const { maxOutgoingBytes, maxOutgoingUnixFds } = this.bus.bus.limits
    const outbox = this.#outbox
    if (outbox.bytes + outgoing.head.length + outgoing.body.length > maxOutgoingBytes) return false
    if (outbox.fds + outgoing.tokens.length > maxOutgoingUnixFds) return false
    outbox.push(outgoing)
    if (!this.isDirty) this.gateway.note(this)
    return true
  }

  queued(): { messages: number; bytes: number; fds: number } {
    const { messages, bytes, fds } = this.#outbox
    return { messages, bytes, fds }
  }

  /** Sends what waits, and asks to hear when there is more to read or room to write. */
  flush(): void {
    if (this.#isClosed) return
    const isOut = this.#outbox.messages === 0 ? true : this.#outbox.flush(this.#fd)
    if (isOut === 'broken') this.close()
    else this.#arm(isOut ? EPOLLIN : EPOLLIN | EPOLLOUT)
    this.#watchFds()
  }

  /** Descriptors without their message may not wait for ever. */
  #watchFds(): void {
    if (this.#fds.length === 0) {
      this.#fdTimer?.()
      this.#fdTimer = undefined
      return
    }
    this.#fdTimer ??= this.gateway.timer(this.bus.bus.limits.pendingFdTimeout, () => this.close())
  }

  disconnect(reason: string): void {
    if (this.#isClosed) return
    this.gateway.log(reason)
    this.#outbox.flush(this.#fd)
    this.close()
  }

  /** The connection is over. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { native, readiness } = this.gateway
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    native.disarm(this.#fd)
    native.close(this.#fd)
    for (const fd of this.#fds) native.close(fd)
    this.#fds = []
    this.#authTimer?.()
    this.#fdTimer?.()
    this.#outbox.clear()
    this.gateway.forget(this)
    if (this.#isPeer) this.sock.close()
  }
}

function lineEnd(chunk: Uint8Array, from: number): number {
  return chunk.indexOf(0x0a, from)
}
