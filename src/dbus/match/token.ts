/** Splits a match rule into its keys and values, with the reference's quoting. */

/** Keys that are read; the reference leaves what follows them unread. */
const MOST_TOKENS = 16
const BLANK = /[ \t\n\r]/

export interface Token {
  readonly key: string
  readonly value: string
}

/** The keys of `text` and their values, up to an empty key. `fail` throws. */
export function tokenize(text: string, fail: (message: string) => never): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length && tokens.length < MOST_TOKENS) {
    const key = readKey(text, at, fail)
    if (key === undefined) break
    const value = readValue(text, key.next, fail)
    tokens.push({ key: key.text, value: value.text })
    at = value.next
  }
  return tokens
}

interface Piece {
  readonly text: string
  /** Where reading goes on. */
  readonly next: number
}

function readKey(text: string, from: number, fail: (message: string) => never): Piece | undefined {
  const start = skipBlanks(text, from)
  let end = start
  while (end < text.length && text[end] !== '=' && !BLANK.test(text[end]!)) end++
  if (start === end) return undefined
  const equals = skipBlanks(text, end)
  if (text[equals] !== '=') fail("Match rule has a key with no subsequent '=' character")
  return { text: text.slice(start, end), next: equals + 1 }
}

/** Outside of quotes a backslash makes the apostrophe behind it a character; else it is one itself. */
function readValue(text: string, from: number, fail: (message: string) => never): Piece {
  let value = ''
  let quoted = false
  let at = from
  for (; at < text.length; at++) {
    const character = text[at]!
    if (character === "'") quoted = !quoted
    else if (quoted) value += character
    else if (character === ',') return { text: value, next: at + 1 }
    else if (character === '\\' && text[at + 1] === "'") value += text[++at]
    else value += character
  }
  if (quoted) fail('Unbalanced quotation marks in match rule')
  return { text: value, next: at }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && BLANK.test(text[at]!)) at++
  return at
}
