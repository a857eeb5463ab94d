/** `nlkit link`: network devices. */
import { defined } from '../client/route/door.ts'
import { isNetlinkError, type Link, type LinkChanges, NetlinkError } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { showBriefLink, showLink } from './link-show.ts'
import { Listing } from './listing.ts'
import { GROUPS } from './names.ts'
import { openDestination } from './netns.ts'
import {
  flag,
  type Given,
  integer,
  json,
  mac,
  named,
  onOff,
  type Parameters,
  text,
} from './parameter.ts'
import type { Connection } from './session.ts'

const subject = {
  placeholder: 'NAME',
  about: 'the name of a link',
  words: ['dev'],
  required: true,
} as const

/** What a link can be made with and changed to alike. */
const settings = {
  mtu: integer('BYTES', 'the largest packet'),
  up: flag('switch it on'),
  down: flag('switch it off'),
  address: mac('its link-layer address', { words: ['lladdr'] }),
  broadcast: mac('the link-layer broadcast address', { words: ['brd'] }),
  master: text('NAME', 'the bridge, bond or VRF that it joins'),
  txqlen: integer('PACKETS', 'length of the transmit queue', {
    words: ['txqueuelen', 'qlen', 'txqueue'],
  }),
  group: named('GROUP', 'the group that it belongs to', (name) => GROUPS.number(name)),
  alias: text('TEXT', 'a description'),
  arp: onOff('answer ARP requests'),
  multicast: onOff('take part in multicast'),
  promisc: onOff('take every packet'),
  allmulticast: onOff('take every multicast packet', { words: ['allmulti'] }),
  netns: text('NAME|PID', 'move it to that network namespace'),
  data: json('what only links of its kind have, as the schema names it'),
} satisfies Parameters

/** IFF_* that a switch sets, and whether `on` means set. */
const SWITCHES = {
  arp: [0x80, false],
  multicast: [0x1000, true],
  promisc: [0x100, true],
  allmulticast: [0x200, true],
} as const

/** Flags and their mask, from switches. */
function flagChanges(given: Given<typeof settings>): { flags?: number; change?: number } {
  let flags = 0
  let change = 0
  for (const [name, [bit, isSetByOn]] of Object.entries(SWITCHES)) {
    const value = given[name as keyof typeof SWITCHES]
    if (value === undefined) continue
    change |= bit
    if (value === isSetByOn) flags |= bit
  }
  return change === 0 ? {} : { flags, change }
}

/** What was given, as the client's changes. */
function changesOf(given: Given<typeof settings>): LinkChanges {
  if (given.up && given.down) throw new UsageError('up and down exclude each other')
  const { mtu, address, broadcast, master, txqlen, group, alias, data } = given
  const changes = {
    mtu,
    address,
    broadcast,
    master,
    txqlen,
    group,
    ifalias: alias,
    data: data as Record<string, unknown> | undefined,
    up: given.up ? true : given.down ? false : undefined,
    ...flagChanges(given),
  }
  return defined(changes)
}

function show(
  call: Call,
  links: readonly Link[],
  names: LinkNames,
  isShown = (_link: Link) => true,
): void {
  const listing = new Listing(call)
  const view = { ...call.options, family: undefined, isLink: true, hasQueue: true }
  for (const link of links) {
    if (!isShown(link)) listing.skip()
    else if (view.brief) listing.item((p) => showBriefLink(p, link, names, true))
    else listing.item((p) => showLink(p, link, names, view))
  }
  listing.end()
}

/** What ip(8) sorts out itself, as opposed to what it asks the kernel for. */
export function linkFilter(given: {
  readonly kind?: string
  readonly up?: boolean
  readonly nomaster?: boolean
  readonly group?: number
}): (link: Link) => boolean {
  const { kind, up, nomaster, group } = given
  const slaveKind = kind?.endsWith('_slave') ? kind.slice(0, -'_slave'.length) : undefined
  return (link) =>
    (!up || link.up) &&
    (!nomaster || link.master === undefined) &&
    (group === undefined || link.group === group) &&
    (slaveKind === undefined || link.slaveKind === slaveKind)
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists links',
  examples: ['nlkit link list', 'nlkit -br link list --kind veth', 'nlkit link list --up -j'],
  subject: { ...subject, required: false },
  parameters: {
    kind: text('KIND', 'only those of that kind, such as veth', { words: ['type'] }),
    master: text('NAME', 'only members of that bridge, bond or VRF', { words: ['vrf'] }),
    nomaster: flag('only those that are no members'),
    up: flag('only those that are switched on'),
    group: named('GROUP', 'only members of that group', (name) => GROUPS.number(name)),
  },
  async run(call) {
    const nl = await call.open()
    if (call.subject !== undefined) return get.run(call)
    const { kind, master } = call.given
    const names = await LinkNames.load(nl)
    const asked = { master, ...(kind?.endsWith('_slave') ? {} : { kind }) }
    show(call, await nl.links.list(asked).toArray(), names, linkFilter(call.given))
    return undefined
  },
})

