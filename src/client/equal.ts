/** Whether two plain values say the same: objects, arrays, bytes, and what is compared by ===. */

const nothing: ReadonlySet<string> = new Set()

type Members = Readonly<Record<string, unknown>>

/** Members that are undefined are absent. Those named in `ignored` are not looked at, at any depth. */
export function isEqual(a: unknown, b: unknown, ignored: ReadonlySet<string> = nothing): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || a instanceof Uint8Array) {
    const other = b as unknown[]
    return (
      Array.isArray(a) === Array.isArray(b) &&
      a.length === other.length &&
      a.every((item: unknown, i: number) => isEqual(item, other[i], ignored))
    )
  }
  return covers(a as Members, b as Members, ignored) && covers(b as Members, a as Members, ignored)
}

/** Whether `b` has all that `a` has. */
function covers(a: Members, b: Members, ignored: ReadonlySet<string>): boolean {
  for (const name in a)
    if (a[name] !== undefined && !ignored.has(name) && !isEqual(a[name], b[name], ignored))
      return false
  return true
}
