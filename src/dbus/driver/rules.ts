/** Match rules and monitors, as methods of the bus. */
import { BusError } from '../bus/errors.ts'
import { type MatchRule, MatchRuleError, parseMatchRule } from '../match/rule.ts'
import type { Interface, Method } from './method.ts'

/** @throws BusError */
function parse(text: string): MatchRule {
  try {
    return parseMatchRule(text)
  } catch (error) {
    if (error instanceof MatchRuleError) throw new BusError(error.code, error.message)
    throw error
  }
}

const addMatch: Method = {
  takes: ['s'],
  gives: [],
  isStill: true,
  handle({ bus, peer, args }) {
    bus.addRule(peer, parse(args[0] as string))
    return []
  },
}

const removeMatch: Method = {
  takes: ['s'],
  gives: [],
  isStill: true,
  handle({ bus, peer, args }) {
    if (!bus.removeRule(peer, parse(args[0] as string)))
      throw new BusError(
        'MatchRuleNotFound',
        "The given match rule wasn't found and can't be removed",
      )
    return []
  },
}

const becomeMonitor: Method = {
  takes: ['as', 'u'],
  gives: [],
  privileged: true,
  handle({ bus, peer, header, args }) {
    const [texts, flags] = args as [readonly string[], number]
    if (flags !== 0)
      throw new BusError('InvalidArgs', 'BecomeMonitor does not support any flags yet')
    const rules = texts.length === 0 ? [parse('')] : texts.map(parse)
    bus.reply(peer, header, '', [])
    bus.makeMonitor(peer, rules)
    return undefined
  },
}

export const ruleMethods = { AddMatch: addMatch, RemoveMatch: removeMatch } as const

export const monitoring: Interface = {
  name: 'org.freedesktop.DBus.Monitoring',
  methods: { BecomeMonitor: becomeMonitor },
  anyPath: false,
}
