/**
 * CBUS: messages from hot paths. An insert puts a copy into the queue of its CPU and returns; a
 * worker sends it later, over the connector.
 *
 * History: the patches for Linux of March and April 2005, which were never merged. A round of the
 * worker takes one message from each queue; a full queue's message is sent at once, before those
 * that wait. Here every message is also counted: `inserted` is the sum of `queued`, `sent`, `lost`
 * and `dropped`.
 */
import { NetlinkError } from '../../errors.ts'
import type { CancelTimer } from '../clock.ts'
import type { Connector } from '../connector/connector.ts'
import type { CnMsgInput } from '../connector/message.ts'
import type { Kernel } from '../kernel.ts'
import { KERN_ERR } from '../printk/log.ts'
import { CbusQueue, type QueueOwner } from './queue.ts'
import { RingReader } from './ring.ts'

/** cbus_max_queue_len. */
const MAX_QUEUE_LENGTH = 1024
/** CPUs that there may be. */
const MOST_CPUS = 1024
/** Messages that the worker sends before it lets others run. */
const BATCH = 4096
/** Messages that a flush sends at most: who answers each with another one does not stop it. */
const MOST_FLUSHED = 1 << 20
/** How often the worker looks into the rings of other threads when there is nothing (HZ/100). */
const POLL_MS = 10

/** What became of the messages. */
export interface CbusStats {
  /** All that were given, but for what is refused (too long, or the bus is closed). */
  readonly inserted: number
  /** Waiting in the queues of this thread. */
  readonly queued: number
  /** Sent, and somebody got them. */
  readonly sent: number
  /** Sent, and lost: nobody listens, nobody knows the id, or a listener is full. */
  readonly lost: number
  /** Not sent: there was no room. */
  readonly dropped: number
  /** Of those sent or lost, how many went at once, past a full queue. */
  readonly direct: number
}

export class Cbus implements QueueOwner {
  /** Messages that a queue takes, and one more. */
  maxQueueLength = MAX_QUEUE_LENGTH
  /** What happens to a full queue's message: sent at once, as in 2005, or dropped and counted. */
  whenFull: 'send' | 'drop' = 'send'
  isClosed = false
  /** Messages that went into a queue; for the queues. */
  inserted = 0
  readonly #kernel: Kernel
  readonly #connector: Connector
  readonly #queues: CbusQueue[] = []
  readonly #rings: RingReader[] = []
  /** The queue of CPU 0. */
  readonly #first: CbusQueue
  #sent = 0
  #lost = 0
  #dropped = 0
  #direct = 0
  /** Messages that rings gave. */
  #taken = 0
  #ringDrops = 0
  #timer: CancelTimer | undefined
  /** Whether the worker is due at once. */
  #isDue = false

