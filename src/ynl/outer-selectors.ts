/** Sub-messages whose selector is not beside them but further out, as in tc's statistics. */
import type { AttributeSet, Spec } from './model.ts'

/** Names of selectors that `set` needs from the sets around it. */
export function freeSelectors(
  spec: Spec,
  set: AttributeSet,
  seen: ReadonlySet<string> = new Set(),
): Set<string> {
  const free = new Set<string>()
  if (seen.has(set.name)) return free
  const above = new Set([...seen, set.name])
  for (const { subMessage, selector, nested } of set.attributes) {
    if (subMessage && selector && !set.byName.has(selector.text)) free.add(selector.text)
    const inner = nested && spec.sets.get(nested.text)
    if (!inner) continue
    for (const each of freeSelectors(spec, inner, above)) if (!set.byName.has(each)) free.add(each)
  }
  return free
}

/** Values of `selector` for which an attribute in `set`, or further in, has a form. */
export function formatsOf(
  spec: Spec,
  set: AttributeSet,
  selector: string,
  seen: ReadonlySet<string> = new Set(),
): string[] {
  if (seen.has(set.name)) return []
  const above = new Set([...seen, set.name])
  const values = set.attributes.flatMap((attribute) => {
    const { subMessage, selector: own, nested } = attribute
    if (subMessage && own?.text === selector && !set.byName.has(selector))
      return (spec.subMessages.get(subMessage.text)?.formats ?? [])
        .filter(({ fixedHeader, set: of }) => fixedHeader ?? of)
        .map(({ value }) => value)
    const inner = nested && spec.sets.get(nested.text)
    return inner && !inner.byName.has(selector) ? formatsOf(spec, inner, selector, above) : []
  })
  return [...new Set(values)]
}
