/** Options of filters, and what filters do, as tc(8) shows them. */
import type { Data } from './kind-rows.ts'
import { hexText } from './kind-rows.ts'
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'
import { showActions } from './tc-action-show.ts'

/** What a filter's options are told with. */
export interface FilterContext {
  /** Its number, as its kind means it. */
  readonly id: number
  readonly names: LinkNames
  readonly statistics: number
}

type ShowFilter = (p: Printer, data: Data, context: FilterContext) => void

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `1:10`, as tc(8) has classes. */
function classId(handle: number): string {
  if (handle === 0xffffffff) return 'root'
  if (handle === 0) return 'none'
  const [major, minor] = [handle >>> 16, handle & 0xffff]
  return `${major === 0 ? '' : major.toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

function flow(p: Printer, { classid }: Data): void {
  if (typeof classid === 'number') p.both('flowid', classId(classid), `flowid ${classId(classid)} `)
}

/** Where a filter is kept: TCA_CLS_FLAGS_*. */
const HARDWARE = [
  ['skip_hw', 1],
  ['skip_sw', 2],
] as const
const IN_HW = 4
const NOT_IN_HW = 8

function hardware(p: Printer, flags: unknown, word: (name: string) => string): void {
  if (typeof flags !== 'number') return
  for (const [name, bit] of HARDWARE) if (flags & bit) p.both(name, true, word(name))
  if (flags & IN_HW) p.both('in_hw', true, word('in_hw'))
  else if (flags & NOT_IN_HW) p.both('not_in_hw', true, word('not_in_hw'))
}

/** A node of u32's hash tables: table, bucket, node. */
function u32Handle(handle: number): string {
  if (handle === 0) return 'none'
  const [table, hash, node] = [handle >>> 20, (handle >>> 12) & 0xff, handle & 0xfff]
  return `${table ? `${table.toString(16)}:` : ''}${hash ? hash.toString(16) : ''}${node ? `:${node.toString(16)}` : ''}`
}

/** Bytes of tc_u32_sel in front of its keys, and of each key. */
const SELECTOR = 16
const KEY = 16
const TERMINAL = 1

function hex8(number: number): string {
  return number.toString(16).padStart(8, '0')
}

/** Keys: what stands where in a packet. */
function u32Keys(p: Printer, sel: Uint8Array, hits: DataView | undefined): void {
  const view = viewOf(sel)
  const count = sel[2] ?? 0
  for (let i = 0; i < count && SELECTOR + (i + 1) * KEY <= sel.length; i++) {
    const at = SELECTOR + i * KEY
    const [mask, value] = [view.getUint32(at), view.getUint32(at + 4)]
    const next = view.getInt32(at + 12, true) ? 'nexthdr+' : ''
    const off = view.getInt32(at + 8, true)
    p.open('match')
    p.line()
    p.both('value', value.toString(16), `  match ${hex8(value)}`)
    p.both('mask', mask.toString(16), `/${hex8(mask)} `)
    p.both('offmask', next, `at ${next}`)
    p.both('off', off, `${off}`)
    p.close()
    if (hits && 16 + (i + 1) * 8 <= hits.byteLength) {
      const success = hits.getBigUint64(16 + i * 8, true)
      p.both('success', success, ` (success ${success} ) `)
    }
  }
}

const u32: ShowFilter = (p, data, { id, names, statistics }) => {
  const { divisor, hash, sel, link, pcnt, indev, act } = data
  const selector = sel instanceof Uint8Array ? sel : undefined
  if (id) p.both('fh', u32Handle(id), `fh ${u32Handle(id)} `)
  if (id & 0xfff) p.both('order', id & 0xfff, `order ${id & 0xfff} `)
  if (divisor !== undefined) p.both('ht_divisor', divisor, `ht divisor ${divisor} `)
  else if (typeof hash === 'number') {
    const table = (hash >>> 20).toString(16)
    const bucket = ((hash >>> 12) & 0xff).toString(16)
    p.both('key_ht', table, `key ht ${table} `)
    p.both('bkt', bucket, `bkt ${bucket} `)
  }
  const isTerminal = ((selector?.[0] ?? 0) & TERMINAL) !== 0
  if (data.classid !== undefined) {
    if (isTerminal) p.text('*')
    flow(p, data)
  } else if (isTerminal) p.text('terminal flowid ')
  if (typeof link === 'number') p.both('link', u32Handle(link), `link ${u32Handle(link)} `)
  hardware(p, data.flags, (name) => `${name} `)
  const hits = statistics > 0 && pcnt instanceof Uint8Array ? viewOf(pcnt) : undefined
  if (hits && selector && hits.byteLength >= 16) {
    p.both('rule_hit', hits.getBigUint64(0, true), `(rule hit ${hits.getBigUint64(0, true)} `)
    p.both('success', hits.getBigUint64(8, true), `success ${hits.getBigUint64(8, true)})`)
  }
  if (selector) u32Keys(p, selector, hits)
  if (indev !== undefined) {
    p.line()
    p.both('input_dev', indev, `  input dev ${indev}`)
    p.line()
  }
  showActions(p, act, names, statistics)
}

/** Bytes of an instruction of classic BPF. */
const INSTRUCTION = 8
const DIRECT = 1

function instructions(p: Printer, ops: Uint8Array): void {
  const view = viewOf(ops)
  const count = Math.floor(ops.length / INSTRUCTION)
  if (count === 0) return
  p.open('bytecode')
  p.both('length', count, `bytecode '${count},`)
  p.openList('insns')
  for (let i = 0; i < count; i++) {
    const at = i * INSTRUCTION
    const code = view.getUint16(at, true)
    const [jt, jf] = [view.getUint8(at + 2), view.getUint8(at + 3)]
    const k = view.getUint32(at + 4, true)
    p.both(null, { code, jt, jf, k }, `${code} ${jt} ${jf} ${k}${i === count - 1 ? "'" : ','}`)
  }
  p.closeList()
  p.close()
}

const bpf: ShowFilter = (p, data, { id, names, statistics }) => {
  const { name, flags, ops, tag, act } = data
  if (id) p.both('handle', hexText(id), `handle ${hexText(id)} `)
  flow(p, data)
  if (name !== undefined) p.both('bpf_name', name, `${name} `)
  if (typeof flags === 'number' && flags & DIRECT) p.both('direct-action', true, 'direct-action ')
  hardware(p, data.flagsGen, (word) => `${word} `)
  if (ops instanceof Uint8Array) instructions(p, ops)
  if (data.id !== undefined) {
    p.open('prog')
    p.both('id', data.id, `id ${data.id} `)
    p.close()
  } else if (tag instanceof Uint8Array) {
    const digits = Buffer.from(tag).toString('hex')
    p.both('tag', digits, `tag ${digits} `)
  }
  showActions(p, act, names, statistics)
}

const matchall: ShowFilter = (p, data, { id, names, statistics }) => {
  if (id) p.both('handle', id, `handle 0x${id.toString(16)} `)
  flow(p, data)
  hardware(p, data.flags, (name) => `\n  ${name}`)
  if (statistics > 0 && data.pcnt instanceof Uint8Array && data.pcnt.length >= 8) {
    const hits = viewOf(data.pcnt).getBigUint64(0, true)
    p.both('rule_hit', hits, ` (rule hit ${hits})`)
  }
  showActions(p, data.act, names, statistics)
}

/** Kinds whose options tc(8) shows. */
export const FILTER_OPTIONS: Readonly<Record<string, ShowFilter>> = { bpf, matchall, u32 }
