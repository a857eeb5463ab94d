/** `nlkit bridge`: ports, forwarding entries, VLANs and multicast groups, as bridge(8) lists them. */
import {
  IFLA_STATS_FILTER_LINK_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS_SLAVE,
} from '../families/rt-stats.ts'
import type { BridgeGroups, ForwardingEntry } from '../index.ts'
import {
  forwardingState,
  showForwardingEntry,
  showGroup,
  showPort,
  showRouter,
} from './bridge-show.ts'
import {
  showLinkLines,
  showRange,
  showVlanFlags,
  showVlanOptions,
  showVlanState,
  showVlanStatistics,
} from './bridge-vlan-show.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { flag, integer, oneOf, text } from './parameter.ts'
import type { Connection } from './session.ts'

const dev = text('NAME', 'only of that port, or that bridge', { words: ['brport'] })
const vid = integer('VID', 'only of that VLAN')
const MANY = 'list'

/** Words such as `list` say nothing; `known` may stand among them. @throws UsageError */
function wordsOf(call: Call, known: readonly string[] = []): readonly string[] {
  const rest = call.rest.filter((word) => !['list', 'ls', 'show', 'lst', 'sh'].includes(word))
  const unknown = rest.find((word) => !known.includes(word))
  if (unknown !== undefined) throw new UsageError(`unexpected word "${unknown}"`)
  return rest
}

async function begin(call: Call): Promise<{ nl: Connection; names: LinkNames; listing: Listing }> {
  const nl = await call.open()
  return { nl, names: await LinkNames.load(nl), listing: new Listing(call) }
}

const link = verb({
  summary: 'lists ports of bridges',
  examples: ['nlkit bridge link', 'nlkit -d bridge link list dev eth0 -j'],
  many: MANY,
  parameters: { dev },
  async run(call) {
    wordsOf(call)
    const { nl, names, listing } = await begin(call)
    for await (const port of nl.bridges.ports({ link: call.given.dev }))
      if (port.protinfo) listing.item((p) => showPort(p, port, names, call.options))
    listing.end()
  },
})

const STATES = ['all', 'permanent', 'static', 'temp', 'stale', 'reachable', 'dynamic'] as const
/** States as they are shown, by the words that ask for them. */
const SHOWN: Readonly<Record<string, string>> = { temp: 'static', reachable: '', dynamic: '' }

const fdb = verb({
  summary: 'lists forwarding entries of bridges and tunnels',
  examples: ['nlkit bridge fdb', 'nlkit -s bridge fdb list br br0 -j'],
  many: MANY,
  parameters: {
    dev,
    br: text('NAME', 'only of that bridge and its ports'),
    vlan: vid,
    state: oneOf(STATES, 'only those in that state'),
    dynamic: flag('only those that are not permanent'),
  },
  async run(call) {
    wordsOf(call)
    const { dev: port, br, vlan, state, dynamic } = call.given
    const { nl, names, listing } = await begin(call)
    const isShown = (entry: ForwardingEntry): boolean => {
      const shown = forwardingState(entry)
      if (vlan !== undefined && entry.vlan !== vlan) return false
      if (dynamic && shown === 'permanent') return false
      return state === undefined || state === 'all' || shown === (SHOWN[state] ?? state)
    }
    const isOf = ({ ifindex }: ForwardingEntry): boolean => {
      const master = names.link(ifindex)?.master
      return br === undefined || names.name(master ?? ifindex) === br || names.name(ifindex) === br
    }
    const view = { ...call.options, isOfOneLink: port !== undefined }
    const filter = { link: port, bridge: br }
    for await (const entry of nl.forwarding.list(filter))
      if (isOf(entry) && isShown(entry))
        listing.item((p) => showForwardingEntry(p, entry, names, view))
    listing.end()
  },
})

