/** One client: a connection, and the netlink socket that lives as long as it does. */
import { isNetlinkError } from '../errors.ts'
import type { Credentials } from '../kernel/credentials.ts'
import type { UserSocket } from '../kernel/netlink/user-socket.ts'
import { KERN_ERR } from '../kernel/printk/log.ts'
import { NOT_SENT, OTHERS_READY } from '../transport/native-socket.ts'
import { SO_ATTACH_FILTER, SOL_SOCKET } from '../transport/options.ts'
import { PIN_SERVER_ANSWER, PIN_SERVER_REQUEST } from '../transport/pins.ts'
import { type Armed, EPOLLIN, EPOLLOUT } from '../transport/readiness.ts'
import {
  AT_A,
  AT_B,
  AT_C,
  AT_GID,
  AT_GROUP,
  AT_NSID,
  AT_PID,
  AT_PORTID,
  AT_UID,
  EAGAIN,
  EINVAL,
  EMSGSIZE,
  EOPNOTSUPP,
  EPROTO,
  FLAG_DISCONNECT,
  FLAG_PEEK,
  FLAG_PEER,
  FLAG_TO,
  KIND_ANSWER,
  KIND_DATA,
  KIND_READY,
  MAGIC,
  OP_BIND,
  OP_CONNECT,
  OP_GETSOCKOPT,
  OP_OPEN,
  OP_POLL,
  OP_RECEIVE,
  OP_SEND,
  OP_SETSOCKOPT,
  OP_SOCKNAME,
  PAYLOAD_MAX,
  REQUEST_SIZE,
  VERSION,
} from '../transport/wire-protocol.ts'
import { NETLINK_LIST_MEMBERSHIPS, SOL_NETLINK } from '../wire/constants.ts'
import { Outlet } from './outlet.ts'
import type { Server } from './server.ts'
import { OP_DATA } from './shim-protocol.ts'

/** Requests that one client is served before the others' turn. */
const TURN = 64
/** Microseconds that the next request of a client is waited for, as nobody else wants anything. */
const LINGER = 5000
/** Requests that are waited for before the event loop has its turn. */
const LINGERS = 256
/** Milliseconds of the same, for a client that has had the kernel for itself: one tick of a clock. */
const PATIENCE = 1
/** Milliseconds that a client has to say who it is. */
const HANDSHAKE = 5000
/** What wait() answers when other clients are ready. */
const OTHERS = 0x10000
const MSG_PEEK = 2
const EINTR = -4
/** The largest buffer that a dump is sized by, and that is worth to be told apart. */
const PULL_MAX = 64 * 1024

export class Client implements Armed {
  readonly #server: Server
  readonly #credentials: Credentials
  readonly #outlet: Outlet
  /** -1 once closed. */
  #fd: number
  #armed: number | undefined
  #sock: UserSocket | undefined
  /** Size of the pull that stands, 0 for none. */
  #pull = 0
  #isPolling = false
  #isServing = false
  #isWoken = false
  /** The descriptor waits in `converse`. */
  #isPatient = false
  #deadline: NodeJS.Timeout | undefined

  constructor(server: Server, fd: number, credentials: Credentials) {
    this.#server = server
    this.#fd = fd
    this.#credentials = credentials
    this.#outlet = new Outlet(server, fd, this)
    this.arm()
    this.#deadline = setTimeout(() => this.close(), HANDSHAKE).unref()
  }

