/** Checks what a spec's parts say of each other: that what they name exists, and ends somewhere. */
import { checkOperations } from './check-operations.ts'
import { Checker } from './checker.ts'
import { limitOf } from './limits.ts'
import type { Attribute, AttributeSet, Ref, Spec, StructDefinition } from './model.ts'
import type { Problems } from './problem.ts'

function checkStruct(checker: Checker, struct: StructDefinition): void {
  for (const member of struct.members) {
    checker.payload(member)
    const { type, len, struct: inner } = member
    if (!len && (type === 'pad' || type === 'string' || (type === 'binary' && !inner)))
      checker.problems.error(member, `a member of type ${type} needs a "len"`)
    const length = len && limitOf(checker.spec, len)
    if (len && length !== undefined && (length < 0n || length > 65535n))
      checker.problems.error(len, `a length of ${length} bytes`)
  }
}

/** Structs inside themselves have no size. */
function checkCycles(checker: Checker): void {
  const done = new Set<string>()
  const visit = (struct: StructDefinition, above: readonly string[]): void => {
    if (done.has(struct.name)) return
    const path = [...above, struct.name]
    for (const { struct: ref } of struct.members) {
      const inner = ref && checker.spec.definitions.get(ref.text)
      if (inner?.kind !== 'struct') continue
      if (path.includes(inner.name)) {
        const circle = [...path.slice(path.indexOf(inner.name)), inner.name].join(' > ')
        checker.problems.error(ref as Ref, `a struct that contains itself: ${circle}`)
      } else visit(inner, path)
    }
    done.add(struct.name)
  }
  for (const definition of checker.spec.definitions.values())
    if (definition.kind === 'struct') visit(definition, [])
}

/** Names of attributes beside which `set` may stand, in sets that nest it however deep. */
function outerNames(spec: Spec, set: AttributeSet, seen: Set<string>): Set<string> {
  const names = new Set<string>()
  if (seen.has(set.name)) return names
  seen.add(set.name)
  for (const outer of spec.sets.values()) {
    if (!outer.attributes.some(({ nested }) => nested?.text === set.name)) continue
    for (const name of [...outer.byName.keys(), ...outerNames(spec, outer, seen)]) names.add(name)
  }
  return names
}

function checkSelector(checker: Checker, set: AttributeSet, attribute: Attribute): void {
  const { spec, problems } = checker
  const { subMessage, selector, name } = attribute
  if (!subMessage) problems.error(attribute, `"${name}" does not say which "sub-message" it is`)
  else if (!spec.subMessages.has(subMessage.text))
    problems.error(subMessage, `there is no sub-message "${subMessage.text}"`)
  if (!selector) problems.error(attribute, `"${name}" has no "selector"`)
  else if (!set.byName.has(selector.text) && !outerNames(spec, set, new Set()).has(selector.text))
    problems.error(
      selector,
      `"${selector.text}" is an attribute neither of "${set.name}" nor of a set around it`,
    )
}

function checkAttribute(checker: Checker, set: AttributeSet, attribute: Attribute): void {
  const { problems } = checker
  const { type, nested, subType, name, checks } = attribute
  checker.payload(attribute)
  checker.set(nested)
  const needsNest = type === 'nest' || (type === 'indexed-array' && subType === 'nest')
  if (needsNest && !nested) problems.warn(attribute, `"${name}" has no "nested-attributes"`)
  if (type === 'indexed-array' && subType === undefined)
    problems.error(attribute, `"${name}" has no "sub-type"`)
  if (type === 'nest-type-value' && !attribute.typeValue?.length)
    problems.error(attribute, `"${name}" has no "type-value"`)
  if (type === 'sub-message') checkSelector(checker, set, attribute)
  const { unterminatedOk: _, 'flags-mask': mask, ...limits } = checks
  for (const limit of Object.values(limits)) checker.limit(limit)
  if (mask && checker.spec.definitions.get(mask.text)?.kind !== 'flags') checker.limit(mask)
}

/** Tells `problems` what does not fit together. */
export function check(spec: Spec, problems: Problems): void {
  const checker = new Checker(spec, problems)
  if (spec.protocol !== 'netlink-raw' && (spec.name.length === 0 || spec.name.length > 15))
    problems.error(spec, `"${spec.name}": a family's name has 1 to 15 characters`)
  for (const definition of spec.definitions.values())
    if (definition.kind === 'struct') checkStruct(checker, definition)
  checkCycles(checker)
  for (const set of spec.sets.values())
    for (const attribute of set.attributes) checkAttribute(checker, set, attribute)
  for (const { formats } of spec.subMessages.values()) {
    for (const { set, fixedHeader } of formats) {
      checker.set(set)
      checker.struct(fixedHeader)
    }
  }
  checkOperations(checker)
}