  constructor(kernel: Kernel, connector: Connector) {
    this.#kernel = kernel
    this.#connector = connector
    this.#first = this.queue(0)
  }
  /**
   * cbus_insert(): queues a copy of `msg` for the group of its id, without waiting.
   * @returns 0; -EINVAL for more than 16,364 bytes of data; -ENODEV when the bus is closed.
   * @throws TypeError when the data are no bytes.
   */
  insert(msg: CnMsgInput): number {
    return this.#first.insert(msg)
  }
  /**
   * The queue of a CPU, 0 to 1,023: order is kept in a queue, not between two.
   * @throws NetlinkError EINVAL.
   */
  queue(cpu: number): CbusQueue {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= MOST_CPUS) {
      throw new NetlinkError('EINVAL', { message: `there is no CPU ${cpu}` })
    }
    while (this.#queues.length <= cpu) this.#queues.push(new CbusQueue(this))
    return this.#queues[cpu] as CbusQueue
  }
  /**
   * A queue for another thread: give the memory to a worker, which makes a `CbusRing` of it. At
   * least 64 KiB; the worker drains it every 10 ms, and counts what found no room.
   * @throws NetlinkError ENODEV when the bus is closed.
   */
  attachRing(bytes = 1 << 18): SharedArrayBuffer {
    if (this.isClosed) throw new NetlinkError('ENODEV', { message: 'CBUS is closed' })
    const ring = new RingReader(bytes)
    this.#rings.push(ring)
    this.#schedule(POLL_MS)
    return ring.memory
  }
  /** Sends what is in a ring, and forgets it. Harmless when repeated. */
  detachRing(memory: SharedArrayBuffer): void {
    const ring = this.#rings.find((each) => each.memory === memory)
    if (ring) this.#detach(ring)
  }
  stats(): CbusStats {
    let ringDrops = this.#ringDrops
    for (const { dropped } of this.#rings) ringDrops += dropped
    return {
      inserted: this.inserted + this.#taken + ringDrops,
      queued: this.#queued(),
      sent: this.#sent,
      lost: this.#lost,
      dropped: this.#dropped + ringDrops,
      direct: this.#direct,
    }
  }
  /** Sends all that waits, at once. */
  flush(): void {
    for (let left = MOST_FLUSHED, count = 1; count > 0 && left > 0; left -= count) {
      count = this.#round(this.#rings)
    }
  }
  /** Sends all that waits; from then on inserts are refused. Harmless when repeated. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#timer?.()
    this.#timer = undefined
    for (const ring of this.#rings) ring.close()
    this.flush()
    for (const ring of [...this.#rings]) this.#detach(ring)
  }
  /** For the queues. */
  wake(): void {
    if (!this.#isDue) this.#schedule(0)
  }
  /** For the queues. */
  overflow(msg: CnMsgInput): number {
    this.inserted++
    if (this.whenFull === 'drop') this.#dropped++
    else {
      this.#direct++
      this.#count(this.#connector.netlinkSend(msg))
    }
    return 0
  }

  #queued(): number {
    let queued = 0
    for (const { length } of this.#queues) queued += length
    return queued
  }
  #schedule(ms: number): void {
    if (this.isClosed) return
    this.#timer?.()
    this.#isDue = ms === 0
    this.#timer = this.#kernel.clock.setTimer(() => this.#work(), ms)
  }
  /** cbus_event_thread(): rounds until there is nothing, or it is somebody else's turn. */
  #work(): void {
    this.#timer = undefined
    this.#isDue = false
    let left = BATCH
    for (let count = 1; count > 0 && left > 0; left -= count) count = this.#round(this.#rings)
    if (left <= 0 || this.#queued() > 0) this.#schedule(0)
    else if (this.#rings.length > 0) this.#schedule(POLL_MS)
  }
  /** Takes one message from each queue. @returns how many there were. */
  #round(rings: readonly RingReader[]): number {
    let count = 0
    for (const queue of this.#queues) if (queue.take(this.#send)) count++
    for (const ring of [...rings]) {
      if (!this.#takeFrom(ring)) continue
      this.#taken++
      count++
    }
    return count
  }
  /** What a worker has made of its memory is its own affair, until it is nonsense. */
  #takeFrom(ring: RingReader): boolean {
    try {
      return ring.take(this.#send)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#kernel.printk(KERN_ERR, `cbus: a ring is given up: ${error.message}\n`)
      ring.close()
      this.#rings.splice(this.#rings.indexOf(ring), 1)
      return false
    }
  }
  #detach(ring: RingReader): void {
    ring.close()
    while (this.#round([ring]) > 0);
    const at = this.#rings.indexOf(ring)
    if (at < 0) return
    this.#rings.splice(at, 1)
    this.#ringDrops += ring.dropped
  }
  readonly #send = (idx: number, val: number, seq: number, bytes: Uint8Array): void => {
    this.#count(this.#connector.relay(idx, val, seq, bytes))
  }
  #count(result: number): void {
    if (result < 0) this.#lost++
    else this.#sent++
  }
}
