/** "Did you mean": the known name that is nearest to one that is not. */

/** Insertions, deletions, replacements and swaps of neighbours between `a` and `b`. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

/** The nearest of `known` within two changes, fewer than half of the word; the first of equals. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bound = Math.min(2, (word.length - 1) / 2)
  for (const name of known) {
    if (name === word || Math.abs(name.length - word.length) > bound) continue
    const steps = distance(word, name)
    if (steps > bound || (best !== undefined && steps === bound)) continue
    best = name
    bound = steps
  }
  return best
}

/** `did you mean X?`, or undefined. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const name = nearest(word, known)
  return name === undefined ? undefined : `did you mean ${name}?`
}
