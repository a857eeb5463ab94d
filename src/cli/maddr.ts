/** `nlkit maddr`: multicast groups that links have joined. */
import { isNetlinkError } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { type MulticastEntry, multicastEntries } from './maddr-files.ts'
import { text } from './parameter.ts'
import type { Printer } from './printer.ts'
import { defaultKernel } from './session.ts'

type Family = MulticastEntry['family']
const FAMILIES = ['link', 'inet', 'inet6'] as const

function showGroup(p: Printer, { family, address, users, isStatic }: MulticastEntry): void {
  p.text('\t')
  p.open()
  if (family === 'link') p.both('link', address, `link  ${address}`, 'yellow')
  else {
    p.both('family', family, `${family.padEnd(5)} `)
    p.both('address', address, address, family === 'inet' ? 'magenta' : 'blue')
  }
  if (users > 1) p.both('users', users, ` users ${users}`)
  if (isStatic) p.both('static', true, ' static')
  p.text('\n')
  p.close()
}

function showLink(p: Printer, groups: readonly MulticastEntry[], names: LinkNames): void {
  const ifindex = groups[0]!.ifindex
  p.both('ifindex', ifindex, `${ifindex}:`)
  p.both('ifname', names.name(ifindex), `\t${names.name(ifindex)}`, 'cyan')
  p.line()
  p.openList('maddr')
  for (const group of groups) showGroup(p, group)
  p.closeList()
}

/** What netlink tells: groups of IPv6, and of IPv4 since Linux 6.15. */
async function askedOf(call: Call, families: readonly Family[]): Promise<MulticastEntry[]> {
  const all: MulticastEntry[] = []
  const nl = await call.open()
  for (const family of families) {
    if (family === 'link') continue
    try {
      for await (const { ifindex, multicast } of nl.multicastAddresses.list({ family }))
        all.push({ ifindex, family, address: multicast, users: 1, isStatic: false })
    } catch (error) {
      if (families.length === 1 || !isNetlinkError(error, 'EOPNOTSUPP')) throw error
    }
  }
  return all
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists multicast groups that links have joined',
  examples: ['nlkit maddr list', 'nlkit -6 maddr list dev eth0 -j'],
  subject: { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] },
  parameters: { dev: text('NAME', 'only of that link') },
  async run(call) {
    const { options, netns, kernel, env } = call
    const nl = await call.open()
    const link = call.subject ?? call.given.dev
    const only = link === undefined ? undefined : (await nl.links.get(link)).ifindex
    const names = await LinkNames.load(nl)
    const family = options.link ? 'link' : options.family
    const families: readonly Family[] = family === undefined ? FAMILIES : [family]
    const isHere = netns === undefined && (kernel ?? defaultKernel(env)) === 'live'
    const all = (isHere ? multicastEntries() : await askedOf(call, families))
      .filter((each) => families.includes(each.family))
      .filter(({ ifindex }) => only === undefined || ifindex === only)
    const indexes = [...new Set(all.map(({ ifindex }) => ifindex))].sort((a, b) => a - b)
    const listing = new Listing(call)
    for (const index of indexes) {
      const own = all.filter(({ ifindex }) => ifindex === index)
      const items = options.oneline ? own.map((each) => [each]) : [own]
      for (const item of items) listing.item((p) => showLink(p, item, names))
    }
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
