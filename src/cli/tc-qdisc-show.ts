/** Options of queueing disciplines and of their classes, as tc(8) shows them. */
import type { Data } from './kind-rows.ts'
import { hexText } from './kind-rows.ts'
import type { Printer } from './printer.ts'
import { fromTicks, rateText, sizeText, timeText, transmitted } from './tc-units.ts'

export type ShowOptions = (p: Printer, data: Data, details: boolean) => void

function number(data: Data, member: string): number | undefined {
  const found = data[member]
  return found === undefined ? undefined : Number(found)
}

type Unit = 'packets' | 'size' | 'time' | 'rate' | 'plain'
const TEXTS: Readonly<Record<Unit, (value: number) => string>> = {
  packets: (value) => `${value}p`,
  size: sizeText,
  time: timeText,
  rate: rateText,
  plain: String,
}

/** `word VALUE `, in a unit. */
function row(p: Printer, data: Data, member: string, name: string, unit: Unit): void {
  const value = number(data, member)
  if (value !== undefined) p.both(name, value, `${name} ${TEXTS[unit](value)} `)
}

const fifo =
  (unit: Unit): ShowOptions =>
  (p, data) => {
    const limit = number(data, 'limit') ?? 0
    p.both('limit', limit, `limit ${TEXTS[unit](limit)}`)
  }

const prio: ShowOptions = (p, { bands, priomap }) => {
  if (!(priomap instanceof Uint8Array)) return
  const map = [...priomap]
  p.both('bands', bands, `bands ${bands} `)
  p.both('priomap', map, `priomap${map.map((band) => ` ${band}`).join('')}`)
  p.member('multiqueue', false)
}

interface Rate {
  readonly cellLog: number
  readonly linklayer: number
  readonly overhead: number
  readonly mpu: number
  readonly rate: number
}

const LINK_LAYERS = ['', 'ethernet', 'atm'] as const

function linkLayer(p: Printer, { linklayer }: Rate, details: boolean, isText: boolean): void {
  const layer = linklayer & 15
  const name = LINK_LAYERS[layer] || 'unspec'
  if (layer <= 1 && !details) return
  if (isText) p.text(`linklayer ${name} `)
  else p.both('linklayer', name, `linklayer ${name} `)
}

/** A burst: in detail with the size of a cell and the least that a packet counts. */
function burst(p: Printer, name: string, bytes: number, rate: Rate, details: boolean): void {
  const size = Math.trunc(bytes)
  if (!details) {
    p.both(name, size, `${name} ${sizeText(size)} `)
    return
  }
  const text = `${sizeText(size)}/${1 << rate.cellLog}`
  p.both(name, text, `${name} ${text} `)
  p.both('mpu', rate.mpu, `mpu ${sizeText(rate.mpu)} `)
}

interface TokenBucket {
  readonly rate: Rate
  readonly peakrate: Rate
  readonly limit: number
  readonly buffer: number
  readonly mtu: number
}

const tbf: ShowOptions = (p, data, details) => {
  const parms = data.parms as TokenBucket | undefined
  if (!parms) return
  const rate = Number(data.rate64 ?? parms.rate.rate)
  const peak = Number(data.prate64 ?? parms.peakrate.rate)
  p.both('rate', rate, `rate ${rateText(rate)} `)
  burst(p, 'burst', transmitted(rate, parms.buffer), parms.rate, details)
  if (peak) {
    p.text(`peakrate ${rateText(peak)} `)
    if (parms.mtu || parms.peakrate.mpu)
      burst(p, details ? 'mtu' : 'minburst', transmitted(peak, parms.mtu), parms.peakrate, details)
  }
  const wait = (of: number, ticks: number) => 1e6 * (parms.limit / of) - fromTicks(ticks)
  const latency = Math.max(wait(rate, parms.buffer), peak ? wait(peak, parms.mtu) : -Infinity)
  if (latency >= 0) p.both('lat', Math.trunc(latency), `lat ${timeText(latency)} `)
  else p.both('limit', parms.limit, `limit ${sizeText(parms.limit)} `)
  if (parms.rate.overhead)
    p.both('overhead', parms.rate.overhead, `overhead ${parms.rate.overhead} `)
  linkLayer(p, parms.rate, details, false)
}

interface HtbClass {
  readonly rate: Rate
  readonly ceil: Rate
  readonly buffer: number
  readonly cbuffer: number
  readonly quantum: number
  readonly level: number
  readonly prio: number
}

function htbClass(p: Printer, data: Data, parms: HtbClass, details: boolean): void {
  if (parms.level === 0) {
    p.both('prio', parms.prio, `prio ${parms.prio} `)
    if (details) p.both('quantum', parms.quantum, `quantum ${parms.quantum} `)
  }
  const rate = Number(data.rate64 ?? parms.rate.rate)
  const ceil = Number(data.ceil64 ?? parms.ceil.rate)
  const [own, most] = [transmitted(rate, parms.buffer), transmitted(ceil, parms.cbuffer)].map(
    Math.trunc,
  )
  const { overhead } = parms.rate
  p.both('rate', rate, `rate ${rateText(rate)} ${overhead ? `overhead ${overhead} ` : ''}`)
  p.both('ceil', ceil, `ceil ${rateText(ceil)} `)
  linkLayer(p, parms.rate, details, true)
  p.member('burst', own)
  p.member('cburst', most)
  if (!details) {
    p.text(`burst ${sizeText(own!)} cburst ${sizeText(most!)} `)
    return
  }
  const cell = (size: number, of: Rate) =>
    `${sizeText(size)}/${1 << of.cellLog} mpu ${sizeText(of.mpu)} `
  p.text(`burst ${cell(own!, parms.rate)}cburst ${cell(most!, parms.ceil)}level ${parms.level} `)
}

