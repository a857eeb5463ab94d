/**
 * A map of one level of the index of rules. Most have one key, for most rules are alone in what they
 * ask for: that one is kept without a hash table, which would be ten times its size.
 */
export class Level<V> {
  #key: string | undefined
  #value: V | undefined
  #more: Map<string, V> | undefined

  get size(): number {
    return this.#more?.size ?? (this.#key === undefined ? 0 : 1)
  }

  get(key: string): V | undefined {
    if (this.#more !== undefined) return this.#more.get(key)
    return this.#key === key ? this.#value : undefined
  }

  set(key: string, value: V): void {
    if (this.#more !== undefined) {
      this.#more.set(key, value)
    } else if (this.#key === undefined || this.#key === key) {
      this.#key = key
      this.#value = value
    } else {
      this.#more = new Map([
        [this.#key, this.#value!],
        [key, value],
      ])
      this.#key = this.#value = undefined
    }
  }

  delete(key: string): void {
    if (this.#more !== undefined) this.#more.delete(key)
    else if (this.#key === key) this.#key = this.#value = undefined
  }

  /** Calls `use` with each value, oldest first. */
  each(use: (value: V, key: string) => void): void {
    if (this.#more !== undefined) this.#more.forEach(use)
    else if (this.#key !== undefined) use(this.#value!, this.#key)
  }
}
