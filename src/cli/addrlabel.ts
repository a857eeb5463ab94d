/** `nlkit addrlabel`: labels of IPv6 prefixes, by which source addresses are chosen. */
import type { AddressLabel, NewAddressLabel } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { integer, type Parameters, text } from './parameter.ts'
import type { Printer } from './printer.ts'

export function showLabel(
  p: Printer,
  { prefix, ifindex, label }: AddressLabel,
  names: LinkNames,
): void {
  const [address = '', length] = prefix.split('/')
  p.text('prefix ')
  p.both('address', address, address, 'blue')
  p.both('prefixlen', Number(length), `/${length} `)
  if (ifindex !== undefined) {
    p.text('dev ')
    p.both('ifname', names.name(ifindex), `${names.name(ifindex)} `, 'cyan')
  }
  p.both('label', label, `label ${label} `)
  p.text('\n')
}

const subject = {
  placeholder: 'PREFIX',
  about: 'such as 2001:db8::/32',
  words: ['prefix'],
  required: true,
} as const

const description = {
  dev: text('NAME', 'only for that link'),
  label: integer('N', 'the label'),
} satisfies Parameters

function describe({ given, subject: prefix }: Call<typeof description>): NewAddressLabel {
  return { prefix: prefix!, label: given.label, link: given.dev }
}

const list = verb({
  aliases: ['ls', 'show'],
  summary: 'lists labels',
  examples: ['nlkit addrlabel list', 'nlkit addrlabel list -j'],
  parameters: {},
  async run(call) {
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const listing = new Listing(call)
    for await (const label of nl.addressLabels.list())
      listing.item((p) => showLabel(p, label, names))
    listing.end()
  },
})

const add = verb({
  summary: 'adds a label',
  examples: ['nlkit addrlabel add 2001:db8::/32 label 99'],
  subject,
  parameters: description,
  async run(call) {
    if (call.given.label === undefined) throw new UsageError('label is missing: a number')
    const nl = await call.open()
    await nl.addressLabels.add(call.asking(describe(call)))
  },
})

const del = verb({
  aliases: ['delete'],
  summary: 'takes a label away',
  examples: ['nlkit addrlabel del 2001:db8::/32'],
  subject,
  parameters: description,
  async run(call) {
    const nl = await call.open()
    await nl.addressLabels.delete(call.asking(describe(call)))
  },
})

export const command: Command = { verbs: { list, add, del } }
