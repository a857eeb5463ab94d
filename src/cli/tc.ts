/** `nlkit qdisc`, `class` and `filter`: traffic control, as tc(8) lists it. */
import { TC_H_ROOT } from '../families/rt-tc.ts'
import type { Qdisc } from '../index.ts'
import { type Command, verb } from './command.ts'
import { UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { Listing } from './listing.ts'
import { flag, type Parameter, text } from './parameter.ts'
import { showClass, showFilter, showQdisc } from './tc-show.ts'

const dev = text('NAME', 'the link')
const link = { placeholder: 'NAME', about: 'the name of a link', words: ['dev'] } as const

/** `1:`, `1:10`, or `ffff:fff2`. */
const handle: Parameter<number> = {
  placeholder: 'HANDLE',
  about: 'such as 1: or 1:10',
  read(word) {
    const [, major = '', minor = ''] = /^([\da-f]{0,4}):([\da-f]{0,4})$/i.exec(word) ?? []
    if (major === '' && minor === '')
      throw new UsageError(`expected a handle such as 1:10, got "${word}"`)
    return ((Number.parseInt(major || '0', 16) << 16) | Number.parseInt(minor || '0', 16)) >>> 0
  },
}

const INGRESS_FILTERS = 0xfffffff2
const EGRESS_FILTERS = 0xfffffff3

const listQdiscs = verb({
  aliases: ['ls', 'show'],
  summary: 'lists queueing disciplines',
  examples: ['nlkit qdisc list', 'nlkit -s qdisc list dev eth0 -j'],
  subject: link,
  parameters: {
    dev,
    root: flag('only the one at the root'),
    invisible: flag('also those that the kernel keeps to itself'),
  },
  async run(call) {
    const { given, options } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const name = call.subject ?? given.dev
    const view = { ...options, isOfOneLink: name !== undefined }
    const isShown = ({ parent }: Qdisc) => !given.root || parent === 'root'
    const listing = new Listing(call)
    const filter = { link: name, invisible: given.invisible }
    for await (const qdisc of nl.qdiscs.list(filter))
      if (isShown(qdisc)) listing.item((p) => showQdisc(p, qdisc, names, view))
    listing.end()
  },
})

const listClasses = verb({
  aliases: ['ls', 'show'],
  summary: 'lists classes of a link',
  examples: ['nlkit class list dev eth0'],
  subject: { ...link, required: true },
  parameters: { parent: { ...handle, about: 'only of that qdisc or class' } },
  async run(call) {
    const { given, options, subject } = call
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const view = { ...options, isOfOneLink: true }
    const listing = new Listing(call)
    for await (const each of nl.classes.list({ link: subject!, parent: given.parent }))
      listing.item((p) => showClass(p, each, names, view))
    listing.end()
  },
})

const listFilters = verb({
  aliases: ['ls', 'show'],
  summary: 'lists filters of a link',
  examples: ['nlkit filter list dev eth0 ingress', 'nlkit filter list dev eth0 parent 1: -j'],
  subject: { ...link, required: true },
  parameters: {
    parent: { ...handle, about: 'of that qdisc or class; the one at the root unless given' },
    root: flag('of the qdisc at the root'),
    ingress: flag('of what comes in'),
    egress: flag('of what goes out'),
  },
  async run(call) {
    const { given, options, subject } = call
    const { root, ingress, egress } = given
    const parent =
      given.parent ??
      (ingress ? INGRESS_FILTERS : egress ? EGRESS_FILTERS : root ? TC_H_ROOT : undefined)
    const nl = await call.open()
    const names = await LinkNames.load(nl)
    const view = { ...options, isOfOneLink: true, isOfOneParent: parent !== undefined }
    const listing = new Listing(call)
    for await (const filter of nl.filters.list({ link: subject!, parent }))
      listing.item((p) => showFilter(p, filter, names, view))
    listing.end()
  },
})

export const qdisc: Command = { verbs: { list: listQdiscs } }
export const trafficClass: Command = { verbs: { list: listClasses } }
export const filter: Command = { verbs: { list: listFilters } }
