/** `nlkit monitor`: changes, as they happen. */
import type { Topic, WatchEvent } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { EXIT } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { EventJson } from './monitor-json.ts'
import { EventLines } from './monitor-lines.ts'
import { type AnyChange, mentioned } from './monitor-show.ts'
import { EventPrinter } from './monitor-text.ts'
import { isShown, topicsOf } from './monitor-topics.ts'
import { NexthopNames } from './nexthop-names.ts'
import { duration, flag, integer, type Parameters, text } from './parameter.ts'
import type { Connection } from './session.ts'

const parameters = {
  label: flag('say of each event what it is, as `all` does'),
  allNsid: flag('hear the namespaces that have a number here, too', { words: ['all-nsid'] }),
  dev: text('NAME', 'only what is about that link'),
  count: integer('N', 'ends after that many'),
  duration: duration('ends after that time, such as 5s'),
  rcvbuf: integer('BYTES', 'receive buffer, which decides when events are lost'),
} satisfies Parameters

/** Names of links, ours and those of namespaces that are heard too, and how to learn more. */
class Names {
  readonly #nl: Connection
  readonly #own: LinkNames
  readonly #others = new Map<number, LinkNames>()
  /** What `-d` tells of next hops. */
  readonly nexthops: NexthopNames | undefined

  private constructor(nl: Connection, own: LinkNames, nexthops: NexthopNames | undefined) {
    this.#nl = nl
    this.#own = own
    this.nexthops = nexthops
  }
  static async load(nl: Connection, details: boolean): Promise<Names> {
    const nexthops = details ? await NexthopNames.load(nl) : undefined
    return new Names(nl, await LinkNames.load(nl), nexthops)
  }

  of(event: WatchEvent): LinkNames {
    if (!('nsid' in event) || event.nsid === undefined) return this.#own
    const known = this.#others.get(event.nsid) ?? new LinkNames()
    this.#others.set(event.nsid, known)
    return known
  }
  /** Follows what events say of links, so that the others can be told with their names. */
  learn(event: WatchEvent): void {
    const names = this.of(event)
    if (event.type === 'link') {
      if (event.op === 'new') names.learn(event.link)
      else names.forget(event.link)
    } else if (event.type === 'nexthop') {
      if (event.op === 'new') this.nexthops?.learn(event.nexthop)
      else this.nexthops?.forget(event.nexthop)
    } else if (event.type === 'resync') {
      names.replace(event.links ?? [])
      for (const hop of event.nexthops ?? []) this.nexthops?.learn(hop)
    }
  }
  /** Asks for what an event mentions and nobody has told yet. */
  async ask(event: AnyChange): Promise<void> {
    if (event.nsid !== undefined) return
    await this.#own.ensure(this.#nl, mentioned(event))
    if (event.type === 'nsid') await this.#own.learnNamespaces(this.#nl)
  }
}

/** Writes an event, in the form that was asked for, and learns from it. */
function writer(call: Call<typeof parameters>, names: Names, isLabelled: boolean) {
  const { options, out, given } = call
  const brief = new EventPrinter(out)
  const json = new EventJson(options.details)
  const { details, statistics, oneline, timestamp } = options
  const lines = new EventLines(out, {
    details,
    statistics,
    oneline,
    timestamp,
    isLink: false,
    isOfOneLink: given.dev !== undefined,
    label: isLabelled,
    allNamespaces: given.allNsid === true,
  })
  return (event: WatchEvent): void => {
    const own = names.of(event)
    const nexthop = names.nexthops?.show(own)
    const now = new Date()
    if (options.brief && !options.json) {
      out.line(brief.line(event, own, now))
      names.learn(event)
      return
    }
    names.learn(event)
    if (options.json) out.line(json.line(event, own, now, nexthop))
    else out.write(lines.text(event, own, now, nexthop))
  }
}

/** Prints events until `count` of them were, or the watch ends; tells whether any were lost. */
async function printEvents(
  call: Call<typeof parameters>,
  events: AsyncIterable<WatchEvent>,
  topics: ReadonlySet<Topic>,
  names: Names,
  isLabelled: boolean,
  ifindex: number | undefined,
): Promise<boolean> {
  const write = writer(call, names, isLabelled)
  let isLost = false
  let left = call.given.count ?? -1
  for await (const event of events) {
    if (event.type === 'overrun') isLost = true
    else if (event.type !== 'resync') {
      const change = event as AnyChange
      if (!topics.has(event.type) || !isShown(change, call.options, ifindex)) {
        names.learn(event)
        continue
      }
      await names.ask(change)
    }
    write(event)
    left--
    if (left === 0) break
  }
  return isLost
}

const monitor = verb({
  summary: 'changes, as they happen',
  examples: [
    'nlkit monitor link addr',
    'nlkit -ts monitor all dev eth0',
    'nlkit -br monitor',
    'nlkit monitor route -j --count 3 --duration 10s',
  ],
  many: 'all|link|address|route|mroute|prefix|neigh|netconf|rule|nsid|nexthop|stats …',
  parameters,
  async run(call) {
    const { count, duration: milliseconds, dev, allNsid, label, rcvbuf } = call.given
    const { topics, objects, isAll } = topicsOf(call.rest)
    const nl = await call.open()
    const ifindex = dev === undefined ? undefined : (await nl.links.get(dev)).ifindex
    const followed: readonly Topic[] = call.options.details ? ['link', 'nexthop'] : ['link']
    const events = nl.watch([...new Set([...followed, ...topics])], {
      signal: call.signal,
      receiveBuffer: rcvbuf,
      allNamespaces: allNsid,
    })
    await events.ready
    const names = await Names.load(nl, call.options.details)
    const timer =
      milliseconds === undefined ? undefined : setTimeout(() => events.close(), milliseconds)
    if (!call.options.quiet) call.err.line(`watching ${objects.join(', ')}; Ctrl-C ends it`)
    try {
      const isLabelled = label === true || isAll
      const isLost =
        count === 0 ? false : await printEvents(call, events, topics, names, isLabelled, ifindex)
      const isBounded = count !== undefined || milliseconds !== undefined
      return isLost && isBounded ? EXIT.lost : EXIT.ok
    } finally {
      clearTimeout(timer)
      events.close()
    }
  },
})

export const command: Command = { only: monitor }
