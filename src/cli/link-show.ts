/** Links as ip(8) shows them, as JSON or as lines. */
import type { Link } from '../index.ts'
import type { GlobalOptions } from './command.ts'
import {
  hardwareAddress,
  showAddressMode,
  showEvent,
  showFlags,
  showGroup,
  showHardware,
  showLimits,
  showName,
  showNamespaces,
  showProtoDown,
  showSizes,
  showXdp,
  showXdpPrograms,
  stateStyle,
  upper,
} from './link-head-show.ts'
import { showKind } from './link-kind-show.ts'
import type { LinkNames } from './link-names.ts'
import { showStatistics } from './link-stats-show.ts'
import { showVirtualFunctions } from './link-vf-show.ts'
import type { Printer } from './printer.ts'

/** How much of a link is told, and to which end. */
export interface LinkView extends Pick<GlobalOptions, 'details' | 'statistics'> {
  /** `ip link`, which says more than `ip addr` does. */
  readonly isLink: boolean
  /** The family of `ip -4 addr` or `ip -6 addr`, which says less. */
  readonly family?: GlobalOptions['family']
  /** Whether the queue's length is told: in lists, not in a monitor. */
  readonly hasQueue?: boolean
}

function showState(p: Printer, { operstate }: Link): void {
  if (operstate === undefined) return
  if (typeof operstate === 'number') {
    p.both('operstate_index', operstate, `state 0x${operstate.toString(16)}`)
    return
  }
  const state = upper(operstate)
  p.text('state ')
  p.both('operstate', state, `${state} `, stateStyle(state))
}

function showFirstLine(p: Printer, link: Link, names: LinkNames, view: LinkView): void {
  p.both('ifindex', link.ifindex, `${link.ifindex}: `)
  showName(p, link, names, (name) => `${name}: `)
  showFlags(p, link, names)
  if (link.mtu !== undefined) p.both('mtu', link.mtu, `mtu ${link.mtu} `)
  showXdp(p, link, !view.isLink)
  if (link.qdisc !== undefined) p.both('qdisc', link.qdisc, `qdisc ${link.qdisc} `)
  if (link.master !== undefined) {
    const master = names.name(link.master)
    p.both('master', master, `master ${master} `)
  }
  showState(p, link)
  if (view.isLink && link.linkmode !== undefined) {
    const mode = upper(link.linkmode)
    p.both(
      typeof link.linkmode === 'number' ? 'linkmode_index' : 'linkmode',
      typeof link.linkmode === 'number' ? link.linkmode : mode,
      `mode ${mode} `,
    )
  }
  showGroup(p, link)
  if (view.hasQueue && link.txqlen) p.both('txqlen', link.txqlen, `qlen ${link.txqlen}`)
  showEvent(p, link)
}

function showDetails(p: Printer, link: Link, names: LinkNames, view: LinkView): void {
  showLimits(p, link)
  showKind(p, link, names, view.statistics)
  if (view.isLink) showAddressMode(p, link)
  showSizes(p, link)
}

/** A link, all its lines. */
export function showLink(p: Printer, link: Link, names: LinkNames, view: LinkView): void {
  const { details, isLink } = view
  const isWhole = isLink || details
  showFirstLine(p, link, names, view)
  if (view.family === undefined || details) showHardware(p, link)
  showNamespaces(p, link, names)
  showProtoDown(p, link)
  if (details) showDetails(p, link, names, view)
  if (isWhole && link.ifalias !== undefined) {
    p.line()
    p.text('    ')
    p.both('ifalias', link.ifalias, `alias ${link.ifalias}`)
  }
  if (isWhole) showXdpPrograms(p, link)
  if (isLink && view.statistics > 0) {
    p.line()
    showStatistics(p, link, view.statistics)
  }
  if (isWhole) showVirtualFunctions(p, link, view.statistics)
  showAltnames(p, link)
  p.text('\n')
}

function showAltnames(p: Printer, { propList }: Link): void {
  if (!propList) return
  const names = propList.altIfname ?? []
  p.member('altnames', names)
  for (const name of names) {
    p.line()
    p.text(`    altname ${name}`)
  }
}

/** `ip -br`: a name, a state, an address where `isLink`, flags. */
export function showBriefLink(p: Printer, link: Link, names: LinkNames, isLink: boolean): void {
  showName(p, link, names, (name) => `${name.padEnd(16)} `)
  if (link.operstate !== undefined) {
    const state = upper(link.operstate)
    p.both('operstate', state, `${state.padEnd(14)} `, stateStyle(state))
  }
  if (!isLink) return
  if (link.address !== undefined) {
    const address = hardwareAddress(link.address, link.type)
    p.both('address', address, `${address} `, 'yellow')
  }
  showFlags(p, link, names)
  p.text('\n')
}
