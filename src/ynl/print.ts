/** Declarations as a family file, in nlkit's style: as its formatter would leave it. */
import * as wire from '../wire/constants.ts'
import type { Declaration, Entry, Expression } from './expression.ts'
import {
  breaks,
  choice,
  concat,
  type Doc,
  group,
  hardline,
  ifBroken,
  indent,
  join,
  line,
  render,
  softline,
} from './layout.ts'
import type { Spec } from './model.ts'

const WIDTH = 100

function quote(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  if (!text.includes("'")) return `'${escaped}'`
  if (!text.includes('"')) return `"${escaped}"`
  return `'${escaped.replaceAll("'", "\\'")}'`
}

function number(value: number): string {
  const isBit = value >= 1024 && Number.isInteger(Math.log2(value))
  return isBit || value === 0xffffffff ? `0x${value.toString(16)}` : String(value)
}

function literalText(value: string | number | bigint): string {
  if (typeof value === 'string') return quote(value)
  return typeof value === 'bigint' ? `${value}n` : number(value)
}

/** Words in lines of at most `width`; paragraphs stay apart. */
function wrap(text: string, width: number): string[] {
  const paragraphs = text
    .replaceAll('*/', '* /')
    .trim()
    .split(/\n\s*\n/)
  return paragraphs.flatMap((paragraph, i) => {
    const lines: string[] = i === 0 ? [''] : ['', '']
    for (const word of paragraph.split(/\s+/)) {
      const last = lines.at(-1) as string
      if (last !== '' && last.length + 1 + word.length > width) lines.push(word)
      else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
    }
    return lines
  })
}

/** A comment in front of something that stands `depth` steps in. */
function comment(doc: string | undefined, depth: number): Doc[] {
  if (doc === undefined || doc.trim() === '') return []
  const room = WIDTH - 2 * depth
  const whole = wrap(doc, Number.POSITIVE_INFINITY)
  if (whole.length === 1 && (whole[0] as string).length <= room - 7)
    return [`/** ${whole[0]} */`, hardline]
  const lines = wrap(doc, Math.max(30, room - 3))
  return [
    '/**',
    ...lines.flatMap((each) => [hardline, each === '' ? ' *' : ` * ${each}`]),
    hardline,
    ' */',
    hardline,
  ]
}

function property({ key, value, doc }: Entry, depth: number): Doc {
  if (key === undefined) return concat('...', print(value, depth))
  const word = /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key)
  if (value.kind === 'name' && value.name === word) return concat(...comment(doc, depth), word)
  return concat(...comment(doc, depth), `${word}: `, print(value, depth))
}

/** Broken where there are comments, or objects with several things in them. */
function isOpen(entries: readonly Entry[]): boolean {
  return entries.some(({ doc, value }) => {
    if (doc !== undefined && doc.trim() !== '') return true
    return value.kind === 'object' && value.entries.length > 2
  })
}

function printObject(entries: readonly Entry[], depth: number, mustBreak = false): Doc {
  if (entries.length === 0) return '{}'
  const inner = entries.map((entry) => property(entry, depth + 1))
  const body = indent(concat(line, join(inner, concat(',', line))))
  const isBroken = mustBreak || isOpen(entries)
  return group(concat('{', body, ifBroken(','), line, '}'), isBroken)
}

function printArray(items: readonly Expression[], depth: number): Doc {
  if (items.length === 0) return '[]'
  const body = join(
    items.map((item) => print(item, depth + 1)),
    concat(',', line),
  )
  return group(concat('[', indent(concat(softline, body)), ifBroken(','), softline, ']'))
}

/** Whether it may stand open behind a call's other arguments. */
const canHug = (last: Expression | undefined): boolean =>
  (last?.kind === 'object' && last.entries.length > 0) ||
  (last?.kind === 'array' && last.items.length > 0)

function printArguments(args: readonly Expression[], depth: number): Doc {
  if (args.length === 0) return '()'
  const docs = args.map((arg) => print(arg, depth + 1))
  const list = join(docs, concat(',', line))
  const apart = (isBroken: boolean): Doc =>
    group(concat('(', indent(concat(softline, list)), ifBroken(','), softline, ')'), isBroken)
  const last = args.at(-1)
  if (!canHug(last) || args.at(-2)?.kind === last?.kind) return apart(false)
  const head = docs.slice(0, -1)
  const tail = print(last as Expression, depth)
  const flat = concat('(', join([...head, tail], ', '), ')')
  const open = last?.kind === 'object' ? printObject(last.entries, depth, true) : broken(tail)
  const hugged = concat('(', join([...head, open], ', '), ')')
  return breaks(tail) ? choice(hugged, apart(true)) : choice(flat, hugged, apart(true))
}

