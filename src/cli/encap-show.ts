/** Light-weight tunnels of routes and next hops, as ip(8) shows them. */
import { formatIpv6 } from '../schema/index.ts'
import { type Data, hexText } from './kind-rows.ts'
import type { LinkNames } from './link-names.ts'
import { TABLES } from './names.ts'
import type { Printer } from './printer.ts'

type Show = (p: Printer, data: Data, names: LinkNames, statistics: number) => void

function plain(p: Printer, name: string, value: unknown, words = `${name} ${value} `): void {
  if (value !== undefined) p.both(name, value, words)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Bytes of the fixed part of a segment routing header. */
const SRH = 8
const SEGMENT = 16
const HMAC_FLAG = 0x08

/** Segments, the last one first as they are visited, and the id of a key. */
function segments(p: Printer, bytes: Uint8Array, from: number): void {
  const view = viewOf(bytes)
  if (bytes.length < from + SRH) return
  const last = view.getUint8(from + 4)
  const found: string[] = []
  for (let i = last; i >= 0; i--) {
    const at = from + SRH + i * SEGMENT
    if (at + SEGMENT <= bytes.length) found.push(formatIpv6(view, at))
  }
  p.both('segs', found, `segs ${last + 1} [ ${found.map((each) => `${each} `).join('')}] `)
  if ((view.getUint8(from + 5) & HMAC_FLAG) === 0) return
  const key = from + ((view.getUint8(from + 1) + 1) << 3) - 40 + 4
  if (key + 4 > bytes.length) return
  const id = view.getUint32(key)
  p.both('hmac', hexText(id), `hmac ${id.toString(16).toUpperCase()} `)
}

const SEG6_MODES = ['inline', 'encap', 'l2encap', 'encap.red', 'l2encap.red'] as const

function seg6(p: Printer, { srh }: Data): void {
  if (!(srh instanceof Uint8Array) || srh.length < 4) return
  const mode = viewOf(srh).getInt32(0, true)
  plain(p, 'mode', SEG6_MODES[mode] ?? '<unknown>')
  segments(p, srh, 4)
}

const ACTIONS = [
  '<unknown>',
  'End',
  'End.X',
  'End.T',
  'End.DX2',
  'End.DX6',
  'End.DX4',
  'End.DT6',
  'End.DT4',
  'End.B6',
  'End.B6.Encaps',
  'End.BM',
  'End.S',
  'End.AS',
  'End.AM',
  'End.BPF',
  'End.DT46',
] as const
const FLAVORS = [undefined, 'psp', 'usp', 'usd', 'next-csid'] as const

function flavors(p: Printer, data: Data): void {
  const { operation, lcblockBits, lcnodeFnBits } = data as Record<string, number | undefined>
  if (operation !== undefined) {
    const names = FLAVORS.filter((name, bit) => name !== undefined && (operation >> bit) & 1)
    p.both('flavors', names, `flavors ${names.join(',')} `)
  }
  plain(p, 'lblen', lcblockBits)
  plain(p, 'nflen', lcnodeFnBits)
}

function counters(p: Printer, data: Data): void {
  const { packets = 0n, bytes = 0n, errors = 0n } = data
  p.member('stats64', { packets, bytes, errors })
  p.text(`packets ${packets} bytes ${bytes} errors ${errors} `)
}

function seg6Local(p: Printer, data: Data, names: LinkNames, statistics: number): void {
  const { action, srh, table, vrftable, nh4, nh6, iif, oif } = data
  if (typeof action !== 'number') return
  plain(p, 'action', ACTIONS[action] ?? '<unknown>')
  if (srh instanceof Uint8Array) {
    p.open('srh')
    segments(p, srh, 0)
    p.close()
  }
  if (typeof table === 'number') plain(p, 'table', TABLES.name(table))
  if (typeof vrftable === 'number') plain(p, 'vrftable', TABLES.name(vrftable))
  plain(p, 'nh4', nh4)
  plain(p, 'nh6', nh6)
  if (typeof iif === 'number') plain(p, 'iif', names.name(iif))
  if (typeof oif === 'number') plain(p, 'oif', names.name(oif))
  if (data.bpf) program(p, 'endpoint', (data.bpf as Data).progName)
  if (data.counters && statistics > 0) counters(p, data.counters as Data)
  if (data.flavors) flavors(p, data.flavors as Data)
}

function program(p: Printer, name: string, title: unknown): void {
  p.both(name, title ?? '<unknown>', `${name} ${title === undefined ? '' : `${title} `}`)
}

function rpl(p: Printer, { srh }: Data): void {
  if (!(srh instanceof Uint8Array) || srh.length < 4) return
  const left = srh[3]!
  const view = viewOf(srh)
  const found: string[] = []
  for (let i = left - 1; i >= 0; i--) {
    const at = SRH + i * SEGMENT
    if (at + SEGMENT <= srh.length) found.push(formatIpv6(view, at))
  }
  p.both('segs', found, `segs ${left} [ ${found.map((each) => `${each} `).join('')}] `)
}

function ioam6(p: Printer, data: Data): void {
  const { mode, dst, trace, freqK, freqN } = data
  if (mode === undefined || !(trace instanceof Uint8Array) || freqK === undefined) return
  p.both('freqk', freqK, `freq ${freqK}`)
  p.both('freqn', freqN, `/${freqN} `)
  if (dst === undefined && mode !== 'inline') return
  plain(p, 'mode', mode)
  if (mode !== 'inline') plain(p, 'tundst', dst)
  if (trace.length < 8) return
  const view = viewOf(trace)
  const type = view.getUint32(4) >>> 8
  p.both('trace', null, 'trace ')
  p.both('prealloc', null, 'prealloc ')
  p.both('type', type.toString(16), `type 0x${type.toString(16).padStart(6, '0')} `)
  plain(p, 'ns', view.getUint16(0))
  plain(p, 'size', (view.getUint8(3) & 0x7f) * 4)
}

function mpls(p: Printer, { dst, ttl }: Data): void {
  plain(p, 'dst', dst, ` ${dst} `)
  plain(p, 'ttl', ttl)
}

/** TUNNEL_KEY and kin. */
const FLAGS = [
  ['key', 0x0004],
  ['csum', 0x0001],
  ['seq', 0x0008],
] as const

function tunnelFlags(p: Printer, flags: unknown): void {
  if (typeof flags !== 'number') return
  for (const [name, bit] of FLAGS) if (flags & bit) p.both(name, true, `${name} `)
}

/** Options of Geneve: class, type, data, each 20 bytes of attributes and its data. */
function geneveOptions(p: Printer, bytes: Uint8Array): void {
  const view = viewOf(bytes)
  p.line()
  p.text('\tgeneve_opts ')
  p.openList('geneve_opts')
  for (let at = 0; at + 20 <= bytes.length; ) {
    const length = view.getUint16(at + 16, true) - 4
    if (length < 0 || at + 20 + length > bytes.length) break
    const data = Buffer.from(bytes.subarray(at + 20, at + 20 + length)).toString('hex')
    const option = { class: view.getUint16(at + 4), type: view.getUint8(at + 12), data }
    at += 20 + length
    p.both(null, option, `${option.class}:${option.type}:${data}${at < bytes.length ? ',' : ' '}`)
  }
  p.closeList()
}

function erspanOptions(p: Printer, data: Data): void {
  const { ver = 0, index = 0, dir = 0, hwid = 0 } = data as Record<string, number>
  const option = ver === 1 ? { ver, index, dir: 0, hwid: 0 } : { ver, index: 0, dir, hwid }
  p.line()
  p.text('\terspan_opts ')
  p.both('erspan_opts', [option], `${ver}:${option.index}:${option.dir}:${option.hwid} `)
}

function options(p: Printer, opts: unknown): void {
  const { geneve, vxlan, erspan } = (opts ?? {}) as {
    geneve?: Uint8Array
    vxlan?: { gbp?: number }
    erspan?: Data
  }
  if (geneve) geneveOptions(p, geneve)
  else if (vxlan) {
    p.line()
    p.text('\tvxlan_opts ')
    p.both('vxlan_opts', [{ gbp: vxlan.gbp ?? 0 }], `${vxlan.gbp ?? 0} `)
  } else if (erspan) erspanOptions(p, erspan)
}

function ip(p: Printer, { id, src, dst, ttl, tos, flags, opts }: Data): void {
  plain(p, 'id', id)
  plain(p, 'src', src)
  plain(p, 'dst', dst)
  plain(p, 'ttl', ttl)
  plain(p, 'tos', tos)
  tunnelFlags(p, flags)
  options(p, opts)
}

function ip6(p: Printer, { id, src, dst, hoplimit, tc, flags, opts }: Data): void {
  plain(p, 'id', id)
  plain(p, 'src', src)
  plain(p, 'dst', dst)
  plain(p, 'hoplimit', hoplimit)
  plain(p, 'tc', tc)
  tunnelFlags(p, flags)
  options(p, opts)
}

const CSUM_MODES = ['adj-transport', 'neutral-map', 'no-action', 'neutral-map-auto'] as const
const HOOKS = ['input', 'output'] as const
const IDENTS: Readonly<Record<number, string>> = { 1: 'luid', 32: 'use-format' }

function ila(p: Printer, data: Data): void {
  const { locator, csumMode, identType, hookType } = data
  if (typeof locator === 'bigint') {
    const text = locator
      .toString(16)
      .padStart(16, '0')
      .match(/.{4}/g)!
      .map((part) => Number.parseInt(part, 16).toString(16))
      .join(':')
    p.both('locator', text, ` ${text} `)
  }
  const named = (name: string, word: string, value: string | undefined) =>
    p.both(name, value ?? 'unknown', ` ${word} ${value ?? 'unknown'} `)
  if (typeof csumMode === 'number') named('csum_mode', 'csum-mode', CSUM_MODES[csumMode])
  if (typeof identType === 'number') named('ident_type', 'ident-type', IDENTS[identType])
  if (typeof hookType === 'number') named('hook_type', 'hook-type', HOOKS[hookType])
}

function bpf(p: Printer, data: Data): void {
  for (const name of ['in', 'out', 'xmit'])
    if (data[name]) program(p, name, (data[name] as Data).name)
  if (data.xmitHeadroom !== undefined)
    p.both('headroom', data.xmitHeadroom, ` ${data.xmitHeadroom} `)
}

function xfrm(p: Printer, { ifId, link }: Data, names: LinkNames): void {
  plain(p, 'if_id', ifId)
  if (typeof link === 'number') plain(p, 'link_dev', names.name(link))
}

const SHOW: Readonly<Record<string, Show>> = {
  mpls,
  ip,
  ila,
  ip6,
  seg6,
  bpf,
  seg6_local: seg6Local,
  rpl,
  ioam6,
  xfrm,
}
/** iproute2's own words. */
const WORDS: Readonly<Record<string, string>> = { seg6_local: 'seg6local' }

/** What a route or a next hop puts around its packets. */
export function showEncap(
  p: Printer,
  { encap, encapType }: { readonly encap?: unknown; readonly encapType?: string | number },
  names: LinkNames,
  statistics = 0,
): void {
  if (encap === undefined || encapType === undefined) return
  const word = typeof encapType === 'number' ? 'unknown' : (WORDS[encapType] ?? encapType)
  p.both('encap', word, ` encap ${word} `)
  SHOW[encapType]?.(p, encap as Data, names, statistics)
}
