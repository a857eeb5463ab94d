/** Attribute sets, and the nests, arrays and sub-messages that lead from one to the next. */
import { constantName } from '../schema/index.ts'
import {
  array,
  call,
  type Entry,
  type Expression,
  literal,
  method,
  name,
  object,
  type Spelled,
} from './expression.ts'
import type { Attribute, AttributeSet, Format, Ref, SubMessage } from './model.ts'
import { camelCase, Names, sharedStart, upperCase, without } from './names.ts'
import { formatsOf, freeSelectors } from './outer-selectors.ts'
import type { Plan } from './plan.ts'
import { integer, integerOf, plain, spelledOf } from './plan-payload.ts'
import type { Structs } from './plan-struct.ts'

/** Sets of more attributes than this get an interface, as types of large sets are long. */
const FEW = 12
/** What a set is called that contains itself, where it refers back to itself. */
const LOOSE = 'AttrType<object, object>'

export class Sets {
  readonly #plan: Plan
  readonly #structs: Structs
  readonly #known = new Map<string, Expression>()
  /** The names of attributes, by set and by the spec's name. */
  readonly #keys = new Map<string, ReadonlyMap<string, string>>()
  /** Sets that are being declared, with the names that they will have. */
  readonly #open = new Map<string, string>()
  readonly #definitions = new Map<string, Expression>()
  readonly #formats = new Map<string, Expression>()

  constructor(plan: Plan, structs: Structs) {
    this.#plan = plan
    this.#structs = structs
  }

  /** The set's name in the file; a set that is not finished is referred to lazily. */
  nameOf(ref: { readonly text: string }): Expression {
    const set = this.#plan.spec.sets.get(ref.text) as AttributeSet
    const known = this.#known.get(set.name)
    if (known) return known
    const open = this.#open.get(set.name)
    if (open !== undefined) return call('lazy', { kind: 'later', type: LOOSE, value: name(open) })
    const base = without(camelCase(set.name), /(Attrs|Attributes|Attr)$/)
    const taken = this.#plan.names.take(`${base}Attrs`)
    this.#open.set(set.name, taken)
    const value = this.#isPlainPart(set) ? this.#part(set) : this.#own(set, taken)
    this.#open.delete(set.name)
    this.#plan.declarations.push({ name: taken, value, doc: set.doc, isExported: true })
    this.#known.set(set.name, name(taken))
    return name(taken)
  }

  /** What an attribute is called in the schema. */
  keyOf(set: AttributeSet, attribute: string): string {
    return this.#keysOf(set).get(attribute) as string
  }

