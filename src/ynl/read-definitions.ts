/** Definitions of a spec: constants, enumerations, flags, structs. */
import { addUnique, Fields } from './fields.ts'
import {
  ATTRIBUTE_TYPES,
  type Constant,
  type Definition,
  type EnumEntry,
  type Enumeration,
  type Payload,
  type StructDefinition,
} from './model.ts'
import type { Locatable, Problems } from './problem.ts'

const BYTE_ORDERS = ['little-endian', 'big-endian'] as const
const KINDS = ['const', 'enum', 'flags', 'struct'] as const
const HINTS = ['hex', 'mac', 'fddi', 'ipv4', 'ipv6', 'ipv4-or-v6', 'uuid'] as const

export function placeOf({ path, line, column }: Locatable): Locatable {
  return { path, line, column }
}

/** What attributes and members have in common; `type` is undefined where it is not said. */
export function readPayload(
  fields: Fields,
): Omit<Payload, 'type'> & { readonly type: Payload['type'] | undefined } {
  const order = fields.oneOf('byte-order', BYTE_ORDERS, 'byte order')
  const hint = fields.scalar('display-hint')
  if (hint && !HINTS.some((known) => known === hint.text))
    fields.problems.warn(hint, `the display hint "${hint.text}" is not known`)
  return {
    ...placeOf(fields.node),
    name: fields.name(),
    doc: fields.text('doc'),
    type: fields.oneOf('type', ATTRIBUTE_TYPES, 'type'),
    order,
    enum: fields.ref('enum'),
    enumAsFlags: fields.bool('enum-as-flags'),
    hint: hint?.text,
    struct: fields.ref('struct'),
    len: fields.ref('len'),
  }
}

function readConstant(fields: Fields, name: string): Constant {
  const node = fields.scalar('value')
  const { value } = node ?? {}
  if (node === undefined) fields.problems.error(fields.node, '"value" is missing')
  return {
    ...placeOf(fields.node),
    kind: 'const',
    name,
    doc: fields.text('doc'),
    value: typeof value === 'number' || typeof value === 'bigint' ? value : undefined,
    prefix: fields.text('name-prefix'),
    header: fields.text('header'),
  }
}

function readEntries(fields: Fields): EnumEntry[] {
  const start = fields.integer('value-start') ?? 0
  const entries = new Map<string, EnumEntry>()
  let next = start
  for (const item of fields.list('entries')?.items ?? []) {
    if (item.kind === 'list') {
      fields.problems.error(item, 'a name, or a mapping with one, expected')
      continue
    }
    const entry = item.kind === 'map' ? new Fields(item, fields.problems) : undefined
    const text = item.kind === 'scalar' ? item.text : ''
    const value = entry?.integer('value') ?? next
    const name = entry ? entry.name() : text
    addUnique(
      entries,
      { ...placeOf(item), name, doc: entry?.text('doc'), value },
      'entry',
      fields.problems,
    )
    entry?.done()
    next = value + 1
  }
  return [...entries.values()]
}

function readEnumeration(fields: Fields, name: string, kind: 'enum' | 'flags'): Enumeration {
  fields.ignore('enum-name', 'render-max', 'enum-cnt-name')
  const entries = readEntries(fields)
  for (const entry of entries) {
    if (kind === 'flags' && (entry.value < 0 || entry.value > 63))
      fields.problems.error(entry, `a flag is a bit from 0 to 63, not ${entry.value}`)
  }
  return {
    ...placeOf(fields.node),
    kind,
    name,
    doc: fields.text('doc'),
    prefix: fields.text('name-prefix'),
    header: fields.text('header'),
    entries,
  }
}

const MEMBER_TYPES = /^([us](8|16|32|64)|string|binary|pad)$/

function readStruct(fields: Fields, name: string): StructDefinition {
  fields.ignore('enum-name', 'header', 'name-prefix')
  const members = new Map<string, Payload>()
  for (const each of fields.maps('members')) {
    const { type, ...member } = readPayload(each)
    const { problems, node } = each
    if (type === undefined && !each.has('type')) problems.error(node, '"type" is missing')
    if (type !== undefined && !MEMBER_TYPES.test(type))
      problems.error(node, `a struct cannot have a member of type ${type}`)
    else if (type !== undefined) addUnique(members, { ...member, type }, 'member', problems)
    each.done()
  }
  return {
    ...placeOf(fields.node),
    kind: 'struct',
    name,
    doc: fields.text('doc'),
    members: [...members.values()],
  }
}

/** The `definitions` of a spec, by name. */
export function readDefinitions(top: Fields, problems: Problems): Map<string, Definition> {
  const definitions = new Map<string, Definition>()
  for (const fields of top.maps('definitions')) {
    const name = fields.name()
    const kind = fields.oneOf('type', KINDS, 'kind of definition')
    fields.ignore('scope')
    if (kind === undefined) {
      if (!fields.has('type')) problems.error(fields.node, '"type" is missing')
      continue
    }
    const definition =
      kind === 'const'
        ? readConstant(fields, name)
        : kind === 'struct'
          ? readStruct(fields, name)
          : readEnumeration(fields, name, kind)
    addUnique(definitions, definition, 'definition', problems)
    fields.done()
  }
  return definitions
}
