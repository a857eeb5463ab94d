/**
 * Whatever is done to a network, in whatever order: Linux and nlkit refuse and allow the same, tell
 * the same, and end with the same routes, rules, nexthops, addresses, neighbours and links.
 *
 * What is asked is random and shrinks. It keeps to what both kernels do at once: what Linux does in
 * the background, like carriers that come and go, comes when it comes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNetlinkError, type Netlink, open } from 'nlkit'
import { rtAddr } from 'nlkit/families/rt-addr'
import { rtLink } from 'nlkit/families/rt-link'
import { rtNeigh } from 'nlkit/families/rt-neigh'
import { Kernel } from 'nlkit/kernel'
import { newNetns } from 'nlkit/testing'
import { afNetlink, type Socket, type Transport } from 'nlkit/transport'
import { NETLINK_ROUTE } from 'nlkit/wire'
import { refusal } from './both.ts'
import { queued } from './raw.ts'

const RUNS = process.env.NLKIT_LONG ? 400 : 12
const LENGTH = 30
/** LINK, NEIGH, addresses, routes and rules of both families, NEXTHOP. */
const GROUPS = [1, 3, 5, 7, 8, 9, 11, 19, 32]

/** One kernel with a network. */
interface Side {
  readonly nl: Netlink
  readonly news: Socket
}
interface Pair {
  readonly linux: Side
  readonly nlkit: Side
}

async function furnish(nl: Netlink): Promise<void> {
  await nl.links.set('lo', { up: true })
  for (const [n, name, peer] of [
    [1, 'v0', 'v1'],
    [3, 'w0', 'w1'],
  ] as const) {
    const mac = (last: number) => `02:00:00:00:00:0${last}`
    const other = { ifname: peer, address: mac(n + 1) }
    await nl.links.add({ ifname: name, kind: 'veth', address: mac(n), peer: other })
    for (const each of [name, peer]) {
      await nl.links.set(each, { afSpec: { inet6: { addrGenMode: 'none' } } } as never)
      await nl.links.set(each, { up: true })
    }
  }
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] } as never)
}

/** Whether what the links' coming up brings along has come. */
async function isSettled(nl: Netlink): Promise<boolean> {
  const links = await nl.links.list().toArray()
  const routes = await nl.routes.list({ family: 'inet6', table: 'local' }).toArray()
  const seen = routes.map(({ destination, oif }) => `${destination} ${oif}`)
  const own = links.find(({ ifname }) => ifname === 'v0')?.ifindex
  return (
    links.every(({ ifname, ifindex, operstate }) => {
      return ifname === 'lo' || (operstate === 'up' && seen.includes(`ff00::/8 ${ifindex}`))
    }) && seen.includes(`fd00::1/128 ${own}`)
  )
}

async function sideOf(transport: Transport, where: object): Promise<Side> {
  const nl = await open(where)
  const news = await transport.open({ protocol: NETLINK_ROUTE, groups: GROUPS, ...where })
  await furnish(nl)
  while (!(await isSettled(nl))) {
    await news.readable(AbortSignal.timeout(5000))
    queued(news)
  }
  return { nl, news }
}

/** Messages of objects that are equal byte by byte, and of those that have what moves by itself. */
const BYTEWISE = new Set([24, 25, 32, 33, 104, 105])
const DECODED = new Map<number, { decode(view: DataView, at: number, end: number): object }>([
  [16, rtLink.ops.getLink.do.reply],
  [17, rtLink.ops.getLink.do.reply],
  [20, rtAddr.ops.getAddr.dump.reply],
  [21, rtAddr.ops.getAddr.dump.reply],
  [28, rtNeigh.ops.getNeigh.dump.reply],
  [29, rtNeigh.ops.getNeigh.dump.reply],
])
const KEPT = [
  'family',
  'ifindex',
  'index',
  'flags',
  'change',
  'mtu',
  'ifname',
  'operstate',
  'txqlen',
]
const MORE = [
  'dst',
  'lladdr',
  'state',
  'local',
  'address',
  'label',
  'prefixlen',
  'broadcast',
  'scope',
]

