/**
 * What waits for a client, in order. Most of it waits for the end of the turn only, in the memory
 * that all share; the rest, which the socket has not taken or which is long, is kept here.
 */
import { errnoName } from '../../errno.ts'
import type { NativeSocket } from '../../transport/native-socket.ts'
import type { Outgoing } from '../bus/outgoing.ts'
import { Quota } from '../bus/quota.ts'
import type { TokenTable } from '../bus/tokens.ts'
import { type Lease, PAGE } from './pool.ts'
import { LARGE, type Streams } from './streams.ts'

/** Most words of segments. */
const MOST_SEGMENTS = 4096
/** Messages that wait share pieces of a page; the first that are short begin a shorter one. */
const SHORT = 4096
/** Parts of a sendmsg(2). */
const PARTS = 64
const NO_TOKENS: readonly bigint[] = []

/** Bytes that wait, of one message or of several. */
interface Piece {
  bytes: Uint8Array
  /** Bytes that are in use, of which so many are sent. */
  end: number
  start: number
  /** Messages that end in it. */
  messages: number
  /** They go with its first byte. */
  readonly tokens: readonly bigint[]
  /** More may be appended; it is of the pool. */
  readonly isOpen: boolean
  /** Others may use it too. */
  readonly lease: Lease | undefined
}

export class Outbox {
  readonly #streams: Streams
  readonly #native: NativeSocket
  readonly #tokens: TokenTable
  segments = new Int32Array(64)
  segmentWords = 0
  segmentBytes = 0
  #segmentMessages = 0
  #pieces: Piece[] = []
  #first = 0
  /** By users, as soon as there are others than the client's own. */
  #quota: Quota | undefined
  messages = 0
  bytes = 0
  fds = 0

  constructor(streams: Streams, tokens: TokenTable) {
    this.#streams = streams
    this.#native = streams.native
    this.#tokens = tokens
  }

  /** Whether something waits that is not in the shared memory. */
  get isWaiting(): boolean {
    return this.#first < this.#pieces.length
  }

  /**
   * Whether `outgoing` may be added, where all that waits may have so many bytes and descriptors;
   * `uid` is whose it is, undefined the client's own.
   */
  hasRoom(
    uid: number | undefined,
    outgoing: Outgoing,
    mostBytes: number,
    mostFds: number,
  ): boolean {
    if (uid === undefined)
      return (
        this.bytes + outgoing.length <= mostBytes && this.fds + outgoing.tokens.length <= mostFds
      )
    const more = { bytes: outgoing.length, fds: outgoing.tokens.length }
    this.#quota ??= new Quota()
    return this.#quota.allows(uid, more, this, { bytes: mostBytes, fds: mostFds })
  }

  push(outgoing: Outgoing, uid: number | undefined): void {
    this.#quota?.add(uid, { bytes: outgoing.length, fds: outgoing.tokens.length }, this)
    if (this.isWaiting || outgoing.length > LARGE || outgoing.tokens.length > 0)
      this.#keep(outgoing)
    else this.#place(outgoing)
    this.messages++
    this.bytes += outgoing.length
  }

