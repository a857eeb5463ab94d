/** `nlkit neigh`: which link-layer address an IP address has. */
import { neighbourStates } from '../client/route/names.ts'
import { NTF_EXT_LEARNED, NTF_PROXY, NUD_NOARP } from '../families/rt-neigh-constants.ts'
import type { Neighbour, NeighbourName, NewNeighbour } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { PROTOCOLS } from './names.ts'
import { showNeighbour } from './neigh-show.ts'
import {
  flag,
  type Given,
  mac,
  named,
  oneOf,
  type Parameters,
  readAddress,
  readPrefix,
  text,
} from './parameter.ts'
import { contains } from './prefix-match.ts'

const STATES = [
  'permanent',
  'reachable',
  'stale',
  'noarp',
  'incomplete',
  'delay',
  'probe',
  'failed',
  'none',
] as const
const FLAGS = ['router', 'proxy', 'extern_learn', 'use', 'managed'] as const

const subject = {
  placeholder: 'ADDRESS',
  about: 'the IP address of the neighbour',
  words: ['to'],
  required: true,
} as const

const naming = {
  dev: text('NAME', 'the link behind which it is'),
  proxy: flag('the entry by which we answer for it'),
} satisfies Parameters

const description = {
  ...naming,
  lladdr: mac('its link-layer address'),
  state: oneOf(STATES, 'permanent unless given', { words: ['nud'] }),
  router: flag('it is a router'),
  externLearn: flag('somebody else keeps the entry'),
  use: flag('look for it now'),
} satisfies Parameters

function nameOf({ given, subject: word }: Call<typeof naming>): NeighbourName {
  if (given.dev === undefined) throw new UsageError('dev is missing: the link behind which it is')
  const destination = readAddress(word!)
  return { link: given.dev, destination, ...(given.proxy ? { flags: ['proxy'] } : {}) }
}

function describe(call: Call<typeof description>): NewNeighbour {
  const { given } = call
  const { lladdr, state } = given
  const names = { ...given, extern_learn: given.externLearn, managed: undefined }
  const flags = FLAGS.filter((name) => names[name]) as NonNullable<NewNeighbour['flags']>
  return {
    ...nameOf(call),
    ...(lladdr === undefined ? {} : { lladdr }),
    ...(state === undefined ? {} : { state }),
    ...((flags as readonly string[]).length === 0 ? {} : { flags }),
  }
}

function print(
  call: Call,
  neighbours: readonly Neighbour[],
  names: LinkNames,
  isOfOneLink: boolean,
): void {
  const listing = new Listing(call)
  const { statistics, brief } = call.options
  const view = { isOfOneLink, statistics, brief }
  for (const neighbour of neighbours) listing.item((p) => showNeighbour(p, neighbour, names, view))
  listing.end()
}

/**
 * What ip(8) leaves out: of no state but the one that is asked for, or entries that need no look-up
 * or are empty; those that somebody else keeps and those of proxies it always shows.
 */
function isListed({ state, flags }: Neighbour, asked: string | undefined): boolean {
  if (asked === 'all' || (flags & (NTF_PROXY | NTF_EXT_LEARNED)) !== 0) return true
  const bits = neighbourStates.bits(state, 'state')
  if (asked === undefined) return bits !== 0 && (bits & NUD_NOARP) === 0
  const wanted = neighbourStates.bits(asked as NonNullable<NewNeighbour['state']>, 'state')
  return wanted === 0 ? bits === 0 : (bits & wanted) !== 0
}

const filters = {
  ...naming,
  state: oneOf(['all', ...STATES], 'only those in that state, or all', { words: ['nud'] }),
  unused: flag('only those that nobody uses'),
  master: text('NAME', 'only behind members of that bridge, bond or VRF', { words: ['vrf'] }),
  nomaster: flag('only behind links that are no members'),
  proto: named('PROTOCOL', 'only those that it made known', (name) => PROTOCOLS.number(name), {
    words: ['protocol'],
  }),
} satisfies Parameters

/** Whether the link behind which it is belongs where the words say. */
function isBehind(
  { ifindex }: Neighbour,
  { master, nomaster }: Given<typeof filters>,
  names: LinkNames,
): boolean {
  const own = names.link(ifindex)?.master
  if (nomaster) return own === undefined
  return master === undefined || (own !== undefined && names.name(own) === master)
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists neighbours',
  examples: ['nlkit neigh list', 'nlkit neigh list dev eth0 -j', 'nlkit neigh list --state stale'],
  subject: { placeholder: 'PREFIX', about: 'only addresses within that', words: ['to'] },
  parameters: filters,
  async run(call) {
    const { given, options, subject } = call
    const { dev: link, proxy, state, proto, unused } = given
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const wanted = subject === undefined ? undefined : readPrefix(subject, options.family)
    const filter = { link, proxy, family: options.family ?? wanted?.family }
    const all = await nl.neighbours.list(filter).toArray()
    const neighbours = all
      .filter((each) => isListed(each, state) && isBehind(each, given, names))
      .filter(({ destination }) => !wanted || contains(wanted, readPrefix(destination)))
      .filter(({ protocol }) => proto === undefined || PROTOCOLS.numberOf(protocol ?? 0) === proto)
      .filter(({ cacheinfo }) => !unused || !cacheinfo?.refcnt)
    print(call, neighbours, names, link !== undefined)
  },
})

const get = verb({
  summary: 'shows one neighbour',
  examples: ['nlkit neigh get 10.0.0.7 dev eth0'],
  subject,
  parameters: naming,
  async run(call) {
    const wanted = nameOf(call)
    const nl = await call.open()
    const neighbour = await nl.neighbours.get(call.asking(wanted))
    const names = await LinkNames.load(nl)
    print(call, [neighbour], names, false)
  },
})

function changing(name: 'add' | 'set' | 'replace', summary: string) {
  return verb({
    aliases: name === 'set' ? ['change'] : [],
    summary,
    examples: [`nlkit neigh ${name} 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0`],
    subject,
    parameters: description,
    async run(call) {
      const wanted = describe(call)
      const nl = await call.open()
      await nl.neighbours[name](call.asking(wanted))
    },
  })
}

const del = verb({
  aliases: ['delete'],
  summary: 'forgets a neighbour',
  examples: ['nlkit neigh del 10.0.0.7 dev eth0'],
  subject,
  parameters: naming,
  async run(call) {
    const wanted = nameOf(call)
    const nl = await call.open()
    await nl.neighbours.delete(call.asking(wanted))
  },
})

export const command: Command = {
  verbs: {
    list,
    get,
    add: changing('add', 'makes a neighbour known'),
    set: changing('set', 'changes a neighbour'),
    replace: changing('replace', 'changes a neighbour, or makes it known'),
    del,
  },
}
