/** `ip -d link` of CAN controllers. */
import type { Data, Row } from './kind-rows.ts'
import type { Printer } from './printer.ts'

const MODES = [
  'LOOPBACK',
  'LISTEN-ONLY',
  'TRIPLE-SAMPLING',
  'ONE-SHOT',
  'BERR-REPORTING',
  'FD',
  'PRESUME-ACK',
  'FD-NON-ISO',
  'CC-LEN8-DLC',
  'TDC-AUTO',
  'TDC-MANUAL',
] as const
/** In the order in which ip(8) prints them. */
const ORDER = [0, 1, 2, 3, 4, 5, 7, 6, 8, 9, 10] as const

function modeNames(flags: number): string[] {
  const found: string[] = ORDER.filter((bit) => (flags >> bit) & 1).map((bit) => MODES[bit])
  if (flags >> MODES.length) found.push(((flags >> MODES.length) << MODES.length).toString(16))
  return found
}

function controlMode(p: Printer, { ctrlmode, ctrlmodeExt }: Data): void {
  const mode = ctrlmode as { flags: number } | undefined
  if (!mode) return
  const names = modeNames(mode.flags)
  if (names.length > 0) p.both('ctrlmode', names, `<${names.join(',')}> `)
  const supported = (ctrlmodeExt as { supported?: number } | undefined)?.supported
  if (supported === undefined) return
  if (supported) p.member('ctrlmode_supported', modeNames(supported))
  const fixed = mode.flags & ~supported
  if (fixed) p.member('ctrlmode_static', modeNames(fixed))
}

function state(p: Printer, data: Data): void {
  if (data.state === undefined) return
  const name =
    typeof data.state === 'number'
      ? 'UNKNOWN'
      : String(data.state).toUpperCase().replaceAll('_', '-')
  p.both('state', name, `state ${name} `)
}

function errorCounters(p: Printer, { berrCounter }: Data): void {
  const counters = berrCounter as { txerr: number; rxerr: number } | undefined
  if (!counters) return
  p.open('berr_counter')
  p.both('tx', counters.txerr, `(berr-counter tx ${counters.txerr}`)
  p.both('rx', counters.rxerr, ` rx ${counters.rxerr}) `)
  p.close()
}

function restart(p: Printer, { restartMs }: Data): void {
  if (restartMs !== undefined) p.both('restart_ms', restartMs, `restart-ms ${restartMs} `)
}

function indent(p: Printer): void {
  p.line()
  p.text('\t ')
}

interface Timing {
  readonly bitrate: number
  readonly samplePoint: number
  readonly tq: number
  readonly propSeg: number
  readonly phaseSeg1: number
  readonly phaseSeg2: number
  readonly sjw: number
  readonly brp: number
}

function timing(p: Printer, name: string, t: Timing, d: '' | 'd'): void {
  const sample = (t.samplePoint / 1000).toFixed(3)
  p.open(name)
  indent(p)
  p.both('bitrate', t.bitrate, ` ${d}bitrate ${t.bitrate}`)
  p.both('sample_point', sample, ` ${d}sample-point ${sample}`)
  indent(p)
  p.both('tq', t.tq, ` ${d}tq ${t.tq}`)
  p.both('prop_seg', t.propSeg, ` ${d}prop-seg ${t.propSeg}`)
  p.both('phase_seg1', t.phaseSeg1, ` ${d}phase-seg1 ${t.phaseSeg1}`)
  p.both('phase_seg2', t.phaseSeg2, ` ${d}phase-seg2 ${t.phaseSeg2}`)
  p.both('sjw', t.sjw, ` ${d}sjw ${t.sjw}`)
  p.both('brp', t.brp, ` ${d}brp ${t.brp}`)
}

function range(p: Printer, name: string, word: string, min: number, max: number): void {
  p.text(` ${word}`)
  p.open(name)
  p.both('min', min, ` ${min}`)
  p.both('max', max, `..${max}`)
  p.close()
}

interface TimingConst {
  readonly name: Uint8Array
  readonly tseg1Min: number
  readonly tseg1Max: number
  readonly tseg2Min: number
  readonly tseg2Max: number
  readonly sjwMax: number
  readonly brpMin: number
  readonly brpMax: number
  readonly brpInc: number
}

