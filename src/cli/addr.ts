/** `nlkit addr`: addresses of network devices. */
import { defined } from '../client/route/door.ts'
import type { Address, AddressName, Link, NewAddress } from '../index.ts'
import { briefLinkAddressesJson, linkAddressesJson } from './addr-json.ts'
import { type LinksWithAddresses, printAddresses } from './addr-text.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { SCOPES } from './names.ts'
import {
  flag,
  integer,
  named,
  type Parameter,
  type Parameters,
  readPrefix,
  text,
} from './parameter.ts'

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

/** Links with their addresses; of a family, only those that have any. */
function group(links: readonly Link[], addresses: readonly Address[], all: boolean) {
  const byLink = new Map<number, Address[]>()
  for (const each of addresses) {
    const known = byLink.get(each.ifindex)
    if (known) known.push(each)
    else byLink.set(each.ifindex, [each])
  }
  return links
    .map((link) => [link, byLink.get(link.ifindex) ?? []] as const)
    .filter(([, own]) => all || own.length > 0)
}

function show(call: Call, links: LinksWithAddresses, names: LinkNames): void {
  const { out, options } = call
  const toJson = ([link, own]: LinksWithAddresses[number]) =>
    options.brief
      ? briefLinkAddressesJson(link, own, names, options)
      : linkAddressesJson(link, own, names, options)
  if (options.json) out.json(links.map(toJson))
  else printAddresses(out, links, options)
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists addresses',
  examples: ['nlkit addr list', 'nlkit -br addr list', 'nlkit -4 addr list eth0 -j'],
  subject: { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] },
  parameters: {
    scope: named('SCOPE', 'only those of that scope', (name) => SCOPES.number(name)),
    up: flag('only of links that are switched on'),
  },
  async run(call) {
    const { given, options, subject: link } = call
    const { scope, up } = given
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const links =
      link === undefined ? await nl.links.list({ up }).toArray() : [await nl.links.get(link)]
    const { family } = options
    const addresses = await nl.addresses.list({ link, family, scope }).toArray()
    show(call, group(links, addresses, family === undefined && scope === undefined), names)
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
