/** Numbers drawn from a seed: the same seed, the same numbers. */

export interface Random {
  /** An integer from 0 to `end - 1`. */
  below(end: number): number
  pick<T>(items: readonly T[]): T
  /** True once in `n` times. */
  onceIn(n: number): boolean
}

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const below = (end: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % end
  }
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    onceIn: (n) => below(n) === 0,
  }
}