const get = verb({
  summary: 'shows one link',
  examples: ['nlkit link get eth0', 'nlkit -d link get eth0'],
  subject,
  parameters: {},
  async run(call) {
    const nl = await call.open()
    const link = await nl.links.get(call.subject!)
    show(call, [link], await LinkNames.load(nl))
  },
})

const making = {
  kind: text('KIND', 'its kind, such as veth, bridge or dummy', { words: ['type'] }),
  peer: text('NAME', "a veth's other end", { noise: ['name'] }),
  link: text('NAME', 'what it stands on'),
  index: integer('N', 'its number'),
  numTxQueues: integer('N', 'transmit queues', { words: ['numtxqueues'] }),
  numRxQueues: integer('N', 'receive queues', { words: ['numrxqueues'] }),
  ...settings,
} satisfies Parameters

async function make(call: Call<typeof making>): Promise<void> {
  const { given, subject: ifname } = call
  const { kind, peer, link, index: ifindex, numTxQueues, numRxQueues } = given
  const wanted = {
    ...(ifname === undefined ? {} : { ifname }),
    kind,
    ...(peer === undefined ? {} : { peer: { ifname: peer } }),
    link,
    ifindex,
    numTxQueues,
    numRxQueues,
    ...changesOf(given),
  }
  const nl = await call.open()
  const { attributes, close } = openDestination(given.netns)
  try {
    await nl.links.add(call.asking({ ...defined(wanted), ...attributes }))
  } finally {
    close()
  }
}

const add = verb({
  summary: 'makes a link',
  examples: [
    'nlkit link add veth0 --kind veth --peer veth1',
    'nlkit link add br0 type bridge up',
    `nlkit link add v5 --kind vlan --link eth0 --data '{"id":5}'`,
  ],
  subject: { ...subject, words: ['dev', 'name'], required: false },
  parameters: making,
  run: make,
})

/** Asks for what is different. @throws UsageError when that is nothing. */
async function change(call: Call<typeof settings>, changes: LinkChanges): Promise<void> {
  const { netns } = call.given
  if (Object.keys(changes).length === 0 && netns === undefined)
    throw new UsageError('nothing to change', 'nlkit link set --help lists what can be')
  const nl = await call.open()
  const { attributes, close } = openDestination(netns)
  try {
    await nl.links.set(call.subject!, call.asking({ ...changes, ...attributes }))
  } catch (error) {
    throw await withLimits(error, nl, call.subject!)
  } finally {
    close()
  }
}

/** An mtu that is out of range is told with the range, which the link knows. */
async function withLimits(error: unknown, nl: Connection, name: string): Promise<unknown> {
  if (!isNetlinkError(error, 'EINVAL') || !error.extack?.message?.startsWith('mtu ')) return error
  const link = await nl.links.get(name).catch(() => undefined)
  if (link?.minMtu === undefined || link.maxMtu === undefined) return error
  const { extack, request, cause } = error
  const hint = `${name} takes an mtu of ${link.minMtu} to ${link.maxMtu}`
  return new NetlinkError('EINVAL', { extack, request, cause, hint })
}

const set = verb({
  aliases: ['change'],
  summary: 'changes a link',
  examples: ['nlkit link set veth0 --mtu 9000 --up', 'nlkit link set veth0 master br0'],
  subject,
  parameters: {
    name: text('NAME', 'its new name'),
    nomaster: flag('leave its bridge, bond or VRF'),
    ...settings,
  },
  async run(call) {
    const { given } = call
    await change(call, {
      ...changesOf(given),
      ...(given.name === undefined ? {} : { ifname: given.name }),
      ...(given.nomaster ? { master: null } : {}),
    })
  },
})

const del = verb({
  aliases: ['delete'],
  summary: 'deletes a link, and with a veth its peer',
  examples: ['nlkit link del veth0'],
  subject,
  parameters: {},
  async run(call) {
    const nl = await call.open()
    await nl.links.delete(call.subject!)
  },
})

const replace = verb({
  summary: 'changes a link, or makes it when it is not there',
  examples: ['nlkit link replace br0 --kind bridge --up'],
  subject,
  parameters: making,
  async run(call) {
    const { given, subject: name } = call
    const nl = await call.open()
    const before = await nl.links.get(name!).catch((error: unknown) => {
      if (isNetlinkError(error, 'ENODEV')) return undefined
      throw error
    })
    if (!before) {
      await make(call)
      return
    }
    if (given.kind !== undefined && given.kind !== before.kind)
      throw new NetlinkError('EEXIST', {
        message: `${name} is there already, of ${before.kind ? `kind ${before.kind}` : 'no kind'}`,
        hint: `nlkit link del ${name}, then add it anew`,
      })
    await change(call, changesOf(given))
  },
})

export const command: Command = { verbs: { list, get, add, set, replace, del } }
