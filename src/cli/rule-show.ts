/** Rules as ip(8) shows them, as JSON or as lines. */
import * as constants from '../families/rt-rule-constants.ts'
import type { Rule } from '../index.ts'
import { dsfield, GROUPS, PROTOCOLS, REALMS, TABLES } from './names.ts'
import type { Printer } from './printer.ts'

const { FIB_RULE_IIF_DETACHED, FIB_RULE_INVERT, FIB_RULE_OIF_DETACHED, FIB_RULE_UNRESOLVED } =
  constants

/** IP protocols by number, those that /etc/protocols has everywhere. */
const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'ipv6-icmp',
  132: 'sctp',
  136: 'udplite',
}

export function ipProtocolName(number: number): string {
  return IP_PROTOCOLS[number] ?? String(number)
}

/** @returns undefined for a name that is not known. */
export function ipProtocolNumber(name: string): number | undefined {
  const found = Object.entries(IP_PROTOCOLS).find(([, known]) => known === name)
  return found && Number(found[0])
}

/** An address, and the length of its prefix in a member of its own where it is not whole. */
function showPrefix(p: Printer, member: string, prefix: string, words: string): void {
  const [address = '', length] = prefix.split('/')
  const isIpv6 = address.includes(':')
  p.text(words)
  p.both(member, address, address, isIpv6 ? 'blue' : 'magenta')
  if (Number(length) !== (isIpv6 ? 128 : 32)) p.both(`${member}len`, Number(length), `/${length}`)
}

type Range = { start: number; end: number }

function showRange(p: Printer, member: string, range: Range | undefined): void {
  if (!range) return
  const { start, end } = range
  if (start === end) p.both(member, start, ` ${member} ${start}`)
  else {
    p.both(`${member}_start`, start, ` ${member} ${start}`)
    p.both(`${member}_end`, end, `-${end}`)
  }
}

function hex(number: number): string {
  return number === 0 ? '0' : `0x${number.toString(16)}`
}

function showMark(p: Printer, { fwmark, fwmask }: Rule): void {
  if (fwmark === undefined && fwmask === undefined) return
  p.both('fwmark', hex(fwmark ?? 0), ` fwmark ${hex(fwmark ?? 0)}`)
  if (fwmask !== undefined && fwmask !== 0xffffffff)
    p.both('fwmask', hex(fwmask), `/${hex(fwmask)}`)
}

function showLinks(p: Printer, { iif, oif, flags }: Rule): void {
  for (const [member, name, detached] of [
    ['iif', iif, FIB_RULE_IIF_DETACHED],
    ['oif', oif, FIB_RULE_OIF_DETACHED],
  ] as const) {
    if (name === undefined) continue
    p.text(` ${member} `)
    p.both(member, name, name, 'cyan')
    if (flags & detached) p.both(`${member}_detached`, null, ' [detached]')
  }
}

/** The table that is looked up, and what suppresses its answer. */
function showLookup(p: Printer, rule: Rule): void {
  const { table, suppressPrefixlen, suppressIfgroup } = rule
  if (table === 0) return
  const name = TABLES.name(table)
  p.both('table', name, ` lookup ${name}`)
  if (suppressPrefixlen !== undefined && suppressPrefixlen !== 0xffffffff)
    p.both('suppress_prefixlen', suppressPrefixlen, ` suppress_prefixlength ${suppressPrefixlen}`)
  if (suppressIfgroup !== undefined && suppressIfgroup !== 0xffffffff) {
    const group = GROUPS.name(suppressIfgroup)
    p.both('suppress_ifgroup', group, ` suppress_ifgroup ${group}`)
  }
}

function showRealms(p: Printer, { flow }: Rule): void {
  if (flow === undefined) return
  const from = flow >>> 16
  if (from) p.both('flow_from', REALMS.name(from), ` realms ${REALMS.name(from)}/`)
  else p.text(' realms ')
  p.both('flow_to', REALMS.name(flow & 0xffff), REALMS.name(flow & 0xffff))
}

function showAction(p: Printer, { action, goto, flags }: Rule): void {
  if (action === 'goto') {
    p.both('goto', goto ?? 'none', ` goto ${goto ?? 'none'}`)
    if (flags & FIB_RULE_UNRESOLVED) p.both('unresolved', null, ' [unresolved]')
  } else if (action === 'nop') p.both('nop', null, ' nop')
  else if (action !== 'to_tbl') p.both('action', String(action), ` ${action}`)
}

function showMatch(p: Printer, rule: Rule): void {
  const { tos, l3mdev, uidRange, ipProto, tunId } = rule
  if (tos) p.both('tos', dsfield(tos), ` tos ${dsfield(tos)}`)
  showMark(p, rule)
  showLinks(p, rule)
  if (l3mdev) p.both('l3mdev', null, ' lookup [l3mdev-table]')
  if (uidRange) {
    p.both('uid_start', uidRange.start, ` uidrange ${uidRange.start}`)
    p.both('uid_end', uidRange.end, `-${uidRange.end}`)
  }
  if (ipProto !== undefined)
    p.both('ipproto', ipProtocolName(ipProto), ` ipproto ${ipProtocolName(ipProto)}`)
  showRange(p, 'sport', rule.sportRange)
  showRange(p, 'dport', rule.dportRange)
  if (tunId !== undefined) p.both('tun_id', tunId, ` tun_id ${tunId}`)
}

/** A rule, with the end of its line. */
export function showRule(p: Printer, rule: Rule, details = false): void {
  const { priority, source, destination, protocol } = rule
  p.both('priority', priority, `${priority}:\t`)
  if (rule.flags & FIB_RULE_INVERT) p.both('not', null, 'not ')
  if (source === undefined) p.both('src', 'all', 'from all')
  else showPrefix(p, 'src', source, 'from ')
  if (destination !== undefined) showPrefix(p, 'dst', destination, ' to ')
  showMatch(p, rule)
  showLookup(p, rule)
  showRealms(p, rule)
  showAction(p, rule)
  const isUsual = protocol === 'unspec' || protocol === 'kernel'
  if (protocol !== undefined && (details || !isUsual)) {
    const name = PROTOCOLS.name(protocol)
    p.both('protocol', name, ` proto ${name}`)
  }
  p.text('\n')
}
