/** `nlkit netconf`: how links forward. */
import { NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT } from '../families/rt-netconf.ts'
import { isNetlinkError, type Netconf, type NetconfFilter } from '../index.ts'
import { type Command, verb } from './command.ts'
import { onOff } from './kind-rows.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { text } from './parameter.ts'
import type { Printer } from './printer.ts'

const RP_FILTERS = ['off', 'strict', 'loose'] as const

const ROWS = [
  onOff('mcForwarding', 'mc_forwarding'),
  onOff('proxyNeigh', 'proxy_neigh'),
  onOff('ignoreRoutesWithLinkdown', 'ignore_routes_with_linkdown'),
  onOff('input', 'input'),
]

function deviceOf(ifindex: number, names: LinkNames): string {
  if (ifindex === NETCONFA_IFINDEX_ALL) return 'all'
  return ifindex === NETCONFA_IFINDEX_DEFAULT ? 'default' : names.name(ifindex)
}

export function showNetconf(p: Printer, netconf: Netconf, names: LinkNames): void {
  const { family, ifindex, rpFilter } = netconf
  p.both('family', family, `${family} `)
  if (ifindex !== undefined) {
    const dev = deviceOf(ifindex, names)
    p.both('interface', dev, `${dev} `, 'cyan')
  }
  const data = netconf as unknown as Readonly<Record<string, unknown>>
  onOff('forwarding', 'forwarding')(p, data, names)
  if (rpFilter !== undefined) {
    const name = RP_FILTERS[rpFilter] ?? rpFilter
    p.both('rp_filter', name, `rp_filter ${name} `)
  }
  for (const row of ROWS) row(p, data, names)
  p.text('\n')
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists how links forward, of each family or of one',
  examples: ['nlkit netconf list', 'nlkit -4 netconf list dev eth0 -j'],
  parameters: { dev: text('NAME', 'only of that link') },
  async run(call) {
    const { options, given } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const own = options.mpls ? 'mpls' : options.family
    const families: readonly NetconfFilter['family'][] =
      own === undefined ? ['inet', 'inet6', 'mpls'] : [own]
    const listing = new Listing(call)
    for (const family of families) {
      try {
        for await (const each of nl.netconf.list({ family, link: given.dev }))
          listing.item((p) => showNetconf(p, each, names))
      } catch (error) {
        if (own !== undefined || !isNetlinkError(error, 'EOPNOTSUPP')) throw error
      }
    }
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
