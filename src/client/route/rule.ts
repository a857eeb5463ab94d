/** Rules: which routing table a packet is looked up in. */

import { isNetlinkError } from '../../errors.ts'
import { RT_TABLE_MAIN, RT_TABLE_UNSPEC } from '../../families/rt-route-constants.ts'
import { FIB_RULE_INVERT, rtRule } from '../../families/rt-rule.ts'
import type { Reply, RequestInput } from '../../schema/index.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../wire/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import { Live, type LiveOptions } from '../live.ts'
import { checkMatch, type Match } from '../match.ts'
import type { CallOptions } from '../options.ts'
import { defined, found, type Links, withRest } from './door.ts'
import { ruleSubject } from './live.ts'
import {
  type RouteProtocol,
  type RuleAction,
  routeProtocols,
  ruleActions,
  type Table,
  tables,
} from './names.ts'
import { familyNumber, type IpFamily, ipFamily, parseDestination } from './prefix.ts'

type Decoded = Reply<typeof rtRule, 'getRule', 'dump'>
type Request = RequestInput<typeof rtRule, 'newRule'>
type Translated =
  | 'family'
  | 'dstLen'
  | 'srcLen'
  | 'dst'
  | 'src'
  | 'frhTable'
  | 'table'
  | 'action'
  | 'protocol'
  | 'iifname'
  | 'oifname'

/** A rule, with all that the kernel says of it. */
export interface Rule extends Omit<Decoded, Translated> {
  family: IpFamily
  /** Lower ones are asked first. */
  priority: number
  action: RuleAction | number
  /** Where to look, for the action `to_tbl`. */
  table: Table
  /** Prefixes that a packet must match; absent: all. */
  source?: string
  destination?: string
  /** Names of the links through which it came, and is to leave. */
  iif?: string
  oif?: string
  protocol?: RouteProtocol | number
  /** FIB_RULE_*. */
  flags: number
}

export interface RuleFilter {
  readonly family?: IpFamily | undefined
  readonly priority?: number | undefined
  readonly table?: Table | undefined
}

/** What a rule says, or by what one is found: one that was listed will do. */
export interface RuleDescription extends Omit<Request, Translated> {
  /** Of `source` or `destination`, or `inet`. */
  readonly family?: IpFamily | undefined
  /** `to_tbl` unless given. */
  readonly action?: RuleAction | number | undefined
  /** `main` unless given. */
  readonly table?: Table | undefined
  readonly source?: string | undefined
  readonly destination?: string | undefined
  readonly iif?: string | undefined
  readonly oif?: string | undefined
  readonly protocol?: RouteProtocol | number | undefined
  /** Whether it holds for all that does not match. */
  readonly invert?: boolean | undefined
}

const TRANSLATED: ReadonlySet<string> = new Set([
  'family',
  'dstLen',
  'srcLen',
  'dst',
  'src',
  'frhTable',
  'table',
  'action',
  'protocol',
  'iifname',
  'oifname',
  'priority',
] satisfies (Translated | 'priority')[])

/** A rule as its message says; undefined for families other than IPv4 and IPv6. */
export function toRule(decoded: Decoded): Rule | undefined {
  const { src, dst, iifname, oifname, protocol, priority = 0 } = decoded
  const family = ipFamily(decoded.family)
  if (family === undefined) return undefined
  const rule: Partial<Rule> = { family, priority, action: ruleActions.name(decoded.action) }
  rule.table = tables.name(decoded.table ?? decoded.frhTable) as Table
  if (src !== undefined) rule.source = `${src}/${decoded.srcLen}`
  if (dst !== undefined) rule.destination = `${dst}/${decoded.dstLen}`
  if (iifname !== undefined) rule.iif = iifname
  if (oifname !== undefined) rule.oif = oifname
  if (protocol !== undefined) rule.protocol = routeProtocols.name(protocol)
  return withRest<Rule>(rule, decoded, TRANSLATED)
}

