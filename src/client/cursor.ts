/**
 * One reading of a dump.
 *
 * A dump that the kernel says is inconsistent (NLM_F_DUMP_INTR) is asked again, as long as nobody
 * has seen its items. Therefore some of it is held back before the first item is given away: all
 * but the largest tables are consistent without a word. Of a larger one that is read item by item
 * the interruption is thrown behind the last item.
 */
import { DumpReader, type DumpRequest, type Kept, type Visit } from './dump-reader.ts'
import type { DumpLanes, Lane } from './lanes.ts'
import { giveWay, type Patience, readable } from './loop.ts'
import { type CallOptions, checkTimeout } from './options.ts'
import { timedOut } from './pending.ts'
import type { Session } from './session.ts'

/** The work of a datagram, in requests. */
const DATAGRAM = 8
/** Times that a spoiled dump is asked again. */
const MOST_REPEATS = 3
/** Bytes of an abandoned dump that are read to keep its socket. */
const MOST_DRAINED = 1 << 20

export interface DumpOptions extends CallOptions {
  /**
   * What becomes of a dump that was interrupted by a change. `retry`, the default: it is asked
   * again, up to three times. `error`: NETLINK_INTERRUPTED is thrown behind its items.
   */
  readonly onInterrupted?: 'retry' | 'error' | undefined
}

/** How a dump is started. */
export interface DumpPlan<T> {
  readonly session: Session
  readonly lanes: DumpLanes
  readonly options: DumpOptions
  /** What to ask; looked up anew each time that the dump is read. */
  readonly prepare: () => DumpRequest<T> | Promise<DumpRequest<T>>
  /** Errors that mean an empty table. */
  readonly isEmpty?: (error: unknown) => boolean
  /** Errors that may mean that it was asked under an old number: it is prepared and asked again. */
  readonly isStale?: (error: unknown) => boolean
}

/** Batches: held back, handed out, asked again. */
export class Cursor<T> {
  readonly #plan: DumpPlan<T>
  readonly #timeout: number
  readonly #visit: Visit<T> | undefined
  /** Batches that are read before the first is handed out; afterwards none is held. */
  #most: number
  readonly #held: (T[] | Kept)[] = []
  #hasGiven = false
  #repeats = 0
  #isRenewed = false
  #lane: Lane | undefined
  #reader: DumpReader<T> | undefined
  /** The last reader: it reads what was kept. */
  #keeper: DumpReader<T> | undefined
  /** Whether all is read, and why it is not the whole. */
  #isOver = false
  #failure: { readonly error: unknown } | undefined

  /** With `visit` all batches are empty, and nothing is asked again: it has seen the items. */
  constructor(plan: DumpPlan<T>, most: number, visit?: Visit<T>) {
    this.#plan = plan
    this.#visit = visit
    this.#hasGiven = visit !== undefined
    const { timeout, onInterrupted } = plan.options
    this.#timeout = timeout === undefined ? plan.session.timeout : checkTimeout(timeout)
    this.#most = onInterrupted === 'error' ? 0 : most
  }

  /** The next batch; undefined at the end. A failure comes behind what was read before it. */
  async next(): Promise<T[] | undefined> {
    for (;;) {
      if (this.#held.length === 0 || !this.#hasGiven) {
        try {
          await this.#fill()
        } catch (error) {
          this.#end({ error })
        }
      }
      const batch = this.#take()
      if (batch === undefined) break
      if (batch.length === 0) continue
      this.#hasGiven = true
      this.#most = 0
      return batch
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure) throw failure.error
    return undefined
  }

  /** The first of what is held. What cannot be read ends it. */
  #take(): T[] | undefined {
    const held = this.#held.shift()
    if (!(held instanceof Uint8Array)) return held
    const items: T[] = []
    try {
      this.#keeper?.read(held, items)
    } catch (error) {
      this.#held.length = 0
      this.#end({ error })
      this.#failure = { error }
    }
    return items
  }

  /** Ends it, read or not. */
  close(): void {
    this.#held.length = 0
    this.#keeper = undefined
    this.#end(undefined)
    this.#failure = undefined
  }

  /** Reads until there is enough to hand out, or all is read. */
  async #fill(): Promise<void> {
    const { session, lanes, options } = this.#plan
    while (!this.#isOver && this.#held.length <= this.#most) {
      if (session.turn.isOver(DATAGRAM)) await giveWay()
      const reader = this.#reader ?? (await this.#start())
      lanes.check()
      options.signal?.throwIfAborted()
      if (!reader || this.#isOver) return
      const batch = this.#keeps ? reader.keep() : reader.step()
      if (batch && batch.length > 0) this.#held.push(batch)
      if (reader.isOver) this.#finish(reader)
      else if (batch === undefined) await this.#wait(reader.name)
    }
  }

  async #start(): Promise<DumpReader<T> | undefined> {
    const { session, lanes, prepare } = this.#plan
    this.#plan.options.signal?.throwIfAborted()
    const asked = await prepare()
    const wantsLeisure = this.#most !== Number.POSITIVE_INFINITY
    const lane = await lanes.take(wantsLeisure, this.#patience(asked.call.name))
    if (this.#isOver) {
      lanes.give(lane, true)
      return undefined
    }
    this.#lane = lane
    if (!lane.isLeisurely) this.#most = Number.POSITIVE_INFINITY
    this.#reader = new DumpReader(session, lane.socket, asked, lanes.nextSeq(), this.#visit)
    this.#keeper = this.#reader
    return this.#reader
  }

  /**
   * Whether what is held is kept as bytes. Items that wait grow old, which costs the engine more than
   * to read them.
   */
  get #keeps(): boolean {
    return !this.#hasGiven && Number.isFinite(this.#most)
  }

  /** Nothing more will come: that is the end, or the reason to ask again. */
  #finish({ error, spoiled }: DumpReader<T>): void {
    const canRepeat = !this.#hasGiven && this.#plan.options.onInterrupted !== 'error'
    if (error === undefined && spoiled && canRepeat && this.#repeats < MOST_REPEATS) {
      this.#repeats++
      this.#held.length = 0
      this.#release()
      return
    }
    if (error !== undefined && !this.#isRenewed && this.#plan.isStale?.(error)) {
      this.#isRenewed = true
      this.#release()
      return
    }
    const reason = error ?? spoiled
    const isFine = reason === undefined || this.#plan.isEmpty?.(reason) === true
    this.#end(isFine ? undefined : { error: reason })
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#release()
  }
  #release(): void {
    if (!this.#lane) return
    this.#reader?.drain(MOST_DRAINED)
    this.#plan.lanes.give(this.#lane, this.#reader?.isFree ?? true)
    this.#lane = this.#reader = undefined
  }

  async #wait(name: string): Promise<void> {
    try {
      if (this.#lane) await readable(this.#lane.socket, this.#patience(name))
    } catch (error) {
      this.#plan.lanes.check()
      throw error
    }
  }
  #patience(name: string): Patience {
    const { signal } = this.#plan.options
    return { signal, timeout: this.#timeout, expired: () => timedOut(name, this.#timeout) }
  }
}
