/** What filters do with packets, as tc(8) shows it. */
import type { Data } from './kind-rows.ts'
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'
import { type Counters, showCounters } from './tc-stats-show.ts'

const CONTROLS: Readonly<Record<number, string>> = {
  [-1]: 'continue',
  0: 'pass',
  1: 'reclassify',
  2: 'drop',
  3: 'pipe',
  4: 'stolen',
  7: 'redirect',
  8: 'trap',
}
/** The action's upper bits: a jump over actions, or to a chain. */
const JUMP = 0x1
const GOTO = 0x2

function control(p: Printer, action: number, prefix: string, suffix = ''): void {
  const extended = action >>> 28
  const value = action & 0x0fffffff
  const word =
    extended === GOTO ? 'goto' : extended === JUMP ? 'jump' : (CONTROLS[action] ?? `[${action}]`)
  p.text(prefix)
  p.open('control_action')
  p.both('type', word, word)
  if (extended === GOTO) p.both('chain', value, ` chain ${value}`)
  if (extended === JUMP) p.both('jump', value, ` ${value}`)
  p.close()
  p.text(suffix)
}

/** Hundredths of a second, as whole ones. */
const TIMES = [
  ['install', 'installed', 'installed'],
  ['lastuse', 'last_used', 'used'],
  ['firstuse', 'first_used', 'firstused'],
  ['expires', 'expires', 'expires'],
] as const

function times(p: Printer, tm: unknown): void {
  const all = tm as Readonly<Record<string, bigint>> | undefined
  for (const [member, name, word] of all ? TIMES : []) {
    const ago = all![member] ?? 0n
    if (ago !== 0n) p.both(name, ago / 100n, ` ${word} ${ago / 100n} sec`)
  }
}

interface Generic {
  readonly index: number
  readonly action: number
  readonly refcnt: number
  readonly bindcnt: number
}

function users(p: Printer, { index, refcnt, bindcnt }: Generic, margin: string): void {
  p.both('index', index, `${margin}index ${index}`)
  p.both('ref', refcnt, ` ref ${refcnt}`)
  p.both('bind', bindcnt, ` bind ${bindcnt}`)
}

const RANDOM = ['none', 'netrand', 'determ'] as const

function gact(p: Printer, { parms, prob, tm }: Data, _names: LinkNames, statistics: number): void {
  const own = parms as Generic
  const { ptype, pval, paction } = (prob ?? { ptype: 0, pval: 0, paction: 0 }) as Record<
    string,
    number
  >
  control(p, own.action, 'action ')
  p.open('prob')
  p.line()
  p.both('random_type', RANDOM[ptype!] ?? 'none', `\t random type ${RANDOM[ptype!] ?? 'none'}`)
  control(p, paction!, ' ', ' ')
  p.both('val', pval, `val ${pval}`)
  p.close()
  p.line()
  users(p, own, '\t ')
  if (statistics > 0) times(p, tm)
  p.line()
}

/** TCA_EGRESS_REDIR and kin. */
const MIRRORED = [
  ['Unknown', 'unknown', 'unknown'],
  ['Egress Redirect', 'redirect', 'egress'],
  ['Egress Mirror', 'mirror', 'egress'],
  ['Ingress Redirect', 'redirect', 'ingress'],
  ['Ingress Mirror', 'mirror', 'ingress'],
] as const

function mirred(p: Printer, { parms, tm }: Data, names: LinkNames, statistics: number): void {
  const own = parms as Generic & { readonly eaction: number; readonly ifindex: number }
  const [words, action, direction] = MIRRORED[own.eaction] ?? MIRRORED[0]
  const dev = names.name(own.ifindex)
  p.text(`(${words}`)
  p.member('mirred_action', action)
  p.member('direction', direction)
  p.both('to_dev', dev, ` to device ${dev})`)
  control(p, own.action, ' ')
  p.line()
  users(p, own, '\t')
  if (statistics > 0) times(p, tm)
  p.line()
}

const KINDS = { gact, mirred } as const

function showAction(p: Printer, action: Data, names: LinkNames, statistics: number): void {
  const { kind, options, stats, cookie } = action
  const show = KINDS[kind as keyof typeof KINDS]
  p.both('kind', kind, `${kind} `)
  if (show && options) show(p, options as Data, names, statistics)
  else p.line()
  if (statistics > 0 && stats) {
    p.text('\tAction statistics:')
    p.line()
    p.open('stats')
    showCounters(p, stats as Counters, '\t')
    p.close()
    p.line()
  }
  if (cookie instanceof Uint8Array) {
    const digits = Buffer.from(cookie).toString('hex')
    p.both('cookie', digits, `\tcookie ${digits}`)
    p.line()
  }
}

/** The actions of a filter, in their order. */
export function showActions(
  p: Printer,
  actions: unknown,
  names: LinkNames,
  statistics: number,
): void {
  if (!Array.isArray(actions)) return
  p.openList('actions')
  for (const [i, action] of actions.entries()) {
    p.open()
    p.line()
    p.both('order', i + 1, `\taction order ${i + 1}: `)
    showAction(p, action as Data, names, statistics)
    p.close()
  }
  p.closeList()
}
