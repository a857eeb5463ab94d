/** `nlkit nexthop`: next hops that routes refer to by their ids. */
import { defined } from '../client/route/door.ts'
import type { NewNexthop, NexthopBucket } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { PROTOCOLS } from './names.ts'
import { showBucket, showNexthop } from './nexthop-show.ts'
import {
  flag,
  integer,
  named,
  oneOf,
  type Parameter,
  type Parameters,
  readAddress,
  readInteger,
  text,
} from './parameter.ts'

const subject = {
  placeholder: 'ID',
  about: 'its number',
  words: ['id'],
  required: true,
} as const

const proto = named('PROTOCOL', 'who installed it', (name) => PROTOCOLS.number(name), {
  words: ['protocol'],
})

/** `1/2,5`: ids, with their weights where they are not 1. */
const group: Parameter<{ id: number; weight: number }[]> = {
  placeholder: 'ID[,WEIGHT]/…',
  about: 'a group of these',
  read: (word) =>
    word.split('/').map((member) => {
      const [id = '', weight = '1'] = member.split(',')
      return { id: readInteger(id), weight: readInteger(weight) }
    }),
}

const description = {
  via: {
    placeholder: 'ADDRESS',
    about: 'the gateway',
    words: ['gateway'],
    noise: ['inet', 'inet6'],
    read: readAddress,
  } satisfies Parameter<string>,
  dev: text('NAME', 'the link', { words: ['oif'] }),
  onlink: flag('take the gateway to be on the link'),
  blackhole: flag('throw packets away'),
  group,
  type: oneOf(['mpath', 'resilient'], 'how a group shares'),
  buckets: integer('N', 'of a resilient group'),
  idleTimer: integer('SECONDS', 'after which a bucket may be given to another', {
    words: ['idle_timer'],
  }),
  unbalancedTimer: integer('SECONDS', 'after which a group is balanced by force', {
    words: ['unbalanced_timer'],
  }),
  fdb: flag("for a bridge's forwarding entries"),
  proto,
} satisfies Parameters

const RTNH_F_ONLINK = 4

function describe(call: Call<typeof description>): NewNexthop {
  const { given, subject: word, options } = call
  const { via, dev, onlink, blackhole, group: members, type, fdb, buckets } = given
  const { idleTimer, unbalancedTimer } = given
  const hundredths = (seconds: number | undefined) =>
    seconds === undefined ? undefined : seconds * 100
  const resilient = defined({
    buckets,
    idleTimer: hundredths(idleTimer),
    unbalancedTimer: hundredths(unbalancedTimer),
  })
  if (members && via !== undefined) throw new UsageError('group and via exclude each other')
  const all = {
    id: readInteger(word!),
    family: options.family,
    gateway: via,
    oif: dev,
    flags: onlink ? RTNH_F_ONLINK : undefined,
    blackhole,
    group: members,
    groupType: type,
    resGroup: Object.keys(resilient).length === 0 ? undefined : resilient,
    fdb,
    protocol: given.proto,
  }
  return defined(all) as NewNexthop
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists next hops',
  examples: ['nlkit nexthop list', 'nlkit nexthop list groups -j', 'nlkit nexthop list dev eth0'],
  subject: { ...subject, required: false },
  parameters: {
    dev: text('NAME', 'only those through that link', { words: ['oif'] }),
    master: text('NAME', 'only those through members of that bridge', { words: ['vrf'] }),
    groups: flag('only groups'),
    fdb: flag("only those for bridges' forwarding entries"),
    proto,
  },
  async run(call) {
    if (call.subject !== undefined) return get.run(call)
    const { dev: oif, master, groups, fdb, proto: protocol } = call.given
    const { family, details } = call.options
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const listing = new Listing(call)
    const filter = { family, oif, master, groups, fdb, protocol }
    for await (const batch of nl.nexthops.list(filter).batches())
      for (const hop of batch)
        listing.item((p) => {
          showNexthop(p, hop, names, details)
          p.text('\n')
        })
    listing.end()
    return undefined
  },
})

const get = verb({
  summary: 'shows one next hop',
  examples: ['nlkit nexthop get 1'],
  subject,
  parameters: {},
  async run(call) {
    const nl = await call.open()
    const hop = await nl.nexthops.get(readInteger(call.subject!))
    const names = await LinkNames.load(nl)
    const listing = new Listing(call)
    listing.item((p) => {
      showNexthop(p, hop, names, call.options.details)
      p.text('\n')
    })
    listing.end()
  },
})

const bucket = verb({
  aliases: ['buckets'],
  summary: 'lists buckets of resilient groups; get shows one',
  examples: ['nlkit nexthop bucket', 'nlkit nexthop bucket list id 7 -j'],
  many: 'list|get [ID]',
  parameters: {
    id: integer('ID', 'only of that group'),
    index: integer('N', 'only the one of that number'),
    nhid: integer('ID', 'only those that lead to that next hop'),
    dev: text('NAME', 'only those that lead through that link', { words: ['oif'] }),
  },
  async run(call) {
    const words = call.rest.filter((word) => !['list', 'ls', 'show', 'get'].includes(word))
    if (words.length > 1) throw new UsageError(`unexpected word "${words[1]}"`)
    const {
      index,
      nhid,
      dev,
      id = words[0] === undefined ? undefined : readInteger(words[0]),
    } = call.given
    const nl = await call.open()
    const oif = dev === undefined ? undefined : (await nl.links.get(dev)).ifindex
    const hops = oif === undefined ? undefined : await nl.nexthops.list({ oif }).toArray()
    const isShown = (each: NexthopBucket) =>
      (index === undefined || each.index === index) &&
      (nhid === undefined || each.nhId === nhid) &&
      (hops === undefined || hops.some((hop) => hop.id === each.nhId))
    const listing = new Listing(call)
    for await (const batch of nl.nexthops.buckets(id).batches())
      for (const each of batch.filter(isShown)) listing.item((p) => showBucket(p, each))
    listing.end()
  },
})

function changing(name: 'add' | 'set' | 'replace', summary: string, example: string) {
  return verb({
    aliases: name === 'set' ? ['change'] : [],
    summary,
    examples: [example],
    subject,
    parameters: description,
    async run(call) {
      const wanted = describe(call)
      const nl = await call.open()
      await nl.nexthops[name](call.asking(wanted))
    },
  })
}

const del = verb({
  aliases: ['delete'],
  summary: 'deletes a next hop, and the routes through it',
  examples: ['nlkit nexthop del 1'],
  subject,
  parameters: {},
  async run(call) {
    const id = readInteger(call.subject!)
    const nl = await call.open()
    await nl.nexthops.delete(call.asking({ id }))
  },
})

export const command: Command = {
  verbs: {
    list,
    get,
    bucket,
    add: changing('add', 'adds a next hop', 'nlkit nexthop add 1 via 10.0.0.3 dev eth0'),
    set: changing('set', 'changes a next hop', 'nlkit nexthop set 1 via 10.0.0.4 dev eth0'),
    replace: changing(
      'replace',
      'changes a next hop, or adds it',
      'nlkit nexthop replace 3 group 1/2,5',
    ),
    del,
  },
}
