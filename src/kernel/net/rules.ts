/**
 * Rules of policy routing: which table is asked for what.
 *
 * Kernel: net/core/fib_rules.c, net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c.
 */
import { NetlinkError } from '../../errors.ts'
import { NOTIFY_DONE } from '../notifier/constants.ts'
import { type Ipv4, type Ipv6, samePrefix4, samePrefix6 } from './address.ts'
import type { NetdevEvent, Origin } from './chains.ts'
import {
  AF_INET,
  AF_INET6,
  FIB_RULE_INVERT,
  FIB_RULE_PERMANENT,
  FR_ACT_GOTO,
  FR_ACT_NOP,
  FR_ACT_PROHIBIT,
  FR_ACT_TO_TBL,
  FR_ACT_UNREACHABLE,
  NLM_F_EXCL,
  RT_TABLE_DEFAULT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTNL_FAMILY_IP6MR,
  RTNL_FAMILY_IPMR,
  RTPROT_KERNEL,
} from './constants.ts'
import type { NetDevice } from './device.ts'
import { ANY_UID, FibRule, isDescribed, isSame, NONE, type Range, type RuleConfig } from './rule.ts'
import type { NetStack } from './stack.ts'

/** What is looked for, as far as rules of both families look at it. */
export interface FlowKey {
  readonly daddr: Ipv4 | Ipv6
  readonly saddr?: Ipv4 | Ipv6 | undefined
  readonly dscp?: number | undefined
  readonly oif?: number | undefined
  readonly iif?: number | undefined
  readonly mark?: number | undefined
  readonly uid?: number | undefined
  readonly ipProto?: number | undefined
  readonly sport?: number | undefined
  readonly dport?: number | undefined
}

/** How a table is asked, and what a rule that suppresses has to know of an answer. */
export interface TableLookup<T> {
  /** @throws NetlinkError what ends the search; undefined: the next rule is tried. */
  look(table: number): T | undefined
  prefixlen(result: T): number
  device(result: T): NetDevice | undefined
}

/** What each family begins with: priority and table. */
const DEFAULTS: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  [AF_INET]: [
    [0, RT_TABLE_LOCAL],
    [32766, RT_TABLE_MAIN],
    [32767, RT_TABLE_DEFAULT],
  ],
  [AF_INET6]: [
    [0, RT_TABLE_LOCAL],
    [32766, RT_TABLE_MAIN],
  ],
  [RTNL_FAMILY_IPMR]: [[32767, RT_TABLE_DEFAULT]],
  [RTNL_FAMILY_IP6MR]: [[32767, RT_TABLE_MAIN]],
}

/** The rules of one address family. */
export class RuleTable {
  /** Whether a rule was ever added or deleted: from then on the default ways are rules, too. */
  isCustom = false
  readonly #stack: NetStack
  readonly #family: number
  readonly #rules: FibRule[] = []

  constructor(stack: NetStack, family: number) {
    this.#stack = stack
    this.#family = family
    for (const [priority, table] of DEFAULTS[family] ?? []) {
      const config = { action: FR_ACT_TO_TBL, table, protocol: RTPROT_KERNEL }
      this.#rules.push(new FibRule(family, config, priority))
    }
    stack.chains.netdev.register({
      name: 'fib_rules_notifier',
      call: (event, { dev }) => {
        this.#deviceEvent(event, dev)
        return NOTIFY_DONE
      },
    })
  }

  /** In the order in which they are tried. */
  list(): readonly FibRule[] {
    return this.#rules
  }

  /**
   * fib_nl_newrule(): behind the rules of the same priority.
   * @throws NetlinkError EINVAL, EEXIST
   */
  add(config: RuleConfig, flags = 0, origin?: Origin): void {
    const rule = this.#ruleOf(config)
    if (flags & NLM_F_EXCL && this.#rules.some((other) => isSame(other, rule))) {
      throw new NetlinkError('EEXIST')
    }
    this.#configure(rule)
    rule.jump = this.#rules.find(({ priority }) => priority === rule.target)
    const at = this.#rules.findIndex(({ priority }) => priority > rule.priority)
    this.#rules.splice(at < 0 ? this.#rules.length : at, 0, rule)
    for (const other of this.#rules) {
      if (other.action === FR_ACT_GOTO && other.target === rule.priority) other.jump ??= rule
    }
    this.#stack.chains.rule.call('NEWRULE', { rule, origin })
  }

