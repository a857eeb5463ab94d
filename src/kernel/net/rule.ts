/**
 * One rule of policy routing, and when two are alike.
 *
 * Kernel: include/net/fib_rules.h struct fib_rule, net/core/fib_rules.c rule_exists(),
 * rule_find().
 */
import type { Ipv4, Ipv6 } from './address.ts'
import { AF_INET } from './constants.ts'

/** Both ends included. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A rule that is asked for, or how one to be deleted is described. */
export interface RuleConfig {
  /** FR_ACT_*. */
  readonly action: number
  readonly table?: number | undefined
  /** Absent: below the second rule. */
  readonly priority?: number | undefined
  /** FIB_RULE_INVERT, FIB_RULE_PERMANENT. */
  readonly flags?: number | undefined
  readonly src?: Ipv4 | Ipv6 | undefined
  readonly srcLen?: number | undefined
  readonly dst?: Ipv4 | Ipv6 | undefined
  readonly dstLen?: number | undefined
  /** The header's tos: DSCP in its upper six bits. */
  readonly tos?: number | undefined
  readonly iifname?: string | undefined
  readonly oifname?: string | undefined
  readonly mark?: number | undefined
  readonly mask?: number | undefined
  readonly tunId?: bigint | undefined
  readonly flow?: number | undefined
  readonly l3mdev?: number | undefined
  /** The priority to go on with. */
  readonly goto?: number | undefined
  readonly suppressPrefixlen?: number | undefined
  readonly suppressIfgroup?: number | undefined
  readonly uidRange?: Range | undefined
  readonly ipProto?: number | undefined
  readonly sport?: Range | undefined
  readonly dport?: Range | undefined
  readonly protocol?: number | undefined
}

/** What a rule for anybody reports. */
export const ANY_UID: Range = { start: 0xffffffff, end: 0xffffffff }
const NO_PORTS: Range = { start: 0, end: 0 }
/** No suppression. */
export const NONE = 0xffffffff

/** struct fib_rule. */
export class FibRule {
  readonly family: number
  readonly action: number
  table: number
  readonly priority: number
  readonly flags: number
  readonly src: Ipv4 | Ipv6
  readonly srcLen: number
  readonly dst: Ipv4 | Ipv6
  readonly dstLen: number
  readonly tos: number
  readonly iifname: string
  readonly oifname: string
  /** 0 without a name, -1 while nobody has it. */
  iifindex: number
  oifindex: number
  readonly mark: number
  readonly mask: number
  readonly tunId: bigint
  readonly flow: number
  readonly l3mdev: number
  readonly target: number
  /** Where a goto leads, once there is a rule of that priority. */
  jump: FibRule | undefined
  /** 0xffffffff: none. */
  readonly suppressPrefixlen: number
  readonly suppressIfgroup: number
  /** Absent: anybody. */
  readonly uidRange: Range | undefined
  readonly ipProto: number
  readonly sport: Range
  readonly dport: Range
  readonly protocol: number

  constructor(family: number, config: RuleConfig, priority: number) {
    const zero = family === AF_INET ? 0 : 0n
    this.family = family
    this.action = config.action
    this.table = config.table ?? 0
    this.priority = priority
    this.flags = config.flags ?? 0
    this.srcLen = config.srcLen ?? 0
    this.src = this.srcLen ? (config.src ?? zero) : zero
    this.dstLen = config.dstLen ?? 0
    this.dst = this.dstLen ? (config.dst ?? zero) : zero
    this.tos = config.tos ?? 0
    this.iifname = config.iifname ?? ''
    this.oifname = config.oifname ?? ''
    this.iifindex = this.iifname ? -1 : 0
    this.oifindex = this.oifname ? -1 : 0
    this.mark = config.mark ?? 0
    this.mask = config.mask ?? (this.mark ? 0xffffffff : 0)
    this.tunId = config.tunId ?? 0n
    this.flow = config.flow ?? 0
    this.l3mdev = config.l3mdev ?? 0
    this.target = config.goto ?? 0
    this.suppressPrefixlen = config.suppressPrefixlen ?? NONE
    this.suppressIfgroup = config.suppressIfgroup ?? NONE
    this.uidRange = config.uidRange
    this.ipProto = config.ipProto ?? 0
    this.sport = config.sport ?? NO_PORTS
    this.dport = config.dport ?? NO_PORTS
    this.protocol = config.protocol ?? 0
  }
}

const COMPARED = [
  'action',
  'table',
  'priority',
  'iifname',
  'oifname',
  'mark',
  'mask',
  'suppressIfgroup',
  'suppressPrefixlen',
  'tunId',
  'l3mdev',
  'ipProto',
  'protocol',
] as const

/** rule_exists(): whether the same rule is there. */
export function isSame(a: FibRule, b: FibRule): boolean {
  return (
    COMPARED.every((name) => a[name] === b[name]) &&
    isSameRange(a.uidRange ?? ANY_UID, b.uidRange ?? ANY_UID) &&
    isSameRange(a.sport, b.sport) &&
    isSameRange(a.dport, b.dport) &&
    isSameSelector(a, b)
  )
}

function isSameRange(a: Range, b: Range): boolean {
  return a.start === b.start && a.end === b.end
}

/** ops->compare(): what is not given of addresses and tos is any. */
function isSameSelector(rule: FibRule, wanted: FibRule): boolean {
  return (
    (!wanted.srcLen || (rule.srcLen === wanted.srcLen && rule.src === wanted.src)) &&
    (!wanted.dstLen || (rule.dstLen === wanted.dstLen && rule.dst === wanted.dst)) &&
    (!wanted.tos || rule.tos === wanted.tos) &&
    (!wanted.flow || rule.flow === wanted.flow)
  )
}

/** rule_find(): whether `rule` has all that `config`, read as `wanted`, gives. */
export function isDescribed(rule: FibRule, wanted: FibRule, config: RuleConfig): boolean {
  const given = COMPARED.filter((name) => {
    if (name === 'priority') return config.priority !== undefined
    if (name === 'suppressIfgroup' || name === 'suppressPrefixlen') return wanted[name] !== NONE
    return Boolean(wanted[name])
  })
  return (
    given.every((name) => rule[name] === wanted[name]) &&
    (!wanted.uidRange || isSameRange(rule.uidRange ?? ANY_UID, wanted.uidRange)) &&
    (!wanted.sport.start || isSameRange(rule.sport, wanted.sport)) &&
    (!wanted.dport.start || isSameRange(rule.dport, wanted.dport)) &&
    isSameSelector(rule, wanted)
  )
}