/** What was told since last time, without who asked for it. */
function heard({ news }: Side): string[] {
  const told: string[] = []
  for (const datagram of queued(news)) {
    if (typeof datagram === 'number') {
      told.push(`errno ${datagram}`)
      continue
    }
    for (const { type, flags, payload } of datagram.messages) {
      const hex = Buffer.from(payload).toString('hex')
      if (BYTEWISE.has(type)) told.push(`${type} ${flags} ${hex}`)
      const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
      const value = DECODED.get(type)?.decode(view, 0, payload.length) as
        | Record<string, unknown>
        | undefined
      // Groups that a host joins are told of in the background.
      if (!value || /^(ff|22[4-9]|23)/.test(String(value.dst))) continue
      const entries = [...KEPT, ...MORE].map((key) => [key, value[key]])
      told.push(`${type} ${flags} ${JSON.stringify(Object.fromEntries(entries))}`)
    }
  }
  return told
}

/** What there is, as it is listed. */
async function state({ nl }: Side): Promise<unknown> {
  const [routes, rules, nexthops, addresses, neighbours] = await Promise.all([
    nl.routes.list().toArray(),
    nl.rules.list().toArray(),
    nl.nexthops.list().toArray(),
    nl.addresses.list().toArray(),
    nl.neighbours.list().toArray(),
  ])
  const permanent = neighbours.filter(({ state: of }) => `${of}`.includes('permanent'))
  // Links become ready in the background, one before or behind the other.
  const foreground = routes.filter(({ destination }) => !/^(fe80|ff00)/.test(destination))
  return {
    routes: foreground,
    rules,
    nexthops,
    addresses: addresses.map(({ cacheinfo: _, ...rest }) => rest),
    neighbours: permanent.map(({ cacheinfo: _, ...rest }) => JSON.stringify(rest)).sort(),
  }
}

/** The outcome: done, or errno and words. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    return `${error.code} ${error.extack?.message ?? ''}`
  }
}

/** Something that is asked of both. */
class Ask implements fc.AsyncCommand<object, Pair> {
  readonly what: string
  readonly work: (nl: Netlink) => Promise<unknown>
  constructor(what: string, work: (nl: Netlink) => Promise<unknown>) {
    this.what = what
    this.work = work
  }
  check(): boolean {
    return true
  }
  async run(_: object, { linux, nlkit }: Pair): Promise<void> {
    const theirs = await outcome(this.work(linux.nl))
    const ours = await outcome(this.work(nlkit.nl))
    assert.equal(ours, theirs, this.what)
    assert.deepEqual(heard(nlkit), heard(linux), `told of ${this.what}`)
  }
  toString(): string {
    return this.what
  }
}

const pick = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const ask = (of: fc.Arbitrary<[string, (nl: Netlink) => Promise<unknown>]>) =>
  of.map(([what, work]) => new Ask(what, work))

/** Calls of one door of the client with a described object. */
function calls<D extends 'routes' | 'rules' | 'nexthops' | 'addresses' | 'neighbours'>(
  door: D,
  verbs: readonly string[],
  objects: fc.Arbitrary<object>,
): fc.Arbitrary<Ask> {
  return ask(
    fc.tuple(pick(...verbs), objects).map(([verb, object]) => {
      const what = `${door}.${verb} ${JSON.stringify(object)}`
      const doors = (nl: Netlink) =>
        nl[door] as unknown as Record<string, (of: object) => Promise<unknown>>
      return [
        what,
        async (nl: Netlink) =>
          (doors(nl)[verb] as (of: object) => Promise<unknown>).call(nl[door], object),
      ]
    }),
  )
}

