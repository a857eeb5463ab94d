/** Addresses as lines of text. */
import { INFINITY_LIFE_TIME } from '../families/rt-addr-constants.ts'
import type { Address, Link } from '../index.ts'
import { addressFlagNames, ownAndPeer } from './addr-json.ts'
import type { GlobalOptions } from './command.ts'
import { details } from './details.ts'
import type { LinkNames } from './link-names.ts'
import { SCOPES } from './names.ts'
import type { Output } from './output.ts'

const COLUMNS = [
  { heading: 'LINK' },
  { heading: 'STATE' },
  { heading: 'ADDRESS' },
  { heading: 'SCOPE' },
  { heading: 'VALID' },
  { heading: 'FLAGS' },
] as const
const BRIEF = [{ heading: '' }, { heading: '' }, { heading: '' }]

/** `10.0.0.1/24`, and behind it the peer of a point-to-point link. */
function shownAddress(address: Address): string {
  const { own, peer } = ownAndPeer(address)
  return peer === undefined
    ? `${own}/${address.prefixlen}`
    : `${own} peer ${peer}/${address.prefixlen}`
}

function validity({ cacheinfo }: Address): string {
  const seconds = cacheinfo?.valid ?? INFINITY_LIFE_TIME
  return seconds === INFINITY_LIFE_TIME ? 'forever' : `${seconds} s`
}

/** Links, each with the addresses that it has. */
export type LinksWithAddresses = readonly (readonly [link: Link, addresses: readonly Address[]])[]

/** Prints a table with a line for each address, or for `-br` one for each link. */
export function printAddresses(
  out: Output,
  links: LinksWithAddresses,
  options: GlobalOptions,
): void {
  if (options.brief) {
    const rows = links.map(([link, addresses]) => [
      out.style('bold', link.ifname),
      String(link.operstate),
      addresses.map(shownAddress).join(' '),
    ])
    out.table(BRIEF, rows)
    return
  }
  const rows: string[][] = []
  const more: string[][] = []
  for (const [link, addresses] of links) {
    const name = out.style('bold', link.ifname)
    if (addresses.length === 0) rows.push([name, String(link.operstate), '-', '-', '-', '-'])
    for (const address of addresses) {
      rows.push([
        name,
        String(link.operstate),
        shownAddress(address),
        SCOPES.name(address.scope),
        validity(address),
        addressFlagNames(address).join(',') || '-',
      ])
      if (options.details) more[rows.length - 1] = details(address)
    }
  }
  out.table(COLUMNS, rows, more)
}

/** `10.0.0.1/24 dev eth0 scope global`. */
export function addressLine(address: Address, names: LinkNames): string {
  const flags = addressFlagNames(address)
  const words = [shownAddress(address), 'dev', names.name(address.ifindex), 'scope']
  return [...words, SCOPES.name(address.scope), ...flags].join(' ')
}
