/** `nlkit addr`: addresses of network devices. */
import { defined } from '../client/route/door.ts'
import {
  IFA_F_DADFAILED,
  IFA_F_DEPRECATED,
  IFA_F_HOMEADDRESS,
  IFA_F_MANAGETEMPADDR,
  IFA_F_MCAUTOJOIN,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_OPTIMISTIC,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  IFA_F_TENTATIVE,
} from '../families/rt-addr-constants.ts'
import type { Address, AddressName, Link, NewAddress } from '../index.ts'
import { type AddressView, ownAndPeer, showLinkAddresses } from './addr-show.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { linkFilter } from './link.ts'
import { LinkNames } from './link-names.ts'
import { showBriefLink, showLink } from './link-show.ts'
import { showStatistics } from './link-stats-show.ts'
import { Listing } from './listing.ts'
import { GROUPS, SCOPES } from './names.ts'
import {
  flag,
  type Given,
  integer,
  named,
  type Parameter,
  type Parameters,
  readPrefix,
  text,
} from './parameter.ts'
import { contains } from './prefix-match.ts'

const prefix = {
  placeholder: 'PREFIX',
  about: 'an address and the length of its network, such as 10.0.0.1/24',
  words: ['local'],
  required: true,
} as const

const dev = text('NAME', 'the link that has it')

/** Seconds, or `forever`. */
function lifetime(about: string, word: string): Parameter<number> {
  return {
    placeholder: 'SECONDS',
    about,
    words: [word],
    read(given) {
      if (given === 'forever') return 0xffffffff
      if (!/^\d+(sec)?$/.test(given))
        throw new UsageError(`expected seconds or forever, got "${given}"`)
      return Number.parseInt(given, 10)
    },
  }
}

/** Which address is meant. */
const naming = {
  dev,
  peer: text('PREFIX', 'the other end of a point-to-point link', { words: ['remote'] }),
  label: text('TEXT', 'a label, which begins with the name of the link'),
} satisfies Parameters

const FLAGS = ['nodad', 'noprefixroute', 'home', 'mngtmpaddr', 'autojoin', 'optimistic'] as const
/** What the flags are called in the kernel, where ip(8) has another word. */
const FLAG_NAMES = { home: 'homeaddress', mngtmpaddr: 'managetempaddr', autojoin: 'mcautojoin' }

const description = {
  ...naming,
  broadcast: text('ADDRESS|+', 'the broadcast address; + is the last of the network', {
    words: ['brd'],
  }),
  scope: named('SCOPE', 'global, link or host', (name) => SCOPES.number(name)),
  metric: integer('N', "metric of the network's route", { words: ['priority', 'preference'] }),
  valid: lifetime('how long it may be used', 'valid_lft'),
  preferred: lifetime('how long it is used for new connections', 'preferred_lft'),
  nodad: flag('without looking for duplicates'),
  noprefixroute: flag("without the network's route"),
  home: flag('a home address of mobile IPv6'),
  mngtmpaddr: flag('make temporary addresses of it'),
  autojoin: flag('join its multicast group'),
  optimistic: flag('use it while duplicates are looked for'),
} satisfies Parameters

/** The last address of an IPv4 network, `+`, or the first, `-`. */
function edgeOf(network: string, length: number, edge: '+' | '-'): string {
  const number = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - length)
  const at = Math.floor(number / size) * size + (edge === '+' ? size - 1 : 0)
  return [24, 16, 8, 0].map((shift) => (at / 2 ** shift) & 255).join('.')
}

function broadcastOf(word: string | undefined, own: string, length: number): string | undefined {
  if (word !== '+' && word !== '-') return word
  if (own.includes(':')) throw new UsageError('broadcast: IPv6 has none')
  return edgeOf(own, length, word)
}

function nameOf(call: Call<typeof naming>): AddressName {
  const { given, subject } = call
  const own = readPrefix(subject!)
  const { dev: link, peer, label } = given
  const hasLength = subject!.includes('/')
  const rest = {
    ...(link === undefined ? {} : { link }),
    ...(label === undefined ? {} : { label }),
  }
  if (peer !== undefined) return { ...rest, address: peer, local: own.address }
  return { ...rest, address: hasLength ? `${own.address}/${own.length}` : own.address }
}