const way = pick(
  { gateway: '10.0.0.2' },
  { gateway: '10.0.0.3' },
  { gateway: '10.9.9.9' },
  { oif: 'w0' },
  { oif: 'v0' },
  { nhId: 1 },
  { nhId: 10 },
  { type: 'blackhole' },
  { multipath: [{ gateway: '10.0.0.2' }, { gateway: '10.0.0.3', weight: 3 }] },
)
const way6 = pick(
  { gateway: 'fd00::2' },
  { gateway: 'fd00::3' },
  { oif: 'w0' },
  { nhId: 4 },
  { type: 'unreachable' },
)
const routes = fc
  .tuple(
    pick('20.0.0.0/8', '20.1.0.0/16', '20.1.2.0/24', 'default'),
    way,
    pick(0, 5),
    pick(254, 100),
  )
  .map(([destination, how, priority, table]) => ({ destination, ...how, priority, table }))
const routes6 = fc
  .tuple(pick('fd10::/16', 'fd10:1::/32', 'fd10:1:2::/64'), way6, pick(5, 9))
  .map(([destination, how, priority]) => ({ family: 'inet6', destination, ...how, priority }))
const rules = fc
  .tuple(
    pick({ source: '10.0.0.0/24' }, { destination: '20.0.0.0/8' }, { iif: 'v0' }, { fwmark: 7 }),
    pick(100, 200),
    pick(100, 254),
  )
  .map(([selector, priority, table]) => ({ ...selector, priority, table }))
const nexthops = fc.oneof(
  fc
    .tuple(pick(1, 2, 3), pick('10.0.0.2', '10.0.0.3', '10.9.9.9'))
    .map(([id, gateway]) => ({ id, gateway, oif: 'v0' })),
  fc.constant({ id: 4, gateway: 'fd00::2', oif: 'v0' }),
  pick([1], [1, 2], [2, 3]).map((group) => ({ id: 10, group })),
)
const ids = pick({ id: 1 }, { id: 2 }, { id: 4 }, { id: 10 })
const addresses = fc
  .tuple(pick('v0', 'w0'), pick('10.0.0.1/24', '10.0.0.5/24', '10.3.0.1/16', '10.4.0.1/32'))
  .map(([link, address]) => ({ link, address }))
const neighbours = fc
  .tuple(pick('v0', 'w0'), pick('10.0.0.9', 'fd00::9'), pick(8, 9))
  .map(([link, destination, last]) => {
    return { link, destination, lladdr: `02:00:00:00:00:0${last}`, state: ['permanent'] }
  })
const links = ask(
  fc.tuple(pick('v0', 'w0'), pick(1400, 1500, 40)).map(([link, mtu]) => {
    return [`links.set ${link} mtu ${mtu}`, (nl: Netlink) => nl.links.set(link, { mtu })]
  }),
)

const commands = fc.commands(
  [
    calls('routes', ['add', 'replace', 'append', 'delete'], routes),
    calls('routes', ['add', 'replace', 'append', 'delete'], routes6),
    calls('rules', ['add', 'delete'], rules),
    calls('nexthops', ['add', 'replace'], nexthops),
    calls('nexthops', ['delete'], ids),
    calls('addresses', ['add', 'delete'], addresses),
    calls('neighbours', ['add', 'replace', 'delete'], neighbours),
    links,
  ],
  { maxCommands: LENGTH, size: 'max' },
)

test('random changes leave both kernels the same, and both tell the same of them', {
  ...(refusal ? { skip: refusal } : {}),
}, async () => {
  const live = afNetlink()
  const seed = Number(process.env.NLKIT_SEED ?? 0)
  try {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const netns = newNetns()
        await using kernel = new Kernel()
        const linux = await sideOf(live, { netns })
        const nlkit = await sideOf(kernel.transport(), { kernel })
        try {
          heard(linux)
          heard(nlkit)
          await fc.asyncModelRun(() => ({ model: {}, real: { linux, nlkit } }), list)
          assert.deepEqual(await state(nlkit), await state(linux))
        } finally {
          for (const side of [linux, nlkit]) {
            side.news.close()
            await side.nl.close()
          }
          netns.close()
        }
      }),
      { numRuns: RUNS, ...(seed ? { seed } : {}) },
    )
  } finally {
    await live.close?.()
  }
})
