/** What ends with a client: watches, live tables, clients of families. */

export interface Dependant {
  end(reason: unknown): void
}

export class Dependants {
  readonly #all = new Set<Dependant>()
  #ended: { readonly reason: unknown } | undefined

  /** Who comes too late is ended at once. */
  add(dependant: Dependant): void {
    if (this.#ended) dependant.end(this.#ended.reason)
    else this.#all.add(dependant)
  }
  delete(dependant: Dependant): void {
    this.#all.delete(dependant)
  }
  end(reason: unknown): void {
    this.#ended ??= { reason }
    for (const dependant of [...this.#all]) dependant.end(reason)
    this.#all.clear()
  }
}