function timingConst(p: Printer, name: string, t: TimingConst, d: '' | 'd'): void {
  p.open(name)
  indent(p)
  const [title] = Buffer.from(t.name).toString('latin1').split('\0')
  p.both('name', title, ` ${title}:`)
  range(p, 'tseg1', `${d}tseg1`, t.tseg1Min, t.tseg1Max)
  range(p, 'tseg2', `${d}tseg2`, t.tseg2Min, t.tseg2Max)
  range(p, 'sjw', `${d}sjw`, 1, t.sjwMax)
  range(p, 'brp', `${d}brp`, t.brpMin, t.brpMax)
  p.both('brp_inc', t.brpInc, ` ${d}brp_inc ${t.brpInc}`)
}

const TDC = ['tdcv', 'tdco', 'tdcf'] as const
type Delay = Readonly<Record<string, number | undefined>>

function delay(p: Printer, tdc: Delay | undefined): void {
  if (!tdc || TDC.every((name) => tdc[name] === undefined)) return
  p.open('tdc')
  indent(p)
  for (const name of TDC)
    if (tdc[name] !== undefined) p.both(name, tdc[name], ` ${name} ${tdc[name]}`)
  p.close()
}

function delayConst(p: Printer, tdc: Delay | undefined): void {
  if (!tdc) return
  p.open('tdc')
  indent(p)
  for (const name of TDC) {
    const [min, max] = [tdc[`${name}Min`], tdc[`${name}Max`]]
    if (min !== undefined && max !== undefined) range(p, name, name, min, max)
  }
  p.close()
}

/** The rates that a controller can do, when it can do no others. */
function rates(
  p: Printer,
  names: readonly [string, string, string],
  list: readonly number[],
  rate: number,
): void {
  indent(p)
  p.both(names[0], rate, ` ${names[2]} ${rate}`)
  indent(p)
  p.member(names[1], list)
  p.text('    [')
  for (const [i, each] of list.entries()) {
    if (i > 0 && i % 6 === 0) {
      indent(p)
      p.text('     ')
    }
    p.text(`${String(each).padStart(8)}${i < list.length - 1 ? ', ' : ''}`)
  }
  p.text(' ]')
}

function arbitration(p: Printer, data: Data): void {
  const t = data.bittiming as Timing | undefined
  const list = data.bitrateConst as readonly number[] | undefined
  if (list) {
    rates(p, ['bittiming_bitrate', 'bitrate_const', 'bitrate'], list, t?.bitrate ?? 0)
    return
  }
  if (t) {
    timing(p, 'bittiming', t, '')
    p.close()
  }
  if (data.bittimingConst) {
    timingConst(p, 'bittiming_const', data.bittimingConst as TimingConst, '')
    p.close()
  }
}

function dataPhase(p: Printer, data: Data): void {
  const t = data.dataBittiming as Timing | undefined
  const list = data.dataBitrateConst as readonly number[] | undefined
  const tdc = data.tdc as Delay | undefined
  if (!list && t) {
    timing(p, 'data_bittiming', t, 'd')
    delay(p, tdc)
    p.close()
  }
  if (!list && data.dataBittimingConst) {
    timingConst(p, 'data_bittiming_const', data.dataBittimingConst as TimingConst, 'd')
    delayConst(p, tdc)
    p.close()
  }
  if (list)
    rates(p, ['data_bittiming_bitrate', 'data_bitrate_const', 'dbitrate'], list, t?.bitrate ?? 0)
}

function termination(p: Printer, data: Data): void {
  const possible = data.terminationConst as readonly number[] | undefined
  if (!possible || data.termination === undefined) return
  indent(p)
  p.both('termination', data.termination, ` termination ${data.termination} [ `)
  p.both('termination_const', possible, `${possible.join(', ')} ]`)
}

function clock(p: Printer, data: Data): void {
  const found = data.clock as { freq: number } | undefined
  if (!found) return
  indent(p)
  p.both('clock', found.freq, ` clock ${found.freq} `)
}

export const CAN: readonly Row[] = [
  controlMode,
  state,
  errorCounters,
  restart,
  arbitration,
  dataPhase,
  termination,
  clock,
]
