/** Bits as words, and words as bits. */
import type { Enumeration } from './model.ts'

/** The names of the bits in `value`; what has no name follows as one number. */
export function flagWords(names: Enumeration, value: number | bigint): (string | number)[] {
  const bits = typeof value === 'bigint' ? 64 : 32
  let rest = BigInt.asUintN(bits, BigInt(value))
  const words: (string | number)[] = []
  for (const { name, value: bit } of names.entries) {
    const mask = 1n << BigInt(bit)
    if ((rest & mask) === 0n) continue
    words.push(name)
    rest &= ~mask
  }
  return rest === 0n ? words : [...words, Number(rest)]
}

/** The bit that `word` names, or the number that it is. */
export function flagBit(names: Enumeration, word: string): bigint | undefined {
  const plain = (text: string): string => text.replaceAll('_', '-').toLowerCase()
  const entry = names.entries.find(({ name }) => name === word || plain(name) === plain(word))
  if (entry) return 1n << BigInt(entry.value)
  return /^(\d+|0x[\da-f]+)$/i.test(word) ? BigInt(word) : undefined
}
