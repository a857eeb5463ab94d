/**
 * The queue of one CPU: messages are copied into a ring of memory, so that an insert allocates
 * nothing and its caller may use the message again.
 */

import type { CnMsgInput } from '../connector/message.ts'
import { EINVAL, ENODEV } from '../errno.ts'
import {
  dataSize,
  MOST_DATA,
  recordWords,
  type Send,
  sendRecord,
  WRAP,
  writeRecord,
} from './record.ts'

const FIRST_WORDS = 4096
/** What an empty queue keeps. */
const KEPT_WORDS = 1 << 18

/** What the queue's owner does. */
export interface QueueOwner {
  /** Messages that a queue takes, and one more. */
  readonly maxQueueLength: number
  readonly isClosed: boolean
  /** The first message is in an empty queue. */
  wake(): void
  /** A queue is full. @returns what insert() returns. */
  overflow(msg: CnMsgInput): number
  /** A message is in a queue. */
  inserted: number
}

export class CbusQueue {
  /** Messages in it. */
  length = 0
  readonly #owner: QueueOwner
  #words = new Int32Array(FIRST_WORDS)
  #bytes = new Uint8Array(this.#words.buffer)
  /** Where the next record is read and written; of `#used` words. */
  #head = 0
  #tail = 0
  #used = 0

  constructor(owner: QueueOwner) {
    this.#owner = owner
  }
  /**
   * cbus_insert(): queues a copy of `msg`, in order behind those before it; the rest is done later.
   * A full queue is the owner's business.
   * @returns 0; -EINVAL for more than 16,364 bytes of data; -ENODEV when the bus is closed.
   * @throws TypeError when the data are no bytes.
   */
  insert(msg: CnMsgInput): number {
    const owner = this.#owner
    const size = dataSize(msg)
    if (size > MOST_DATA) return -EINVAL
    if (owner.isClosed) return -ENODEV
    if (this.length > owner.maxQueueLength) return owner.overflow(msg)
    const need = recordWords(size)
    let at = this.#tail
    let rest = this.#words.length - at
    if (rest >= need) rest = 0
    if (this.#used + rest + need > this.#words.length) {
      this.#grow(need)
      at = this.#tail
    } else if (rest > 0) {
      this.#words[at] = WRAP
      this.#used += rest
      at = 0
    }
    writeRecord(this.#words, this.#bytes, at, msg, size)
    const end = at + need
    this.#tail = end === this.#words.length ? 0 : end
    this.#used += need
    owner.inserted++
    if (this.length++ === 0) owner.wake()
    return 0
  }
  /** Takes the oldest message out and hands it to `send`. @returns false when there is none. */
  take(send: Send): boolean {
    if (this.length === 0) return false
    const words = this.#words
    let at = this.#head
    if (words[at] === WRAP) {
      this.#used -= words.length - at
      at = 0
    }
    const need = recordWords((words[at] as number) - 20)
    const end = at + need
    this.#head = end === words.length ? 0 : end
    this.#used -= need
    this.length--
    sendRecord(words, this.#bytes, at, send)
    if (this.length === 0 && this.#words.length > KEPT_WORDS) this.#reset(FIRST_WORDS)
    return true
  }

  /** Twice the room, or more, with the records moved to its beginning. */
  #grow(need: number): void {
    const old = this.#words
    let size = old.length * 2
    while (size < this.#used + need) size *= 2
    const tail = this.#tail
    const head = this.#head
    const isWrapped = this.#used > 0 && tail <= head
    this.#reset(size)
    if (!isWrapped) {
      this.#words.set(old.subarray(head, tail))
      this.#tail = tail - head
    } else {
      const end = wrapMark(old, head)
      this.#words.set(old.subarray(head, end))
      this.#words.set(old.subarray(0, tail), end - head)
      this.#tail = end - head + tail
    }
    this.#used = this.#tail
  }
  #reset(size: number): void {
    this.#words = new Int32Array(size)
    this.#bytes = new Uint8Array(this.#words.buffer)
    this.#head = 0
    this.#tail = 0
    this.#used = 0
  }
}

/** Where the records from `at` on stop: at the mark, or at the end. */
function wrapMark(words: Int32Array, from: number): number {
  let at = from
  while (at < words.length && words[at] !== WRAP) at += recordWords((words[at] as number) - 20)
  return at
}
