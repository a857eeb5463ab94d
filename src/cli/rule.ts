/** `nlkit rule`: which table routes a packet. */
import { defined } from '../client/route/door.ts'
import { FIB_RULE_INVERT } from '../families/rt-rule-constants.ts'
import { isNetlinkError, type Rule, type RuleDescription } from '../index.ts'
import { type Call, type Command, type GlobalOptions, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { Listing } from './listing.ts'
import { PROTOCOLS, TABLES } from './names.ts'
import {
  flag,
  type Given,
  integer,
  named,
  oneOf,
  type Parameter,
  type Parameters,
  readInteger,
  readPrefix,
  text,
} from './parameter.ts'
import { contains } from './prefix-match.ts'
import { ipProtocolNumber, showRule } from './rule-show.ts'

const ACTIONS = ['blackhole', 'unreachable', 'prohibit', 'nop'] as const

/** `5` or `5-10`. */
function range(about: string): Parameter<{ start: number; end: number }> {
  return {
    placeholder: 'N[-M]',
    about,
    read(word) {
      const [start = '', end = start] = word.split('-')
      return { start: readInteger(start), end: readInteger(end) }
    },
  }
}

/** `0x1` or `0x1/0xff`. */
const mark: Parameter<{ value: number; mask: number | undefined }> = {
  placeholder: 'MARK[/MASK]',
  about: 'packets with that mark',
  read(word) {
    const [value = '', mask] = word.split('/')
    return { value: readInteger(value), mask: mask === undefined ? undefined : readInteger(mask) }
  },
}

const table = named('TABLE', 'the table to look in', (name) => TABLES.number(name), {
  words: ['lookup'],
})
const priority = integer('N', 'lower ones are asked first', {
  words: ['pref', 'preference', 'order'],
})

const description = {
  from: text('PREFIX', 'packets from there'),
  to: text('PREFIX', 'packets to there'),
  iif: text('NAME', 'packets that came through that link', { words: ['dev'] }),
  oif: text('NAME', 'packets that are bound to leave through that link'),
  fwmark: mark,
  tos: integer('N', 'packets of that type of service', { words: ['dsfield'] }),
  ipproto: named('PROTOCOL', 'packets of that protocol', ipProtocolNumber),
  sport: range('packets from those ports'),
  dport: range('packets to those ports'),
  uidrange: range('packets of those users'),
  not: flag('packets that do not match'),
  table,
  action: oneOf(ACTIONS, 'instead of a table', { values: ACTIONS }),
  goto: integer('N', 'go on at the rule of that priority'),
  suppressPrefixlen: integer('N', "don't take routes to prefixes of that length or less", {
    words: ['suppress_prefixlength'],
  }),
  priority,
  proto: named('PROTOCOL', 'who installed it', (name) => PROTOCOLS.number(name), {
    words: ['protocol'],
  }),
} satisfies Parameters

const subject = { placeholder: 'PRIORITY', about: 'the priority of the rule' } as const

/** A prefix as the client takes it; undefined for `all`. */
function prefixOf(word: string | undefined, options: GlobalOptions) {
  if (word === undefined) return undefined
  const { address, length, family } = readPrefix(word, options.family)
  return length === 0 ? undefined : { text: `${address}/${length}`, family }
}

function describe(call: Call<typeof description>): RuleDescription {
  const { given, options, subject: word } = call
  const source = prefixOf(given.from, options)
  const destination = prefixOf(given.to, options)
  if (word !== undefined && given.priority !== undefined)
    throw new UsageError('"priority" is given twice')
  const { iif, oif, fwmark, tos, ipproto, sport, dport, uidrange, goto } = given
  const all = {
    family: options.family ?? source?.family ?? destination?.family ?? 'inet',
    source: source?.text,
    destination: destination?.text,
    iif,
    oif,
    fwmark: fwmark?.value,
    fwmask: fwmark?.mask,
    tos: tos ?? 0,
    ipProto: ipproto,
    sportRange: sport,
    dportRange: dport,
    uidRange: uidrange,
    invert: given.not,
    table: given.table,
    action: given.action ?? (goto === undefined ? undefined : 'goto'),
    goto,
    suppressPrefixlen: given.suppressPrefixlen,
    priority: given.priority ?? (word === undefined ? undefined : readInteger(word)),
    protocol: given.proto,
  }
  return defined(all) as RuleDescription
}

function print(call: Call, rules: readonly Rule[]): void {
  const listing = new Listing(call)
  for (const rule of rules) listing.item((p) => showRule(p, rule, call.options.details))
  listing.end()
}

const filters = {
  from: text('PREFIX', 'only those for packets from within that'),
  to: text('PREFIX', 'only those for packets to within that', { words: ['dst'] }),
  iif: text('NAME', 'only those for packets that came through that link', { words: ['dev'] }),
  oif: text('NAME', 'only those for packets that leave through that link'),
  fwmark: { ...mark, about: 'only those for that mark' },
  tos: integer('N', 'only those for that type of service', { words: ['dsfield'] }),
  ipproto: named('PROTOCOL', 'only those for that protocol', ipProtocolNumber),
  sport: range('only those for packets from those ports'),
  dport: range('only those for packets to those ports'),
  uidrange: range('only those for those users'),
  l3mdev: flag('only those that look into the tables of VRFs'),
  not: flag('only those for packets that do not match'),
  priority,
  table: { ...table, about: 'only those that look into that table' },
  proto: named('PROTOCOL', 'only those that it installed', (name) => PROTOCOLS.number(name), {
    words: ['protocol'],
  }),
} satisfies Parameters

type Filters = Given<typeof filters>

const isWithin = (prefix: string | undefined, own: string | undefined, options: GlobalOptions) => {
  const outer = prefixOf(prefix, options)
  return (
    outer === undefined || (own !== undefined && contains(readPrefix(outer.text), readPrefix(own)))
  )
}

/** Whether a range is the one that is asked for, if one is. */
function isRange(
  wanted: { start: number; end: number } | undefined,
  own: { start: number; end: number } | undefined,
): boolean {
  return wanted === undefined || (own?.start === wanted.start && own.end === wanted.end)
}

const isEqual = <T>(wanted: T | undefined, own: T | undefined): boolean =>
  wanted === undefined || wanted === own

/** The rules that the command line's words leave. */
function isShown(rule: Rule, given: Filters, options: GlobalOptions): boolean {
  const { fwmark, proto } = given
  return (
    isWithin(given.from, rule.source, options) &&
    isWithin(given.to, rule.destination, options) &&
    isEqual(given.iif, rule.iif) &&
    isEqual(given.oif, rule.oif) &&
    (fwmark === undefined || fwmark.value === (rule.fwmark ?? 0)) &&
    isEqual(fwmark?.mask, rule.fwmask) &&
    isEqual(given.tos, rule.tos) &&
    isEqual(given.ipproto, rule.ipProto) &&
    isRange(given.sport, rule.sportRange) &&
    isRange(given.dport, rule.dportRange) &&
    isRange(given.uidrange, rule.uidRange) &&
    (!given.l3mdev || Boolean(rule.l3mdev)) &&
    (!given.not || (rule.flags & FIB_RULE_INVERT) !== 0) &&
    (proto === undefined || PROTOCOLS.numberOf(rule.protocol ?? 'unspec') === proto)
  )
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists rules, of IPv4 unless told otherwise',
  examples: ['nlkit rule list', 'nlkit -6 rule list -j', 'nlkit rule list from 10.0.0.0/8'],
  subject: { placeholder: 'PREFIX', about: 'only those for packets to within that' },
  parameters: filters,
  async run(call) {
    const { options, subject: to } = call
    const given = { ...call.given, ...(to === undefined ? {} : { to }) }
    const prefix = prefixOf(given.from, options) ?? prefixOf(given.to, options)
    const family = options.family ?? prefix?.family ?? 'inet'
    const nl = await call.open()
    const filter = { family, priority: given.priority, table: given.table }
    const rules = await nl.rules.list(filter).toArray()
    print(
      call,
      rules.filter((rule) => isShown(rule, given, options)),
    )
  },
})