  /**
   * fib_nl_delrule(): the first rule that has all that is given.
   * @throws NetlinkError EINVAL, ENOENT, EPERM
   */
  delete(config: RuleConfig, origin?: Origin): void {
    const wanted = this.#ruleOf(config)
    const at = this.#rules.findIndex((rule) => isDescribed(rule, wanted, config))
    const rule = this.#rules[at]
    if (!rule) throw new NetlinkError('ENOENT')
    if (rule.flags & FIB_RULE_PERMANENT) throw new NetlinkError('EPERM')
    this.isCustom = true
    this.#rules.splice(at, 1)
    const next = this.#rules[at]
    const heir = next?.priority === rule.priority ? next : undefined
    for (const other of this.#rules) if (other.jump === rule) other.jump = heir
    this.#stack.chains.rule.call('DELRULE', { rule, origin })
  }

  /**
   * fib_rules_lookup(): asks the tables that the rules name; undefined when none knows a way.
   * @throws NetlinkError what a rule or a route answers.
   */
  lookup<T>(flow: FlowKey, lookup: TableLookup<T>): T | undefined {
    let at = 0
    for (let rule = this.#rules[at]; rule; rule = this.#rules[++at]) {
      if (!this.#isMatch(rule, flow)) continue
      if (rule.action === FR_ACT_NOP) continue
      if (rule.action === FR_ACT_GOTO) {
        if (rule.jump) at = this.#rules.indexOf(rule.jump) - 1
        continue
      }
      const table = rule.l3mdev ? this.#vrfTable(flow) : rule.table
      if (table === undefined) continue
      const result = act(rule, table, lookup)
      if (result !== undefined && !isSuppressed(rule, lookup, result)) return result
    }
    return undefined
  }

  /** fib_nl2rule(). */
  #ruleOf(config: RuleConfig): FibRule {
    const bits = this.#family === AF_INET ? 32 : 128
    const { src, srcLen = 0, dst, dstLen = 0, uidRange } = config
    if (srcLen && (src === undefined || srcLen > bits)) invalid('Invalid source address')
    if (dstLen && (dst === undefined || dstLen > bits)) invalid('Invalid dst address')
    const rule = new FibRule(this.#family, config, config.priority ?? this.#defaultPriority())
    if (config.goto !== undefined) {
      if (rule.action !== FR_ACT_GOTO) invalid('Unexpected goto')
      if (rule.target <= rule.priority) invalid('Backward goto not supported')
    } else if (rule.action === FR_ACT_GOTO) {
      invalid('Missing goto target for action goto')
    }
    if (rule.l3mdev && rule.table) invalid('l3mdev and table are mutually exclusive')
    if (uidRange && (uidRange.start === ANY_UID.start || uidRange.start > uidRange.end)) {
      invalid('Invalid uid range')
    }
    if (!isPortRange(config.sport)) invalid('Invalid sport range')
    if (!isPortRange(config.dport)) invalid('Invalid dport range')
    if (rule.iifname) rule.iifindex = this.#stack.devices.byName(rule.iifname)?.ifindex ?? -1
    if (rule.oifname) rule.oifindex = this.#stack.devices.byName(rule.oifname)?.ifindex ?? -1
    return rule
  }

  /** fib4_rule_configure(), fib6_rule_configure(). */
  #configure(rule: FibRule): void {
    if (rule.tos & 3) invalid('Invalid dsfield (tos): ECN bits must be 0')
    const needsTable = rule.action === FR_ACT_TO_TBL && !rule.l3mdev
    if (this.#family === AF_INET) {
      if (needsTable && rule.table === 0) rule.table = this.#stack.fib4.emptyTable()
    } else if (needsTable) {
      if (rule.table === 0) invalid('Invalid table')
      this.#stack.fib6.newTable(rule.table)
    }
    this.isCustom = true
  }

  /** fib_default_rule_pref(). */
  #defaultPriority(): number {
    const second = this.#rules[1]
    return second?.priority ? second.priority - 1 : 0
  }

