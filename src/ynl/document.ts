/** YAML text as a tree in which everything knows its place. Aliases and merge keys are resolved. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { type Locatable, type Place, type Problem, SpecError } from './problem.ts'

export type Node = MapNode | ListNode | ScalarNode
export interface MapNode extends Locatable {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Node>
  /** Where each key stands. */
  readonly keys: ReadonlyMap<string, Locatable>
}
export interface ListNode extends Locatable {
  readonly kind: 'list'
  readonly items: readonly Node[]
}
export interface ScalarNode extends Locatable {
  readonly kind: 'scalar'
  readonly value: string | number | bigint | boolean | null
  /** As it is written, without quotes. */
  readonly text: string
}

/** Linux's largest spec has some 4,000 values; aliases of aliases reach any number. */
const MOST_NODES = 100_000
const MOST_DEPTH = 40

class Converter {
  readonly #lines: LineCounter
  readonly #anchors = new Map<string, unknown>()
  #nodes = 0

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  place(offset: number | undefined): Place {
    const { line, col } = this.#lines.linePos(offset ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  /** The node at `path`; `depth` bounds what refers to itself. */
  convert(node: unknown, path: string, depth: number): Node {
    const { range, anchor } = (node ?? {}) as { range?: readonly number[]; anchor?: string }
    if (anchor !== undefined) this.#anchors.set(anchor, node)
    const here = { ...this.place(range?.[0]), path }
    if (++this.#nodes > MOST_NODES) fail(here, `more than ${MOST_NODES} values: aliases of aliases`)
    if (depth > MOST_DEPTH)
      fail(here, `nested deeper than ${MOST_DEPTH}, or an alias inside itself`)
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target === undefined) fail(here, `there is no anchor "${node.source}"`)
      return this.convert(target, path, depth + 1)
    }
    if (isMap(node)) return this.#map(node.items, here, depth)
    if (isSeq(node)) {
      const items = node.items.map((item, i) =>
        this.convert(item, `${path}[${this.#nameOf(item) ?? i}]`, depth + 1),
      )
      return { ...here, kind: 'list', items }
    }
    const value = isScalar(node) ? node.value : null
    const text = isScalar(node) && node.source !== undefined ? node.source : String(value ?? '')
    return { ...here, kind: 'scalar', value: value as ScalarNode['value'], text }
  }

  #map(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    here: Locatable,
    depth: number,
  ): MapNode {
    const entries = new Map<string, Node>()
    const keys = new Map<string, Locatable>()
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : '?'
      const path = here.path === '' ? name : `${here.path}.${name}`
      const { range } = (key ?? {}) as { range?: readonly number[] }
      if (name === '<<') this.#merge(value, here, depth, entries, keys)
      else {
        entries.set(name, this.convert(value, path, depth + 1))
        keys.set(name, { ...this.place(range?.[0]), path })
      }
    }
    return { ...here, kind: 'map', entries, keys }
  }

  /** `<<: *defaults`: keys that the map has itself win. */
  #merge(
    value: unknown,
    here: Locatable,
    depth: number,
    entries: Map<string, Node>,
    keys: Map<string, Locatable>,
  ): void {
    const merged = this.convert(value, here.path, depth + 1)
    for (const source of merged.kind === 'list' ? merged.items : [merged]) {
      if (source.kind !== 'map') fail(merged, 'a mapping expected behind <<')
      for (const [name, node] of source.entries) {
        if (entries.has(name)) continue
        entries.set(name, node)
        keys.set(name, source.keys.get(name) ?? here)
      }
    }
  }

  /** The name or the value by which people know an element of a list. */
  #nameOf(item: unknown): string | undefined {
    if (!isMap(item)) return undefined
    for (const key of ['name', 'value']) {
      const node = item.get(key, true)
      if (isScalar(node)) return String(node.value)
    }
    return undefined
  }
}

function fail(at: Locatable, message: string): never {
  const { path, line, column } = at
  throw new SpecError([{ severity: 'error', message, path, line, column }])
}

/**
 * Reads YAML.
 * @throws SpecError for text that is not YAML, several documents, and aliases that do not end.
 */
export function parseYaml(text: string): Node {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false })
  const converter = new Converter(lines)
  const problems: Problem[] = document.errors.map(({ message, pos }) => ({
    severity: 'error',
    message,
    path: '',
    ...converter.place(pos[0]),
  }))
  if (problems.length > 0) throw new SpecError(problems)
  return converter.convert(document.contents, '', 0)
}
