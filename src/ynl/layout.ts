/**
 * Text that fits into lines: groups that stand in one line where there is room and are broken where
 * there is not, as formatters of TypeScript do it.
 */

export type Doc =
  | string
  | { readonly kind: 'concat'; readonly parts: readonly Doc[] }
  /** A line break in a broken group; `flat` in one that is not. */
  | { readonly kind: 'line'; readonly flat: string; readonly isHard?: boolean }
  | { readonly kind: 'indent'; readonly of: Doc }
  | { readonly kind: 'group'; readonly of: Doc; readonly isBroken: boolean }
  /** Text that is there only in a broken group. */
  | { readonly kind: 'ifBroken'; readonly text: string }
  /** The first of several forms whose first line fits; the last if none does. */
  | { readonly kind: 'choice'; readonly forms: readonly Doc[] }

export const concat = (...parts: readonly Doc[]): Doc => ({ kind: 'concat', parts })
export const indent = (of: Doc): Doc => ({ kind: 'indent', of })
export const group = (of: Doc, isBroken = false): Doc => ({ kind: 'group', of, isBroken })
export const choice = (...forms: readonly Doc[]): Doc => ({ kind: 'choice', forms })
export const softline: Doc = { kind: 'line', flat: '' }
export const line: Doc = { kind: 'line', flat: ' ' }
export const hardline: Doc = { kind: 'line', flat: '', isHard: true }
export const ifBroken = (text: string): Doc => ({ kind: 'ifBroken', text })

export function join(parts: readonly Doc[], between: Doc): Doc {
  return concat(...parts.flatMap((part, i) => (i === 0 ? [part] : [between, part])))
}

/** Whether something in it breaks in any case. */
export function breaks(doc: Doc): boolean {
  if (typeof doc === 'string') return false
  switch (doc.kind) {
    case 'concat':
      return doc.parts.some(breaks)
    case 'line':
      return doc.isHard === true
    case 'indent':
      return breaks(doc.of)
    case 'group':
      return doc.isBroken || breaks(doc.of)
    case 'ifBroken':
      return false
    case 'choice':
      return breaks(doc.forms[0] as Doc)
  }
}

const WIDTH = 100
const STEP = '  '

interface Piece {
  readonly doc: Doc
  readonly depth: number
  readonly isFlat: boolean
}

/**
 * Whether what comes, up to the first break, has room in `room` columns; `rest` is what stands
 * behind it.
 */
function fits(first: Piece, rest: readonly Piece[], room: number, mustBeFlat: boolean): boolean {
  const stack: Piece[] = [first]
  let behind = rest.length
  let left = room
  while (left >= 0) {
    const piece = stack.pop() ?? (behind > 0 ? rest[--behind] : undefined)
    if (piece === undefined) return true
    const { doc, depth, isFlat } = piece
    if (typeof doc === 'string') left -= doc.length
    else if (doc.kind === 'concat')
      for (let i = doc.parts.length - 1; i >= 0; i--)
        stack.push({ doc: doc.parts[i] as Doc, depth, isFlat })
    else if (doc.kind === 'line') {
      if (doc.isHard || !isFlat) return !(mustBeFlat && doc.isHard)
      left -= doc.flat.length
    } else if (doc.kind === 'indent') stack.push({ doc: doc.of, depth, isFlat })
    else if (doc.kind === 'group')
      stack.push({ doc: doc.of, depth, isFlat: isFlat && !doc.isBroken })
    else if (doc.kind === 'choice')
      stack.push({ doc: (isFlat ? doc.forms[0] : doc.forms.at(-1)) as Doc, depth, isFlat })
    else if (!isFlat) left -= doc.text.length
  }
  return false
}

/** The text of `doc`. */
export function render(root: Doc): string {
  let out = ''
  let column = 0
  const stack: Piece[] = [{ doc: root, depth: 0, isFlat: false }]
  const write = (text: string): void => {
    out += text
    column += text.length
  }
  for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
    const { doc, depth, isFlat } = piece
    if (typeof doc === 'string') write(doc)
    else if (doc.kind === 'concat')
      for (let i = doc.parts.length - 1; i >= 0; i--)
        stack.push({ doc: doc.parts[i] as Doc, depth, isFlat })
    else if (doc.kind === 'line') {
      if (isFlat && !doc.isHard) write(doc.flat)
      else {
        out = `${out.trimEnd()}\n${STEP.repeat(depth)}`
        column = STEP.length * depth
      }
    } else if (doc.kind === 'indent') stack.push({ doc: doc.of, depth: depth + 1, isFlat })
    else if (doc.kind === 'group') {
      const flat = { doc: doc.of, depth, isFlat: true }
      const isOne = isFlat || (!breaks(doc) && fits(flat, stack, WIDTH - column, true))
      stack.push({ doc: doc.of, depth, isFlat: isOne })
    } else if (doc.kind === 'choice') stack.push(choose(doc.forms, depth, isFlat, stack, column))
    else if (!isFlat) write(doc.text)
  }
  return `${out.trimEnd()}\n`
}

function choose(
  forms: readonly Doc[],
  depth: number,
  isFlat: boolean,
  rest: readonly Piece[],
  column: number,
): Piece {
  for (const [i, doc] of forms.entries()) {
    const flat = i === 0 && !breaks(doc)
    const piece = { doc, depth, isFlat: flat || isFlat }
    if (isFlat || i === forms.length - 1) return piece
    if (fits(piece, rest, WIDTH - column, flat)) return piece
  }
  throw new RangeError('a choice of nothing')
}
