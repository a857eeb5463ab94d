/** Links as lines of text. */
import type { Link } from '../index.ts'
import type { GlobalOptions } from './command.ts'
import { details } from './details.ts'
import { flagNames } from './link-json.ts'
import type { LinkNames } from './link-names.ts'
import type { Output } from './output.ts'

/** `veth0@veth1`: the name, and what the link stands on. */
export function fullName(link: Link, names: LinkNames): string {
  if (link.link === undefined) return link.ifname
  if (link.linkNetnsid !== undefined) return `${link.ifname}@if${link.link}`
  return `${link.ifname}@${link.link === 0 ? 'none' : names.name(link.link)}`
}

/** The flags, what is switched on first. */
function shownFlags(link: Link, names: LinkNames): string {
  const flags = flagNames(link, names)
  const first = flags.includes('UP') ? ['UP'] : []
  return [...first, ...flags.filter((flag) => flag !== 'UP')].join(',') || '-'
}

function styledState(out: Output, link: Link): string {
  const state = String(link.operstate ?? '-')
  if (state === 'up') return out.style('green', state)
  return link.up ? state : out.style('dim', state)
}

function statisticsLines({ stats64: s }: Link): string[] {
  if (!s) return []
  return [
    `       rx  ${s.rxBytes} bytes  ${s.rxPackets} packets  ${s.rxErrors} errors  ${s.rxDropped} dropped`,
    `       tx  ${s.txBytes} bytes  ${s.txPackets} packets  ${s.txErrors} errors  ${s.txDropped} dropped`,
  ]
}

const COLUMNS = [
  { heading: 'IDX', align: 'right' },
  { heading: 'NAME' },
  { heading: 'STATE' },
  { heading: 'MTU', align: 'right' },
  { heading: 'MAC' },
  { heading: 'FLAGS' },
  { heading: 'KIND' },
] as const
const BRIEF = [{ heading: '' }, { heading: '' }, { heading: '' }, { heading: '' }]

/** Prints links as a table, with what `-d` and `-s` add behind each. */
export function printLinks(
  out: Output,
  links: readonly Link[],
  names: LinkNames,
  options: Pick<GlobalOptions, 'brief' | 'details' | 'statistics'>,
): void {
  const { brief } = options
  const rows = links.map((link) => {
    const name = out.style('bold', fullName(link, names))
    const state = styledState(out, link)
    const flags = shownFlags(link, names)
    return brief
      ? [name, state, link.address ?? '-', flags]
      : [
          String(link.ifindex),
          name,
          state,
          String(link.mtu ?? '-'),
          link.address ?? '-',
          flags,
          link.kind ?? '-',
        ]
  })
  const more = links.map((link) => [
    ...(options.statistics ? statisticsLines(link) : []),
    ...(options.details ? details(link) : []),
  ])
  out.table(brief ? BRIEF : COLUMNS, rows, more)
}

/** `link  3: veth0@veth1 <UP,BROADCAST> mtu 1500 state up`, as monitor prints it. */
export function linkLine(link: Link, names: LinkNames): string {
  const flags = shownFlags(link, names)
  const master = link.master ? ` master ${names.name(link.master)}` : ''
  const index = String(link.ifindex).padStart(2)
  return `${index}: ${fullName(link, names)} <${flags}> mtu ${link.mtu}${master} state ${link.operstate}`
}
