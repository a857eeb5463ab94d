/**
 * What goes to one client: packets that are made in the server's buffer, one at a time. One that the
 * client has no room for is kept until it has; an answer may be held back for a moment, to be sent
 * with the wait for the next request.
 */
import { PIN_SERVER_ANSWER } from '../transport/pins.ts'
import {
  ANSWER_SIZE,
  AT_RECEIVED,
  AT_RESULT,
  EAGAIN,
  EMSGSIZE,
  KIND_ANSWER,
  PAYLOAD_MAX,
} from '../transport/wire-protocol.ts'
import type { Server } from './server.ts'

/** Who is told of what happens on the way. */
interface Owner {
  /** There is no room: to be called again when there is. */
  rearm(): void
  /** The connection is of no use any more. */
  close(): void
}

export class Outlet {
  readonly #server: Server
  readonly #fd: number
  readonly #owner: Owner
  /** A packet that the client has no room for. */
  #unsent: Uint8Array | undefined
  /** Answers are held back. */
  #isHolding = false
  /** Size of the answer that is held back in the server's buffer, 0 for none. */
  #held = 0

  constructor(server: Server, fd: number, owner: Owner) {
    this.#server = server
    this.#fd = fd
    this.#owner = owner
  }
  /** The client has no room: it is served no further before it has. */
  get isBlocked(): boolean {
    return this.#unsent !== undefined
  }

  /** Sends a packet: of what was received as much as `most`, or `extra` bytes of payload. */
  put(kind: number, result: number, received: number, most = PAYLOAD_MAX, extra = 0): void {
    const { answer, answerView: view } = this.#server
    answer[0] = kind
    view.setInt32(AT_RESULT, result, true)
    view.setInt32(AT_RECEIVED, received, true)
    const size = ANSWER_SIZE + Math.max(extra, Math.min(received, most, PAYLOAD_MAX))
    if (this.#isHolding && kind === KIND_ANSWER) this.#held = size
    else this.#send(size)
  }
  /** Sends what the client had no room for. @returns whether it has room now. */
  flush(): boolean {
    if (!this.#unsent) return true
    const sent = this.#server.native.send(this.#fd, this.#unsent)
    if (sent === EAGAIN) return false
    this.#unsent = undefined
    if (sent < 0) this.#owner.close()
    return true
  }

  /** From now on answers are held back, until `stopHolding`. */
  hold(): void {
    this.#isHolding = true
    this.#server.holder = this
  }
  stopHolding(): void {
    this.letGo()
    this.#isHolding = false
    this.#server.holder = undefined
  }
  /** Size of the answer that is held back, for whoever sends it. */
  takeHeld(): number {
    const held = this.#held
    this.#held = 0
    return held
  }
  /** Sends the answer that is held back: its buffer is needed. */
  letGo(): void {
    const held = this.takeHeld()
    if (held > 0) this.#send(held)
  }

  /** Sends the packet of `size` bytes that is in the server's buffer. */
  #send(size: number): void {
    const sent = this.#server.native.sendFirst(this.#fd, PIN_SERVER_ANSWER, size)
    if (sent < 0) this.notSent(sent, size)
  }
  /** What the failed send of `size` bytes from the server's buffer comes to. */
  notSent(errno: number, size: number): void {
    const { answer, answerView: view } = this.#server
    if (errno === EAGAIN) {
      this.#unsent = answer.slice(0, size)
      this.#owner.rearm()
    } else if (errno === EMSGSIZE && view.getInt32(AT_RECEIVED, true) > 0) {
      view.setInt32(AT_RECEIVED, EMSGSIZE, true)
      this.#send(ANSWER_SIZE)
    } else this.#owner.close()
  }
}
