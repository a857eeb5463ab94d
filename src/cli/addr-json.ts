/** Addresses as `ip -j addr` prints them, field for field. */
import * as constants from '../families/rt-addr-constants.ts'
import type { Address, Link } from '../index.ts'
import { altnamesJson, detailsJson, headJson, parentFields, statisticsJson } from './link-json.ts'
import type { LinkNames } from './link-names.ts'
import { SCOPES } from './names.ts'

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
  const peer = address.address !== own ? address.address : undefined
  return { own, peer }
}

/** One element of `addr_info`. */
export function addressJson(address: Address): object {
  const { own, peer } = ownAndPeer(address)
  const { rtPriority, broadcast, label, cacheinfo } = address
  return {
    family: address.family,
    local: own,
    ...(peer === undefined ? {} : { address: peer }),
    prefixlen: address.prefixlen,
    ...(rtPriority === undefined ? {} : { metric: rtPriority }),
    ...(broadcast === undefined ? {} : { broadcast }),
    scope: SCOPES.name(address.scope),
    ...Object.fromEntries(addressFlagNames(address).map((name) => [name, true])),
    ...(label === undefined ? {} : { label }),
    valid_life_time: cacheinfo?.valid ?? INFINITY_LIFE_TIME,
    preferred_life_time: cacheinfo?.prefered ?? INFINITY_LIFE_TIME,
  }
}

/** Members of a link that `ip addr` never prints, nor with -4, nor with -6, which asks for less. */
const HIDDEN = ['linkmode']
const HIDDEN_BY_FAMILY = [...HIDDEN, 'link_type', 'address', 'link_pointtopoint', 'broadcast']
const HIDDEN_BY_IPV6 = [...HIDDEN_BY_FAMILY, 'qdisc', 'master', 'group', 'link_netnsid']

interface AddressJsonOptions {
  readonly details: boolean
  readonly statistics: boolean
  readonly family: 'inet' | 'inet6' | undefined
}

/** What `ip -6` is told of a link does not say that its other end is elsewhere. */
function withoutNamespace({ linkNetnsid: _, ...link }: Link): Link {
  return link
}

/** A link as `ip addr` prints it in front of its addresses. */
function ownerJson(link: Link, names: LinkNames, options: AddressJsonOptions): object {
  const { details, family } = options
  const isShort = family === 'inet6' && !details
  const head = headJson(isShort ? withoutNamespace(link) : link, names)
  const hidden = isShort ? HIDDEN_BY_IPV6 : family && !details ? HIDDEN_BY_FAMILY : HIDDEN
  for (const member of hidden) delete head[member]
  return {
    ...head,
    ...(details ? detailsJson(link) : {}),
    ...(details && link.ifalias !== undefined ? { ifalias: link.ifalias } : {}),
    ...(isShort ? {} : altnamesJson(link)),
  }
}

/** One element of `ip -j addr show`: a link with its addresses. */
export function linkAddressesJson(
  link: Link,
  addresses: readonly Address[],
  names: LinkNames,
  options: AddressJsonOptions,
): object {
  return {
    ...ownerJson(link, names, options),
    addr_info: addresses.map(addressJson),
    ...(options.statistics ? statisticsJson(link) : {}),
  }
}

/** One element of `ip -j -br addr show`. */
export function briefLinkAddressesJson(
  link: Link,
  addresses: readonly Address[],
  names: LinkNames,
  { family }: Pick<AddressJsonOptions, 'family'>,
): object {
  return {
    ...parentFields(family === 'inet6' ? withoutNamespace(link) : link, names),
    ifname: link.ifname,
    operstate: link.operstate?.toString().toUpperCase(),
    addr_info: addresses.map((address) => {
      const { own, peer } = ownAndPeer(address)
      const { prefixlen, rtPriority } = address
      return {
        local: own,
        ...(peer === undefined ? {} : { address: peer }),
        prefixlen,
        ...(rtPriority === undefined ? {} : { metric: rtPriority }),
      }
    }),
  }
}
