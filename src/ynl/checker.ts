/** Looks up what a spec's part names, and tells what is not there. */
import { limitOf } from './limits.ts'
import type { AttributeSet, Payload, Ref, Spec, StructDefinition } from './model.ts'
import type { Problems } from './problem.ts'

/** Looks at one spec, and tells `problems`. */
export class Checker {
  readonly spec: Spec
  readonly problems: Problems
  constructor(spec: Spec, problems: Problems) {
    this.spec = spec
    this.problems = problems
  }

  struct(ref: Ref | undefined): StructDefinition | undefined {
    if (ref === undefined) return undefined
    const found = this.spec.definitions.get(ref.text)
    if (found?.kind === 'struct') return found
    this.problems.error(ref, `there is no struct "${ref.text}"`)
    return undefined
  }

  set(ref: Ref | undefined): AttributeSet | undefined {
    if (ref === undefined) return undefined
    const found = this.spec.sets.get(ref.text)
    if (!found) this.problems.error(ref, `there is no attribute set "${ref.text}"`)
    return found
  }

  limit(ref: Ref | undefined): bigint | undefined {
    if (ref === undefined) return undefined
    const value = limitOf(this.spec, ref)
    if (value === undefined)
      this.problems.error(ref, `"${ref.text}" is neither a number nor a constant with one`)
    return value
  }

  payload(payload: Payload): void {
    const { enum: names, struct, len } = payload
    if (names) {
      const { kind } = this.spec.definitions.get(names.text) ?? {}
      if (kind !== 'enum' && kind !== 'flags')
        this.problems.error(names, `there is no enum "${names.text}"`)
    }
    this.struct(struct)
    this.limit(len)
  }
}