  /** fib_rule_match(). */
  #isMatch(rule: FibRule, flow: FlowKey): boolean {
    // Who asks for nobody in particular asks as root.
    const { uid = 0, mark = 0 } = flow
    const isIn = (range: Range, port = 0): boolean =>
      range.start === 0 || (port >= range.start && port <= range.end)
    const isMatch =
      (rule.iifindex === 0 || rule.iifindex === flow.iif) &&
      (rule.oifindex === 0 || rule.oifindex === flow.oif) &&
      ((rule.mark ^ mark) & rule.mask) === 0 &&
      (!rule.uidRange || (uid >= rule.uidRange.start && uid <= rule.uidRange.end)) &&
      this.#isInPrefix(flow.saddr, rule.src, rule.srcLen) &&
      this.#isInPrefix(flow.daddr, rule.dst, rule.dstLen) &&
      (rule.tos === 0 || rule.tos === (flow.dscp ?? 0)) &&
      (rule.ipProto === 0 || rule.ipProto === flow.ipProto) &&
      isIn(rule.sport, flow.sport) &&
      isIn(rule.dport, flow.dport)
    return rule.flags & FIB_RULE_INVERT ? !isMatch : isMatch
  }

  /** l3mdev_fib_rule_match(): the table of the VRF that a packet comes from or goes to. */
  #vrfTable({ oif = 0, iif = 0 }: FlowKey): number | undefined {
    const { devices } = this.#stack
    return devices.byIndex(oif)?.l3mdevTable ?? devices.byIndex(iif)?.l3mdevTable
  }

  #isInPrefix(address: Ipv4 | Ipv6 | undefined, prefix: Ipv4 | Ipv6, length: number): boolean {
    if (length === 0) return true
    return this.#family === AF_INET
      ? samePrefix4((address ?? 0) as Ipv4, prefix as Ipv4, length)
      : samePrefix6((address ?? 0n) as Ipv6, prefix as Ipv6, length)
  }

  /** Names come and go. */
  #deviceEvent(event: NetdevEvent, dev: NetDevice): void {
    const isHere = event === 'NETDEV_REGISTER' || event === 'NETDEV_CHANGENAME'
    if (!isHere && event !== 'NETDEV_UNREGISTER') return
    for (const rule of this.#rules) {
      if (rule.iifindex === dev.ifindex) rule.iifindex = -1
      if (rule.oifindex === dev.ifindex) rule.oifindex = -1
      if (isHere && rule.iifname === dev.name) rule.iifindex = dev.ifindex
      if (isHere && rule.oifname === dev.name) rule.oifindex = dev.ifindex
    }
  }
}

function invalid(message: string): never {
  throw new NetlinkError('EINVAL', message)
}

function isPortRange(range: Range | undefined): boolean {
  if (!range) return true
  return range.start !== 0 && range.end !== 0 && range.end < 0xffff && range.start <= range.end
}

function act<T>(rule: FibRule, table: number, lookup: TableLookup<T>): T | undefined {
  switch (rule.action) {
    case FR_ACT_TO_TBL:
      return lookup.look(table)
    case FR_ACT_UNREACHABLE:
      throw new NetlinkError('ENETUNREACH')
    case FR_ACT_PROHIBIT:
      throw new NetlinkError('EACCES')
    default:
      throw new NetlinkError('EINVAL')
  }
}

function isSuppressed<T>(rule: FibRule, lookup: TableLookup<T>, result: T): boolean {
  const { suppressPrefixlen, suppressIfgroup } = rule
  if (suppressPrefixlen !== NONE && lookup.prefixlen(result) <= suppressPrefixlen) return true
  return suppressIfgroup !== NONE && lookup.device(result)?.group === suppressIfgroup
}
