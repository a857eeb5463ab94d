/** What a family file will declare, in the order in which one thing needs another. */
import {
  type Declaration,
  type Entry,
  type Expression,
  literal,
  name,
  object,
} from './expression.ts'
import { constantOf } from './limits.ts'
import type { Constant, Enumeration, Ref, Spec } from './model.ts'
import { camelCase, Names, upperCase } from './names.ts'

/** A spec's declarations as they come to be needed. */
export class Plan {
  readonly spec: Spec
  readonly names: Names = Names.ofFile()
  readonly declarations: Declaration[] = []
  readonly #constants = new Map<Constant, Expression>()
  readonly #enums = new Map<Enumeration, Expression>()
  readonly #bits = new Map<Enumeration, Expression>()

  constructor(spec: Spec) {
    this.spec = spec
  }

  /** Declares `value`; the expression that names it. */
  declare(
    wanted: readonly string[],
    value: Expression,
    more: Partial<Declaration> = {},
  ): Expression {
    const taken = this.names.take(...wanted)
    this.declarations.push({ isExported: true, ...more, name: taken, value })
    return name(taken)
  }

  /** A length or a limit of up to 32 bits: its constant's name, or a number. */
  number(ref: Ref, value: bigint): Expression {
    const constant = constantOf(this.spec, ref.text)
    if (!constant) return literal(Number(value))
    let known = this.#constants.get(constant)
    if (!known) {
      const full = `${constant.prefix ?? `${this.spec.name}-`}${constant.name}`
      known = this.declare([upperCase(full)], literal(Number(value)), { doc: constant.doc })
      this.#constants.set(constant, known)
    }
    return known
  }

  /** The names of an enum's values, as the spec spells them. */
  enumNames(definition: Enumeration): Expression {
    return this.#entries(this.#enums, definition, [camelCase(definition.name)], (entry) => [
      entry.name,
      definition.kind === 'flags' ? 2 ** entry.value : entry.value,
    ])
  }

  /** The names of bits, in upper case as constants are. */
  bitNames(definition: Enumeration): Expression {
    const base = camelCase(definition.name)
    return this.#entries(this.#bits, definition, [base, `${base}Bits`], (entry) => [
      upperCase(entry.name),
      2 ** entry.value,
    ])
  }

  #entries(
    known: Map<Enumeration, Expression>,
    definition: Enumeration,
    wanted: readonly string[],
    entryOf: (entry: Enumeration['entries'][number]) => readonly [key: string, value: number],
  ): Expression {
    const before = known.get(definition)
    if (before) return before
    const keys = new Names()
    const entries: Entry[] = definition.entries.map((entry) => {
      const [key, value] = entryOf(entry)
      return { key: keys.take(key), value: literal(value), doc: entry.doc }
    })
    const { doc } = definition
    const declared = this.declare([...wanted, `${wanted[0]}Names`], object(entries), {
      doc,
      isConst: true,
    })
    known.set(definition, declared)
    return declared
  }

  enumOf(ref: Ref | undefined): Enumeration | undefined {
    const found = ref && this.spec.definitions.get(ref.text)
    return found?.kind === 'enum' || found?.kind === 'flags' ? found : undefined
  }
}
