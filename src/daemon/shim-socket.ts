/** A netlink socket of a program behind the preload shim: its data connection, and its tokens. */
import type { SocketOps } from '../kernel/netlink/ops.ts'
import { type Armed, EPOLLIN, EPOLLOUT } from '../transport/readiness.ts'
import { EAGAIN } from '../transport/wire-protocol.ts'
import type { Server } from './server.ts'
import { AT_ANSWER_TOKEN, FLAG_RETIRED } from './shim-protocol.ts'

export class ShimSocket implements Armed {
  readonly ops: SocketOps
  readonly inode: number
  /** Who opened it. */
  readonly uid: number
  readonly #server: Server
  /** -1 once closed. */
  #fd: number
  #armed: number | undefined
  /** Number of the token that is out; 0 for none. */
  #token = 0
  /** Number of the last one that was. */
  #last = 0
  /** A datagram is at the program's end, not received, and somebody waits for readiness. */
  #isAhead = false
  /** As long as a request is answered, tokens wait: what comes may be taken with the answer. */
  isServed = false
  readonly #packet = new Uint8Array(4)

  constructor(server: Server, fd: number, inode: number, uid: number, ops: SocketOps) {
    this.#server = server
    this.#fd = fd
    this.inode = inode
    this.uid = uid
    this.ops = ops
    ops.dataReady = () => this.tell()
    this.#arm(EPOLLIN)
  }
  #arm(events: number): void {
    if (this.#armed !== undefined) this.#server.readiness.forget(this.#armed)
    this.#armed = this.#server.readiness.arm(this, this.#fd, events)
  }

  /** The program has closed it, or has room for a token. */
  ready(): void {
    this.#armed = undefined
    if (this.isHungUp()) {
      this.close()
      return
    }
    this.#arm(EPOLLIN)
    this.tell()
  }
  /** Whether the last descriptor is closed. A program never writes: if it does, it is none of ours. */
  isHungUp(): boolean {
    return this.#fd >= 0 && this.#server.native.receive(this.#fd, this.#packet) !== EAGAIN
  }

  /** Gives out a token if there is something to receive, and none is out. */
  tell(): void {
    if (this.#fd < 0 || this.#token !== 0 || this.isServed) return
    if (this.ops.isClosed) {
      this.close()
      return
    }
    if (this.ops.isReadable || this.#isAhead) this.#give()
  }
  #give(): void {
    this.#last = (this.#last + 1) >>> 0 || 1
    this.#token = this.#last
    new DataView(this.#packet.buffer).setUint32(0, this.#token, true)
    const sent = this.#server.native.send(this.#fd, this.#packet)
    if (sent >= 0) return
    this.#token = 0
    if (sent === EAGAIN) this.#arm(EPOLLOUT)
    else this.close()
  }
  /** A token was taken that nobody retired: another one. */
  returned(token: number): void {
    if (token === this.#token) this.#token = 0
    this.tell()
  }
  /** Whether a datagram that was taken ahead makes it ready. */
  setAhead(isAhead: boolean): void {
    this.#isAhead = isAhead
    this.tell()
  }
  /** Whether no token is out: what is in front may be taken ahead. */
  get isUntold(): boolean {
    return this.#token === 0
  }
  /** Says in an answer's head which token is of no use any more. */
  settle(view: DataView): void {
    if (this.#token !== 0 && !this.ops.isReadable && !this.#isAhead) {
      this.#token = 0
      view.setUint8(1, view.getUint8(1) | FLAG_RETIRED)
    }
    view.setUint32(AT_ANSWER_TOKEN, this.#token === 0 ? this.#last : this.#last - 1, true)
  }

  /** close(2) of the netlink socket. Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    const { native, readiness } = this.#server
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    native.disarm(this.#fd)
    native.close(this.#fd)
    this.#fd = -1
    this.#server.shims.forget(this)
    this.ops.dataReady = undefined
    this.ops.close()
  }
}