function describe(call: Call<typeof description>): NewAddress {
  const { given, subject } = call
  const { address: own, length } = readPrefix(subject!)
  const { scope, metric, valid, preferred } = given
  if (given.dev === undefined) throw new UsageError('dev is missing: the link that has it')
  const flags = FLAGS.filter((name) => given[name]).map(
    (name) => FLAG_NAMES[name as keyof typeof FLAG_NAMES] ?? name,
  )
  const all = {
    ...nameOf(call),
    broadcast: broadcastOf(given.broadcast, own, length),
    scope,
    rtPriority: metric,
    valid,
    preferred,
    flags: flags.length === 0 ? undefined : (flags as NewAddress['flags']),
  }
  return defined(all)
}

/** A link and its addresses; undefined is one that a filter leaves out, `{}` in ip(8)'s JSON. */
type LinkAddresses = readonly [link: Link, addresses: readonly (Address | undefined)[]]

function show(
  call: Call,
  links: readonly LinkAddresses[],
  names: LinkNames,
  isShown = (_link: Link) => true,
  view: Partial<AddressView> = {},
): void {
  const listing = new Listing(call)
  for (const [link, own] of links) {
    if (isShown(link))
      listing.item((p) => showLinkAddresses(p, link, own, names, { ...call.options, ...view }))
    else listing.skip()
  }
  listing.end()
}

const filters = {
  scope: named('SCOPE', 'only those of that scope', (name) => SCOPES.number(name)),
  to: text('PREFIX', 'only those within that prefix'),
  label: text('TEXT', 'only those with that label'),
  kind: text('KIND', 'only of links of that kind', { words: ['type'] }),
  master: text('NAME', 'only of members of that bridge, bond or VRF', { words: ['vrf'] }),
  nomaster: flag('only of links that are no members'),
  group: named('GROUP', 'only of members of that group', (name) => GROUPS.number(name)),
  up: flag('only of links that are switched on'),
  permanent: flag('only those that never end'),
  dynamic: flag('only those that end'),
  secondary: flag('only those that are not the first of their network', { words: ['temporary'] }),
  primary: flag('only those that are the first of their network'),
  tentative: flag('only those whose duplicates are looked for'),
  deprecated: flag('only those that are not preferred any more'),
  dadfailed: flag('only those of which there was a duplicate'),
  home: flag('only home addresses of mobile IPv6'),
  mngtmpaddr: flag('only those of which temporary ones are made'),
  nodad: flag('only those whose duplicates are not looked for'),
  optimistic: flag('only those that are used while duplicates are looked for'),
  noprefixroute: flag("only those without the network's route"),
  autojoin: flag('only those that join their multicast group'),
} satisfies Parameters

/** Flags that a word asks for, and whether they have to be set. */
const ASKED = [
  ['permanent', IFA_F_PERMANENT, true],
  ['dynamic', IFA_F_PERMANENT, false],
  ['secondary', IFA_F_SECONDARY, true],
  ['primary', IFA_F_SECONDARY, false],
  ['tentative', IFA_F_TENTATIVE, true],
  ['deprecated', IFA_F_DEPRECATED, true],
  ['dadfailed', IFA_F_DADFAILED, true],
  ['home', IFA_F_HOMEADDRESS, true],
  ['mngtmpaddr', IFA_F_MANAGETEMPADDR, true],
  ['nodad', IFA_F_NODAD, true],
  ['optimistic', IFA_F_OPTIMISTIC, true],
  ['noprefixroute', IFA_F_NOPREFIXROUTE, true],
  ['autojoin', IFA_F_MCAUTOJOIN, true],
] as const