const get = verb({
  summary: 'shows the first rule of a priority',
  examples: ['nlkit rule get 32766'],
  subject: { ...subject, words: ['priority', 'pref'], required: true },
  parameters: {},
  async run(call) {
    const wanted = { priority: readInteger(call.subject!), family: call.options.family ?? 'inet' }
    const nl = await call.open()
    print(call, [await nl.rules.get(wanted)])
  },
})

const add = verb({
  summary: 'adds a rule',
  examples: [
    'nlkit rule add from 10.0.0.0/8 table 100 priority 1000',
    'nlkit rule add --fwmark 0x1/0xff --table 100',
    'nlkit rule add to 192.0.2.0/24 prohibit',
  ],
  subject,
  parameters: description,
  async run(call) {
    const wanted = describe(call)
    const nl = await call.open()
    await nl.rules.add(call.asking(wanted))
  },
})

const replace = verb({
  summary: 'adds a rule, unless the very same is there',
  examples: ['nlkit rule replace from 10.0.0.0/8 table 100 priority 1000'],
  subject,
  parameters: description,
  async run(call) {
    try {
      await add.run(call)
    } catch (error) {
      if (!isNetlinkError(error, 'EEXIST')) throw error
    }
  },
})

const set = verb({
  aliases: ['change'],
  summary: 'no kernel can: add the new rule, then delete the old one',
  examples: ['nlkit rule replace from 10.0.0.0/8 table 100 priority 1000'],
  subject,
  parameters: description,
  run() {
    throw new UsageError(
      'a rule cannot be changed, it is what it says',
      'add the new one, then delete the old one',
    )
  },
})

const del = verb({
  aliases: ['delete'],
  summary: 'deletes the first rule that has all that is given',
  examples: ['nlkit rule del 1000', 'nlkit rule del from 10.0.0.0/8 table 100'],
  subject,
  parameters: description,
  async run(call) {
    const wanted = describe(call)
    const nl = await call.open()
    await nl.rules.delete(call.asking(wanted))
  },
})

export const command: Command = { verbs: { list, get, add, set, replace, del } }
