/** Dumps: what a kernel has many of, as an async iterable, in batches, or whole. */
import { Cursor, type DumpPlan } from './cursor.ts'

/** Datagrams, of up to 32 KiB each, that are read before the first item is given away. */
const HELD = 16

/** What a dump lists. Nothing is asked before it is read; each reading asks anew. */
export class Dump<T> implements AsyncIterable<T> {
  readonly #plan: DumpPlan<T>

  constructor(plan: DumpPlan<T>) {
    this.#plan = plan
  }

  /** Item by item; leaving the loop ends the dump. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new ItemIterator(new Cursor(this.#plan, HELD))
  }
  /** The items of one datagram at a time, for a tenth of the cost of single items. */
  batches(): AsyncIterableIterator<T[]> {
    return new BatchIterator(new Cursor(this.#plan, HELD))
  }
  /** All items, consistent; NETLINK_INTERRUPTED if the kernel could not give such a list. */
  async toArray(): Promise<T[]> {
    const cursor = new Cursor(this.#plan, Number.POSITIVE_INFINITY)
    const items: T[] = []
    for (;;) {
      const batch = await cursor.next()
      if (batch === undefined) return items
      for (const item of batch) items.push(item)
    }
  }
  /** The first item, or undefined; the rest is not read. */
  async first(): Promise<T | undefined> {
    const cursor = new Cursor(this.#plan, 0)
    const batch = await cursor.next()
    cursor.close()
    return batch?.[0]
  }
  /**
   * Shows `visit` each item while it is read, the fastest way through a large table: the items of a
   * family's dump are one object, which stands on one message after another and is good for the
   * call alone. What `visit` throws ends the dump. A dump that was interrupted by a change is not
   * asked again: NETLINK_INTERRUPTED is thrown behind the last item.
   */
  async visit(visit: (item: T) => void): Promise<void> {
    const cursor = new Cursor(this.#plan, 0, visit)
    try {
      while ((await cursor.next()) !== undefined);
    } finally {
      cursor.close()
    }
  }
  /** Calls `visit` with each item; what it throws ends the dump. */
  async forEach(visit: (item: T) => void): Promise<void> {
    const cursor = new Cursor(this.#plan, HELD)
    try {
      for (;;) {
        const batch = await cursor.next()
        if (batch === undefined) return
        for (const item of batch) visit(item)
      }
    } finally {
      cursor.close()
    }
  }
}

/** A hand-made iterator over batches: calls of `next` that overlap wait for each other. */
abstract class CursorIterator<T, Item> implements AsyncIterableIterator<Item> {
  protected readonly cursor: Cursor<T>
  /** Calls of `next` that have no result yet. */
  protected unfinished = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(cursor: Cursor<T>) {
    this.cursor = cursor
  }
  [Symbol.asyncIterator](): this {
    return this
  }
  protected abstract advance(): Promise<IteratorResult<Item>>

  next(): Promise<IteratorResult<Item>> {
    this.unfinished++
    const step = this.#last.then(() => this.advance())
    const finish = (): void => {
      this.unfinished--
    }
    this.#last = step.then(finish, finish)
    return step
  }
  return(): Promise<IteratorResult<Item>> {
    this.cursor.close()
    return Promise.resolve({ done: true, value: undefined })
  }
}

class BatchIterator<T> extends CursorIterator<T, T[]> {
  protected async advance(): Promise<IteratorResult<T[]>> {
    const value = await this.cursor.next()
    return value === undefined ? { done: true, value } : { done: false, value }
  }
}

class ItemIterator<T> extends CursorIterator<T, T> {
  #batch: T[] = []
  #at = 0

  override next(): Promise<IteratorResult<T>> {
    if (this.#at < this.#batch.length && this.unfinished === 0)
      return Promise.resolve({ done: false, value: this.#batch[this.#at++] as T })
    return super.next()
  }
  override return(): Promise<IteratorResult<T>> {
    this.#batch = []
    return super.return()
  }
  protected async advance(): Promise<IteratorResult<T>> {
    if (this.#at >= this.#batch.length) {
      this.#batch = []
      const batch = await this.cursor.next()
      if (batch === undefined) return { done: true, value: undefined }
      this.#batch = batch
      this.#at = 0
    }
    return { done: false, value: this.#batch[this.#at++] as T }
  }
}
