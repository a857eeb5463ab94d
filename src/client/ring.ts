/** A queue of fixed capacity: nothing moves when its head is taken. */

export class Ring<T> {
  readonly #slots: (T | undefined)[] = []
  readonly #capacity: number
  #head = 0
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }
  get length(): number {
    return this.#length
  }
  /** Items that may yet be pushed. */
  get room(): number {
    return this.#capacity - this.#length
  }
  /** Precondition: there is room. */
  push(item: T): void {
    this.#slots[(this.#head + this.#length) % this.#capacity] = item
    this.#length++
  }
  /** The oldest item, or undefined. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#capacity
    this.#length--
    return item
  }
  clear(): void {
    this.#slots.length = 0
    this.#head = this.#length = 0
  }
}