/** Whether a label is as fnmatch(3) has the pattern, of which `*` and `?` are known here. */
function isLike(label: string, pattern: string): boolean {
  const parts = pattern.split(/([*?])/).map((part) => {
    if (part === '*' || part === '?') return part === '*' ? '.*' : '.'
    return part.replace(/[$()+.[\\\]^{|}]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`, 's').test(label)
}

function isShown(address: Address, given: Given<typeof filters>, ifname: string): boolean {
  const { scope, to, label } = given
  const own = ownAndPeer(address).own
  return (
    (scope === undefined || SCOPES.numberOf(address.scope) === scope) &&
    (label === undefined || isLike(address.label ?? ifname, label)) &&
    (to === undefined || contains(readPrefix(to, address.family), readPrefix(own))) &&
    ASKED.every(([word, flag, isSet]) => !given[word] || ((address.flags & flag) !== 0) === isSet)
  )
}

/** Links that have an address that is shown, and of all families also those that have none at all. */
function withAddresses(
  links: readonly Link[],
  addresses: readonly Address[],
  given: Given<typeof filters>,
  isOfOneFamily: boolean,
): LinkAddresses[] {
  const byLink = new Map<number, Address[]>()
  for (const each of addresses) {
    const known = byLink.get(each.ifindex)
    if (known) known.push(each)
    else byLink.set(each.ifindex, [each])
  }
  return links
    .map((link) => [link, byLink.get(link.ifindex) ?? []] as const)
    .map(
      ([link, all]) =>
        [link, all.map((each) => (isShown(each, given, link.ifname) ? each : undefined))] as const,
    )
    .filter(([, all]) => all.some(Boolean) || (all.length === 0 && !isOfOneFamily))
}

/** What Linux says of a link to who asks for IPv6's links: little (inet6_fill_ifinfo()). */
function asIpv6Says({
  ifindex,
  ifname,
  flags,
  up,
  type,
  address,
  mtu,
  link,
  operstate,
  txqlen,
}: Link): Link {
  return defined({
    ifindex,
    ifname,
    flags,
    up,
    type,
    address,
    mtu,
    link,
    operstate,
    txqlen,
  }) as Link
}

/** `-0`: of each link its own address alone. */
function showLinks(
  call: Call,
  links: readonly Link[],
  names: LinkNames,
  given: Given<typeof filters>,
): void {
  const listing = new Listing(call)
  const { brief, statistics } = call.options
  const isWanted = linkFilter(given)
  for (const link of links)
    if (!isWanted(link)) listing.skip()
    else
      listing.item((p) => {
        if (brief) showBriefLink(p, link, names, true)
        else
          showLink(p, link, names, {
            ...call.options,
            family: undefined,
            isLink: false,
            hasQueue: true,
          })
        if (!brief && statistics > 0) {
          showStatistics(p, link, statistics)
          p.text('\n')
        }
      })
  listing.end()
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists addresses',
  examples: ['nlkit addr list', 'nlkit -br addr list', 'nlkit -4 addr list eth0 -j'],
  subject: { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] },
  parameters: filters,
  async run(call) {
    const { given, options, subject: link } = call
    const { kind, master, to } = given
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const asked = { master, ...(kind?.endsWith('_slave') ? {} : { kind }) }
    const links =
      link === undefined ? await nl.links.list(asked).toArray() : [await nl.links.get(link)]
    if (options.link) {
      showLinks(call, links, names, given)
      return
    }
    const family = options.family ?? (to === undefined ? undefined : readPrefix(to).family)
    const isShort = link === undefined && options.family === 'inet6'
    const addresses = await nl.addresses.list({ link, family }).toArray()
    const shown = withAddresses(
      isShort ? links.map(asIpv6Says) : links,
      addresses,
      given,
      family !== undefined,
    )
    show(call, shown, names, linkFilter(given), {
      family,
      onlyAddresses: given.label !== undefined,
    })
  },
})

const get = verb({
  summary: 'shows one address',
  examples: ['nlkit addr get 127.0.0.1', 'nlkit addr get 10.0.0.1/24 dev eth0 -j'],
  subject: prefix,
  parameters: { dev },
  async run(call) {
    const nl = await call.open()
    const found = await nl.addresses.get(nameOf(call as Call<typeof naming>))
    const link = await nl.links.get(found.ifindex)
    show(call, [[link, [found]]], await LinkNames.load(nl))
  },
})

function changing(name: 'add' | 'set' | 'replace', summary: string, example: string) {
  return verb({
    aliases: name === 'set' ? ['change'] : [],
    summary,
    examples: [example],
    subject: prefix,
    parameters: description,
    async run(call) {
      const wanted = describe(call)
      const nl = await call.open()
      await nl.addresses[name](call.asking(wanted))
    },
  })
}

const del = verb({
  aliases: ['delete'],
  summary: 'takes an address away',
  examples: ['nlkit addr del 10.0.0.1/24 dev eth0'],
  subject: prefix,
  parameters: naming,
  async run(call) {
    const wanted = nameOf(call)
    const nl = await call.open()
    const link = wanted.link ?? (await nl.addresses.get(wanted)).ifindex
    await nl.addresses.delete(call.asking({ ...wanted, link }))
  },
})

export const command: Command = {
  verbs: {
    list,
    get,
    add: changing('add', 'gives a link an address', 'nlkit addr add 10.0.0.1/24 dev eth0'),
    set: changing('set', 'changes an address', 'nlkit addr set 10.0.0.1/24 dev eth0 valid 600'),
    replace: changing(
      'replace',
      'changes an address, or adds it when it is not there',
      'nlkit addr replace 10.0.0.1/24 dev eth0 valid 600',
    ),
    del,
  },
}
