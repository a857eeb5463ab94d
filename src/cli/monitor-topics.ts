/** The words of `nlkit monitor`: what is watched, and what of it is shown. */
import { didYouMean } from '../client/nearest.ts'
import type { Topic } from '../index.ts'
import type { GlobalOptions } from './command.ts'
import { UsageError } from './exit.ts'
import { type AnyChange, mentioned } from './monitor-show.ts'

/** ip-monitor(8)'s objects in the order in which it tries them, and what each of them is. */
const OBJECTS: Readonly<Record<string, readonly Topic[]>> = {
  link: ['link', 'port'],
  address: ['addr'],
  route: ['route'],
  mroute: ['mroute'],
  prefix: ['prefix'],
  neigh: ['neigh', 'fdb'],
  netconf: ['netconf'],
  rule: ['rule'],
  nsid: ['nsid'],
  nexthop: ['nexthop', 'bucket'],
  stats: ['stats'],
}
/** What only we call so. */
const OTHERS: Readonly<Record<string, readonly Topic[]>> = {
  addr: ['addr'],
  neighbour: OBJECTS.neigh!,
  neighbor: OBJECTS.neigh!,
  fdb: ['fdb'],
  port: ['port'],
}

const OBJECT_NAMES = Object.keys(OBJECTS)

/** What the words name; everything when they name nothing, with its labels when they say `all`. */
export function topicsOf(words: readonly string[]): {
  readonly topics: ReadonlySet<Topic>
  readonly objects: readonly string[]
  readonly isAll: boolean
} {
  const topics = new Set<Topic>()
  const objects = new Set<string>()
  const take = (object: string, found: readonly Topic[]) => {
    objects.add(object)
    for (const topic of found) topics.add(topic)
  }
  for (const word of words) {
    if (word === 'all') continue
    const object = OBJECT_NAMES.find((name) => name.startsWith(word))
    if (Object.hasOwn(OTHERS, word)) take(word, OTHERS[word]!)
    else if (object !== undefined && word !== '') take(object, OBJECTS[object]!)
    else
      throw new UsageError(
        `"${word}" cannot be watched`,
        didYouMean(word, OBJECT_NAMES) ?? `these can: ${OBJECT_NAMES.join(' ')}`,
      )
  }
  const isAll = words.includes('all')
  if (topics.size === 0 || isAll)
    for (const [object, found] of Object.entries(OBJECTS)) take(object, found)
  return { topics, objects: [...objects], isAll }
}

/** The address family that an event is of; undefined for what has none. */
function familyOf(event: AnyChange): string | number | undefined {
  switch (event.type) {
    case 'addr':
      return event.address.family
    case 'route':
      return event.route.family
    case 'mroute':
      return event.multicastRoute.family
    case 'neigh':
      return event.neighbour.family
    case 'fdb':
      return 'bridge'
    case 'rule':
      return event.rule.family
    case 'netconf':
      return event.netconf.family
    case 'prefix':
      return 'inet6'
    default:
      return undefined
  }
}

/** The links that an event is about: of a filter `dev`. */
function linksOf(event: AnyChange): readonly (number | undefined)[] | undefined {
  switch (event.type) {
    case 'link':
      return [event.link.ifindex]
    case 'port':
      return [event.port.ifindex]
    case 'route':
      return [event.route.oif]
    case 'mroute':
      return [event.multicastRoute.iif]
    case 'addr':
    case 'neigh':
    case 'fdb':
    case 'netconf':
    case 'prefix':
    case 'stats':
      return mentioned(event)
    default:
      return undefined
  }
}

/** Whether an event is shown, by -4, -6, -M and `dev`. */
export function isShown(
  event: AnyChange,
  { family, mpls }: Pick<GlobalOptions, 'family' | 'mpls'>,
  ifindex: number | undefined,
): boolean {
  const wanted = mpls ? 'mpls' : family
  const own = familyOf(event)
  if (wanted !== undefined && own !== undefined && own !== wanted) return false
  if (ifindex === undefined) return true
  return linksOf(event)?.includes(ifindex) ?? true
}