  #keysOf(set: AttributeSet): ReadonlyMap<string, string> {
    const whole = set.subsetOf === undefined ? undefined : this.#plan.spec.sets.get(set.subsetOf)
    if (whole) return this.#keysOf(whole)
    let keys = this.#keys.get(set.name)
    if (!keys) {
      const names = new Names()
      const start = this.#start(set)
      const taken = (each: string): string => {
        const key = camelCase(each.slice(start.length))
        return names.take(key === 'unknown' ? 'unknownAttr' : key)
      }
      keys = new Map(set.attributes.map((each) => [each.name, taken(each.name)]))
      this.#keys.set(set.name, keys)
    }
    return keys
  }

  /** What the names of a set's attributes begin with in place of a prefix of the set's. */
  #start(set: AttributeSet): string {
    if (this.#plan.spec.protocol !== 'netlink-raw' || set.prefix !== undefined) return ''
    return sharedStart(set.attributes.filter(isSent).map((each) => each.name))
  }

  /** A whole that is being declared has this part inside: the part repeats what it has of it. */
  #isPlainPart({ subsetOf, isOwn }: AttributeSet): boolean {
    return subsetOf !== undefined && !isOwn && !this.#open.has(subsetOf)
  }

  /** Some attributes of another set. */
  #part(set: AttributeSet): Expression {
    const whole = this.nameOf({ text: set.subsetOf as string })
    const keys = set.attributes
      .filter(isSent)
      .map((attribute) => literal(this.keyOf(set, attribute.name)))
    return method(whole, 'only', ...keys)
  }

  #own(set: AttributeSet, taken: string): Expression {
    const entries = this.#entries(set)
    const isOpen = freeSelectors(this.#plan.spec, set).size > 0
    let definitions: Expression = object(entries)
    if (isOpen || entries.length > FEW) {
      const wanted = without(taken, /Attrs$/)
      const face = this.#plan.names.take(
        `${wanted.charAt(0).toUpperCase()}${wanted.slice(1)}Definitions`,
      )
      const declared = this.#plan.declare([`${wanted}Definitions`], definitions, {
        isExported: false,
        isConst: true,
        face,
      })
      this.#definitions.set(set.name, declared)
      definitions = { kind: 'as', value: declared, type: face }
    }
    return this.#attrs(set, definitions)
  }

  #attrs(set: AttributeSet, definitions: Expression): Expression {
    const spells = new Map<string, Spelled>()
    for (const attribute of set.attributes)
      spells.set(this.keyOf(set, attribute.name), spelledOf(this.#plan, attribute))
    const made = call('attrs', literal(upperCase(this.#prefixOf(set))), definitions)
    return { ...made, spells } as Expression
  }

  /** What the kernel's constants begin with: as the spec says, else as Linux's generator has it. */
  #prefixOf(set: AttributeSet): string {
    if (set.prefix !== undefined) return set.prefix
    const { name: family, protocol, sets } = this.#plan.spec
    const whole = set.subsetOf === undefined ? undefined : sets.get(set.subsetOf)
    if (whole) return this.#prefixOf(whole)
    if (protocol === 'netlink-raw') return this.#start(set)
    return set.name === family ? `${family}-a-` : `${family}-a-${set.name}-`
  }

  #entries(set: AttributeSet): Entry[] {
    return set.attributes.filter(isSent).map((attribute) => ({
      key: this.keyOf(set, attribute.name),
      doc: attribute.doc,
      value: this.#definition(set, attribute, this.#type(set, attribute)),
    }))
  }

  /** `[number, type]`, and the constant where it does not follow from the name. */
  #definition(set: AttributeSet, attribute: Attribute, type: Expression): Expression {
    const prefix = upperCase(this.#prefixOf(set))
    const start = upperCase(this.#start(set))
    const own = attribute.prefix === undefined ? prefix : upperCase(attribute.prefix)
    const constant = `${own}${upperCase(attribute.name).slice(start.length)}`
    const follows = constantName(prefix, this.keyOf(set, attribute.name)) === constant
    const items = [literal(attribute.id), type]
    return array(follows ? items : [...items, literal(constant)])
  }

  #type(set: AttributeSet, attribute: Attribute): Expression {
    const { type, nested, selector, typeValue } = attribute
    if (type === 'sub-message') {
      if (!set.byName.has(selector?.text as string)) return name('binary')
      const formats = this.#formatsOf(attribute.subMessage as Ref)
      return call('selected', literal(this.keyOf(set, selector?.text as string)), formats)
    }
    const of = nested && this.#plan.spec.sets.get(nested.text)
    const free = of ? [...freeSelectors(this.#plan.spec, of)] : []
    const outer = free.find((each) => set.byName.has(each))
    if (of && outer !== undefined) {
      const formats = this.#wholesOf(of, outer, attribute)
      const otherwise = this.#wrap(attribute, this.nameOf({ text: of.name }))
      return call('selected', literal(this.keyOf(set, outer)), formats, otherwise)
    }
    const inner = this.#wrap(attribute, nested ? this.nameOf(nested) : undefined)
    const isRepeated = attribute.isMulti || (typeValue && integerOf(type))
    return isRepeated ? call('multi', inner) : inner
  }

  /** A payload of which `nest` is the set inside, if there is one. */
  #wrap(attribute: Attribute, nest: Expression | undefined): Expression {
    const { type, subType, typeValue, struct } = attribute
    if (type === 'nest') return nest ?? call('attrs', literal(''), object([]))
    if (type === 'indexed-array') {
      if (subType === 'nest') return call('array', nest ?? call('attrs', literal(''), object([])))
      const of = { ...attribute, subType: undefined }
      return call('array', plain(this.#plan, subType ?? 'binary', of) ?? name('binary'))
    }
    const numbers = typeValue ?? []
    if (type === 'nest-type-value')
      return numbers.reduce((inner) => call('keyed', inner), nest ?? name('binary'))
    if (numbers.length > 0 && integerOf(type))
      return call('keyed', integer(this.#plan, type, attribute, attribute.checks))
    if (struct && type === 'binary') return this.#structs.nameOf(struct)
    return plain(this.#plan, type, attribute) ?? name('binary')
  }

  /** The forms of a sub-message, by the selector's value. */
  #formatsOf(ref: Ref): Expression {
    const known = this.#formats.get(ref.text)
    if (known) return known
    const { formats } = this.#plan.spec.subMessages.get(ref.text) as SubMessage
    const entries = formats.map((format) => ({ key: format.value, value: this.#form(format) }))
    // a set on the way may have declared them
    const built = this.#formats.get(ref.text)
    if (built) return built
    const declared = this.#plan.declare([camelCase(ref.text)], object(entries))
    this.#formats.set(ref.text, declared)
    return declared
  }

  #form({ fixedHeader, set }: Format): Expression {
    const attributes = set && this.nameOf(set)
    if (!fixedHeader) return attributes ?? call('attrs', literal(''), object([]))
    const header = this.#structs.nameOf(fixedHeader)
    return attributes ? call('embedded', call('message', header, attributes)) : header
  }

  /** The forms of a set in which an attribute's form depends on one further out. */
  #wholesOf(set: AttributeSet, selector: string, outer: Attribute): Expression {
    const key = `${set.name} ${selector} ${outer.type} ${outer.isMulti}`
    const known = this.#formats.get(key)
    if (known) return known
    this.nameOf({ text: set.name })
    const entries = formatsOf(this.#plan.spec, set, selector).map((value) => ({
      key: value,
      value: this.#wrap(outer, this.#whole(set, selector, value)),
    }))
    const base = without(camelCase(set.name), /(Attrs|Attributes|Attr)$/)
    const declared = this.#plan.declare(
      [`${base}By${camelCase(`x-${selector}`).slice(1)}`],
      object(entries),
    )
    this.#formats.set(key, declared)
    return declared
  }

  /** `set` as it is where the selector further out has `value`. */
  #whole(set: AttributeSet, selector: string, value: string): Expression {
    const { spec } = this.#plan
    const changed: Entry[] = set.attributes.flatMap((attribute) => {
      const { subMessage, nested, selector: own } = attribute
      const inner = nested && spec.sets.get(nested.text)
      let form: Expression | undefined
      if (subMessage && own?.text === selector) {
        const format = spec.subMessages.get(subMessage.text)?.formats.find((f) => f.value === value)
        form = format && this.#form(format)
      } else if (inner && freeSelectors(spec, inner).has(selector))
        form = this.#wrap(attribute, this.#whole(inner, selector, value))
      if (!form) return []
      const key = this.keyOf(set, attribute.name)
      return [{ key, value: this.#definition(set, attribute, form) }]
    })
    const all = this.#definitions.get(set.name) as Expression
    return this.#attrs(set, object([{ key: undefined, value: all }, ...changed]))
  }
}

/** Padding and numbers that nobody uses are no attributes that one can name. */
export function isSent({ type }: Attribute): boolean {
  return type !== 'pad' && type !== 'unused'
}
