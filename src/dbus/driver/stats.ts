/** org.freedesktop.DBus.Debug.Stats: how much of everything there is. */
import { BUS_NAME } from '../bus/bus-name.ts'
import { BusError } from '../bus/errors.ts'
import { Variant } from '../message/index.ts'
import type { Interface, Method } from './method.ts'

function count(name: string, value: number): [string, Variant] {
  return [name, new Variant('u', value)]
}

const getStats: Method = {
  takes: [],
  gives: ['a{sv}'],
  handle({ bus }) {
    let mostRules = 0
    let mostNames = 0
    for (const { stats } of bus.peers.values()) {
      mostRules = Math.max(mostRules, stats.peakMatchRules)
      mostNames = Math.max(mostNames, stats.peakNames)
    }
    return [
      new Map([
        count('Serial', 0),
        count('ListMemPoolUsedBytes', 0),
        count('ListMemPoolCachedBytes', 0),
        count('ListMemPoolAllocatedBytes', 0),
        count('ActiveConnections', bus.peers.size),
        count('IncompleteConnections', bus.strangers.size),
        count('MatchRules', bus.matchRules),
        count('PeakMatchRules', bus.peakMatchRules),
        count('PeakMatchRulesPerConnection', mostRules),
        count('BusNames', bus.names.size + bus.peers.size),
        count('PeakBusNames', bus.peakNames),
        count('PeakBusNamesPerConnection', mostNames),
      ]),
    ]
  },
}

const getConnectionStats: Method = {
  takes: ['s'],
  gives: ['a{sv}'],
  handle({ bus, peer: caller, header, args }) {
    const [name] = args as [string]
    const peer = name === BUS_NAME ? undefined : bus.lookup(name)
    if (!peer)
      throw new BusError(
        'NameHasNoOwner',
        `Could not get statistics of name '${name}': no such name`,
      )
    const { stats } = peer
    const { messages, bytes, fds } = peer.door.queued?.() ?? { messages: 0, bytes: 0, fds: 0 }
    return [
      new Map([
        count('Serial', 0),
        count('MatchRules', peer.rules.length),
        count('PeakMatchRules', stats.peakMatchRules),
        count('BusNames', peer.names.length + 1),
        count('PeakBusNames', stats.peakNames),
        ['UniqueName', new Variant('s', peer.uniqueName)] as [string, Variant],
        count('IncomingMessages', 0),
        // Of what it has sent, only the call that asks is not done with.
        count('IncomingBytes', peer === caller ? header.length : 0),
        count('IncomingFDs', 0),
        count('PeakIncomingBytes', stats.peakIncomingBytes),
        count('PeakIncomingFDs', stats.peakIncomingFds),
        count('OutgoingMessages', messages),
        count('OutgoingBytes', bytes),
        count('OutgoingFDs', fds),
        count('PeakOutgoingBytes', stats.peakOutgoingBytes),
        count('PeakOutgoingFDs', stats.peakOutgoingFds),
      ]),
    ]
  },
}

const getAllMatchRules: Method = {
  takes: [],
  gives: ['a{sas}'],
  handle: ({ bus }) => [
    new Map([...bus.peers].map(([name, { rules }]) => [name, rules.map(({ text }) => text)])),
  ],
}

export const stats: Interface = {
  name: 'org.freedesktop.DBus.Debug.Stats',
  methods: {
    GetStats: getStats,
    GetConnectionStats: getConnectionStats,
    GetAllMatchRules: getAllMatchRules,
  },
  anyPath: false,
}
