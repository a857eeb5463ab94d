/** What waits for a client: messages that go out in order, as many at once as a system call takes. */
import { errnoName } from '../../errno.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import type { Outgoing } from '../bus/peer.ts'
import type { TokenTable } from '../bus/tokens.ts'

/** Parts of a sendmsg(2); a message has two. */
const PARTS = 256
/** A message that waits takes no more memory than it has bytes, from so many on. */
const COMPACT_FROM = 256

export class Outbox {
  readonly #native: NativeSocket
  readonly #tokens: TokenTable
  #waiting: Outgoing[] = []
  /** Index of the first that waits, and how much of it is sent. */
  #first = 0
  #sent = 0
  /** From here on the messages may be views of what was read. */
  #owned = 0
  bytes = 0
  fds = 0

  constructor(native: NativeSocket, tokens: TokenTable) {
    this.#native = native
    this.#tokens = tokens
  }

  get messages(): number {
    return this.#waiting.length - this.#first
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing)
    this.bytes += outgoing.head.length + outgoing.body.length
    if (outgoing.tokens.length === 0) return
    this.fds += outgoing.tokens.length
    this.#tokens.hold(outgoing.tokens)
  }

  /**
   * Sends what `fd` takes.
   * @returns whether all is out; 'broken' when the other end is gone.
   */
  flush(fd: number): boolean | 'broken' {
    while (this.#first < this.#waiting.length) {
      const result = this.#send(fd)
      if (result >= 0) {
        this.#advance(result)
        continue
      }
      const code = errnoName(result)
      if (code !== 'EAGAIN' && code !== 'ENOBUFS' && code !== 'ENOMEM') return 'broken'
      this.#compact()
      return false
    }
    this.#waiting.length = this.#first = this.#owned = 0
    return true
  }

  /** Descriptors go with the first byte of their message, which is sent apart. */
  #send(fd: number): number {
    const first = this.#waiting[this.#first]!
    if (first.tokens.length > 0 && this.#sent === 0) {
      const fds = Int32Array.from(first.tokens, (token) => this.#tokens.descriptor(token)!)
      return this.#native.sendControl(fd, [first.head, first.body], fds)
    }
    const parts: Uint8Array[] = []
    let skip = this.#sent
    for (let at = this.#first; at < this.#waiting.length && parts.length < PARTS; at++) {
      const { head, body, tokens } = this.#waiting[at]!
      if (at > this.#first && tokens.length > 0) break
      if (skip < head.length) parts.push(skip === 0 ? head : head.subarray(skip))
      if (body.length > 0) parts.push(skip > head.length ? body.subarray(skip - head.length) : body)
      skip = 0
    }
    return this.#native.send(fd, parts.length === 1 ? parts[0]! : parts)
  }

  #advance(count: number): void {
    this.bytes -= count
    let left = count + this.#sent
    for (; this.#first < this.#waiting.length; this.#first++) {
      const { head, body, tokens } = this.#waiting[this.#first]!
      const length = head.length + body.length
      if (tokens.length > 0 && this.#sent === 0 && left > 0) this.fds -= tokens.length
      if (left < length) break
      left -= length
      if (tokens.length > 0) this.#tokens.release(tokens)
      this.#sent = 0
    }
    this.#sent = left
  }

  /** What stays must not hold on to what was read together with it. */
  #compact(): void {
    if (this.#first > 0) this.#waiting.splice(0, this.#first)
    this.#owned = Math.max(0, this.#owned - this.#first)
    this.#first = 0
    for (let at = this.#owned; at < this.#waiting.length; at++) {
      const outgoing = this.#waiting[at]!
      const { body } = outgoing
      if (body.buffer.byteLength > body.length + COMPACT_FROM)
        this.#waiting[at] = { ...outgoing, body: body.slice() }
    }
    this.#owned = this.#waiting.length
  }

  /** Nothing goes out any more; descriptors are let go. */
  clear(): void {
    for (const { tokens } of this.#waiting.slice(this.#first))
      if (tokens.length > 0) this.#tokens.release(tokens)
    this.#waiting = []
    this.#first = this.#sent = this.#owned = this.bytes = this.fds = 0
  }
}
