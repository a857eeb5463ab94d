/** Messages as trees of text, for people: the kernel's constants, values, places; never an error. */
import { AttributeWalker } from '../wire/attribute.ts'
import { viewOf } from '../wire/message.ts'
import { HOST_LE } from '../wire/order.ts'
import { readSelectors } from './attrs.ts'
import { variantOf } from './closure.ts'
import type { Fields } from './codec.ts'
import type { Bitfield32 } from './integer.ts'
import type { AnyMessage } from './message.ts'
import type { AttrTable } from './table.ts'
import type { AnyType, Shape } from './type.ts'

/** One line of a tree, and what is below it. */
export interface TreeNode {
  /** The kernel's constant, a struct's name, or `[2]`. */
  readonly label: string
  /** The value as text; empty for nests. */
  readonly text: string
  /** Bytes from the start of the view that was described. */
  readonly start: number
  readonly end: number
  readonly children: readonly TreeNode[]
}

/** Bytes shown of a binary. */
const MAX_BYTES = 32

function hex(view: DataView, at: number, end: number): string {
  const shown = Math.min(end, at + MAX_BYTES)
  let text = ''
  for (let i = at; i < shown; i++) text += view.getUint8(i).toString(16).padStart(2, '0')
  return shown < end ? `${text}… (${end - at} bytes)` : text
}

type IntegerShape = Extract<Shape, { kind: 'integer' }>

function integerText(shape: IntegerShape, value: unknown): string {
  if (typeof value === 'bigint' && shape.names) return bigText(shape.names, shape.namesAre, value)
  if (typeof value !== 'number' || shape.names === undefined) return String(value)
  const names = Object.entries(shape.names)
  if (shape.namesAre !== 'bits') {
    const name = names.find(([, number]) => number === value)?.[0]
    return name === undefined ? String(value) : name.toLowerCase()
  }
  return bitsText(names, value >>> 0)
}

/** Numbers of 64 bits; bits beyond the names are in the rest. */
function bigText(
  names: Readonly<Record<string, number>>,
  are: IntegerShape['namesAre'],
  value: bigint,
): string {
  const entries = Object.entries(names)
  if (are !== 'bits') {
    const name = entries.find(([, number]) => BigInt(number) === value)?.[0]
    return name === undefined ? String(value) : name.toLowerCase()
  }
  let rest = value
  const set: string[] = []
  for (const [name, number] of entries) {
    const bit = BigInt(number)
    if (bit <= 0n || (rest & bit) !== bit) continue
    set.push(name)
    rest &= ~bit
  }
  if (rest !== 0n || set.length === 0) set.push(rest === 0n ? '0' : `0x${rest.toString(16)}`)
  return set.join('|')
}

function bitsText(names: readonly (readonly [string, number])[], bits: number): string {
  let rest = bits
  if (rest === 0xffffffff) return '0xffffffff'
  const set: string[] = []
  for (const [name, bit] of names) {
    if (bit === 0 || (rest & bit) >>> 0 !== bit >>> 0) continue
    set.push(name)
    rest = (rest & ~bit) >>> 0
  }
  if (rest !== 0 || set.length === 0) set.push(rest === 0 ? '0' : `0x${rest.toString(16)}`)
  return set.join('|')
}

/** A decoded value in one line. */
function valueText(type: AnyType, value: unknown): string {
  const { shape } = type
  if (shape.kind === 'integer') return integerText(shape, value)
  if (shape.kind === 'string') return JSON.stringify(value)
  if (shape.kind === 'bitfield32' && shape.names) {
    const { value: on, selector } = value as Bitfield32
    const names = Object.entries(shape.names)
    return `value=${bitsText(names, on)} selector=${bitsText(names, selector)}`
  }
  if (shape.kind === 'struct') return fieldsText(shape, value as Fields)
  if (shape.kind === 'followed') {
    const { head, name, rest } = shape
    return `${valueText(head, value)} ${name}=${valueText(rest, (value as Fields)[name])}`
  }
  if (value instanceof Uint8Array) return hex(viewOf(value), 0, value.length)
  if (Array.isArray(value)) {
    const of = shape.kind === 'list' ? shape.of : undefined
    return value.map((item) => (of ? valueText(of, item) : String(item))).join(' ')
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, part]) => `${key}=${part}`)
      .join(' ')
  }
  return value === true ? '' : String(value)
}

/** Members that are zero and have no name for it are left out. */
function fieldsText(shape: Extract<Shape, { kind: 'struct' }>, value: Fields): string {
  const parts: string[] = []
  for (const { name, type } of shape.fields) {
    const text = valueText(type, value[name])
    if (text !== '0') parts.push(`${name}=${text}`)
  }
  return parts.join(' ')
}

const leaf = (label: string, text: string, start: number, end: number): TreeNode => ({
  label,
  text,
  start,
  end,
  children: [],
})

