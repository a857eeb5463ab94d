/**
 * A queue in shared memory: a worker thread inserts, the kernel's thread drains; nobody waits.
 *
 * One thread at either end. What the other side writes is checked before it is believed.
 */
import type { CnMsgInput } from '../connector/message.ts'
import { EINVAL, ENOBUFS, ENODEV } from '../errno.ts'
import {
  dataSize,
  MOST_DATA,
  MOST_WORDS,
  recordWords,
  type Send,
  sendRecord,
  WRAP,
  writeRecord,
} from './record.ts'

/** Words at the beginning: where is read, where is written, what was lost, whether it is closed. */
const HEAD = 0
const TAIL = 1
const DROPPED = 2
const CLOSED = 3
const CONTROL_WORDS = 4
/** Least number of words for records: a few of the longest. */
const LEAST_WORDS = 1 << 14

/** The end that writes: in a worker, over the memory that `kernel.cbus.attachRing()` gave. */
export class CbusRing {
  readonly memory: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  /** @throws TypeError when that is no such memory. */
  constructor(memory: SharedArrayBuffer) {
    const { control, words, bytes } = viewsOf(memory)
    this.memory = memory
    this.#control = control
    this.#words = words
    this.#bytes = bytes
  }
  /** Messages that were lost because the ring was full. */
  get dropped(): number {
    return Atomics.load(this.#control, DROPPED) >>> 0
  }
  /**
   * cbus_insert() from another thread: copies `msg` into the ring.
   * @returns 0; -ENOBUFS when there is no room, and the message is lost and counted; -EINVAL for
   * more than 16,364 bytes of data; -ENODEV when the kernel has let go of the ring.
   * @throws TypeError when the data are no bytes.
   */
  insert(msg: CnMsgInput): number {
    const control = this.#control
    const words = this.#words
    const size = dataSize(msg)
    if (size > MOST_DATA) return -EINVAL
    if (Atomics.load(control, CLOSED) !== 0) return -ENODEV
    const need = recordWords(size)
    const tail = control[TAIL] as number
    const used = (tail - Atomics.load(control, HEAD)) >>> 0
    let at = tail & (words.length - 1)
    const rest = words.length - at < need ? words.length - at : 0
    if (used + rest + need > words.length) {
      Atomics.add(control, DROPPED, 1)
      return -ENOBUFS
    }
    if (rest > 0) {
      words[at] = WRAP
      at = 0
    }
    writeRecord(words, this.#bytes, at, msg, size)
    Atomics.store(control, TAIL, (tail + rest + need) | 0)
    return 0
  }
}

/** The end that reads. */
export class RingReader {
  readonly memory: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  /** `bytes` for records, rounded up to a power of two; 64 KiB at least. */
  constructor(bytes: number) {
    let words = LEAST_WORDS
    while (words * 4 < bytes) words *= 2
    this.memory = new SharedArrayBuffer((CONTROL_WORDS + words) * 4)
    const views = viewsOf(this.memory)
    this.#control = views.control
    this.#words = views.words
    this.#bytes = views.bytes
  }
  get dropped(): number {
    return Atomics.load(this.#control, DROPPED) >>> 0
  }
  /** Whether there is a message. */
  get isEmpty(): boolean {
    return Atomics.load(this.#control, TAIL) === this.#control[HEAD]
  }
  /**
   * Takes the oldest message out and hands it to `send`.
   * @returns false when there is none.
   * @throws RangeError when the memory holds what no `CbusRing` writes.
   */
  take(send: Send): boolean {
    const control = this.#control
    const words = this.#words
    const tail = Atomics.load(control, TAIL)
    let head = control[HEAD] as number
    let filled = (tail - head) >>> 0
    if (filled === 0) return false
    let at = head & (words.length - 1)
    if (words[at] === WRAP) {
      const rest = words.length - at
      head = (head + rest) | 0
      filled -= rest
      at = 0
    }
    const length = words[at] as number
    const need = recordWords(length - 20)
    const isSound =
      filled <= words.length &&
      length >= 20 &&
      need <= Math.min(filled, words.length - at, MOST_WORDS)
    if (!isSound)
      throw new RangeError(`a record of ${length} bytes where ${filled} words are filled`)
    sendRecord(words, this.#bytes, at, send)
    Atomics.store(control, HEAD, (head + need) | 0)
    return true
  }
  /** The writer's next insert is refused. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1)
  }
}

function viewsOf(memory: SharedArrayBuffer) {
  const words = memory instanceof SharedArrayBuffer ? memory.byteLength / 4 - CONTROL_WORDS : 0
  if (words < LEAST_WORDS || (words & (words - 1)) !== 0) {
    throw new TypeError('the memory of kernel.cbus.attachRing() is expected')
  }
  return {
    control: new Int32Array(memory, 0, CONTROL_WORDS),
    words: new Int32Array(memory, CONTROL_WORDS * 4),
    bytes: new Uint8Array(memory, CONTROL_WORDS * 4),
  }
}
