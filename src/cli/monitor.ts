/** `nlkit monitor`: changes, as they happen. */
import { didYouMean } from '../client/nearest.ts'
import type { Topic, WatchEvent } from '../index.ts'
import { type Call, type Command, verb } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { LinkNames } from './link-names.ts'
import { EventJson } from './monitor-json.ts'
import { EventPrinter } from './monitor-text.ts'
import { duration, integer } from './parameter.ts'

const TOPICS = ['link', 'addr', 'route', 'neigh', 'rule'] as const
/** Other spellings, ip-monitor(8)'s among them. */
const SPELLINGS: Readonly<Record<string, Topic>> = {
  address: 'addr',
  neighbour: 'neigh',
  neighbor: 'neigh',
}

/** The topics that the words name; all of them when there are none. */
function topicsOf(words: readonly string[]): ReadonlySet<Topic> {
  const wanted = new Set<Topic>()
  for (const word of words) {
    const topic = SPELLINGS[word] ?? TOPICS.find((known) => known === word)
    if (topic) wanted.add(topic)
    else if (word === 'all') for (const each of TOPICS) wanted.add(each)
    else
      throw new UsageError(
        `"${word}" cannot be watched`,
        didYouMean(word, TOPICS) ?? `these can: ${TOPICS.join(' ')}`,
      )
  }
  return wanted.size > 0 ? wanted : new Set(TOPICS)
}

/** Follows what events say of links, so that the others can be told with their names. */
function learn(names: LinkNames, event: WatchEvent): void {
  if (event.type === 'link') {
    if (event.op === 'new') names.learn(event.link)
    else names.forget(event.link)
  } else if (event.type === 'resync') names.replace(event.links ?? [])
}

/** Prints events until `count` of them were, or the watch ends; tells whether any were lost. */
async function printEvents(
  call: Call,
  events: AsyncIterable<WatchEvent>,
  topics: ReadonlySet<Topic>,
  names: LinkNames,
  count: number,
): Promise<boolean> {
  const printer = new EventPrinter(names, call.out)
  const json = new EventJson(names, call.options.details)
  let isLost = false
  let left = count
  for await (const event of events) {
    if (event.type === 'overrun') isLost = true
    const isWanted = event.type === 'overrun' || event.type === 'resync' || topics.has(event.type)
    const now = new Date()
    const line = isWanted && !call.options.json ? printer.line(event, now) : undefined
    learn(names, event)
    if (!isWanted) continue
    if (line === undefined) call.out.line(json.line(event, now))
    else call.out.line(line)
    left--
    if (left === 0) break
  }
  return isLost
}

const monitor = verb({
  summary: 'changes, as they happen',
  examples: [
    'nlkit monitor link addr',
    'nlkit monitor route -j',
    'nlkit monitor --count 3 --duration 10s',
  ],
  many: 'link|addr|route|neigh|rule …',
  parameters: {
    count: integer('N', 'ends after that many'),
    duration: duration('ends after that time, such as 5s'),
    rcvbuf: integer('BYTES', 'receive buffer, which decides when events are lost'),
  },
  async run(call) {
    const { count, duration: milliseconds } = call.given
    const topics = topicsOf(call.rest)
    const nl = await call.open()
    const events = nl.watch([...new Set<Topic>(['link', ...topics])], {
      signal: call.signal,
      receiveBuffer: call.given.rcvbuf,
    })
    await events.ready
    const names = await LinkNames.load(nl)
    const timer =
      milliseconds === undefined ? undefined : setTimeout(() => events.close(), milliseconds)
    if (!call.options.quiet) call.err.line(`watching ${[...topics].join(', ')}; Ctrl-C ends it`)
    try {
      const isLost =
        count === 0 ? false : await printEvents(call, events, topics, names, count ?? -1)
      const isBounded = count !== undefined || milliseconds !== undefined
      return isLost && isBounded ? EXIT.lost : EXIT.ok
    } finally {
      clearTimeout(timer)
      events.close()
    }
  },
})

export const command: Command = { only: monitor }
