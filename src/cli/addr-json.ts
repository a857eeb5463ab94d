/** Addresses as `ip -j addr` prints them, field for field. */
import * as constants from '../families/rt-addr-constants.ts'
import type { Address, Link } from '../index.ts'
import { linkJson, parentFields } from './link-json.ts'
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

/** One element of `ip -j addr show`: a link with its addresses. */
export function linkAddressesJson(
  link: Link,
  addresses: readonly Address[],
  names: LinkNames,
  options: { details: boolean; statistics: boolean },
): object {
  return {
    ...linkJson(link, names, { ...options, mode: false }),
    addr_info: addresses.map(addressJson),
  }
}

/** One element of `ip -j -br addr show`. */
export function briefLinkAddressesJson(
  link: Link,
  addresses: readonly Address[],
  names: LinkNames,
): object {
  return {
    ...parentFields(link, names),
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
