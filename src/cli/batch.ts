/** Lines of a batch file as command lines: words, quotes, comments. */
import { UsageError } from './exit.ts'

/** A word: bare, in single quotes, in double quotes, or pieces of these joined. */
const WORD = /(?:[^\s'"#]|'[^']*'|"(?:[^"\\]|\\.)*")(?:[^\s'"]|'[^']*'|"(?:[^"\\]|\\.)*")*/y

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"/g, (_, single, double) =>
    single === undefined ? String(double).replace(/\\(.)/g, '$1') : String(single),
  )
}

/**
 * The words of `line`; none when it is empty or a comment. A leading `nlkit` is taken for a shell's.
 * @throws UsageError for a quote that is not closed.
 */
export function splitLine(line: string): string[] {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(line[at] ?? '')) at++
    if (at >= line.length || line[at] === '#') break
    WORD.lastIndex = at
    const found = WORD.exec(line)
    if (!found) throw new UsageError(`a quote is not closed: ${line.slice(at)}`)
    words.push(unquote(found[0]))
    at = WORD.lastIndex
  }
  return words[0] === 'nlkit' ? words.slice(1) : words
}
