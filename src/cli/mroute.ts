/** `nlkit mroute`: multicast routes. */
import type { MulticastRoute } from '../index.ts'
import { type Command, verb } from './command.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { showMulticastRoute } from './mroute-show.ts'
import { TABLES } from './names.ts'
import { type Parameter, readPrefix, text } from './parameter.ts'
import { contains } from './prefix-match.ts'

/** `all`, or a table's name or number. */
const table: Parameter<number | 'all'> = {
  placeholder: 'TABLE|all',
  about: 'of that table; default, Linux’s own, unless given',
  read: (word) => (word === 'all' ? word : TABLES.number(word)),
}

/** Whether an address is in the prefix that was asked for. */
function isWithin(prefix: string | undefined, address: string | undefined): boolean {
  if (prefix === undefined) return true
  return address !== undefined && contains(readPrefix(prefix), readPrefix(address))
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists multicast routes; IPv4 unless told otherwise',
  examples: ['nlkit mroute list', 'nlkit -6 -s mroute list table all -j'],
  subject: { placeholder: 'PREFIX', about: 'only groups within that', words: ['to'] },
  parameters: {
    from: text('PREFIX', 'only from sources within that'),
    iif: text('NAME', 'only those that come through that link'),
    table,
  },
  async run(call) {
    const { given, options, subject: to } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const family =
      options.family ?? ([to, given.from].some((each) => each?.includes(':')) ? 'inet6' : 'inet')
    const view = { ...options, table: given.table !== 'all' }
    const isShown = ({ source, group }: MulticastRoute) =>
      isWithin(to, group) && isWithin(given.from, source)
    const listing = new Listing(call)
    const filter = { family, iif: given.iif, table: given.table ?? 'default' } as const
    for await (const route of nl.multicastRoutes.list(filter))
      if (isShown(route)) listing.item((p) => showMulticastRoute(p, route, names, view))
    listing.end()
  },
})

export const command: Command = { verbs: { list } }