  /** Asks to be told of the next request, or of room for what is unsent. */
  arm(): void {
    if (this.#fd < 0) return
    const events = this.#outlet.isBlocked ? EPOLLOUT : EPOLLIN
    this.#armed = this.#server.readiness.arm(this, this.#fd, events)
  }

  /** Serves a turn; where nobody else wants anything, waits a moment for more. */
  ready(isLast: boolean): void {
    this.#armed = undefined
    const isAlone = this.#server.isAlone(this)
    let isThrough = this.#serve()
    if (isThrough && isLast && this.#isServable()) {
      isThrough = isAlone ? this.#converse() : this.#linger()
    }
    if (this.#fd < 0) return
    if (isThrough) this.arm()
    else this.#server.serveLater(this)
  }
  #isServable(): boolean {
    return this.#fd >= 0 && !this.#outlet.isBlocked
  }

  /** Waits for more while nobody else wants anything. @returns whether none is left for now. */
  #linger(): boolean {
    const { native } = this.#server
    for (let i = 0; i < LINGERS && this.#isServable(); i++) {
      const seen = native.wait(this.#fd, EPOLLIN, LINGER, 1)
      if ((seen & ~OTHERS) === 0) return true
      if (!this.#serve() || seen & OTHERS) return false
    }
    return !this.#isServable()
  }
  /**
   * The same in half the system calls. Who becomes ready while it waits is not heard, so it is for
   * a client that nobody has disturbed for a while, and it waits for a tick at most.
   */
  #converse(): boolean {
    const outlet = this.#outlet
    const { native } = this.#server
    if (!this.#isPatient) this.#isPatient = native.bePatient(this.#fd, PATIENCE) === 0
    let isThrough = false
    outlet.hold()
    for (let left = LINGERS; left > 0 && !isThrough && this.#isServable(); left--) {
      const held = outlet.takeHeld()
      const size = native.converse(this.#fd, PIN_SERVER_ANSWER, held, PIN_SERVER_REQUEST, 1)
      if (size <= -NOT_SENT) outlet.notSent(size + NOT_SENT, held)
      else if (size === OTHERS_READY) break
      else if (size === EAGAIN || size === EINTR) isThrough = true
      else if (size <= 0) this.close()
      else {
        this.#request(size)
        this.#server.flush()
      }
    }
    outlet.stopHolding()
    return isThrough || !this.#isServable()
  }

  /** Answers requests. @returns whether none is left for now. */
  #serve(): boolean {
    if (!this.#flush()) return true
    const { native } = this.#server
    for (let left = TURN; left > 0; left--) {
      const size = native.receive(this.#fd, PIN_SERVER_REQUEST)
      if (size === EAGAIN) return true
      if (size <= 0) this.close()
      else this.#request(size)
      this.#server.flush()
      if (!this.#isServable()) return true
    }
    return false
  }
  /** Sends what the client had no room for. @returns whether it has room now. */
  #flush(): boolean {
    if (this.#fd < 0) return false
    const wasBlocked = this.#outlet.isBlocked
    if (!this.#outlet.flush()) return false
    if (wasBlocked) this.tell()
    return this.#isServable()
  }

  /** Answers the request of `size` bytes in the server's buffer. */
  #request(size: number): void {
    const { request, requestView: view } = this.#server
    const op = request[0] as number
    if (
      !this.#sock &&
      op >= OP_DATA &&
      this.#server.shims.admit(this.#fd, this.#credentials, size)
    ) {
      this.#handOver()
      return
    }
    if (size < REQUEST_SIZE || (this.#sock === undefined) !== (op === OP_OPEN)) {
      this.close()
      return
    }
    const a = view.getUint32(AT_A, true)
    const b = view.getUint32(AT_B, true)
    const c = view.getInt32(AT_C, true)
    if (op === OP_OPEN) {
      this.#open(a, b, c, size)
      return
    }
    this.#isServing = true
    try {
      this.#dispatch(op, request[1] as number, a, b, c, size)
    } catch (error) {
      this.#server.kernel.printk(KERN_ERR, `daemon: a request failed: ${error}`)
      this.close()
    } finally {
      this.#isServing = false
    }
    if (this.#sock?.isClosed) this.close()
    else this.tell()
  }

  #open(magic: number, version: number, protocol: number, size: number): void {
    if (magic !== MAGIC) {
      this.close()
      return
    }
    if (version !== VERSION) {
      this.#server.answerView.setUint32(AT_PORTID, VERSION, true)
      this.#answer(EPROTO)
      this.close()
      return
    }
    const name = new TextDecoder().decode(this.#server.request.subarray(REQUEST_SIZE, size))
    try {
      this.#sock = this.#server.socket(name, protocol, this.#credentials)
    } catch (error) {
      this.#answer(isNetlinkError(error) ? (error.errno ?? EINVAL) : EINVAL)
      this.close()
      return
    }
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    this.#sock.dataReady = () => this.#wake()
    this.#answer(0)
  }

  #dispatch(op: number, flags: number, a: number, b: number, c: number, size: number): void {
    const sock = this.#sock as UserSocket
    switch (op) {
      case OP_SEND:
        this.#sendmsg(flags, a, b, c, size)
        return
      case OP_RECEIVE:
        this.#receive(c, flags)
        return
      case OP_POLL:
        this.#isPolling = true
        return
      case OP_BIND:
        this.#answerName(sock.bind(a, b))
        return
      case OP_CONNECT:
        this.#answerName(flags & FLAG_DISCONNECT ? sock.disconnect() : sock.connect(a, b))
        return
      case OP_SOCKNAME:
        this.#answerName(0, (flags & FLAG_PEER) !== 0)
        return
      case OP_SETSOCKOPT:
        this.#setOption(a, b, c, size)
        return
      case OP_GETSOCKOPT:
        if (a === SOL_NETLINK && b === NETLINK_LIST_MEMBERSHIPS) this.#answerMemberships()
        else this.#answer(sock.getsockopt(a, b))
        return
      default:
        this.#answer(EOPNOTSUPP)
    }
  }

  #sendmsg(flags: number, portid: number, group: number, pull: number, size: number): void {
    const sock = this.#sock as UserSocket
    this.#pull = Math.max(0, pull)
    const to = flags & FLAG_TO ? { portid, group } : undefined
    const result =
      size > this.#server.request.length ? EMSGSIZE : sock.send(this.#server.parts(size), to)
    if (this.#pull > 0) this.#put(KIND_ANSWER, result, this.#take(this.#pull))
    else this.#answer(result)
  }
  #setOption(level: number, option: number, value: number, size: number): void {
    const sock = this.#sock as UserSocket
    const isFilter = level === SOL_SOCKET && option === SO_ATTACH_FILTER
    if (!isFilter) this.#answer(sock.setsockopt(level, option, value))
    else if (size > this.#server.request.length) this.#answer(EINVAL)
    else this.#answer(sock.attachFilter(this.#server.parts(size)[0] as Uint8Array))
  }
  #receive(pull: number, flags: number): void {
    if (flags & FLAG_PEEK) {
      const received = this.#take(Math.max(0, pull), MSG_PEEK)
      this.#put(KIND_ANSWER, 0, received, Math.max(0, pull))
      return
    }
    this.#pull = Math.max(1, pull)
    this.#put(KIND_ANSWER, 0, this.#take(this.#pull))
  }

  /**
   * Takes the next datagram into the server's packet.
   * @returns its length or a negative errno; the pull stands as long as that is -EAGAIN.
   */
  #take(pull: number, flags = 0): number {
    const sock = this.#sock as UserSocket
    const { answerView: view } = this.#server
    const next = sock.queue.peek()?.length ?? 0
    const size = Math.min(Math.max(next, Math.min(pull, PULL_MAX)), PAYLOAD_MAX)
    const received = sock.receive(this.#server.payload(size), flags)
    if (received === EAGAIN) return EAGAIN
    if (flags === 0) this.#pull = 0
    if (received < 0) return received
    view.setUint32(AT_PORTID, sock.senderPortid, true)
    view.setUint32(AT_GROUP, sock.senderGroup, true)
    view.setInt32(AT_NSID, sock.senderNsid, true)
    const { senderCredentials: sender } = sock
    view.setUint32(AT_PID, sender?.pid ?? 0, true)
    view.setUint32(AT_UID, sender?.uid ?? 0, true)
    view.setUint32(AT_GID, sender?.gid ?? 0, true)
    return received
  }

  /** The netlink socket has something: sooner or later `tell` is called. */
  #wake(): void {
    const wants = this.#pull > 0 || this.#isPolling || this.#sock?.isClosed
    if (this.#isServing || this.#isWoken || !wants) return
    this.#isWoken = true
    this.#server.wake(this)
  }
  /** There may be something for the client that it did not just ask for. */
  tell(): void {
    const sock = this.#sock
    this.#isWoken = false
    if (!sock || !this.#isServable()) return
    if (sock.isClosed) {
      this.close()
      return
    }
    if (!sock.isReadable) return
    if (this.#pull > 0) {
      this.#outlet.letGo()
      const received = this.#take(this.#pull)
      if (received !== EAGAIN) this.#put(KIND_DATA, 0, received)
    }
    if (this.#isPolling && sock.isReadable && this.#isServable()) {
      this.#isPolling = false
      this.#outlet.letGo()
      this.#put(KIND_READY, 0, EAGAIN)
    }
  }

  #answer(result: number): void {
    this.#put(KIND_ANSWER, result, EAGAIN)
  }
  #answerName(result: number, isPeer = false): void {
    const sock = this.#sock as UserSocket
    const { answerView: view } = this.#server
    const { portid, groups } = isPeer ? sock.getpeername() : sock.getsockname()
    view.setUint32(AT_PORTID, portid, true)
    view.setUint32(AT_GROUP, groups, true)
    this.#answer(result)
  }
  #answerMemberships(): void {
    const words = (this.#sock as UserSocket).listMemberships()
    const payload = this.#server.payload(words.length * 4)
    const view = new DataView(payload.buffer, payload.byteOffset)
    for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i] as number, true)
    this.#put(KIND_ANSWER, words.length * 4, EAGAIN, 0, words.length * 4)
  }

  #put(kind: number, result: number, received: number, most?: number, extra?: number): void {
    if (this.#fd >= 0) this.#outlet.put(kind, result, received, most, extra)
  }
  /** What was armed for requests is armed for room. */
  rearm(): void {
    if (this.#armed === undefined) return
    this.#server.readiness.forget(this.#armed)
    this.arm()
  }

  /** The connection is somebody else's now. */
  #handOver(): void {
    clearTimeout(this.#deadline)
    this.#fd = -1
    this.#server.forget(this)
  }
  /** close(2) of the netlink socket, too. Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    const { native, readiness } = this.#server
    clearTimeout(this.#deadline)
    this.#outlet.letGo()
    if (this.#fd < 0) return
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    native.disarm(this.#fd)
    native.close(this.#fd)
    this.#fd = -1
    this.#server.forget(this)
    if (this.#sock) this.#sock.dataReady = undefined
    this.#sock?.close()
  }
}