/** VLANs as ports tell them: numbers and flags. */
async function listVlans(call: Call, port: string | undefined, only: number | undefined) {
  const { nl, names, listing } = await begin(call)
  const { printer: p } = listing
  p.text('port              vlan-id  \n')
  for await (const { ifindex, afSpec } of nl.bridges.ports({ link: port, vlans: 'each' })) {
    const all = (afSpec as { vlanInfo?: { vid: number; flags: number }[] } | undefined)?.vlanInfo
    const items = (all ?? []).filter((vlan) => only === undefined || vlan.vid === only)
    if (items.length > 0)
      showLinkLines(p, ifindex, names, { name: 'vlans', items }, (vlan) => {
        showRange(p, 'vlan', vlan.vid)
        showVlanFlags(p, vlan.flags)
        p.text('\n')
      })
  }
  listing.end()
}

/** What bridges say of VLANs: states, routers, counters. */
async function listVlanDetails(call: Call, port: string | undefined, only: number | undefined) {
  const { nl, names, listing } = await begin(call)
  const { printer: p } = listing
  const statistics = call.options.statistics > 0
  p.text('port              vlan-id  \n')
  for await (const { ifindex, vlans } of nl.bridges.vlans({ link: port, statistics })) {
    const items = vlans.filter(
      ({ vid: first, last = first }) => only === undefined || (first <= only && only <= last),
    )
    if (items.length > 0)
      showLinkLines(p, ifindex, names, { name: 'vlans', items }, (vlan) => {
        showRange(p, 'vlan', vlan.vid, vlan.last)
        showVlanFlags(p, vlan.flags)
        p.text('\n')
        showVlanState(p, vlan.state, vlan.mcastRouter)
        if (vlan.stats) showVlanStatistics(p, vlan.stats)
      })
  }
  listing.end()
}

const BRIDGE_VLAN_INFO_MASTER = 1 << 0
const BRIDGE_VLAN_INFO_BRENTRY = 1 << 5

/** Whether a bridge itself is in the VLAN that it counts, or a port is. */
function isOfBridge({ flags }: { readonly flags: number }): boolean {
  return (flags & BRIDGE_VLAN_INFO_MASTER) === 0 || (flags & BRIDGE_VLAN_INFO_BRENTRY) !== 0
}

/** What is counted of VLANs: of bridges, and then of their ports. */
async function listVlanStatistics(call: Call, port: string | undefined, only: number | undefined) {
  const { nl, names, listing } = await begin(call)
  const { printer: p } = listing
  p.text('port              vlan-id\n')
  for (const groups of [IFLA_STATS_FILTER_LINK_XSTATS, IFLA_STATS_FILTER_LINK_XSTATS_SLAVE]) {
    for await (const counted of nl.statistics.list({ link: port, groups })) {
      const { bridge } = counted.linkXstats ?? counted.linkXstatsSlave ?? {}
      const items = (bridge?.vlan ?? []).filter(
        (vlan) => isOfBridge(vlan) && (only === undefined || vlan.vid === only),
      )
      if (items.length > 0)
        showLinkLines(p, counted.ifindex, names, { name: 'vlans', items }, (vlan) => {
          showRange(p, 'vid', vlan.vid)
          showVlanFlags(p, vlan.flags)
          p.text('\n')
          showVlanStatistics(p, vlan)
        })
    }
  }
  listing.end()
}

interface Tunnel {
  id: number
  vid: number
  flags: number
}
const RANGE_END = 1 << 4
/** Columns of the VLANs. */
const TUNNEL_VLANS = 11

/** The first and the last of tunnels that follow each other. */
function tunnelRanges(all: readonly Tunnel[]): { first: Tunnel; last: Tunnel }[] {
  const ranges: { first: Tunnel; last: Tunnel }[] = []
  for (const tunnel of all) {
    const before = ranges.at(-1)
    if (tunnel.flags & RANGE_END && before) before.last = tunnel
    else ranges.push({ first: tunnel, last: tunnel })
  }
  return ranges
}

