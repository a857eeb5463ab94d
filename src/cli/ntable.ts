/** `nlkit ntable`: tables of neighbours, their sizes and timers. */
import type { NeighbourTable } from '../index.ts'
import { type Command, verb } from './command.ts'
import { type Data, type Row, value } from './kind-rows.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { text } from './parameter.ts'
import type { Printer } from './printer.ts'

const THRESHOLDS: readonly Row[] = [
  value('thresh1', 'thresh1'),
  value('thresh2', 'thresh2'),
  value('thresh3', 'thresh3'),
  value('gcInterval', 'gc_interval', 'gc_int'),
]

/** Each list is a line. */
const PARAMETERS: readonly (readonly Row[])[] = [
  [
    value('refcnt', 'refcnt'),
    value('reachableTime', 'reachable'),
    value('baseReachableTime', 'base_reachable'),
    value('retransTime', 'retrans'),
  ],
  [
    value('gcStaletime', 'gc_stale'),
    value('delayProbeTime', 'delay_probe'),
    value('queueLen', 'queue'),
  ],
  [
    value('appProbes', 'app_probes'),
    value('ucastProbes', 'ucast_probes'),
    value('mcastProbes', 'mcast_probes'),
  ],
  [
    value('anycastDelay', 'anycast_delay'),
    value('proxyDelay', 'proxy_delay'),
    value('proxyQlen', 'proxy_queue'),
    value('locktime', 'locktime'),
  ],
]

const COUNTERS: readonly (readonly Row[])[] = [
  [value('allocs', 'allocs'), value('destroys', 'destroys'), value('hashGrows', 'hash_grows')],
  [value('resFailed', 'res_failed'), value('lookups', 'lookups'), value('hits', 'hits')],
  [value('rcvProbesMcast', 'rcv_probes_mcast'), value('rcvProbesUcast', 'rcv_probes_ucast')],
  [value('periodicGcRuns', 'periodic_gc_runs'), value('forcedGcRuns', 'forced_gc_runs')],
  [value('tableFulls', 'table_fulls')],
]

function showLines(
  p: Printer,
  lines: readonly (readonly Row[])[],
  data: Data,
  names: LinkNames,
): void {
  for (const [i, rows] of lines.entries()) {
    if (i > 0) {
      p.line()
      p.text('    ')
    }
    for (const row of rows) row(p, data, names)
  }
  p.line()
}

/** A time that many milliseconds ago, on the clock on the wall. */
function ago(milliseconds: number): string {
  if (milliseconds === 0) return '(error)'
  const at = new Date((Math.floor(Date.now() / 1000) - Math.floor(milliseconds / 1000)) * 1000)
  const two = (number: number) => String(number).padStart(2, '0')
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`
}

function showConfiguration(p: Printer, { config }: NeighbourTable): void {
  if (!config) return
  p.both('key_length', config.keyLen, `    config key_len ${config.keyLen} `)
  p.both('entry_size', config.entrySize, `entry_size ${config.entrySize} `)
  p.both('entries', config.entries, `entries ${config.entries} `)
  p.line()
  p.both('last_flush', ago(config.lastFlush), `        last_flush ${ago(config.lastFlush)} `)
  p.both('last_rand', ago(config.lastRand), `last_rand ${ago(config.lastRand)} `)
  p.line()
  const mask = config.hashMask
  p.both('hash_rnd', config.hashRnd, `        hash_rnd ${config.hashRnd} `)
  p.both(
    'hash_mask',
    mask === 0 ? '0' : `0x${mask.toString(16)}`,
    `hash_mask ${mask.toString(16).padStart(8, '0')} `,
  )
  p.both('hash_chain_gc', config.hashChainGc, `hash_chain_gc ${config.hashChainGc} `)
  p.both('proxy_qlen', config.proxyQlen, `proxy_qlen ${config.proxyQlen} `)
  p.line()
}

function showTable(p: Printer, table: NeighbourTable, names: LinkNames, statistics: number): void {
  const { family, name, parms, stats } = table
  const data = table as unknown as Data
  p.both('family', family, `${family} `)
  if (name !== undefined) p.both('name', name, `${name} `)
  p.line()
  if (table.thresh1 !== undefined || table.gcInterval !== undefined) {
    p.text('    ')
    for (const row of THRESHOLDS) row(p, data, names)
    p.line()
  }
  if (statistics > 0) showConfiguration(p, table)
  if (parms) {
    if (parms.ifindex !== undefined) {
      p.text('    dev ')
      p.both('dev', names.name(parms.ifindex), `${names.name(parms.ifindex)} `, 'cyan')
      p.line()
    }
    p.text('    ')
    showLines(p, PARAMETERS, parms as unknown as Data, names)
  }
  if (stats && statistics > 0) {
    p.text('    stats ')
    showLines(p, COUNTERS, stats as unknown as Data, names)
  }
  p.text('\n')
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists tables of neighbours, and what links have of their own',
  examples: ['nlkit ntable list', 'nlkit -s ntable list', 'nlkit ntable list dev eth0 -j'],
  parameters: {
    dev: text('NAME|none', 'only what that link has; none: only what no link has of its own'),
    name: text('NAME', 'only that table, such as arp_cache'),
  },
  async run(call) {
    const { given, options } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const dev =
      given.dev === undefined || given.dev === 'none'
        ? given.dev
        : (await nl.links.get(given.dev)).ifindex
    const listing = new Listing(call)
    for await (const table of nl.neighbourTables.list({ family: options.family })) {
      const index = table.parms?.ifindex
      const isWanted =
        (given.name === undefined || table.name === given.name) &&
        (dev === undefined || (index ?? 'none') === dev)
      if (isWanted) listing.item((p) => showTable(p, table, names, options.statistics))
    }
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
