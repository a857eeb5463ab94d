/** Addresses as ip(8) shows them, as JSON or as lines. */
import * as constants from '../families/rt-addr-constants.ts'
import type { Address, Link } from '../index.ts'
import type { GlobalOptions } from './command.ts'
import type { LinkNames } from './link-names.ts'
import { showBriefLink, showLink } from './link-show.ts'
import { showStatistics } from './link-stats-show.ts'
import { SCOPES } from './names.ts'
import type { Printer } from './printer.ts'

const { IFA_F_PERMANENT, IFA_F_SECONDARY, INFINITY_LIFE_TIME } = constants

/** Flags in the order in which ip(8) prints them; PERMANENT shows as the absence of `dynamic`. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [constants.IFA_F_NODAD, 'nodad'],
  [constants.IFA_F_OPTIMISTIC, 'optimistic'],
  [constants.IFA_F_DADFAILED, 'dadfailed'],
  [constants.IFA_F_HOMEADDRESS, 'home'],
  [constants.IFA_F_DEPRECATED, 'deprecated'],
  [constants.IFA_F_TENTATIVE, 'tentative'],
  [IFA_F_PERMANENT, 'dynamic'],
  [constants.IFA_F_MANAGETEMPADDR, 'mngtmpaddr'],
  [constants.IFA_F_NOPREFIXROUTE, 'noprefixroute'],
  [constants.IFA_F_MCAUTOJOIN, 'autojoin'],
  [constants.IFA_F_STABLE_PRIVACY, 'stable-privacy'],
]
const NAMED = FLAGS.reduce((bits, [bit]) => bits | bit, IFA_F_SECONDARY)

/** An address's flags as ip(8) names them. */
export function addressFlagNames({ flags = 0, family }: Address): string[] {
  const found: string[] = []
  if ((flags & IFA_F_SECONDARY) !== 0) found.push(family === 'inet6' ? 'temporary' : 'secondary')
  for (const [bit, name] of FLAGS)
    if (((flags & bit) !== 0) !== (bit === IFA_F_PERMANENT)) found.push(name)
  return found
}

/** The interface's own address, and the peer's where there is one. */
export function ownAndPeer(address: Address): { own: string; peer: string | undefined } {
  const own = address.local ?? address.address ?? ''
  const peer =
    address.address !== undefined && address.address !== own ? address.address : undefined
  return { own, peer }
}

function showWho(p: Printer, address: Address): void {
  const { own, peer } = ownAndPeer(address)
  const style = address.family === 'inet6' ? 'blue' : 'magenta'
  p.both('local', own, own, style)
  if (peer !== undefined) {
    p.text(' peer ')
    p.both('address', peer, peer, style)
  }
  p.both('prefixlen', address.prefixlen, `/${address.prefixlen} `)
  const { rtPriority } = address
  if (rtPriority !== undefined) p.both('metric', rtPriority, `metric ${rtPriority} `)
}

function showLifetimes(p: Printer, { cacheinfo }: Address): void {
  if (!cacheinfo) return
  const seconds = (value: number) => (value === INFINITY_LIFE_TIME ? 'forever' : `${value}sec`)
  p.line()
  p.both('valid_life_time', cacheinfo.valid, `       valid_lft ${seconds(cacheinfo.valid)}`)
  p.both('preferred_life_time', cacheinfo.prefered, ` preferred_lft ${seconds(cacheinfo.prefered)}`)
}

/** One address. `isWhole`: with its link, as `-o` and a monitor show it. */
export function showAddress(
  p: Printer,
  address: Address,
  names: LinkNames,
  isWhole: boolean,
): void {
  const { family, broadcast, anycast, label, flags = 0, ifindex } = address
  if (isWhole) {
    p.member('index', ifindex)
    p.member('dev', names.name(ifindex))
    p.text(`${ifindex}: ${names.name(ifindex)}`)
  }
  p.both('family', family, `    ${family} `)
  showWho(p, address)
  const style = family === 'inet6' ? 'blue' : 'magenta'
  if (broadcast !== undefined) {
    p.text('brd ')
    p.both('broadcast', broadcast, `${broadcast} `, style)
  }
  if (anycast !== undefined) {
    p.text('any ')
    p.both('anycast', anycast, `${anycast} `, style)
  }
  const scope = SCOPES.name(address.scope)
  p.both('scope', scope, `scope ${scope} `)
  for (const name of addressFlagNames(address)) p.both(name, true, `${name} `)
  const rest = (flags & ~NAMED) >>> 0
  if (rest !== 0) {
    const text = rest.toString(16).padStart(2, '0')
    p.both('ifa_flags', text, `flags ${text} `)
  }
  if (label !== undefined) p.both('label', label, label)
  showLifetimes(p, address)
  p.text('\n')
}

export interface AddressView
  extends Pick<GlobalOptions, 'brief' | 'details' | 'statistics' | 'family' | 'oneline'> {
  /** Nothing of the link itself: a label is asked for, or each address is on a line. */
  readonly onlyAddresses?: boolean
}

/** A link with its addresses: an element of `ip -j addr`. */
export function showLinkAddresses(
  p: Printer,
  link: Link,
  addresses: readonly (Address | undefined)[],
  names: LinkNames,
  view: AddressView,
): void {
  const { brief, statistics, oneline } = view
  const isAlone = oneline || view.onlyAddresses === true
  if (brief) showBriefLink(p, link, names, false)
  else if (!isAlone) showLink(p, link, names, { ...view, isLink: false, hasQueue: true })
  p.openList('addr_info')
  for (const address of addresses) {
    if (!address && !p.isJson) continue
    p.open()
    if (address && brief) showWho(p, address)
    else if (address) showAddress(p, address, names, oneline)
    p.close()
  }
  p.closeList()
  if (brief) p.text('\n')
  else if (statistics > 0 && !isAlone) {
    showStatistics(p, link, statistics)
    p.text('\n')
  }
}
