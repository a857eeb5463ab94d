/** Did you mean: the known name that is nearest to one that is not. */

const MOST_EDITS = 2

/** `did you mean X?` of the nearest of `names`: two edits away at most, fewer than half the word. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.min(MOST_EDITS, Math.floor((name.length - 1) / 2)) + 1
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const edits = distance(name, candidate)
    if (edits === 0 || edits >= least) continue
    best = candidate
    least = edits
  }
  return best === undefined ? undefined : `did you mean ${best}?`
}

/** Edits between two words; two neighbours that changed places count as one (Damerau). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] as number) + 1)
      row.push(edits)
    }
    before = above
    above = row
  }
  return above[b.length] as number
}
