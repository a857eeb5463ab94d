/** A command line as words, as a shell splits it, without variables and globs. */
import { BusError } from '../bus/errors.ts'

/**
 * The words of `text`.
 * @throws BusError InvalidArgs when a quote is not closed, or there is no word.
 */
export function splitCommandLine(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (quote === "'" ? char === "'" : quote === '"' && char === '"') quote = ''
    else if (quote === "'") word += char
    else if (char === '\\' && at + 1 < text.length)
      word = (word ?? '') + escaped(text[++at]!, quote)
    else if (quote !== '') word += char
    else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === '#' && word === undefined) break
    else word = (word ?? '') + char
  }
  if (quote !== '') throw new BusError('InvalidArgs', 'Unclosed quotes in command line')
  if (word !== undefined) words.push(word)
  if (words.length === 0)
    throw new BusError('InvalidArgs', 'Text was empty (or contained only whitespace)')
  return words
}

/** Between double quotes a backslash stands for itself, before all but these. */
function escaped(char: string, quote: string): string {
  if (char === '\n') return ''
  return quote === '"' && !'"\\`$'.includes(char) ? `\\${char}` : char
}
