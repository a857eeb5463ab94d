/** `nlkit maddr`: multicast groups that links have joined. */
import { isNetlinkError, type MulticastAddress } from '../index.ts'
import { type Command, verb } from './command.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { text } from './parameter.ts'
import type { Printer } from './printer.ts'
import type { Connection } from './session.ts'

function showGroup(p: Printer, { family, multicast }: MulticastAddress): void {
  p.text('\t')
  p.open()
  p.both('family', family, `${family.padEnd(5)} `)
  p.both('address', multicast, multicast, family === 'inet' ? 'magenta' : 'blue')
  p.text('\n')
  p.close()
}

function showLink(
  p: Printer,
  ifindex: number,
  groups: readonly MulticastAddress[],
  names: LinkNames,
): void {
  p.both('ifindex', ifindex, `${ifindex}:`)
  p.both('ifname', names.name(ifindex), `\t${names.name(ifindex)}`, 'cyan')
  p.line()
  p.openList('maddr')
  for (const group of groups) showGroup(p, group)
  p.closeList()
}

/** Of both families, or of one; IPv4's are not told by Linux before 6.15. */
async function groupsOf(
  nl: Connection,
  only: 'inet' | 'inet6' | undefined,
  link: string | undefined,
): Promise<MulticastAddress[]> {
  const all: MulticastAddress[] = []
  for (const family of ['inet', 'inet6'] as const) {
    if (only !== undefined && family !== only) continue
    try {
      all.push(...(await nl.multicastAddresses.list({ family, link }).toArray()))
    } catch (error) {
      if (only !== undefined || !isNetlinkError(error, 'EOPNOTSUPP')) throw error
    }
  }
  return all
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists multicast groups of IPv4 and IPv6 that links have joined',
  examples: ['nlkit maddr list', 'nlkit -6 maddr list dev eth0 -j'],
  subject: { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] },
  parameters: { dev: text('NAME', 'only of that link') },
  async run(call) {
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const groups = await groupsOf(nl, call.options.family, call.subject ?? call.given.dev)
    const indexes = [...new Set(groups.map(({ ifindex }) => ifindex))].sort((a, b) => a - b)
    const listing = new Listing(call)
    for (const index of indexes) {
      const own = groups.filter(({ ifindex }) => ifindex === index)
      listing.item((p) => showLink(p, index, own, names))
    }
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