/** Which VLAN goes into which tunnel. */
async function listTunnels(call: Call, port: string | undefined, only: number | undefined) {
  const { nl, names, listing } = await begin(call)
  const { printer: p } = listing
  p.text('port              vlan-id    tunnel-id\n')
  for await (const { ifindex, afSpec } of nl.bridges.ports({ link: port, vlans: 'ranges' })) {
    const all = (afSpec as { vlanTunnelInfo?: Tunnel[] } | undefined)?.vlanTunnelInfo
    const items = tunnelRanges(all ?? []).filter(
      ({ first, last }) => only === undefined || (first.vid <= only && only <= last.vid),
    )
    if (items.length > 0)
      showLinkLines(p, ifindex, names, { name: 'tunnels', items }, ({ first, last }) => {
        const columns = showRange(p, 'vlan', first.vid, last.vid)
        p.text(' '.repeat(Math.max(0, TUNNEL_VLANS - columns)))
        showRange(p, 'tunid', first.id, last.id)
        p.text('\n')
      })
  }
  listing.end()
}

/** What bridges keep about VLANs as a whole. */
async function listVlanOptions(call: Call, bridge: string | undefined, only: number | undefined) {
  const { nl, names, listing } = await begin(call)
  const { printer: p } = listing
  p.text('port              vlan-id  \n')
  for await (const { ifindex, vlans } of nl.bridges.vlanOptions({ bridge })) {
    const items = vlans.filter(
      ({ vid: first, last = first }) => only === undefined || (first <= only && only <= last),
    )
    if (items.length > 0)
      showLinkLines(p, ifindex, names, { name: 'vlans', items }, (vlan) =>
        showVlanOptions(p, vlan, names),
      )
  }
  listing.end()
}

const vlan = verb({
  summary: 'lists VLANs of bridges and of their ports',
  examples: [
    'nlkit bridge vlan',
    'nlkit -d bridge vlan list dev eth0 -j',
    'nlkit bridge vlan tunnelshow',
    'nlkit bridge vlan global show dev br0',
  ],
  many: 'list|tunnelshow|global',
  parameters: { dev, vid },
  async run(call) {
    const words = wordsOf(call, ['tunnelshow', 'global'])
    const { dev: port, vid: only } = call.given
    const { details, statistics } = call.options
    if (words.includes('tunnelshow')) await listTunnels(call, port, only)
    else if (words.includes('global')) await listVlanOptions(call, port, only)
    else if (details) await listVlanDetails(call, port, only)
    else if (statistics) await listVlanStatistics(call, port, only)
    else await listVlans(call, port, only)
  },
})

const mdb = verb({
  summary: 'lists multicast groups that ports of bridges have joined',
  examples: ['nlkit bridge mdb', 'nlkit -d -s bridge mdb list dev br0 -j'],
  many: MANY,
  parameters: { dev: text('NAME', 'only of that bridge'), vid },
  async run(call) {
    wordsOf(call)
    const { dev: bridge, vid: only } = call.given
    const { nl, names, listing } = await begin(call)
    const { printer: p } = listing
    const all = await nl.bridges.groups({ bridge }).toArray()
    p.open()
    p.openList('mdb')
    for (const { ifindex, groups } of all)
      for (const group of groups)
        if (only === undefined || group.vid === only)
          listing.item((printer) => showGroup(printer, group, ifindex, names, call.options))
    p.closeList()
    p.open('router')
    if (call.options.details) for (const each of all) showRouters(listing, each, names, call)
    p.close()
    p.close()
    listing.end()
  },
})

/** Where routers are: of each bridge a line, with counters one of each port. */
function showRouters(listing: Listing, each: BridgeGroups, names: LinkNames, call: Call): void {
  const { printer: p } = listing
  const { ifindex, routers } = each
  if (routers.length === 0) return
  const head = `router ports on ${names.name(ifindex)}: `
  p.openList(names.name(ifindex))
  for (const [i, router] of routers.entries()) {
    if (call.options.statistics || i === 0) p.text(head)
    p.open()
    showRouter(p, router, names, call.options)
    p.close()
    if (call.options.statistics || i === routers.length - 1) p.text('\n')
  }
  p.closeList()
}

export const command: Command = { verbs: { link, fdb, vlan, mdb } }
