/** Linux's YAML specs of netlink families as nlkit's families: at run time, or as a file. */
import type { Family } from '../schema/index.ts'
import { evaluate, type Spelling } from './evaluate.ts'
import type { Spec } from './model.ts'
import { type Placed, planFamily } from './plan-family.ts'
import { printFamily } from './print.ts'
import { readSpec } from './read.ts'

/** A spec as a family, with the names that the spec has for what is in it. */
export interface SpecFamily {
  readonly spec: Spec
  readonly family: Family
  readonly spelling: Spelling
  readonly operations: readonly Placed[]
  readonly notifications: readonly Placed[]
}

/**
 * Reads a spec (Documentation/netlink/specs of Linux's source).
 * @throws SpecError with everything that is wrong in it, each with its path, line and column.
 */
export function importSpec(text: string): SpecFamily {
  const spec = readSpec(text)
  const { declarations, family, operations, notifications } = planFamily(spec)
  const { value, spelling } = evaluate(declarations, family)
  return { spec, family: value as Family, spelling, operations, notifications }
}

/**
 * A spec as the text of a family file.
 * @throws SpecError, as `importSpec`.
 */
export function generateFamily(text: string): string {
  const spec = readSpec(text)
  return printFamily(spec, planFamily(spec).declarations)
}

export { JsonReply } from './json-reply.ts'
export { JsonRequest } from './json-request.ts'
export { type Lint, lintSpec } from './lint.ts'
export { formatProblem, type Problem, SpecError } from './problem.ts'
