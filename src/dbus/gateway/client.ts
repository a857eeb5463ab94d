/**
 * A program that came in through a Unix socket: it says who it is, then it is a peer of the bus.
 *
 * It has a netlink socket of its own in the kernel: when the program goes, that is closed, and the
 * rest is NETLINK_URELEASE's.
 */
import { errnoName } from '../../errno.ts'
import type { UserSocket } from '../../kernel/index.ts'
import { EPOLLOUT } from '../../transport/readiness.ts'
import { dispatch, dispatchLent } from '../bus/dispatch.ts'
import type { Outgoing } from '../bus/outgoing.ts'
import { foreignUser, type Peer, type PeerCredentials, type PeerDoor } from '../bus/peer.ts'
import { headerAt } from '../message/index.ts'
import type { Attachment, DbusBus } from '../netlink/router.ts'
import type { Gateway } from './gateway.ts'
import { Inbox, type Take } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { MAX_BUFFERED, Sasl } from './sasl.ts'
import { READ, READ_FDS, REPORT, type Sender, type Stream, type StreamKind } from './streams.ts'

/** EAGAIN, as the addon answers it. */
const EAGAIN = -11
/** Reads in a row, before others have their turn. */
const READS = 16
const NO_TOKENS: readonly bigint[] = []
/** Words of receiveControl's array: flags, credentials and a count, then the descriptors. */
const CONTROL_COUNT = 4
const CONTROL_FDS = 5
const MSG_CTRUNC = 8
const LATIN1 = new TextDecoder('latin1')
const TEXT = new TextEncoder()

export class Client implements Stream, Sender, PeerDoor, Attachment {
  readonly isStill = true
  readonly gateway: Gateway
  readonly bus: DbusBus
  readonly credentials: PeerCredentials
  /** Set when it has said who it is. */
  sock!: UserSocket
  peer!: Peer
  readonly fd: number
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
  #kind: StreamKind | undefined
  #wantsRoom = false
  #control: Int32Array | undefined

