/** Counters of links, in groups. */
import {
  IFLA_STATS_FILTER_AF_SPEC,
  IFLA_STATS_FILTER_LINK_64,
  IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS,
  IFLA_STATS_FILTER_LINK_XSTATS_SLAVE,
  rtStats,
} from '../../families/rt-stats.ts'
import type { Reply } from '../../schema/index.ts'
import { makeCall } from '../call.ts'
import type { DumpOptions } from '../cursor.ts'
import type { Dump } from '../dump.ts'
import type { CallOptions } from '../options.ts'
import type { LinkName, Links } from './door.ts'

const ALL =
  IFLA_STATS_FILTER_LINK_64 |
  IFLA_STATS_FILTER_LINK_XSTATS |
  IFLA_STATS_FILTER_LINK_XSTATS_SLAVE |
  IFLA_STATS_FILTER_LINK_OFFLOAD_XSTATS |
  IFLA_STATS_FILTER_AF_SPEC

/** Counters of one link; groups that it does not have are absent. */
export type Statistics = Omit<Reply<typeof rtStats, 'getStats'>, 'family' | 'filterMask'>

export interface StatisticsFilter {
  readonly link?: LinkName | undefined
  /** IFLA_STATS_FILTER_*: which groups; all unless given. */
  readonly groups?: number | undefined
}

type Decoded = Reply<typeof rtStats, 'getStats'>

/** As their message says. */
export function toStatistics({ family: _, filterMask: __, ...rest }: Decoded): Statistics {
  return rest
}

export class StatisticsDoor {
  readonly #links: Links
  readonly #calls = {
    get: makeCall(rtStats, 'getStats', 'do'),
    list: makeCall(rtStats, 'getStats', 'dump'),
  }

  constructor(links: Links) {
    this.#links = links
  }

  /** Counters of all links, or of one. */
  list(filter: StatisticsFilter = {}, options: DumpOptions = {}): Dump<Statistics> {
    let ifindex: number | undefined
    const value = async () => {
      ifindex = await this.#links.indexIfAny(filter.link, 'link', options)
      return { filterMask: filter.groups ?? ALL }
    }
    const map = (decoded: Decoded): Statistics | undefined =>
      ifindex === undefined || decoded.ifindex === ifindex ? toStatistics(decoded) : undefined
    return this.#links.endpoint.dump(this.#calls.list, { value, map }, options)
  }

  /** Counters of one link. @throws NetlinkError ENODEV */
  async get(link: LinkName, groups = ALL, options: CallOptions = {}): Promise<Statistics> {
    const ifindex = await this.#links.indexOf(link, 'link', options)
    const value = { ifindex, filterMask: groups }
    return toStatistics(
      (await this.#links.endpoint.request(this.#calls.get, value, options)) as Decoded,
    )
  }
}