  #place(outgoing: Outgoing): void {
    const at = this.segmentWords < MOST_SEGMENTS ? this.#streams.place(outgoing) : -1
    if (at < 0) {
      this.#keep(outgoing)
      return
    }
    this.#segmentMessages++
    if (!this.#streams.isApart(outgoing)) {
      this.#segment(at, outgoing.length)
      return
    }
    this.#segment(at, outgoing.headLength)
    this.#segment(outgoing.at + outgoing.header.bodyAt, outgoing.bodyLength)
  }

  #segment(at: number, length: number): void {
    const words = this.segmentWords
    this.segmentBytes += length
    if (words > 0 && this.segments[words - 2]! + this.segments[words - 1]! === at) {
      this.segments[words - 1]! += length
      return
    }
    if (words === this.segments.length) {
      const grown = new Int32Array(2 * words)
      grown.set(this.segments)
      this.segments = grown
    }
    this.segments[words] = at
    this.segments[words + 1] = length
    this.segmentWords = words + 2
  }

  #keep(outgoing: Outgoing): void {
    this.#spill(0)
    const { tokens } = outgoing
    if (tokens.length > 0) {
      this.fds += tokens.length
      this.#tokens.hold(tokens)
    }
    if (outgoing.length <= LARGE && tokens.length === 0) {
      const piece = this.#open(outgoing.length)
      outgoing.writeHead(piece.bytes, piece.end)
      outgoing.writeBody(piece.bytes, piece.end + outgoing.headLength)
      piece.end += outgoing.length
      piece.messages++
      return
    }
    this.#pieces.push(piece(outgoing.head, outgoing.bodyLength > 0 ? 0 : 1, tokens, undefined))
    if (outgoing.bodyLength > 0) this.#keepBody(outgoing)
  }

  /** A long body stays where it is, and all share it. */
  #keepBody(outgoing: Outgoing): void {
    const { lease } = this.#streams
    if (lease?.bytes !== outgoing.source) {
      this.#pieces.push(piece(outgoing.body, 1, NO_TOKENS, undefined))
      return
    }
    lease.hold()
    const start = outgoing.at + outgoing.header.bodyAt
    const body = outgoing.source.subarray(start, start + outgoing.bodyLength)
    this.#pieces.push(piece(body, 1, NO_TOKENS, lease))
  }

  /** A piece with room for `count` bytes. */
  #open(count: number): Piece {
    const last = this.#pieces.at(-1)
    if (last?.isOpen && this.isWaiting && last.end + count <= last.bytes.length) return last
    const isShort = count < SHORT && !this.isWaiting
    const opened: Piece = {
      bytes: isShort ? new Uint8Array(SHORT) : this.#streams.pool.take(Math.max(count, PAGE)),
      start: 0,
      end: 0,
      messages: 0,
      tokens: NO_TOKENS,
      isOpen: true,
      lease: undefined,
    }
    this.#pieces.push(opened)
    return opened
  }

  /** What is in the shared memory, but for its first `sent` bytes, comes here. */
  #spill(sent: number): void {
    let skip = sent
    for (let at = 0; at < this.segmentWords; at += 2) {
      const length = this.segments[at + 1]!
      if (skip >= length) {
        skip -= length
        continue
      }
      const start = this.segments[at]! + skip
      const kept = this.#open(length - skip)
      kept.bytes.set(this.#streams.memory.subarray(start, start + length - skip), kept.end)
      kept.end += length - skip
      skip = 0
    }
    if (this.#segmentMessages > 0 && sent < this.segmentBytes)
      this.#pieces.at(-1)!.messages += this.#segmentMessages
    this.#forgetSegments()
  }

  #forgetSegments(): void {
    this.segmentWords = this.segmentBytes = this.#segmentMessages = 0
  }

  /** So many bytes of the shared memory's parts are sent; the others wait here. */
  sent(count: number): void {
    this.bytes -= count
    this.#quota?.take(count)
    if (count === this.segmentBytes) {
      this.messages -= this.#segmentMessages
      this.#forgetSegments()
    } else this.#spill(count)
  }

  /**
   * Sends all that waits, wherever it is.
   * @returns whether all is out; 'broken' when the other end is gone.
   */
  flushAll(fd: number): boolean | 'broken' {
    this.#spill(0)
    return this.flush(fd)
  }

  /**
   * Sends what waits here.
   * @returns whether all is out; 'broken' when the other end is gone.
   */
  flush(fd: number): boolean | 'broken' {
    while (this.isWaiting) {
      const result = this.#send(fd)
      if (result >= 0) {
        this.#advance(result)
        continue
      }
      const code = errnoName(result)
      if (code !== 'EAGAIN' && code !== 'ENOBUFS' && code !== 'ENOMEM') return 'broken'
      this.#pieces.splice(0, this.#first)
      this.#first = 0
      return false
    }
    this.#pieces.length = this.#first = 0
    return true
  }

  /** Descriptors go with the first byte of their message, which begins a call of its own. */
  #send(fd: number): number {
    const first = this.#pieces[this.#first]!
    if (first.tokens.length > 0 && first.start === 0) {
      const fds = Int32Array.from(first.tokens, (token) => this.#tokens.descriptor(token)!)
      return this.#native.sendControl(fd, [first.bytes], fds)
    }
    const parts: Uint8Array[] = []
    for (let at = this.#first; at < this.#pieces.length && parts.length < PARTS; at++) {
      const { bytes, start, end, tokens } = this.#pieces[at]!
      if (at > this.#first && tokens.length > 0) break
      parts.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    }
    return this.#native.send(fd, parts.length === 1 ? parts[0]! : parts)
  }

  #advance(count: number): void {
    this.bytes -= count
    this.#quota?.take(count)
    let left = count
    while (this.#first < this.#pieces.length) {
      const first = this.#pieces[this.#first]!
      if (first.tokens.length > 0 && first.start === 0 && left > 0) {
        this.fds -= first.tokens.length
        this.#tokens.release(first.tokens)
      }
      if (left < first.end - first.start) {
        first.start += left
        return
      }
      left -= first.end - first.start
      this.messages -= first.messages
      this.#first++
      this.#drop(first)
    }
  }

  /** A piece is sent, or never will be. */
  #drop({ bytes, isOpen, lease }: Piece): void {
    if (isOpen) this.#streams.pool.give(bytes)
    else lease?.release()
  }

  /** Nothing goes out any more; descriptors are let go. */
  clear(): void {
    for (const waiting of this.#pieces.slice(this.#first)) {
      if (waiting.tokens.length > 0 && waiting.start === 0) this.#tokens.release(waiting.tokens)
      this.#drop(waiting)
    }
    this.#pieces = []
    this.#quota?.clear()
    this.#forgetSegments()
    this.#first = this.messages = this.bytes = this.fds = 0
  }
}

function piece(
  bytes: Uint8Array,
  messages: number,
  tokens: readonly bigint[],
  lease: Lease | undefined,
): Piece {
  return { bytes, start: 0, end: bytes.length, messages, tokens, isOpen: false, lease }
}