  constructor(gateway: Gateway, fd: number, credentials: PeerCredentials) {
    this.gateway = gateway
    this.bus = gateway.bus
    this.credentials = credentials
    this.fd = fd
    const { limits, guid } = this.bus.bus
    const { mechanisms } = gateway
    this.#sasl = new Sasl({ guid, mechanisms, uid: credentials.uid, canPassFds: true })
    this.#inbox = new Inbox(
      () => this.bus.bus.limits.maxMessageSize,
      gateway.streams.pool,
      (bytes, at, length) => gateway.streams.lend(bytes, () => this.#take(bytes, at, length)),
    )
    this.#outbox = new Outbox(gateway.streams, this.bus.bus.tokens)
    this.#authTimer = gateway.timer(limits.authTimeout, () => {
      gateway.log(`a client has not authenticated within ${limits.authTimeout} ms`)
      this.close()
    })
    this.#watch()
  }

  /** It has said Hello. */
  get isComplete(): boolean {
    return this.#isPeer && this.peer.isActive
  }

  #watch(): void {
    if (this.#isClosed) return
    const kind = this.#inbox.hasRoom ? REPORT : this.#sasl.passesFds ? READ_FDS : READ
    const wantsRoom = this.#outbox.isWaiting
    if (kind === this.#kind && wantsRoom === this.#wantsRoom) return
    this.#kind = kind
    this.#wantsRoom = wantsRoom
    this.gateway.streams.watch(this, this.fd, kind, wantsRoom)
  }

  /** Something was read, or is to be read, or there is room to write. */
  ready(events: number, result: number, at: number, descriptors: readonly number[]): void {
    const { bus } = this.bus
    const { streams } = this.gateway
    bus.isStill = this.#isPeer && this.#authTimer === undefined
    if (descriptors.length > 0) this.#fds.push(...descriptors)
    if (events & EPOLLOUT && !this.isDirty) streams.note(this)
    if (this.#kind === REPORT) this.#readRest()
    else if (result !== EAGAIN) {
      this.#received(result, at)
      // More of a long message may be there already: it is not waited for.
      if (!this.#isClosed && this.#inbox.hasRoom) this.#readRest()
    }
    if (!bus.isStill) streams.isStill = false
    this.#watch()
    this.#watchFds()
  }

  #received(result: number, at: number): void {
    if (result <= 0 || this.#fds.length > this.bus.bus.limits.maxMessageUnixFds) {
      this.close()
      return
    }
    const { memory } = this.gateway.streams
    try {
      if (this.#isPeer) this.#inbox.feed(memory, at, at + result, this.#take)
      else this.#authenticate(memory.slice(at, at + result))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The rest of a long message comes to where it stays. */
  #readRest(): void {
    for (let left = READS; left > 0 && !this.#isClosed; left--) {
      const { room } = this.#inbox
      if (room === undefined) return
      const count = this.#sasl.passesFds
        ? this.#receiveFds(room)
        : this.gateway.native.receive(this.fd, room)
      if (count === EAGAIN) return
      if (count <= 0) {
        this.close()
        return
      }
      try {
        this.#inbox.filled(count)
      } catch (error) {
        this.#fail(error)
      }
    }
  }

  #fail(error: unknown): void {
    const name = this.#isPeer ? this.peer.uniqueName : ''
    this.gateway.log(`peer ${name} is disconnected: ${(error as Error).message}`)
    this.close()
  }

  #receiveFds(into: Uint8Array): number {
    const most = this.bus.bus.limits.maxMessageUnixFds
    this.#control ??= new Int32Array(CONTROL_FDS + Math.min(253, Math.max(1, most)))
    const count = this.gateway.native.receiveControl(this.fd, into, this.#control)
    if (count <= 0) return count
    const fds = this.#control[CONTROL_COUNT]!
    for (let at = 0; at < fds; at++) this.#fds.push(this.#control[CONTROL_FDS + at]!)
    if (this.#control[0]! & MSG_CTRUNC || this.#fds.length > most) return 0
    return count
  }

  readonly #take: Take = (bytes, at, length) => {
    if (this.#isClosed) return
    const { bus } = this.bus
    if (this.#fds.length > 0) this.#takeWithFds(bytes.slice(at, at + length))
    else dispatchLent(bus, this.peer, bytes, at, length)
    if (this.#authTimer && this.peer.isActive) this.#completed()
  }

  #takeWithFds(message: Uint8Array): void {
    const { bus } = this.bus
    const count = headerAt(message, 0, message.length).unixFds
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
    if (answer !== '') this.gateway.native.send(this.fd, TEXT.encode(answer))
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
    if (rest.length > 0) this.#inbox.feed(rest, 0, rest.length, this.#take)
  }

  deliver(outgoing: Outgoing, payer: Peer | undefined): boolean {
    const outbox = this.#outbox
    const { maxOutgoingBytes, maxOutgoingUnixFds } = this.bus.bus.limits
    const uid = foreignUser(this.peer, payer)
    if (!outbox.hasRoom(uid, outgoing, maxOutgoingBytes, maxOutgoingUnixFds)) {
      // What has waited for the end of the turn only may make room.
      if (outbox.segmentWords > 0) outbox.flushAll(this.fd)
      if (!outbox.hasRoom(uid, outgoing, maxOutgoingBytes, maxOutgoingUnixFds)) return false
    }
    outbox.push(outgoing, uid)
    const { stats } = this.peer
    if (outbox.bytes > stats.peakOutgoingBytes) stats.peakOutgoingBytes = outbox.bytes
    if (outbox.fds > stats.peakOutgoingFds) stats.peakOutgoingFds = outbox.fds
    if (!this.isDirty) this.gateway.streams.note(this)
    return true
  }

  queued(): { messages: number; bytes: number; fds: number } {
    const { messages, bytes, fds } = this.#outbox
    return { messages, bytes, fds }
  }

  get segments(): Int32Array {
    return this.#outbox.segments
  }
  get segmentWords(): number {
    return this.#isClosed ? 0 : this.#outbox.segmentWords
  }

  sent(result: number): void {
    if (result >= 0) this.#outbox.sent(result)
    else if (isFull(result)) this.#outbox.sent(0)
    else {
      this.#outbox.clear()
      this.gateway.streams.doom(this)
    }
  }

  sendWaiting(): void {
    if (this.#isClosed) return
    if (this.#outbox.isWaiting && this.#outbox.flush(this.fd) === 'broken')
      this.gateway.streams.doom(this)
    else this.#watch()
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
    this.#outbox.flushAll(this.fd)
    this.close()
  }

  /** The connection is over. Harmless when repeated. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { native, streams } = this.gateway
    streams.close(this.fd)
    for (const fd of this.#fds) native.close(fd)
    this.#fds = []
    this.#authTimer?.()
    this.#fdTimer?.()
    this.#outbox.clear()
    this.#inbox.clear()
    this.gateway.forget(this)
    if (this.#isPeer) this.sock.close()
  }
}

function lineEnd(chunk: Uint8Array, from: number): number {
  return chunk.indexOf(0x0a, from)
}

/** The socket takes nothing for now. */
function isFull(errno: number): boolean {
  return errno === EAGAIN || ['ENOBUFS', 'ENOMEM'].includes(errnoName(errno))
}
