/** Everything that is wrong with a spec, and what the uapi header says otherwise. */
import type { Attribute, AttributeSet, Definition, Operation, Spec } from './model.ts'
import { upperCase } from './names.ts'
import type { Locatable, Problem } from './problem.ts'
import { inspectSpec } from './read.ts'
import { readHeader } from './uapi.ts'

/** A number that a spec gives, and what C calls it. */
interface Claim {
  readonly constant: string
  readonly value: bigint
  readonly at: Locatable
}

function attributeClaim(spec: Spec, set: AttributeSet, attribute: Attribute): Claim {
  const whole = set.subsetOf === undefined ? set : (spec.sets.get(set.subsetOf) ?? set)
  const fallback =
    spec.protocol === 'netlink-raw'
      ? ''
      : whole.name === spec.name
        ? `${spec.name}-a-`
        : `${spec.name}-a-${whole.name}-`
  const prefix = attribute.prefix ?? whole.prefix ?? fallback
  const constant = upperCase(`${prefix}${attribute.name}`)
  return { constant, value: BigInt(attribute.id), at: attribute }
}

function definitionClaims(spec: Spec, definition: Definition): Claim[] {
  const { kind, name } = definition
  if (kind === 'struct') return []
  if (kind === 'const') {
    const constant = upperCase(`${definition.prefix ?? `${spec.name}-`}${name}`)
    const { value } = definition
    return value === undefined ? [] : [{ constant, value: BigInt(value), at: definition }]
  }
  const prefix = definition.prefix ?? `${spec.name}-${name}-`
  return definition.entries.map((entry) => ({
    constant: upperCase(`${prefix}${entry.name}`),
    value: kind === 'flags' ? 1n << BigInt(entry.value) : BigInt(entry.value),
    at: entry,
  }))
}

function commandClaims(spec: Spec, operation: Operation): Claim[] {
  const isRoute = spec.protocol === 'netlink-raw' && spec.protonum === 0
  const fallback = isRoute ? 'rtm-' : spec.protocol === 'netlink-raw' ? '' : `${spec.name}-cmd-`
  const constant = upperCase(`${spec.commandPrefix ?? fallback}${operation.name}`)
  const id = operation.requestId ?? operation.replyId
  return id === undefined ? [] : [{ constant, value: BigInt(id), at: operation }]
}

function claims(spec: Spec): Claim[] {
  return [
    ...[...spec.definitions.values()].flatMap((each) => definitionClaims(spec, each)),
    ...[...spec.sets.values()].flatMap((set) =>
      set.subsetOf === undefined
        ? set.attributes.map((attribute) => attributeClaim(spec, set, attribute))
        : [],
    ),
    ...[...spec.operations.values()].flatMap((each) => commandClaims(spec, each)),
  ]
}

/** What was compared with the header. */
export interface Lint {
  readonly problems: readonly Problem[]
  /** The header that the spec names, such as `linux/netdev.h`. */
  readonly header: string | undefined
  /** Constants that are in both. */
  readonly compared: number
}

/**
 * Checks a spec, and compares its numbers with those of the header that it names.
 * `headerText` gives the text of a header by its path below `include`, if it is there.
 */
export function lintSpec(
  text: string,
  headerText: (path: string) => string | undefined = () => undefined,
): Lint {
  const { spec, problems } = inspectSpec(text)
  const header = spec && headerOf(spec)
  const source = header === undefined ? '' : withIncludes(header, headerText)
  if (!spec || source === '') return { problems: sorted(problems), header, compared: 0 }
  const known = readHeader(source)
  const found: Problem[] = []
  let compared = 0
  for (const { constant, value, at } of claims(spec)) {
    const theirs = known.get(constant)
    if (theirs === undefined) continue
    compared++
    if (theirs === value) continue
    const { path, line, column } = at
    const message = `${constant} is ${theirs} in the uapi header, ${value} here`
    found.push({ severity: 'warning', message, path, line, column })
  }
  return { problems: sorted([...problems, ...found]), header, compared }
}

function headerOf({ uapiHeader, protocol, protonum }: Spec): string | undefined {
  const isRoute = protocol === 'netlink-raw' && protonum === 0
  return uapiHeader ?? (isRoute ? 'linux/rtnetlink.h' : undefined)
}

/** The text of a header behind those that it includes. */
function withIncludes(
  path: string,
  headerText: (path: string) => string | undefined,
  seen: Set<string> = new Set(),
): string {
  if (seen.has(path)) return ''
  seen.add(path)
  const text = headerText(path) ?? ''
  const includes = [...text.matchAll(/^\s*#\s*include\s*<((?:linux|drm)\/[\w./-]+)>/gm)]
  const before = includes.map(([, inner]) => withIncludes(inner as string, headerText, seen))
  return [...before, text].join('\n')
}

function sorted(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}