/** What cannot be read is shown as bytes, with the reason. */
function broken(label: string, view: DataView, start: number, end: number, why: unknown): TreeNode {
  const reason = why instanceof Error ? why.message : String(why)
  return leaf(label, `${hex(view, start, end)} (${reason})`, start, end)
}

type Place = { readonly label: string; readonly start: number; readonly end: number }

function describeNumbered(of: AnyType, view: DataView, at: number, end: number): TreeNode[] {
  const walker = new AttributeWalker(view, at, end)
  const nodes: TreeNode[] = []
  while (walker.next()) {
    const place = { label: `[${walker.type}]`, start: walker.start, end: walker.end }
    nodes.push(describeType(of, view, walker.payload, walker.end, place))
  }
  return nodes
}

function describeRecords(of: AnyMessage, view: DataView, at: number, end: number): TreeNode[] {
  const nodes: TreeNode[] = []
  while (end - at >= 4) {
    const length = view.getUint16(at, HOST_LE)
    if (length < 4 || length > end - at) break
    nodes.push(...describeMessage(of, view, at, at + length))
    at += (length + 3) & ~3
  }
  return nodes
}

/** A payload as a line and its children. */
function describeType(
  type: AnyType,
  view: DataView,
  at: number,
  end: number,
  place: Place,
): TreeNode {
  const { shape } = type
  const node = (text: string, children: readonly TreeNode[]): TreeNode => ({
    ...place,
    text,
    children,
  })
  try {
    switch (shape.kind) {
      case 'nest':
        return node('', describeAttributes(shape.table, {}, view, at, end))
      case 'array':
      case 'keyed':
        return node('', describeNumbered(shape.of, view, at, end))
      case 'multi':
        return describeType(shape.of, view, at, end, place)
      case 'message':
        return node('', describeMessage(shape.of, view, at, end))
      case 'records':
        return node('', describeRecords(shape.of, view, at, end))
      default:
        return node(valueText(type, type.get(view, at, end)), [])
    }
  } catch (error) {
    return broken(place.label, view, place.start, place.end, error)
  }
}

function describeAttributes(
  table: AttrTable,
  owner: Fields,
  view: DataView,
  at: number,
  end: number,
): TreeNode[] {
  const nodes: TreeNode[] = []
  const seen = readSelectors(table, owner, view, at, end)
  const walker = new AttributeWalker(view, at, end)
  try {
    while (walker.next()) {
      const { start, payload, end: stop } = walker
      const entry = table.byId.get(walker.type)
      const label = entry?.constant ?? `#${walker.type}`
      let type: AnyType | undefined
      try {
        type = entry && variantOf(entry.type, seen)
      } catch {
        type = undefined
      }
      nodes.push(
        type
          ? describeType(type, view, payload, stop, { label, start, end: stop })
          : leaf(label, hex(view, payload, stop), start, stop),
      )
    }
    if (walker.leftover > 0) {
      const from = end - walker.leftover
      nodes.push(leaf('leftover', hex(view, from, end), from, end))
    }
  } catch (error) {
    const from = nodes.at(-1)?.end ?? at
    nodes.push(broken('malformed', view, Math.min(end, (from + 3) & ~3), end, error))
  }
  return nodes
}

/** A message's header with its attributes below it, or the attributes alone. */
export function describeMessage(
  message: AnyMessage,
  view: DataView,
  at: number,
  end: number,
): TreeNode[] {
  const { header, attrs } = message
  const behind = header ? Math.min(end, at + ((header.size + 3) & ~3)) : at
  let fields: Fields = {}
  const table = attrs?.shape.table
  if (!header) return table ? describeAttributes(table, fields, view, behind, end) : []
  if (end - at < header.size) {
    return [leaf(header.shape.name, `${hex(view, at, end)} (cut short)`, at, end)]
  }
  fields = header.get(view, at, at + header.size) as Fields
  return [
    {
      label: header.shape.name,
      text: fieldsText(header.shape, fields),
      start: at,
      end: behind,
      children: table ? describeAttributes(table, fields, view, behind, end) : [],
    },
  ]
}

/** The tree as lines, with the bytes of each attribute at the right. */
export function renderTree(nodes: readonly TreeNode[], indent = ''): string[] {
  const lines: string[] = []
  const width = Math.max(0, ...nodes.map(({ label }) => label.length))
  nodes.forEach((node, i) => {
    const last = i === nodes.length - 1
    const name =
      node.text === '' || node.children.length > 0 ? node.label : node.label.padEnd(width)
    const line = `${indent}${last ? '└' : '├'} ${name}${node.text === '' ? '' : ` ${node.text}`}`
    lines.push(`${line.padEnd(60)} [${node.start}..${node.end}]`)
    lines.push(...renderTree(node.children, `${indent}${last ? ' ' : '│'} `))
  })
  return lines
}
