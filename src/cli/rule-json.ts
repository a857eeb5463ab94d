/** Rules as `ip -j rule` prints them, field for field. */
import * as constants from '../families/rt-rule-constants.ts'
import type { Rule } from '../index.ts'
import { GROUPS, PROTOCOLS, TABLES } from './names.ts'

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
function prefixJson(member: string, prefix: string | undefined): object {
  if (prefix === undefined) return {}
  const [address = '', length] = prefix.split('/')
  const whole = address.includes(':') ? 128 : 32
  return {
    [member]: address,
    ...(Number(length) === whole ? {} : { [`${member}len`]: Number(length) }),
  }
}

type Range = { start: number; end: number }

function rangeJson(member: string, range: Range | undefined): object {
  if (!range) return {}
  if (range.start === range.end) return { [member]: range.start }
  return { [`${member}_start`]: range.start, [`${member}_end`]: range.end }
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}

function markJson({ fwmark, fwmask }: Rule): object {
  if (fwmark === undefined) return {}
  const isMasked = fwmask !== undefined && fwmask !== 0xffffffff
  return { fwmark: hex(fwmark), ...(isMasked ? { fwmask: hex(fwmask) } : {}) }
}

function linksJson({ iif, oif, flags }: Rule): object {
  return {
    ...(iif === undefined ? {} : { iif }),
    ...(flags & FIB_RULE_IIF_DETACHED ? { iif_detached: null } : {}),
    ...(oif === undefined ? {} : { oif }),
    ...(flags & FIB_RULE_OIF_DETACHED ? { oif_detached: null } : {}),
  }
}

/** The table that is looked up, and what suppresses its answer. */
function lookupJson(rule: Rule): object {
  const { table, suppressPrefixlen, suppressIfgroup } = rule
  const isNone = table === 0
  return {
    ...(isNone || rule.l3mdev ? {} : { table: TABLES.name(table) }),
    ...(suppressPrefixlen === undefined || suppressPrefixlen === 0xffffffff
      ? {}
      : { suppress_prefixlen: suppressPrefixlen }),
    ...(suppressIfgroup === undefined || suppressIfgroup === 0xffffffff
      ? {}
      : { suppress_ifgroup: GROUPS.name(suppressIfgroup) }),
  }
}

function actionJson({ action, goto, flags }: Rule): object {
  if (action === 'goto')
    return { goto: goto ?? 'none', ...(flags & FIB_RULE_UNRESOLVED ? { unresolved: null } : {}) }
  if (action === 'nop') return { nop: null }
  return action === 'to_tbl' ? {} : { action: String(action) }
}

/** One element of `ip -j rule show`. */
export function ruleJson(rule: Rule, details = false): object {
  const { tos, uidRange, ipProto, protocol, l3mdev } = rule
  const isKernels = protocol === undefined || protocol === 'unspec' || protocol === 'kernel'
  return {
    priority: rule.priority,
    ...(rule.flags & FIB_RULE_INVERT ? { not: null } : {}),
    ...(rule.source === undefined ? { src: 'all' } : prefixJson('src', rule.source)),
    ...prefixJson('dst', rule.destination),
    ...(tos ? { tos: `0x${tos.toString(16).padStart(2, '0')}` } : {}),
    ...markJson(rule),
    ...linksJson(rule),
    ...(l3mdev ? { l3mdev: null } : {}),
    ...(uidRange ? { uid_start: uidRange.start, uid_end: uidRange.end } : {}),
    ...(ipProto === undefined ? {} : { ipproto: ipProtocolName(ipProto) }),
    ...rangeJson('sport', rule.sportRange),
    ...rangeJson('dport', rule.dportRange),
    ...lookupJson(rule),
    ...actionJson(rule),
    ...(isKernels && !details ? {} : { protocol: PROTOCOLS.name(protocol ?? 0) }),
  }
}
