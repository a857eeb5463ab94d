/** The rules that count for one peer, and their verdicts: the last rule that fits decides (bus/policy.c). */
import type { Peer } from '../bus/peer.ts'
import type { Passage } from '../bus/policy.ts'
import { type Header, SIGNAL } from '../message/index.ts'
import type { MessageRule, OwnRule, PolicyRule, ReceiveRule, SendRule } from './rule.ts'

/** What the rules say: without a rule that fits, no. */
export interface Verdict {
  readonly allowed: boolean
  /** How many rules fitted. */
  readonly matched: number
}

export class ClientPolicy {
  readonly send: readonly SendRule[]
  readonly receive: readonly ReceiveRule[]
  readonly own: readonly OwnRule[]
  /** All may be sent, or received, whatever it is: no rule needs a look. */
  readonly sendsAll: boolean
  readonly receivesAll: boolean

  constructor(rules: readonly PolicyRule[]) {
    this.send = fromLastCatchAll(rules.filter((rule): rule is SendRule => rule.kind === 'send'))
    this.receive = fromLastCatchAll(
      rules.filter((rule): rule is ReceiveRule => rule.kind === 'receive'),
    )
    this.own = fromLastCatchAll(rules.filter((rule): rule is OwnRule => rule.kind === 'own'))
    this.sendsAll = allowsAll(this.send)
    this.receivesAll = allowsAll(this.receive)
  }

  maySend(passage: Passage): Verdict {
    return judge(this.send, (rule) => fitsSend(rule, passage))
  }

  mayReceive(passage: Passage): Verdict {
    const { sender, recipient, addressed, header } = passage
    const isEavesdropping = header.destination !== undefined && addressed !== recipient
    return judge(this.receive, (rule) => {
      if (isEavesdropping && rule.allow && !rule.eavesdrop) return false
      if (!isEavesdropping && !rule.allow && rule.eavesdrop) return false
      return fitsMessage(rule, passage) && fitsOrigin(rule, header, sender)
    })
  }

  mayOwn(name: string): Verdict {
    return judge(this.own, (rule) => fitsName(rule, name))
  }
}

function judge<Rule extends { readonly allow: boolean }>(
  rules: readonly Rule[],
  fits: (rule: Rule) => boolean,
): Verdict {
  let allowed = false
  let matched = 0
  for (const rule of rules)
    if (fits(rule)) {
      allowed = rule.allow
      matched++
    }
  return { allowed, matched }
}

/** What stands before a rule that fits everything cannot matter. */
function fromLastCatchAll<Rule extends PolicyRule>(rules: readonly Rule[]): readonly Rule[] {
  return rules.slice(Math.max(0, rules.findLastIndex(isCatchAll)))
}

function isCatchAll(rule: PolicyRule): boolean {
  if (rule.kind === 'own') return rule.name === undefined
  if (rule.kind !== 'send' && rule.kind !== 'receive') return false
  const asksNothing =
    rule.type === undefined &&
    rule.path === undefined &&
    rule.interface === undefined &&
    rule.member === undefined &&
    rule.errorName === undefined &&
    rule.minFds === 0 &&
    rule.maxFds === 0xffffffff &&
    (rule.allow ? rule.eavesdrop : !rule.eavesdrop && rule.requestedReply)
  if (!asksNothing) return false
  return rule.kind === 'receive'
    ? rule.origin === undefined
    : rule.destination === undefined && rule.broadcast === undefined
}

function allowsAll(rules: readonly (SendRule | ReceiveRule)[]): boolean {
  return rules.length === 1 && rules[0]!.allow && isCatchAll(rules[0]!)
}

function fitsSend(rule: SendRule, passage: Passage): boolean {
  if (!fitsMessage(rule, passage)) return false
  const { header, recipient } = passage
  if (rule.broadcast !== undefined) {
    const isBroadcast = header.destination === undefined && header.type === SIGNAL
    if (isBroadcast !== rule.broadcast) return false
  }
  const { destination } = rule
  if (destination === undefined) return true
  const fits = (name: string): boolean =>
    rule.isPrefix ? isWithin(name, destination) : name === destination
  if (recipient) return isKnownAs(recipient, fits)
  return header.destination !== undefined && fits(header.destination)
}

/** What sending and receiving have in common. */
function fitsMessage(rule: MessageRule, { header, isRequestedReply }: Passage): boolean {
  if (rule.type !== undefined && rule.type !== header.type) return false
  if (header.replySerial !== undefined) {
    if (!isRequestedReply && rule.allow && rule.requestedReply && !rule.eavesdrop) return false
    if (isRequestedReply && !rule.allow && !rule.requestedReply) return false
  }
  if (differs(rule.path, header.path)) return false
  if (rule.interface !== undefined) {
    if (header.interface === undefined ? rule.allow : header.interface !== rule.interface)
      return false
  }
  if (differs(rule.member, header.member) || differs(rule.errorName, header.errorName)) return false
  return header.unixFds >= rule.minFds && header.unixFds <= rule.maxFds
}

/** A field that the message does not have fits. */
function differs(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted !== undefined && actual !== undefined && wanted !== actual
}

function fitsOrigin({ origin }: ReceiveRule, header: Header, sender: Peer | undefined): boolean {
  if (origin === undefined) return true
  return sender ? isKnownAs(sender, (name) => name === origin) : header.sender === origin
}

/** Whether a peer has a name that fits, its own or one that it owns or waits for. */
function isKnownAs(peer: Peer, fits: (name: string) => boolean): boolean {
  return peer.names.some(({ name }) => fits(name)) || fits(peer.uniqueName)
}

function fitsName({ name: wanted, isPrefix }: OwnRule, name: string): boolean {
  if (wanted === undefined) return true
  return isPrefix ? isWithin(name, wanted) : name === wanted
}

/** Whether `name` is `prefix`, or has more elements behind it. */
function isWithin(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && (name.length === prefix.length || name[prefix.length] === '.')
}
