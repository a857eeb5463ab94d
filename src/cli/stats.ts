/** `nlkit stats`: counters of links, in groups. */
import {
  IFLA_STATS_FILTER_AF_SPEC,
  IFLA_STATS_FILTER_LINK_64,
  IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS_SLAVE,
} from '../families/rt-stats.ts'
import type { Statistics } from '../index.ts'
import { type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { statisticsLines, statisticsMembers } from './link-stats-show.ts'
import { Listing } from './listing.ts'
import { oneOf, text } from './parameter.ts'
import type { Printer } from './printer.ts'
import { showExtended } from './stats-extended-show.ts'

type Stats64 = NonNullable<Statistics['link64']>

/** Which part of a link's counters is told. */
interface Place {
  readonly group: string
  readonly subgroup?: string
  readonly suite?: string
}

function showHead(p: Printer, ifindex: number, place: Place, names: LinkNames): void {
  const name = names.name(ifindex)
  p.both('ifindex', ifindex, `${ifindex}: `)
  p.both('ifname', name, `${name}:`)
  for (const level of ['group', 'subgroup', 'suite'] as const)
    if (place[level] !== undefined) p.both(level, place[level], ` ${level} ${place[level]}`)
}

function show64(p: Printer, s: Stats64, level: number): void {
  p.open('stats64')
  if (p.isJson) statisticsMembers(p, s, undefined, level)
  else statisticsLines(p, s, undefined, level)
  p.close()
}

function showMpls(
  p: Printer,
  s: NonNullable<NonNullable<NonNullable<Statistics['afSpec']>['mpls']>['link']>,
): void {
  p.line()
  p.member('mpls_stats', {
    rx: {
      bytes: s.rxBytes,
      packets: s.rxPackets,
      errors: s.rxErrors,
      dropped: s.rxDropped,
      noroute: s.rxNoroute,
    },
    tx: { bytes: s.txBytes, packets: s.txPackets, errors: s.txErrors, dropped: s.txDropped },
  })
  const width = (text: string, ...counts: bigint[]) =>
    Math.max(text.length, ...counts.map((count) => String(count).length))
  const w = [
    width('*X: bytes', s.rxBytes, s.txBytes),
    width('packets', s.rxPackets, s.txPackets),
    width('errors', s.rxErrors, s.txErrors),
    width('dropped', s.rxDropped, s.txDropped),
    width('noroute', s.rxNoroute),
  ]
  const row = (cells: readonly (string | bigint)[], first: number) =>
    cells.map((cell, i) => String(cell).padStart(i === 0 ? w[0]! - first : w[i]!)).join(' ')
  p.text(`    RX: ${row(['bytes', 'packets', 'errors', 'dropped', 'noroute'], 4)}`)
  p.line()
  p.text(`    ${row([s.rxBytes, s.rxPackets, s.rxErrors, s.rxDropped, s.rxNoroute], 0)} `)
  p.line()
  p.text(`    TX: ${row(['bytes', 'packets', 'errors', 'dropped'], 4)}`)
  p.line()
  p.text(`    ${row([s.txBytes, s.txPackets, s.txErrors, s.txDropped], 0)} `)
}

type HardwareInfo = { readonly request?: number; readonly used?: number }

function hardwareWords({ request, used }: HardwareInfo): string {
  const onOff = (value: number) => (value ? 'on' : 'off')
  const first = request === undefined ? '' : ` ${onOff(request)}`
  return used === undefined ? first : `${first} used ${onOff(used)}`
}

function hardwareMembers({ request, used }: HardwareInfo): object {
  return {
    ...(request === undefined ? {} : { request: request !== 0 }),
    ...(used === undefined ? {} : { used: used !== 0 }),
  }
}

/** Every part that iproute2 6.1 knows, in its order, and how it is told where a link has it. */
interface Part extends Place {
  readonly filter: number
  show?(p: Printer, stats: Statistics, level: number): void
}

const PARTS: readonly Part[] = [
  {
    group: 'afstats',
    subgroup: 'mpls',
    filter: IFLA_STATS_FILTER_AF_SPEC,
    show(p, { afSpec }) {
      if (afSpec?.mpls?.link) showMpls(p, afSpec.mpls.link)
    },
  },
  {
    group: 'link',
    filter: IFLA_STATS_FILTER_LINK_64,
    show(p, { link64 }, level) {
      p.line()
      if (link64) show64(p, link64, level)
    },
  },
  {
    group: 'offload',
    subgroup: 'l3_stats',
    filter: IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
    show(p, { linkOffloadXstats }) {
      const info = linkOffloadXstats?.hwSInfo?.l3Stats
      if (info) p.both('info', hardwareMembers(info), hardwareWords(info))
    },
  },
  {
    group: 'offload',
    subgroup: 'hw_stats_info',
    filter: IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
    show(p, { linkOffloadXstats }) {
      const info = linkOffloadXstats?.hwSInfo?.l3Stats
      p.line()
      if (info)
        p.both('info', { l3_stats: hardwareMembers(info) }, `    l3_stats${hardwareWords(info)}`)
    },
  },
  {
    group: 'offload',
    subgroup: 'cpu_hit',
    filter: IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
    show(p, { linkOffloadXstats }, level) {
      p.line()
      if (linkOffloadXstats?.cpuHit) show64(p, linkOffloadXstats.cpuHit, level)
    },
  },
  ...(
    [
      ['xstats_slave', 'bond', '802.3ad'],
      ['xstats', 'bond', '802.3ad'],
      ['xstats_slave', 'bridge', 'mcast'],
      ['xstats_slave', 'bridge', 'stp'],
      ['xstats', 'bridge', 'mcast'],
      ['xstats', 'bridge', 'stp'],
    ] as const
  ).map(([group, subgroup, suite]) => ({
    group,
    subgroup,
    suite,
    filter:
      group === 'xstats' ? IFLA_STATS_FILTER_LINK_XSTATS : IFLA_STATS_FILTER_LINK_XSTATS_SLAVE,
    show(p: Printer, { linkXstats, linkXstatsSlave }: Statistics) {
      showExtended(p, suite, group === 'xstats' ? linkXstats : linkXstatsSlave)
    },
  })),
]
/** What `ip monitor` tells when hardware begins or ends to count, or is asked to. */
export function showHardwareStatistics(p: Printer, stats: Statistics, names: LinkNames): void {
  const part = PARTS.find(({ subgroup }) => subgroup === 'hw_stats_info')!
  showHead(p, stats.ifindex, part, names)
  part.show?.(p, stats, 0)
  p.text('\n')
}

const GROUPS = ['afstats', 'link', 'offload', 'xstats', 'xstats_slave'] as const

/** @throws UsageError for a subgroup without a group, or a part that there is not. */
function partsOf(given: {
  readonly group?: string
  readonly subgroup?: string
  readonly suite?: string
}): Part[] {
  let parts = [...PARTS]
  let above: string | undefined = 'top-level'
  for (const level of ['group', 'subgroup', 'suite'] as const) {
    const name = given[level]
    if (name !== undefined && above === undefined)
      throw new UsageError(`${level} "${name}" without what it is a part of`)
    if (name !== undefined) {
      const known = [...new Set(parts.flatMap((part) => part[level] ?? []))]
      parts = parts.filter((part) => part[level] === name)
      if (parts.length === 0)
        throw new UsageError(
          `there is no ${level} "${name}" in ${above}`,
          known.length > 0 ? `there are ${known.join(', ')}` : undefined,
        )
    }
    above = name
  }
  return parts
}

/** Linux may begin what it has to say of a link in one message and end it in the next. */
async function* whole(parts: AsyncIterable<Statistics>): AsyncIterable<Statistics> {
  let last: Statistics | undefined
  for await (const part of parts) {
    if (last?.ifindex === part.ifindex) last = { ...last, ...part }
    else {
      if (last) yield last
      last = part
    }
  }
  if (last) yield last
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists counters of links',
  examples: ['nlkit stats list dev eth0', 'nlkit stats list group link -j'],
  subject: { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] },
  parameters: {
    dev: text('NAME', 'only of that link'),
    group: oneOf(GROUPS, 'only that group'),
    subgroup: text('NAME', 'only that part of the group'),
    suite: text('NAME', 'only that part of the subgroup'),
  },
  async run(call) {
    const { given, options } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const parts = partsOf(given)
    const groups = parts.reduce((bits, { filter }) => bits | filter, 0)
    const link = call.subject ?? given.dev
    const listing = new Listing(call)
    for await (const stats of whole(nl.statistics.list({ link, groups }))) {
      for (const part of parts)
        listing.item((p) => {
          showHead(p, stats.ifindex, part, names)
          part.show?.(p, stats, options.statistics + 1)
          p.text('\n')
        })
      if (link === undefined) listing.printer.line()
    }
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
