/** Copies of decoded values: the members of one message's kind, by name. */
import { canCompile, type Fields } from './codec.ts'
import type { AnyMessage } from './message.ts'

/** Gives `to` what `from` has. */
export type Copier = (to: object, from: object) => void

/** A copier of all that `message` may have, but for the members in `without`. */
export function makeCopier(message: AnyMessage, without: ReadonlySet<string>): Copier {
  const header = message.header?.shape.fields.map(({ name }) => name) ?? []
  const all = [...header, ...(message.attrs?.selection.names ?? []), 'unknown', 'tail']
  const names = all.filter((name) => !without.has(name))
  if (canCompile()) {
    const copies = names.map((name) => `if (from.${name} !== undefined) to.${name} = from.${name};`)
    return new Function('to', 'from', copies.join('\n')) as Copier
  }
  return (to, from) => {
    for (const name of names) {
      const value = (from as Fields)[name]
      if (value !== undefined) (to as Fields)[name] = value
    }
  }
}
