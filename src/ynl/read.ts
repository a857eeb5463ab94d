/** Reads a spec: YAML in, a checked model out. */
import { check } from './check.ts'
import { parseYaml } from './document.ts'
import { Fields } from './fields.ts'
import type { Protocol, Spec } from './model.ts'
import { type Problem, Problems, SpecError } from './problem.ts'
import { placeOf, readDefinitions } from './read-definitions.ts'
import { readGroups, readOperations } from './read-operations.ts'
import { readSets, readSubMessages } from './read-sets.ts'

const PROTOCOLS: readonly Protocol[] = [
  'genetlink',
  'genetlink-c',
  'genetlink-legacy',
  'netlink-raw',
]

/** Generic families have a header of their own name. */
function defaultHeader(protocol: Protocol, name: string): string | undefined {
  return protocol === 'netlink-raw' ? undefined : `linux/${name.replaceAll('-', '_')}.h`
}

function readTop(top: Fields, problems: Problems): Spec {
  const protocol = top.oneOf('protocol', PROTOCOLS, 'protocol') ?? 'genetlink'
  const name = top.name()
  const protonum = top.integer('protonum')
  if (protocol === 'netlink-raw' && protonum === undefined)
    problems.error(top.node, '"protonum" is missing: netlink-raw has a protocol of its own')
  for (const key of ['attribute-sets', 'operations'])
    if (!top.has(key)) problems.error(top.node, `"${key}" is missing`)
  const spec: Spec = {
    ...placeOf(top.node),
    name,
    doc: top.text('doc'),
    protocol,
    protonum: protonum ?? 0,
    version: top.integer('version') ?? 1,
    uapiHeader: top.text('uapi-header') ?? defaultHeader(protocol, name),
    definitions: readDefinitions(top, problems),
    sets: readSets(top, problems),
    subMessages: readSubMessages(top, problems),
    groups: readGroups(top, problems),
    ...(top.has('operations')
      ? readOperations(top, problems)
      : { operations: new Map(), commandPrefix: undefined, isDirectional: false }),
  }
  top.ignore('c-family-name', 'c-version-name', 'max-by-define', 'cmd-max-name', 'cmd-cnt-name')
  top.ignore('kernel-policy', 'kernel-family')
  top.done()
  return spec
}

/** A spec as far as it can be read, and all that is wrong with it. */
export function inspectSpec(text: string): {
  readonly spec: Spec | undefined
  readonly problems: readonly Problem[]
} {
  const problems = new Problems()
  try {
    const root = parseYaml(text)
    if (root.kind !== 'map') {
      problems.error(root, 'a spec is a mapping that begins with "name:"')
      return { spec: undefined, problems: problems.list }
    }
    const spec = readTop(new Fields(root, problems), problems)
    check(spec, problems)
    return { spec: problems.hasErrors ? undefined : spec, problems: problems.list }
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    return { spec: undefined, problems: [...problems.list, ...error.problems] }
  }
}

/**
 * Reads a spec of Linux's (`Documentation/netlink/specs`): genetlink, genetlink-c,
 * genetlink-legacy, netlink-raw.
 * @throws SpecError with everything that is wrong, each with its path, line and column.
 */
export function readSpec(text: string): Spec {
  const { spec, problems } = inspectSpec(text)
  if (spec) return spec
  throw new SpecError(problems.filter(({ severity }) => severity === 'error'))
}
