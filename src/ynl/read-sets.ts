/** Attribute sets and sub-messages of a spec. */
import { addUnique, type Fields } from './fields.ts'
import {
  ATTRIBUTE_TYPES,
  type Attribute,
  type AttributeSet,
  type Checks,
  type Format,
  type SubMessage,
} from './model.ts'
import type { Problems } from './problem.ts'
import { placeOf, readPayload } from './read-definitions.ts'

const LIMITS = ['min', 'max', 'min-len', 'max-len', 'exact-len', 'flags-mask'] as const

function readChecks(fields: Fields | undefined): Checks {
  if (!fields) return { unterminatedOk: false }
  const limits = LIMITS.flatMap((key) => {
    const ref = fields.ref(key)
    return ref ? [[key, ref] as const] : []
  })
  const unterminatedOk = fields.bool('unterminated-ok')
  fields.ignore('sparse')
  fields.done()
  return { ...Object.fromEntries(limits), unterminatedOk }
}

/** An attribute, with the number that it has if it does not say one. */
type Read = Omit<Attribute, 'type' | 'id'> & {
  readonly type: Attribute['type'] | undefined
  readonly value: number | undefined
}

function readAttribute(fields: Fields): Read {
  const read: Read = {
    ...readPayload(fields),
    value: fields.integer('value'),
    prefix: fields.text('name-prefix'),
    isMulti: fields.bool('multi-attr'),
    nested: fields.ref('nested-attributes'),
    subType: fields.oneOf('sub-type', ATTRIBUTE_TYPES, 'type'),
    typeValue: fields.refs('type-value')?.map(({ text }) => text),
    subMessage: fields.ref('sub-message'),
    selector: fields.ref('selector'),
    checks: readChecks(fields.map('checks')),
  }
  fields.ignore('global-policy')
  fields.done()
  return read
}

/** What a part's attribute says beside its name, over what the whole set says of it. */
function override(whole: Attribute, { type, value: _, ...part }: Read): Attribute {
  const said = Object.entries(part).filter(
    ([key, each]) =>
      each !== undefined && each !== false && !['checks', 'path', 'line', 'column'].includes(key),
  )
  const { checks } = part
  const hasChecks = Object.keys(checks).length > 1 || checks.unterminatedOk
  return {
    ...whole,
    ...(Object.fromEntries(said) as Partial<Attribute>),
    ...(type === undefined ? {} : { type }),
    ...(hasChecks ? { checks } : {}),
    ...placeOf(part),
  }
}

class SetReader {
  readonly #problems: Problems
  readonly #sets: Map<string, AttributeSet>
  constructor(problems: Problems, sets: Map<string, AttributeSet>) {
    this.#problems = problems
    this.#sets = sets
  }

  read(fields: Fields): AttributeSet {
    const subsetOf = fields.ref('subset-of')
    const whole = subsetOf && this.#sets.get(subsetOf.text)
    if (subsetOf && !whole)
      this.#problems.error(subsetOf, `there is no attribute set "${subsetOf.text}" before this one`)
    fields.ignore('enum-name', 'attr-cnt-name', 'attr-max-name', 'header')
    const byName = new Map<string, Attribute>()
    const byId = new Map<number, Attribute>()
    let isOwn = whole === undefined
    let next = 1
    for (const each of fields.maps('attributes')) {
      const read = readAttribute(each)
      const attribute = whole ? this.#part(whole, read) : this.#own(read, next, each)
      if (!attribute) continue
      if (whole && Object.keys(Object.fromEntries(each.node.entries)).some(saysMore)) isOwn = true
      next = attribute.id + 1
      if (whole && byName.has(attribute.name)) {
        this.#problems.warn(read, `"${attribute.name}" is named twice`)
        continue
      }
      addUnique(byName, attribute, 'attribute', this.#problems)
      this.#checkId(byId, attribute)
    }
    const set = {
      ...placeOf(fields.node),
      name: fields.name(),
      doc: fields.text('doc'),
      prefix: fields.text('name-prefix') ?? whole?.prefix,
      subsetOf: whole?.name,
      isOwn,
      attributes: [...byName.values()],
      byName,
    }
    fields.done()
    return set
  }

  #own({ value, type, ...read }: Read, next: number, fields: Fields): Attribute | undefined {
    if (type === undefined) {
      if (!fields.has('type')) this.#problems.error(read, '"type" is missing')
      return undefined
    }
    return { ...read, type, id: value ?? next }
  }

  #part(whole: AttributeSet, read: Read): Attribute | undefined {
    const attribute = whole.byName.get(read.name)
    if (attribute) return override(attribute, read)
    this.#problems.error(read, `"${read.name}" is not in the attribute set "${whole.name}"`)
    return undefined
  }

  #checkId(byId: Map<number, Attribute>, attribute: Attribute): void {
    const { id, name, type } = attribute
    if (type === 'unused') return
    if (id < 0 || id > 0x3fff)
      this.#problems.error(attribute, `an attribute's number is 0 to 16383, not ${id}`)
    const rival = byId.get(id)
    if (rival && rival.name !== name)
      this.#problems.error(attribute, `"${name}" and "${rival.name}" are both ${id}`)
    byId.set(id, attribute)
  }
}

/** Keys of a part's attribute that change how it reads. */
const saysMore = (key: string): boolean => !['name', 'doc', 'value'].includes(key)

/** The `attribute-sets` of a spec, by name. */
export function readSets(top: Fields, problems: Problems): Map<string, AttributeSet> {
  const sets = new Map<string, AttributeSet>()
  const reader = new SetReader(problems, sets)
  for (const fields of top.maps('attribute-sets'))
    addUnique(sets, reader.read(fields), 'attribute set', problems)
  return sets
}

function readFormat(fields: Fields): Format {
  const value = fields.ref('value')
  if (!value) fields.problems.error(fields.node, '"value" is missing')
  const format = {
    ...placeOf(fields.node),
    value: value?.text ?? '?',
    fixedHeader: fields.ref('fixed-header'),
    set: fields.ref('attribute-set'),
  }
  fields.done()
  return format
}

/** The `sub-messages` of a spec, by name. */
export function readSubMessages(top: Fields, problems: Problems): Map<string, SubMessage> {
  const found = new Map<string, SubMessage>()
  for (const fields of top.maps('sub-messages')) {
    const formats = new Map<string, Format & { readonly name: string }>()
    for (const each of fields.maps('formats')) {
      const format = readFormat(each)
      addUnique(formats, { ...format, name: format.value }, 'format', problems)
    }
    const place = placeOf(fields.node)
    const message = { ...place, name: fields.name(), formats: [...formats.values()] }
    addUnique(found, message, 'sub-message', problems)
    fields.done()
  }
  return found
}