function broken(doc: Doc): Doc {
  return typeof doc !== 'string' && doc.kind === 'group' ? group(doc.of, true) : doc
}

function print(expression: Expression, depth: number): Doc {
  switch (expression.kind) {
    case 'name':
      return expression.name
    case 'literal':
      return literalText(expression.value)
    case 'array':
      return printArray(expression.items, depth)
    case 'object':
      return printObject(expression.entries, depth)
    case 'member':
      return concat(print(expression.of, depth), `.${expression.name}`)
    case 'later':
      return concat(`(): ${expression.type} => `, print(expression.value, depth))
    case 'as':
      return concat(print(expression.value, depth), ` as ${expression.type}`)
    case 'call':
      return concat(print(expression.callee, depth), printArguments(expression.args, depth))
  }
}

function printDeclaration(declaration: Declaration): string {
  const { name, doc, value, isExported, isConst, face } = declaration
  const start = `${isExported ? 'export ' : ''}const ${name} = `
  const end = isConst ? ' as const' : ''
  const lines = [concat(...comment(doc, 0), start, print(value, 0), end)]
  if (face !== undefined) {
    const head = `export interface ${face}`
    const rest = `extends Readonly<typeof ${name}> {}`
    const isOne = head.length + 1 + rest.length <= WIDTH
    lines.push(isOne ? `${head} ${rest}` : concat(head, indent(concat(hardline, rest))))
  }
  return render(join(lines, hardline))
}

/** Names that an expression takes from elsewhere. */
function collect(expression: Expression, found: Set<string>): void {
  switch (expression.kind) {
    case 'name':
      found.add(expression.name)
      return
    case 'literal':
      return
    case 'array':
      for (const item of expression.items) collect(item, found)
      return
    case 'object':
      for (const { value } of expression.entries) collect(value, found)
      return
    case 'member':
      collect(expression.of, found)
      return
    case 'later':
      found.add('type AttrType')
      collect(expression.value, found)
      return
    case 'as':
      collect(expression.value, found)
      return
    case 'call':
      collect(expression.callee, found)
      for (const arg of expression.args) collect(arg, found)
  }
}

/** Letters first, each upper-case one before its lower-case one; numbers by their values. */
function compareNames(a: string, b: string): number {
  const parts = (name: string): string[] => name.match(/\d+|\D/g) ?? []
  const others = parts(b)
  for (const [i, part] of parts(a).entries()) {
    const other = others[i]
    if (other === undefined) return 1
    if (part === other) continue
    if (/\d/.test(part) && /\d/.test(other)) return Number(part) - Number(other)
    const order = part.toLowerCase().localeCompare(other.toLowerCase(), 'en')
    return order === 0 ? (part < other ? -1 : 1) : order
  }
  return -1
}

function printImport(names: readonly string[], from: string): string {
  if (names.length === 0) return ''
  const bare = (name: string): string => name.replace('type ', '')
  const sorted = [...names].sort((a, b) => compareNames(bare(a), bare(b)))
  const list = indent(concat(line, join(sorted, concat(',', line))))
  return render(
    concat('import ', group(concat('{', list, ifBroken(','), line, '}')), ` from '${from}'`),
  )
}

function printImports(declarations: readonly Declaration[]): string {
  const found = new Set<string>()
  for (const { value } of declarations) collect(value, found)
  const declared = new Set(declarations.map(({ name }) => name))
  const foreign = [...found].filter((name) => !declared.has(name))
  return (
    printImport(
      foreign.filter((name) => !(name in wire)),
      'nlkit/schema',
    ) +
    printImport(
      foreign.filter((name) => name in wire),
      'nlkit/wire',
    )
  )
}

/** Constants stand together, the rest apart. */
function isSmall({ value, doc }: Declaration): boolean {
  return value.kind === 'literal' && (doc === undefined || doc.trim() === '')
}

/** The text of a family file. */
export function printFamily(spec: Spec, declarations: readonly Declaration[]): string {
  const about = spec.doc?.trim() || 'a netlink family.'
  const kernel = spec.uapiHeader === undefined ? '' : `\n\nKernel: include/uapi/${spec.uapiHeader}.`
  const head = `${spec.name}: ${about}${kernel}`
  let text = render(concat(...comment(head, 0)))
  text += printImports(declarations)
  let before: Declaration | undefined
  for (const declaration of declarations) {
    const isTogether = before !== undefined && isSmall(before) && isSmall(declaration)
    text += `${isTogether ? '' : '\n'}${printDeclaration(declaration)}`
    before = declaration
  }
  return text
}
