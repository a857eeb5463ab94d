/** Neighbours as `ip -j neigh` prints them, field for field. */
import * as constants from '../families/rt-neigh-constants.ts'
import type { Neighbour } from '../index.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS } from './names.ts'

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
export function neighbourFlagNames({ flags, flagsExt = 0 }: Neighbour): string[] {
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

function statisticsJson({ cacheinfo, probes }: Neighbour): object {
  return {
    ...(cacheinfo
      ? {
          ...(cacheinfo.refcnt ? { refcnt: cacheinfo.refcnt } : {}),
          used: seconds(cacheinfo.used),
          confirmed: seconds(cacheinfo.confirmed),
          updated: seconds(cacheinfo.updated),
        }
      : {}),
    ...(probes === undefined ? {} : { probes }),
  }
}

/** One element of `ip -j neigh show`. `isOfOneLink`: the filter has named the link. */
export function neighbourJson(
  neighbour: Neighbour,
  names: LinkNames,
  options: { isOfOneLink?: boolean; statistics?: boolean } = {},
): object {
  const { destination, ifindex, lladdr, state, protocol } = neighbour
  const isProxy = (neighbour.flags & NTF_PROXY) !== 0
  const states = stateNames(state)
  return {
    dst: destination,
    ...(options.isOfOneLink || ifindex === 0 ? {} : { dev: names.name(ifindex) }),
    ...(lladdr === undefined ? {} : { lladdr }),
    ...Object.fromEntries(neighbourFlagNames(neighbour).map((name) => [name, null])),
    ...(options.statistics ? statisticsJson(neighbour) : {}),
    ...(states.length === 0 || isProxy ? {} : { state: states }),
    ...(protocol ? { protocol: PROTOCOLS.name(protocol) } : {}),
  }
}