const htb: ShowOptions = (p, data, details) => {
  const parms = data.parms as HtbClass | undefined
  const init = data.init as
    | { version: number; rate2quantum: number; defcls: number; directPkts: number }
    | undefined
  if (parms) htbClass(p, data, parms, details)
  if (init) {
    p.both('r2q', init.rate2quantum, `r2q ${init.rate2quantum}`)
    p.both('default', hexText(init.defcls), ` default ${hexText(init.defcls)}`)
    p.both('direct_packets_stat', init.directPkts, ` direct_packets_stat ${init.directPkts}`)
    if (details) {
      const version = `${init.version >>> 16}.${init.version & 0xffff}`
      p.both('ver', version, ` ver ${version}`)
    }
  }
  if (data.directQlen !== undefined)
    p.both('direct_qlen', data.directQlen, ` direct_qlen ${data.directQlen}`)
  if (data.offload) p.both('offload', null, ' offload')
}

function ecn(p: Printer, data: Data): void {
  if (data.ecn) p.both('ecn', true, 'ecn ')
}

const codel: ShowOptions = (p, data) => {
  row(p, data, 'limit', 'limit', 'packets')
  row(p, data, 'target', 'target', 'time')
  row(p, data, 'ceThreshold', 'ce_threshold', 'time')
  row(p, data, 'interval', 'interval', 'time')
  ecn(p, data)
}

const fqCodel: ShowOptions = (p, data) => {
  row(p, data, 'limit', 'limit', 'packets')
  row(p, data, 'flows', 'flows', 'plain')
  row(p, data, 'quantum', 'quantum', 'plain')
  row(p, data, 'target', 'target', 'time')
  row(p, data, 'ceThreshold', 'ce_threshold', 'time')
  const selector = number(data, 'ceThresholdSelector') ?? 0
  const mask = number(data, 'ceThresholdMask') ?? 0
  if (selector || mask) {
    p.both('ce_threshold_selector', selector, `ce_threshold_selector ${hexText(selector)}`)
    p.both('ce_threshold_mask', mask, `/${hexText(mask)} `)
  }
  row(p, data, 'interval', 'interval', 'time')
  row(p, data, 'memoryLimit', 'memory_limit', 'size')
  ecn(p, data)
  if (data.dropBatchSize) row(p, data, 'dropBatchSize', 'drop_batch', 'plain')
}

const fq: ShowOptions = (p, data) => {
  row(p, data, 'plimit', 'limit', 'packets')
  row(p, data, 'flowPlimit', 'flow_limit', 'packets')
  const log = number(data, 'bucketsLog')
  if (log !== undefined) p.both('buckets', 2 ** log, `buckets ${2 ** log} `)
  row(p, data, 'orphanMask', 'orphan_mask', 'plain')
  if (data.rateEnable === 0) p.both('pacing', false, 'nopacing ')
  row(p, data, 'quantum', 'quantum', 'size')
  row(p, data, 'initialQuantum', 'initial_quantum', 'size')
  if (data.flowMaxRate !== 0xffffffff) row(p, data, 'flowMaxRate', 'maxrate', 'rate')
  if (data.flowDefaultRate) row(p, data, 'flowDefaultRate', 'defrate', 'rate')
  if (data.lowRateThreshold) row(p, data, 'lowRateThreshold', 'low_rate_threshold', 'rate')
  row(p, data, 'flowRefillDelay', 'refill_delay', 'time')
  if (data.ceThreshold !== 0xffffffff) row(p, data, 'ceThreshold', 'ce_threshold', 'time')
  const slack = number(data, 'timerSlack')
  if (slack !== undefined)
    p.both(
      'timer_slack',
      slack,
      `timer_slack ${slack >= 1000 ? timeText(slack / 1000) : `${slack}ns`} `,
    )
  row(p, data, 'horizon', 'horizon', 'time')
  if (data.horizonDrop !== undefined) {
    const word = data.horizonDrop ? 'horizon_drop' : 'horizon_cap'
    p.both(word, null, `${word} `)
  }
}

const sfq: ShowOptions = (p, data, details) => {
  const { tail, perturbPeriod } = data
  const more = tail instanceof Uint8Array ? new DataView(tail.buffer, tail.byteOffset) : undefined
  row(p, data, 'limit', 'limit', 'packets')
  row(p, data, 'quantum', 'quantum', 'size')
  const depth = more?.getUint32(0, true)
  if (depth) p.both('depth', depth, `depth ${depth} `)
  if (more?.getUint32(4, true)) p.both('headdrop', true, 'headdrop ')
  if (details) row(p, data, 'flows', 'flows', 'plain')
  row(p, data, 'divisor', 'divisor', 'plain')
  if (perturbPeriod) p.both('perturb', perturbPeriod, `perturb ${perturbPeriod}sec `)
}

const drr: ShowOptions = (p, data) => row(p, data, 'quantum', 'quantum', 'size')

/** Behind what has no options of its own. */
const ingress: ShowOptions = (p) => p.text('---------------- ')

/** Kinds whose options tc(8) shows. */
export const QDISC_OPTIONS: Readonly<Record<string, ShowOptions>> = {
  bfifo: fifo('size'),
  codel,
  drr,
  fq,
  fq_codel: fqCodel,
  htb,
  ingress,
  pfifo: fifo('packets'),
  pfifo_fast: prio,
  pfifo_head_drop: fifo('packets'),
  prio,
  sfq,
  tbf,
}
