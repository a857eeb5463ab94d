/** Neighbours as ip(8) shows them, as JSON or as lines. */
import * as constants from '../families/rt-neigh-constants.ts'
import type { ForwardingEntry, Neighbour } from '../index.ts'
import { hardwareAddress } from './link-head-show.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS } from './names.ts'
import type { Printer } from './printer.ts'

const { NTF_EXT_LEARNED, NTF_EXT_MANAGED, NTF_OFFLOADED, NTF_PROXY, NTF_ROUTER } = constants

/** States in the order in which ip(8) prints them. */
const STATES: readonly (readonly [bit: number, name: string])[] = [
  [constants.NUD_INCOMPLETE, 'INCOMPLETE'],
  [constants.NUD_REACHABLE, 'REACHABLE'],
  [constants.NUD_STALE, 'STALE'],
  [constants.NUD_DELAY, 'DELAY'],
  [constants.NUD_PROBE, 'PROBE'],
  [constants.NUD_FAILED, 'FAILED'],
  [constants.NUD_NOARP, 'NOARP'],
  [constants.NUD_PERMANENT, 'PERMANENT'],
]

/** The states of a neighbour: one by its name, or several as bits. */
export function stateNames(state: string | number): string[] {
  if (typeof state === 'string') return state === 'none' ? [] : [state.toUpperCase()]
  return STATES.filter(([bit]) => (state & bit) !== 0).map(([, name]) => name)
}

/** What ip(8) says of a neighbour besides its state. */
export function neighbourFlagNames({
  flags,
  flagsExt = 0,
}: Pick<Neighbour, 'flags' | 'flagsExt'>): string[] {
  const found: string[] = []
  if (flags & NTF_ROUTER) found.push('router')
  if (flags & NTF_PROXY) found.push('proxy')
  if (flagsExt & NTF_EXT_MANAGED) found.push('managed')
  if (flags & NTF_EXT_LEARNED) found.push('extern_learn')
  if (flags & NTF_OFFLOADED) found.push('offload')
  return found
}

/** Hundredths of a second, as whole seconds. */
function seconds(hundredths: number): number {
  return Math.floor(hundredths / 100)
}

function showStatistics(
  p: Printer,
  { cacheinfo, probes }: Pick<Neighbour, 'cacheinfo' | 'probes'>,
): void {
  if (cacheinfo) {
    const { refcnt, used, confirmed, updated } = cacheinfo
    if (refcnt) p.both('refcnt', refcnt, ` ref ${refcnt}`)
    p.both('used', seconds(used), ` used ${seconds(used)}`)
    p.both('confirmed', seconds(confirmed), `/${seconds(confirmed)}`)
    p.both('updated', seconds(updated), `/${seconds(updated)}`)
  }
  if (probes !== undefined) p.both('probes', probes, `probes ${probes} `)
}

/** `isOfOneLink`: the filter has named the link. */
export interface NeighbourView {
  readonly isOfOneLink?: boolean
  readonly statistics?: number
  readonly brief?: boolean
}

function showBrief(p: Printer, neighbour: Neighbour, names: LinkNames, view: NeighbourView): void {
  const { destination, ifindex, lladdr } = neighbour
  p.both(
    'dst',
    destination,
    `${destination.padEnd(39)} `,
    destination.includes(':') ? 'blue' : 'magenta',
  )
  if (!view.isOfOneLink && ifindex !== 0)
    p.both('dev', names.name(ifindex), `${names.name(ifindex).padEnd(16)} `, 'cyan')
  if (lladdr !== undefined) {
    const shown = hardwareAddress(lladdr, names.link(ifindex)?.type)
    p.both('lladdr', shown, shown, 'yellow')
  }
  p.text('\n')
}

export function showNeighbour(
  p: Printer,
  neighbour: Neighbour,
  names: LinkNames,
  view: NeighbourView = {},
): void {
  if (view.brief) {
    showBrief(p, neighbour, names, view)
    return
  }
  const { destination } = neighbour
  p.both('dst', destination, `${destination} `, destination.includes(':') ? 'blue' : 'magenta')
  showRest(p, neighbour, names, view)
}

/** A forwarding entry of a bridge as ip(8) shows it, which takes it for a neighbour. */
export function showForwardedAddress(
  p: Printer,
  entry: ForwardingEntry,
  names: LinkNames,
  view: NeighbourView,
): void {
  const { destination } = entry
  if (destination !== undefined) p.both('dst', destination, `${destination} `)
  showRest(p, entry, names, view)
}

function showRest(
  p: Printer,
  neighbour: Omit<Neighbour, 'family' | 'destination' | 'type'>,
  names: LinkNames,
  view: NeighbourView,
): void {
  const { ifindex, lladdr, state, protocol } = neighbour
  if (!view.isOfOneLink && ifindex !== 0) {
    p.text('dev ')
    p.both('dev', names.name(ifindex), `${names.name(ifindex)} `, 'cyan')
  }
  if (lladdr !== undefined) {
    const shown = hardwareAddress(lladdr, names.link(ifindex)?.type)
    p.text('lladdr ')
    p.both('lladdr', shown, `${shown} `, 'yellow')
  }
  for (const name of neighbourFlagNames(neighbour)) p.both(name, null, `${name} `)
  if (view.statistics) showStatistics(p, neighbour)
  const states = stateNames(state)
  if (states.length > 0) p.both('state', states, states.map((each) => `${each} `).join(''))
  if (protocol) p.both('protocol', PROTOCOLS.name(protocol), `proto ${PROTOCOLS.name(protocol)} `)
  p.text('\n')
}
