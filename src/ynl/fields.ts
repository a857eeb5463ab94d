/** Typed reading of a mapping's keys; what has another form is a problem and counts as absent. */
import type { ListNode, MapNode, Node, ScalarNode } from './document.ts'
import type { Ref } from './model.ts'
import type { Problems } from './problem.ts'

const KINDS = { map: 'a mapping', list: 'a list', scalar: 'a single value' } as const

/** One mapping; keys that nobody asks for are reported by `done`. */
export class Fields {
  readonly node: MapNode
  readonly problems: Problems
  readonly #asked = new Set<string>()

  constructor(node: MapNode, problems: Problems) {
    this.node = node
    this.problems = problems
  }

  #get(key: string): Node | undefined {
    this.#asked.add(key)
    const node = this.node.entries.get(key)
    return node?.kind === 'scalar' && node.value === null ? undefined : node
  }

  #wrong(node: Node, expected: string): undefined {
    const got = node.kind === 'scalar' ? JSON.stringify(node.text) : KINDS[node.kind]
    this.problems.error(node, `${expected} expected, got ${got}`)
    return undefined
  }

  has(key: string): boolean {
    return this.node.entries.has(key)
  }

  /** Names are names also where YAML takes them for numbers or truth values. */
  ref(key: string): Ref | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    if (node.kind !== 'scalar') return this.#wrong(node, 'a name')
    return { text: node.text, path: node.path, line: node.line, column: node.column }
  }

  text(key: string): string | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    if (node.kind !== 'scalar') return this.#wrong(node, 'text')
    return typeof node.value === 'string' ? node.value : node.text
  }

  /** A name that must be there; the placeholder keeps reading going. */
  name(): string {
    const ref = this.ref('name')
    if (ref === undefined || ref.text === '') {
      this.problems.error(this.node, '"name" is missing')
      return '?'
    }
    return ref.text
  }

  scalar(key: string): ScalarNode | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    return node.kind === 'scalar' ? node : this.#wrong(node, 'a single value')
  }

  integer(key: string): number | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    if (node.kind === 'scalar' && typeof node.value === 'number' && Number.isInteger(node.value))
      return node.value
    return this.#wrong(node, 'an integer')
  }

  bool(key: string): boolean {
    const node = this.#get(key)
    if (node === undefined) return false
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
    return this.#wrong(node, 'true or false') ?? false
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], what: string): T | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    if (node.kind === 'scalar') {
      const found = allowed.find((each) => each === node.text)
      if (found !== undefined) return found
      this.problems.error(node, `unknown ${what} "${node.text}"`)
      return undefined
    }
    return this.#wrong(node, `one of ${allowed.join(', ')}`)
  }

  list(key: string): ListNode | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    return node.kind === 'list' ? node : this.#wrong(node, 'a list')
  }

  map(key: string): Fields | undefined {
    const node = this.#get(key)
    if (node === undefined) return undefined
    return node.kind === 'map' ? new Fields(node, this.problems) : this.#wrong(node, 'a mapping')
  }

  /** The mappings of a list; other elements are problems. */
  maps(key: string): Fields[] {
    return (this.list(key)?.items ?? []).flatMap((item) => {
      if (item.kind === 'map') return [new Fields(item, this.problems)]
      this.#wrong(item, 'a mapping')
      return []
    })
  }

  /** The names of a list. */
  refs(key: string): Ref[] | undefined {
    return this.list(key)?.items.flatMap((item) => {
      if (item.kind === 'scalar') {
        const { text, path, line, column } = item
        return [{ text, path, line, column }]
      }
      this.#wrong(item, 'a name')
      return []
    })
  }

  /** Marks keys that matter only to Linux's generators of C code. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#asked.add(key)
  }

  /** Warns of keys that nothing reads: newer than nlkit, or misspelt. */
  done(): void {
    for (const [key, at] of this.node.keys) {
      if (!this.#asked.has(key)) this.problems.warn(at, `"${key}" is not known`)
    }
  }
}

/** Puts `item` into `map` under its name; a second one of that name is a problem. */
export function addUnique<T extends { readonly name: string } & Parameters<Problems['error']>[0]>(
  map: Map<string, T>,
  item: T,
  what: string,
  problems: Problems,
): void {
  const before = map.get(item.name)
  if (before !== undefined)
    problems.error(item, `there is a ${what} "${item.name}" already, in line ${before.line}`)
  else map.set(item.name, item)
}
