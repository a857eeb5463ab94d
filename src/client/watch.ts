/** Watching NETLINK_ROUTE: links, addresses, routes and all the rest as they come and go. */
import { NetlinkError } from '../errors.ts'
import type { NotificationDefinition } from '../schema/index.ts'
import { type MessageWalker, NETLINK_ROUTE } from '../wire/index.ts'
import { type EventOptions, type EventSource, Events, type OverrunSource } from './events.ts'
import { didYouMean } from './nearest.ts'
import type { Session } from './session.ts'
import { type Doors, type Snapshots, subjects, type Told, type Topic } from './topics.ts'

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never
type Optional<K extends Topic> = Partial<Intersection<Snapshots[K]>>

/** `new` is said of changes too: what is told is the state since then. */
export type ChangeEvent<K extends Topic> = {
  [T in K]: {
    readonly type: T
    readonly op: 'new' | 'del'
    /** The number of the namespace where it happened; absent for ours. */
    readonly nsid?: number
  } & Told[T]
}[K]
/** Events were lost: what is known may be wrong until the resync that follows. */
export interface OverrunEvent {
  readonly type: 'overrun'
  readonly source: OverrunSource
}
/** The whole of what is watched, taken after a loss: it replaces what was known. */
export type ResyncEvent<K extends Topic> = { readonly type: 'resync' } & Optional<K>

export type WatchEvent<K extends Topic = Topic> = ChangeEvent<K> | OverrunEvent | ResyncEvent<K>

interface Decoder {
  readonly op: 'new' | 'del'
  readonly body: NotificationDefinition['body']
  /** Those that it may belong to. */
  readonly topics: Topic[]
}

/** What each message type means, for the topics that are watched. */
function decoders(topics: ReadonlySet<Topic>): Map<number, Decoder> {
  const byType = new Map<number, Decoder>()
  for (const topic of topics) {
    const { family, notifications: wanted } = subjects[topic]
    for (const [name, { cmd, body }] of Object.entries(family.notifications ?? {})) {
      if (wanted && !wanted.includes(name)) continue
      const known = byType.get(cmd)
      if (known) known.topics.push(topic)
      else byType.set(cmd, { op: name.startsWith('del') ? 'del' : 'new', body, topics: [topic] })
    }
  }
  return byType
}

/** @throws NetlinkError NETLINK_INVALID for a topic that does not exist, or none. */
export function watch<K extends Topic>(
  session: Session,
  doors: Doors,
  topics: readonly K[],
  options: EventOptions,
  whenClosed: () => void,
): Events<WatchEvent<K>> {
  const wanted = checkTopics(topics)
  const byType = decoders(wanted)
  const decode = (m: MessageWalker, nsid: number | undefined): object | undefined => {
    const decoder = byType.get(m.type)
    if (!decoder) return undefined
    const { op, body } = decoder
    const decoded = body.decode(m.view, m.payload, m.end) as never
    for (const topic of decoder.topics) {
      const { member, make } = subjects[topic]
      const item = make(decoded)
      if (item !== undefined)
        return { type: topic, op, ...(nsid === undefined ? {} : { nsid }), [member]: item }
    }
    return undefined
  }
  const resync = async (signal: AbortSignal): Promise<object> => {
    const taken = [...wanted].map(async (topic) => {
      const [member, take] = subjects[topic].list ?? []
      return take ? { [member as string]: await take(doors, { signal }) } : {}
    })
    return Object.assign({ type: 'resync' }, ...(await Promise.all(taken)))
  }
  const source = {
    protocol: NETLINK_ROUTE,
    groups: () => [...new Set([...wanted].flatMap((topic) => subjects[topic].groups))],
    decode: decode as EventSource<WatchEvent<K>>['decode'],
    overrun: (source: OverrunSource): OverrunEvent => ({ type: 'overrun', source }),
    resync: resync as (signal: AbortSignal) => Promise<WatchEvent<K>>,
  }
  return new Events<WatchEvent<K>>(session, source, options, whenClosed)
}

function checkTopics(topics: readonly Topic[]): Set<Topic> {
  const known = Object.keys(subjects)
  for (const topic of topics) {
    if (Object.hasOwn(subjects, topic)) continue
    throw new NetlinkError('NETLINK_INVALID', {
      message: `${JSON.stringify(topic)} cannot be watched`,
      hint: didYouMean(String(topic), known) ?? `these can: ${known.join(', ')}`,
    })
  }
  if (topics.length === 0) {
    throw new NetlinkError('NETLINK_INVALID', {
      message: 'nothing to watch',
      hint: `these can be watched: ${known.join(', ')}`,
    })
  }
  return new Set(topics)
}
