/**
 * Descriptors on their way through a bus: each is a token, and is closed when nobody holds it. Whoever
 * knows a token may have its descriptor, so a token cannot be guessed.
 */

interface Entry {
  readonly fd: number
  references: number
}

export class TokenTable {
  readonly #close: (fd: number) => void
  readonly #entries = new Map<bigint, Entry>()
  readonly #random = new BigUint64Array(32)
  #unused = 0

  /** `close` is called once for each descriptor. */
  constructor(close: (fd: number) => void) {
    this.#close = close
  }

  /** Descriptors that are held. */
  get size(): number {
    return this.#entries.size
  }

  /** Takes a descriptor in; the caller holds it. */
  add(fd: number): bigint {
    let token: bigint
    do token = this.#next()
    while (token === 0n || this.#entries.has(token))
    this.#entries.set(token, { fd, references: 1 })
    return token
  }

  #next(): bigint {
    if (this.#unused === 0) {
      crypto.getRandomValues(this.#random)
      this.#unused = this.#random.length
    }
    return this.#random[--this.#unused]!
  }

  /** The descriptor of a token that is held. */
  descriptor(token: bigint): number | undefined {
    return this.#entries.get(token)?.fd
  }

  /** One more holder of each. */
  hold(tokens: readonly bigint[]): void {
    for (const token of tokens) {
      const entry = this.#entries.get(token)
      if (entry) entry.references++
    }
  }

  /** One holder less of each; the last one closes. */
  release(tokens: readonly bigint[]): void {
    for (const token of tokens) {
      const entry = this.#entries.get(token)
      if (!entry || --entry.references > 0) continue
      this.#entries.delete(token)
      this.#close(entry.fd)
    }
  }
}
