/** Requests that were made and not yet sent, in order, and the memory that they are written to. */
import { HOST_LE, NLM_F_ACK, Writer } from '../wire/index.ts'
import type { Flight } from './flight.ts'
import type { Pending } from './pending.ts'

/** In one datagram. */
const MOST_REQUESTS = 256
const MOST_BYTES = 32_768

/** Where the lower half of nlmsg_flags lies. */
const FLAGS_LOW = HOST_LE ? 6 : 7

export class Outbox {
  /** This turn's requests; those that wait longer get bytes of their own. */
  readonly writer = new Writer(4096)
  #queue: Pending[] = []
  /** Those before it are done with. */
  #head = 0
  readonly #part: Uint8Array[] = []
  #partMemory: Uint8Array | undefined
  #partEnd = 0

  get isEmpty(): boolean {
    return this.#head >= this.#queue.length
  }
  /** Whether the writer holds a request, sent or not. */
  get isInUse(): boolean {
    return this.writer.length > 0 || !this.isEmpty
  }
  add(pending: Pending): void {
    this.#queue.push(pending)
  }
  putFirst(pendings: readonly Pending[]): void {
    this.#queue.splice(this.#head, 0, ...pendings)
  }

  /** The request that waits, if it is alone and not given up. */
  takeOnly(): Pending | undefined {
    if (this.#head !== this.#queue.length - 1) return undefined
    const pending = this.#queue[this.#head] as Pending
    if (pending.isSettled || pending.options.signal?.aborted) return undefined
    if (this.#head === 0) this.#queue.pop()
    else this.#head++
    return pending
  }
  /** What goes into the next datagram: as many as fit, and as have room in `flight`. */
  take(flight: Flight): Pending[] {
    const chosen: Pending[] = []
    let bytes = 0
    for (; !this.isEmpty && chosen.length < MOST_REQUESTS; this.#head++) {
      const pending = this.#queue[this.#head] as Pending
      const { signal } = pending.options
      if (!pending.isSettled && signal?.aborted) pending.reject(signal.reason)
      if (pending.isSettled) continue
      if (bytes > 0 && bytes + pending.length > MOST_BYTES) break
      if (!flight.admit(pending)) break
      bytes += pending.length
      chosen.push(pending)
    }
    return chosen
  }

  /** The requests' bytes; those that lie side by side in the writer as one part. */
  partsOf(chosen: readonly Pending[]): Uint8Array[] {
    const parts: Uint8Array[] = []
    for (let i = 0; i < chosen.length; i++) {
      const first = chosen[i] as Pending
      let { end } = first
      if (first.bytes === undefined) {
        for (; chosen[i + 1]?.at === end && chosen[i + 1]?.bytes === undefined; i++)
          end = (chosen[i + 1] as Pending).end
      }
      parts.push(first.bytes ?? this.writer.bytes.subarray(first.at, end))
    }
    return parts
  }

  /** A lone request's bytes, in an array that is used again: sockets know arrays that come again. */
  partOf(pending: Pending): readonly Uint8Array[] {
    const { at, end, bytes } = pending
    const memory = bytes ?? this.writer.bytes
    if (memory !== this.#partMemory || at !== 0 || end !== this.#partEnd) {
      this.#part[0] = memory.subarray(at, end)
      this.#partMemory = at === 0 ? memory : undefined
      this.#partEnd = end
    }
    return this.#part
  }

  /** A request's bytes, from its nlmsghdr on; shared with the writer or its own. */
  bytesOf(pending: Pending): Uint8Array {
    return pending.bytes ?? this.writer.bytes.subarray(pending.at, pending.end)
  }

  /** A quiet request that is the last of its datagram is acknowledged, for those before it too. */
  askForAck(last: Pending): void {
    if (!last.isQuiet || last.exchange.ack) return
    last.exchange.ack = true
    const bytes = this.bytesOf(last)
    bytes[FLAGS_LOW] = (bytes[FLAGS_LOW] as number) | NLM_F_ACK
  }

  /** What waits. */
  waiting(): Pending[] {
    return this.#queue.slice(this.#head).filter((pending) => !pending.isSettled)
  }
  /** Forgets those that are done with. */
  tidy(): void {
    if (this.#queue.length === 0) return
    this.#queue = this.isEmpty ? [] : this.waiting()
    this.#head = 0
  }
  /** Gives all that waits away. */
  clear(): Pending[] {
    const waiting = this.waiting()
    this.#queue = []
    this.#head = 0
    return waiting
  }
}
