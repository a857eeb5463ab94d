/** One line for each of ip(8)'s objects: what `nlkit -br monitor` tells of it. */
import { FIB_RULE_INVERT } from '../families/rt-rule-constants.ts'
import type { Address, Link, Neighbour, Route, Rule } from '../index.ts'
import { addressFlagNames, ownAndPeer } from './addr-show.ts'
import { flagNames } from './link-head-show.ts'
import type { LinkNames } from './link-names.ts'
import { PROTOCOLS, SCOPES, TABLES } from './names.ts'
import { neighbourFlagNames, stateNames } from './neigh-show.ts'
import { shortPrefix } from './route-line.ts'
import { routeFlagNames } from './route-show.ts'
import { ipProtocolName } from './rule-show.ts'

/** `veth0@veth1`: the name, and what the link stands on. */
export function fullName(link: Link, names: LinkNames): string {
  if (link.link === undefined) return link.ifname
  if (link.linkNetnsid !== undefined) return `${link.ifname}@if${link.link}`
  return `${link.ifname}@${link.link === 0 ? 'none' : names.name(link.link)}`
}

/** The flags, what is switched on first. */
function shownFlags(link: Link, names: LinkNames): string {
  const flags = flagNames(link, names)
  const first = flags.includes('UP') ? ['UP'] : []
  return [...first, ...flags.filter((flag) => flag !== 'UP')].join(',') || '-'
}

/** `link  3: veth0@veth1 <UP,BROADCAST> mtu 1500 state up`, as monitor prints it. */
export function linkLine(link: Link, names: LinkNames): string {
  const flags = shownFlags(link, names)
  const master = link.master ? ` master ${names.name(link.master)}` : ''
  const index = String(link.ifindex).padStart(2)
  return `${index}: ${fullName(link, names)} <${flags}> mtu ${link.mtu}${master} state ${link.operstate}`
}

/** `10.0.0.1/24`, and behind it the peer of a point-to-point link. */
function shownAddress(address: Address): string {
  const { own, peer } = ownAndPeer(address)
  return peer === undefined
    ? `${own}/${address.prefixlen}`
    : `${own} peer ${peer}/${address.prefixlen}`
}

/** `10.0.0.1/24 dev eth0 scope global`. */
export function addressLine(address: Address, names: LinkNames): string {
  const flags = addressFlagNames(address)
  const words = [shownAddress(address), 'dev', names.name(address.ifindex), 'scope']
  return [...words, SCOPES.name(address.scope), ...flags].join(' ')
}

/** What it is for, with the type where that is not simply to pass packets on. */
export function destinationOf({ type, destination }: Route): string {
  const prefix = shortPrefix(destination)
  return type === 'unicast' ? prefix : `${type} ${prefix}`
}

/** `10.0.0.0/8 via 192.168.0.1 dev eth0 metric 5`. */
export function routeLine(route: Route, names: LinkNames): string {
  const { gateway, oif, prefsrc, priority, multipath } = route
  const words = [
    destinationOf(route),
    gateway && `via ${gateway}`,
    oif !== undefined && `dev ${names.name(oif)}`,
    route.table !== 'main' && `table ${TABLES.name(route.table)}`,
    route.protocol !== 'boot' && `proto ${PROTOCOLS.name(route.protocol)}`,
    route.scope !== 'universe' && `scope ${SCOPES.name(route.scope)}`,
    prefsrc && `src ${prefsrc}`,
    priority !== undefined && `metric ${priority}`,
    ...routeFlagNames(route.flags),
    ...(multipath ?? []).map(
      (hop) =>
        `nexthop ${hop.gateway ? `via ${hop.gateway} ` : ''}dev ${names.name(hop.oif)} weight ${hop.weight}`,
    ),
  ]
  return words.filter(Boolean).join(' ')
}

/** `10.0.0.7 dev eth0 lladdr 02:00:00:00:00:07 permanent`. */
export function neighbourLine(neighbour: Neighbour, names: LinkNames): string {
  const { destination, ifindex, lladdr, state } = neighbour
  const words = [
    destination,
    `dev ${names.name(ifindex)}`,
    lladdr && `lladdr ${lladdr}`,
    ...neighbourFlagNames(neighbour),
    ...stateNames(state).map((name) => name.toLowerCase()),
  ]
  return words.filter(Boolean).join(' ')
}

function matchOf(rule: Rule): string {
  const { iif, oif, fwmark, fwmask, tos, ipProto, sportRange, dportRange, uidRange } = rule
  const shown = (range: { start: number; end: number }) =>
    range.start === range.end ? String(range.start) : `${range.start}-${range.end}`
  const mask = fwmask === undefined || fwmask === 0xffffffff ? '' : `/0x${fwmask.toString(16)}`
  const words = [
    iif && `iif ${iif}`,
    oif && `oif ${oif}`,
    fwmark !== undefined && `fwmark 0x${fwmark.toString(16)}${mask}`,
    tos && `tos 0x${tos.toString(16)}`,
    ipProto !== undefined && `ipproto ${ipProtocolName(ipProto)}`,
    sportRange && `sport ${shown(sportRange)}`,
    dportRange && `dport ${shown(dportRange)}`,
    uidRange && `uidrange ${shown(uidRange)}`,
  ]
  return words.filter(Boolean).join(' ')
}

function actionOf({ action, table, goto, suppressPrefixlen, l3mdev }: Rule): string {
  if (action === 'goto') return `goto ${goto ?? 'none'}`
  if (action !== 'to_tbl') return String(action)
  const suppress =
    suppressPrefixlen === undefined || suppressPrefixlen === 0xffffffff
      ? ''
      : ` suppress_prefixlength ${suppressPrefixlen}`
  return `table ${l3mdev ? 'of the VRF' : TABLES.name(table)}${suppress}`
}

/** `1000: from 10.0.0.0/8 table 100`. */
export function ruleLine(rule: Rule): string {
  const { source = 'all', destination, flags } = rule
  const words = [
    `${rule.priority}:`,
    flags & FIB_RULE_INVERT && 'not',
    `from ${shortPrefix(source)}`,
    destination && `to ${shortPrefix(destination)}`,
    matchOf(rule),
    actionOf(rule),
  ]
  return words.filter(Boolean).join(' ')
}
