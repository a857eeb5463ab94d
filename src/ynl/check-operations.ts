/** Checks operations and groups: that the sets, attributes and groups that they name exist. */
import type { Checker } from './checker.ts'
import type { AttributeSet, Listing, Operation, Ref, Spec } from './model.ts'

/** The operation whose set and header a notification has, or itself. */
export function bodyOf(spec: Spec, operation: Operation): Operation {
  const { notify, set } = operation
  const of = notify && spec.operations.get(notify.text)
  return set === undefined && of && of !== operation
    ? bodyOf(spec, { ...of, notify: undefined })
    : operation
}

/** Linux's own lists name members of the header too, and what is not there at all. */
function checkListing(
  { spec, problems }: Checker,
  set: AttributeSet,
  header: Ref | undefined,
  listing: Listing | undefined,
): void {
  const struct = header && spec.definitions.get(header.text)
  const members = struct?.kind === 'struct' ? struct.members : []
  for (const ref of listing?.attributes ?? [])
    if (!set.byName.has(ref.text) && !members.some(({ name }) => name === ref.text))
      problems.warn(ref, `"${ref.text}" is not in the attribute set "${set.name}"`)
}

function checkGroup({ spec, problems }: Checker, ref: Ref | undefined): void {
  if (ref && !spec.groups.some(({ name }) => name === ref.text))
    problems.error(ref, `there is no group "${ref.text}"`)
}

function checkOperation(checker: Checker, operation: Operation): void {
  const { spec, problems } = checker
  const { notify, event, set: ref, name } = operation
  checker.struct(operation.fixedHeader)
  checkGroup(checker, operation.group)
  for (const flag of operation.flags)
    if (flag !== 'admin-perm' && flag !== 'uns-admin-perm')
      problems.warn(operation, `the flag "${flag}" is not known`)
  const isCall = operation.do !== undefined || operation.dump !== undefined
  if (notify && !spec.operations.has(notify.text)) {
    problems.error(notify, `there is no operation "${notify.text}"`)
    return
  }
  const set = checker.set(ref)
  if (!ref && (isCall || event)) problems.error(operation, `"${name}" has no "attribute-set"`)
  if (!set) return
  for (const part of [operation.do, operation.dump]) {
    checkListing(checker, set, operation.fixedHeader, part?.request)
    checkListing(checker, set, operation.fixedHeader, part?.reply)
  }
  checkListing(checker, set, operation.fixedHeader, event)
}

export function checkOperations(checker: Checker): void {
  const { spec, problems } = checker
  for (const operation of spec.operations.values()) checkOperation(checker, operation)
  if (spec.protocol !== 'netlink-raw') return
  for (const group of spec.groups)
    if (group.id === undefined)
      problems.warn(group, `the group "${group.name}" has no "value" and cannot be joined`)
}