export class RuleDoor {
  readonly #links: Links
  readonly #calls = {
    list: makeCall(rtRule, 'getRule', 'dump'),
    new: makeCall(rtRule, 'newRule', 'do'),
    delete: makeCall(rtRule, 'delRule', 'do'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /**
   * The table, kept: changes from nothing to all that there is, and on. Events are applied, and the
   * table is listed again whenever they may not have been all.
   */
  live(match: Match<Rule> = {}, options: LiveOptions = {}): Live<Rule> {
    const { session } = this.#links.endpoint
    return new Live(session, ruleSubject(this, toRule), checkMatch(match), options)
  }

  list(filter: RuleFilter = {}, options: DumpOptions = {}): Dump<Rule> {
    const { priority } = filter
    let family: number | undefined
    let table: number | undefined
    const map = (decoded: Decoded): Rule | undefined => {
      const isWanted =
        (family === undefined || decoded.family === family) &&
        (priority === undefined || (decoded.priority ?? 0) === priority) &&
        (table === undefined || (decoded.table ?? decoded.frhTable) === table)
      return isWanted ? toRule(decoded) : undefined
    }
    const value = () => {
      family = filter.family === undefined ? undefined : familyNumber(filter.family)
      table = filter.table === undefined ? undefined : tables.number(filter.table, 'table')
      return defined({ family })
    }
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** The first rule of a priority, of IPv4 unless said otherwise. @throws NetlinkError ENOENT */
  async get(
    rule: { readonly family?: IpFamily | undefined; readonly priority: number },
    options: CallOptions = {},
  ): Promise<Rule> {
    const { family = 'inet', priority } = rule
    const [first] = await this.list({ family, priority }, options).toArray()
    return found(first, 'ENOENT', `no ${family} rule has the priority ${priority}`)
  }

  /** Adds a rule. Without a priority the kernel gives it the one before the second rule's. */
  async add(rule: RuleDescription, options: CallOptions = {}): Promise<void> {
    const { action = 'to_tbl', table } = rule
    const isLookup = ruleActions.number(action, 'action') === ruleActions.number('to_tbl', 'action')
    const whole = { ...rule, action, table: table ?? (isLookup ? RT_TABLE_MAIN : undefined) }
    const flags = NLM_F_CREATE | NLM_F_EXCL
    await this.#links.endpoint.request(this.#calls.new, describe(whole), { ...options, flags })
  }
  /** Adds a rule, unless the very same is there. */
  async replace(rule: RuleDescription, options: CallOptions = {}): Promise<void> {
    try {
      await this.add(rule, options)
    } catch (error) {
      if (!isNetlinkError(error, 'EEXIST')) throw error
    }
  }
  /**
   * Changes the first rule of a priority, of IPv4 unless said otherwise. Kernels cannot change
   * rules: the new one is added before the old one is deleted, so that none is missing meanwhile.
   * @throws NetlinkError ENOENT
   */
  async set(
    rule: { readonly family?: IpFamily | undefined; readonly priority: number },
    changes: Omit<RuleDescription, 'family'>,
    options: CallOptions = {},
  ): Promise<void> {
    const old = await this.get(rule, options)
    try {
      await this.add({ ...old, ...changes }, options)
    } catch (error) {
      if (isNetlinkError(error, 'EEXIST')) return
      throw error
    }
    await this.delete(old, options)
  }
  /** Deletes the first rule that has all that is given. @throws NetlinkError ENOENT */
  async delete(rule: RuleDescription, options: CallOptions = {}): Promise<void> {
    await this.#links.endpoint.request(this.#calls.delete, describe(rule), options)
  }
}

/** A rule as RTM_NEWRULE and RTM_DELRULE have it. */
function describe(rule: RuleDescription): object {
  const { family, source, destination, action, table, protocol, iif, oif, ...most } = rule
  const { invert, flags = 0, ...rest } = most
  const first = (family ?? 'inet') satisfies IpFamily
  const src = source === undefined ? undefined : parseDestination(source, first, 'source')
  const dst =
    destination === undefined ? undefined : parseDestination(destination, first, 'destination')
  const number = table === undefined ? RT_TABLE_UNSPEC : tables.number(table, 'table')
  return defined({
    ...rest,
    family: familyNumber(family ?? src?.family ?? dst?.family ?? 'inet'),
    srcLen: src?.length ?? 0,
    dstLen: dst?.length ?? 0,
    frhTable: number < 256 ? number : RT_TABLE_UNSPEC,
    action: action === undefined ? undefined : ruleActions.number(action, 'action'),
    flags: invert ? flags | FIB_RULE_INVERT : flags,
    src: src?.length ? src.address : undefined,
    dst: dst?.length ? dst.address : undefined,
    table: number < 256 ? undefined : number,
    protocol: protocol === undefined ? undefined : routeProtocols.number(protocol, 'protocol'),
    iifname: iif,
    oifname: oif,
  })
}
