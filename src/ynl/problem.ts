/** What is wrong with a spec, and where: a path of names, a line and a column. */

/** A place in the text; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** One thing that is wrong. */
export interface Problem extends Place {
  /** An error makes the spec unusable; a warning does not. */
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Such as `attribute-sets[dev].attributes[ifindex].type`; empty for the whole text. */
  readonly path: string
}

/** Text, a value or a whole object of a spec that a problem can point at. */
export interface Locatable extends Place {
  readonly path: string
}

/** A spec that cannot be used. */
export class SpecError extends Error {
  override readonly name = 'SpecError'
  readonly code = 'NLKIT_SPEC'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

/** `12:7: attribute-sets[dev]: there is no set "x"`, as compilers write it. */
export function formatProblem({ line, column, path, message, severity }: Problem): string {
  const kind = severity === 'warning' ? 'warning: ' : ''
  return `${line}:${column}: ${kind}${path === '' ? '' : `${path}: `}${message}`
}

/** Problems are worth reading up to this many. */
const MOST = 100

/** Collects what is wrong while reading goes on. */
export class Problems {
  readonly list: Problem[] = []

  error(at: Locatable, message: string): void {
    this.#add('error', at, message)
  }

  warn(at: Locatable, message: string): void {
    this.#add('warning', at, message)
  }

  #add(severity: Problem['severity'], { line, column, path }: Locatable, message: string): void {
    if (this.list.length >= MOST) return
    this.list.push({ severity, message, path, line, column })
  }

  get hasErrors(): boolean {
    return this.list.some(({ severity }) => severity === 'error')
  }

  /** @throws SpecError when there is an error among them. */
  check(): void {
    if (this.hasErrors)
      throw new SpecError(this.list.filter(({ severity }) => severity === 'error'))
  }
}
