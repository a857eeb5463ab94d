/**
 * What is known of a table, and what of it the reader has not been told yet.
 *
 * Changes are not queued but compared: for each key there is what was told last and what is so now.
 * A reader may be as slow as it likes; it skips what came and went, and memory stays within the
 * size of the table. No I/O, no promise.
 */

/** From what to what something changed; undefined: it was not, or is not any more. */
export interface Change<T> {
  readonly before: T | undefined
  readonly after: T | undefined
}

/** What a mirror asks of those who know the items. */
export interface Comparison<T> {
  keyOf(item: T): string
  /** Whether they say the same, but for what always changes. */
  isSame(a: T, b: T): boolean
  /** Whether two under one key cannot be the same thing in two states. */
  isOther?(before: T, after: T): boolean
}

interface Told<T> {
  readonly items: readonly T[]
  /** Whether these ended, whatever has their key now. */
  hasEnded: boolean
}

export class Mirror<T> {
  readonly #comparison: Comparison<T>
  /** By key, which several items may share. */
  readonly #current = new Map<string, readonly T[]>()
  /** Of keys that changed: what the reader knows of them. */
  readonly #told = new Map<string, Told<T>>()
  readonly #changes: Change<T>[] = []

  constructor(comparison: Comparison<T>) {
    this.#comparison = comparison
  }

  /** What is known now. */
  *items(): Generator<T, undefined> {
    for (const items of this.#current.values()) yield* items
  }
  get(key: string): readonly T[] {
    return this.#current.get(key) ?? []
  }
  /** Whether there may be something to tell. */
  get hasNews(): boolean {
    return this.#changes.length > 0 || this.#told.size > 0
  }

  /** From now on `items` are what is so under `key`; `hasEnded`: none of those before is among them. */
  set(key: string, items: readonly T[], hasEnded = false): void {
    const before = this.get(key)
    const told = this.#told.get(key)
    if (told) told.hasEnded ||= hasEnded
    else if (hasEnded || !this.#isSame(before, items))
      this.#told.set(key, { items: before, hasEnded })
    if (items.length > 0) this.#current.set(key, items)
    else this.#current.delete(key)
  }

  /** From now on `items` are all that is so. */
  replace(items: Iterable<T>): void {
    const { keyOf, isOther } = this.#comparison
    const next = new Map<string, T[]>()
    for (const item of items) {
      const key = keyOf(item)
      const same = next.get(key)
      if (same) same.push(item)
      else next.set(key, [item])
    }
    for (const key of this.#current.keys()) if (!next.has(key)) this.set(key, [])
    for (const [key, now] of next) {
      const [before] = this.get(key)
      const [after] = now
      const isNew = before !== undefined && after !== undefined && isOther?.(before, after)
      this.set(key, now, isNew === true)
    }
  }

  /** The next change to tell. */
  next(): Change<T> | undefined {
    while (this.#changes.length === 0) {
      const [first] = this.#told
      if (!first) return undefined
      this.#told.delete(first[0])
      this.#compare(first[1], this.get(first[0]))
    }
    return this.#changes.shift()
  }

  #compare({ items, hasEnded }: Told<T>, now: readonly T[]): void {
    const { isSame } = this.#comparison
    if (hasEnded) {
      for (const before of items) this.#changes.push({ before, after: undefined })
      for (const after of now) this.#changes.push({ before: undefined, after })
      return
    }
    const gone = items.filter((item) => !now.some((other) => isSame(item, other)))
    const come = now.filter((item) => !items.some((other) => isSame(item, other)))
    for (let i = 0; i < gone.length || i < come.length; i++)
      this.#changes.push({ before: gone[i], after: come[i] })
  }
  #isSame(a: readonly T[], b: readonly T[]): boolean {
    return a.length === b.length && a.every((item, i) => this.#comparison.isSame(item, b[i] as T))
  }
}
