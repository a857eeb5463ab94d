/** Declarations as values: what a family file would export, without the file. */

import type { AnyType, Shape } from '../schema/index.ts'
import * as schema from '../schema/index.ts'
import * as wire from '../wire/constants.ts'
import type { Declaration, Expression, Spellings } from './expression.ts'

/** How a spec spells tables and structs, by the objects that the schema has for them. */
export class Spelling {
  readonly #known = new WeakMap<object, Spellings>()

  learn(value: AnyType, spells: Spellings): void {
    const key = keyOf(value.shape)
    if (key) this.#known.set(key, spells)
  }

  /** Of a nest's attributes, or a struct's members. */
  of(shape: Shape): Spellings | undefined {
    const key = keyOf(shape)
    return key && this.#known.get(key)
  }
}

function keyOf(shape: Shape): object | undefined {
  if (shape.kind === 'nest') return shape.table
  return shape.kind === 'struct' ? shape.fields : undefined
}

type Callable = (...args: readonly unknown[]) => unknown

class Evaluator {
  readonly #scope: Map<string, unknown>
  readonly #spelling: Spelling

  constructor(spelling: Spelling) {
    this.#spelling = spelling
    this.#scope = new Map<string, unknown>([...Object.entries(wire), ...Object.entries(schema)])
  }

  declare({ name, value }: Declaration): void {
    this.#scope.set(name, this.#value(value))
  }

  get(name: string): unknown {
    if (!this.#scope.has(name)) throw new TypeError(`${name} is not declared`)
    return this.#scope.get(name)
  }

  #value(expression: Expression): unknown {
    switch (expression.kind) {
      case 'name':
        return this.get(expression.name)
      case 'literal':
        return expression.value
      case 'array':
        return expression.items.map((item) => this.#value(item))
      case 'object':
        return this.#object(expression)
      case 'later':
        return () => this.#value(expression.value)
      case 'as':
        return this.#value(expression.value)
      case 'member':
        return (this.#value(expression.of) as Record<string, unknown>)[expression.name]
      case 'call':
        return this.#call(expression)
    }
  }

  #object({ entries }: Extract<Expression, { kind: 'object' }>): object {
    const made: Record<string, unknown> = {}
    for (const { key, value } of entries) {
      if (key === undefined) Object.assign(made, this.#value(value))
      else made[key] = this.#value(value)
    }
    return made
  }

  #call({ callee, args, spells }: Extract<Expression, { kind: 'call' }>): unknown {
    const values = args.map((arg) => this.#value(arg))
    let result: unknown
    if (callee.kind === 'member') {
      const on = this.#value(callee.of) as Record<string, Callable>
      result = (on[callee.name] as Callable).apply(on, values)
    } else result = (this.#value(callee) as Callable)(...values)
    if (spells) this.#spelling.learn(result as AnyType, spells)
    return result
  }
}

/** The value of the declaration `wanted`, after those before it. */
export function evaluate(
  declarations: readonly Declaration[],
  wanted: string,
): { readonly value: unknown; readonly spelling: Spelling } {
  const spelling = new Spelling()
  const evaluator = new Evaluator(spelling)
  for (const declaration of declarations) evaluator.declare(declaration)
  return { value: evaluator.get(wanted), spelling }
}
