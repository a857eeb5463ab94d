/**
 * A ring of datagrams in shared memory: one thread writes at its tail, another reads at its head.
 *
 *   control   s32 head, tail (in words, ever growing), who sleeps at either end, closed, pull
 *   frame     s32 status, s32 stored, u32 portid, u32 group, s32 nsid; payload, padded to a word
 *
 * Nobody waits in here: a full ring refuses, an empty one has nothing. What the other side writes is
 * checked before it is believed.
 */

const HEAD = 0
const TAIL = 1
/** The reader sleeps: the writer of the next frame is to wake it. */
const READER_SLEEPS = 2
/** The writer waits for room: the reader of the next frame is to wake it. */
const WRITER_SLEEPS = 3
const CLOSED = 4
const PULL = 5
const CONTROL_WORDS = 8
const FRAME_WORDS = 5
/** Words of the smallest ring: it holds a datagram of 4 KiB and a few short ones. */
const LEAST_WORDS = 1 << 11
const MOST_WORDS = 1 << 28

/** What comes with a datagram. */
export interface Frame {
  /** Its length, which is more than the bytes that are there when it was cut; or a negative errno. */
  status: number
  portid: number
  group: number
  nsid: number
}

export class FrameRing {
  readonly memory: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #mask: number

  /** @throws TypeError when that is no memory of a ring. */
  constructor(memory: SharedArrayBuffer) {
    const words = memory instanceof SharedArrayBuffer ? memory.byteLength / 4 - CONTROL_WORDS : 0
    if (words < LEAST_WORDS || words > MOST_WORDS || (words & (words - 1)) !== 0)
      throw new TypeError('the memory of a ring is expected')
    this.memory = memory
    this.#control = new Int32Array(memory, 0, CONTROL_WORDS)
    this.#words = new Int32Array(memory, CONTROL_WORDS * 4)
    this.#bytes = new Uint8Array(memory, CONTROL_WORDS * 4)
    this.#mask = words - 1
  }
  /** An empty ring for at least `bytes`, rounded up to a power of two. */
  static create(bytes: number): FrameRing {
    let words = LEAST_WORDS
    while (words * 4 < bytes && words < MOST_WORDS) words *= 2
    return new FrameRing(new SharedArrayBuffer((CONTROL_WORDS + words) * 4))
  }
  /** Bytes of the longest datagram that it takes. */
  get largest(): number {
    return (this.#words.length - FRAME_WORDS) * 4
  }
  /** Whether a datagram of `length` bytes fits now. */
  hasRoom(length: number): boolean {
    const used = ((this.#control[TAIL] as number) - Atomics.load(this.#control, HEAD)) >>> 0
    return used + FRAME_WORDS + ((length + 3) >>> 2) <= this.#words.length
  }
  /** The writer's: appends a datagram of `parts`. @returns false when there is no room. */
  write(frame: Frame, parts: readonly Uint8Array[]): boolean {
    let length = 0
    for (let i = 0; i < parts.length; i++) length += (parts[i] as Uint8Array).length
    if (!this.hasRoom(length)) return false
    const control = this.#control
    const tail = control[TAIL] as number
    const head = [frame.status, length, frame.portid, frame.group, frame.nsid]
    for (let i = 0; i < FRAME_WORDS; i++) this.#words[(tail + i) & this.#mask] = head[i] as number
    let at = ((tail + FRAME_WORDS) & this.#mask) * 4
    for (let i = 0; i < parts.length; i++) at = this.#copyIn(parts[i] as Uint8Array, at)
    Atomics.store(control, TAIL, (tail + FRAME_WORDS + ((length + 3) >>> 2)) | 0)
    return true
  }
  /** Whether there is nothing to read. */
  get isEmpty(): boolean {
    return Atomics.load(this.#control, TAIL) === this.#control[HEAD]
  }
  /**
   * The reader's: takes the oldest datagram, as much of it as fits `buffer`, and fills `frame`.
   * @returns how many bytes were stored of it, -1 when there is none.
   * @throws RangeError when the memory holds what no writer writes.
   */
  read(frame: Frame, buffer: Uint8Array): number {
    const control = this.#control
    const head = control[HEAD] as number
    const filled = (Atomics.load(control, TAIL) - head) >>> 0
    if (filled === 0) return -1
    const word = (i: number): number => this.#words[(head + i) & this.#mask] as number
    const stored = word(1)
    const size = FRAME_WORDS + ((stored + 3) >>> 2)
    if (filled > this.#words.length || stored < 0 || size > filled)
      throw new RangeError(`a frame of ${stored} bytes where ${filled} words are filled`)
    frame.status = word(0)
    frame.portid = word(2) >>> 0
    frame.group = word(3) >>> 0
    frame.nsid = word(4)
    this.#copyOut(buffer, ((head + FRAME_WORDS) & this.#mask) * 4, Math.min(stored, buffer.length))
    Atomics.store(control, HEAD, (head + size) | 0)
    return stored
  }

  #copyIn(part: Uint8Array, at: number): number {
    const first = Math.min(part.length, this.#bytes.length - at)
    this.#bytes.set(first === part.length ? part : part.subarray(0, first), at)
    if (first < part.length) this.#bytes.set(part.subarray(first), 0)
    return (at + part.length) % this.#bytes.length
  }
  #copyOut(buffer: Uint8Array, at: number, length: number): void {
    const first = Math.min(length, this.#bytes.length - at)
    buffer.set(this.#bytes.subarray(at, at + first))
    if (first < length) buffer.set(this.#bytes.subarray(0, length - first), first)
  }

  /** The reader goes to sleep; it looks once more behind that. */
  readerSleeps(): void {
    Atomics.store(this.#control, READER_SLEEPS, 1)
  }
  /** Whether the reader slept; it does not any more. */
  wakesReader(): boolean {
    return Atomics.exchange(this.#control, READER_SLEEPS, 0) === 1
  }
  /** The writer waits for room; it looks once more behind that. */
  writerSleeps(): void {
    Atomics.store(this.#control, WRITER_SLEEPS, 1)
  }
  /** Whether the writer waited; it does not any more. */
  wakesWriter(): boolean {
    return Atomics.exchange(this.#control, WRITER_SLEEPS, 0) === 1
  }
  /** Size of the buffer that the reader last read into: what is fetched for it. 0: none yet. */
  get pull(): number {
    return Atomics.load(this.#control, PULL)
  }
  set pull(bytes: number) {
    Atomics.store(this.#control, PULL, bytes)
  }
  /** Either side is gone. */
  get isClosed(): boolean {
    return Atomics.load(this.#control, CLOSED) !== 0
  }
  close(): void {
    Atomics.store(this.#control, CLOSED, 1)
  }
}
