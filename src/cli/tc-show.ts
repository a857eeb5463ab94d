/** Queueing disciplines, classes and filters as tc(8) shows them. */
import type { Filter, Qdisc, TrafficClass } from '../index.ts'
import { etherProtocol } from './kind-rows.ts'
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'
import { FILTER_OPTIONS } from './tc-filter-show.ts'
import { QDISC_OPTIONS } from './tc-qdisc-show.ts'
import { showCounters, showLoans } from './tc-stats-show.ts'

/** What the command line has made plain, and how much is told. */
export interface TcView {
  readonly details: boolean
  readonly statistics: number
  readonly isOfOneLink: boolean
  readonly isOfOneParent?: boolean
}

function showLink(p: Printer, index: number, names: LinkNames): void {
  const name = names.name(index)
  p.text('dev ')
  p.both('dev', name, `${name} `, 'cyan')
}

function showParent(p: Printer, parent: string): void {
  if (parent === 'root') p.both('root', true, 'root ')
  else if (parent === 'ingress') p.both('parent', 'ffff:fff1', 'parent ffff:fff1 ')
  else if (parent !== 'none') p.both('parent', parent, `parent ${parent} `)
}

/** A qdisc, with the end of its last line. */
export function showQdisc(p: Printer, qdisc: Qdisc, names: LinkNames, view: TcView): void {
  const { kind, handle, ifindex, parent, info, options } = qdisc
  const own = handle === 'none' ? '0:' : handle
  p.both('kind', kind, `qdisc ${kind}`)
  p.both('handle', own, ` ${own} `)
  if (!view.isOfOneLink) showLink(p, ifindex, names)
  showParent(p, parent)
  if (info !== 1) p.both('refcnt', info, `refcnt ${info} `)
  if (qdisc.hwOffload) p.both('offloaded', true, 'offloaded ')
  for (const [name, block] of [
    ['ingress_block', qdisc.ingressBlock],
    ['egress_block', qdisc.egressBlock],
  ] as const)
    if (block) p.both(name, block, `${name} ${block} `)
  p.open('options')
  if (options !== undefined || kind === 'ingress' || kind === 'clsact')
    QDISC_OPTIONS[kind]?.(p, options ?? {}, view.details)
  p.close()
  p.line()
  if (view.statistics > 0 && qdisc.stats2) {
    showCounters(p, qdisc.stats2, ' ')
    p.line()
  }
}

export function showClass(p: Printer, each: TrafficClass, names: LinkNames, view: TcView): void {
  const { kind, handle, ifindex, parent, info, options } = each
  p.both('class', kind, `class ${kind} `)
  p.both('handle', handle, `${handle} `)
  if (!view.isOfOneLink) showLink(p, ifindex, names)
  if (parent === 'root') p.both('root', true, 'root ')
  else p.both('parent', parent, `parent ${parent} `)
  if (info) {
    const leaf = `${(info >>> 16).toString(16)}:`
    p.both('leaf', leaf, `leaf ${leaf} `)
  }
  p.open('options')
  if (options !== undefined) QDISC_OPTIONS[kind]?.(p, options, view.details)
  p.close()
  p.text('\n')
  if (view.statistics > 0 && each.stats2) {
    showCounters(p, each.stats2, ' ')
    p.text('\n')
    if (kind === 'htb') showLoans(p, each.stats2)
  }
}

const CLSACT = { 'ffff:fff2': 'ingress', 'ffff:fff3': 'egress' } as const

export function showFilter(p: Printer, filter: Filter, names: LinkNames, view: TcView): void {
  const { kind, ifindex, parent, protocol, priority, chain, options, id } = filter
  p.text('filter ')
  if (!view.isOfOneLink) showLink(p, ifindex, names)
  if (!view.isOfOneParent) {
    const end = CLSACT[parent as keyof typeof CLSACT]
    if (end !== undefined) p.both(end, true, `${end} `)
    else showParent(p, parent)
  }
  if (protocol) p.both('protocol', etherProtocol(protocol), `protocol ${etherProtocol(protocol)} `)
  if (priority) p.both('pref', priority, `pref ${priority} `)
  p.both('kind', kind, `${kind} `)
  if (chain !== undefined) p.both('chain', chain, `chain ${chain} `)
  if (options !== undefined) {
    p.open('options')
    FILTER_OPTIONS[kind]?.(p, options, { id, names, ...view })
    p.close()
  }
  p.line()
}
