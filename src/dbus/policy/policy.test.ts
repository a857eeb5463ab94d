import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newBus, TestClient } from '../bus/bus.test.support.ts'
import type { Peer } from '../bus/peer.ts'
import type { Passage } from '../bus/policy.ts'
import type { Header } from '../message/index.ts'
import { policyOf, rulesFor } from './policy.ts'
import type {
  Identities,
  OwnRule,
  PolicyRule,
  PolicySection,
  ReceiveRule,
  SendRule,
} from './rule.ts'

const identities: Identities = {
  uidOf: () => undefined,
  gidOf: () => undefined,
  groupsOf: (uid) => (uid === 1000 ? [50] : []),
  isAtConsole: (uid) => uid === 1000,
  commandOf: (pid) => `/bin/p${pid} `,
}

const message = {
  type: undefined,
  path: undefined,
  interface: undefined,
  member: undefined,
  errorName: undefined,
  eavesdrop: false,
  minFds: 0,
  maxFds: 0xffffffff,
}

function send(allow: boolean, given: Partial<SendRule> = {}): SendRule {
  const rest = { destination: undefined, isPrefix: false, broadcast: undefined }
  return { kind: 'send', allow, ...message, requestedReply: allow, ...rest, ...given }
}

function receive(allow: boolean, given: Partial<ReceiveRule> = {}): ReceiveRule {
  return { kind: 'receive', allow, ...message, requestedReply: allow, origin: undefined, ...given }
}

function own(allow: boolean, name?: string, isPrefix = false): OwnRule {
  return { kind: 'own', allow, name, isPrefix }
}

const credentials = { uid: 1000, pid: 7, gids: undefined, label: undefined }

test('sections count by their kind, whatever their order in the file', () => {
  const sections: PolicySection[] = [
    { context: { kind: 'mandatory' }, rules: [own(false, 'm.m')] },
    { context: { kind: 'console', atConsole: true }, rules: [own(true, 'c.c')] },
    { context: { kind: 'console', atConsole: false }, rules: [own(true, 'n.n')] },
    { context: { kind: 'user', uid: 1000 }, rules: [own(true, 'u.u')] },
    { context: { kind: 'user', uid: 1 }, rules: [own(true, 'x.x')] },
    { context: { kind: 'group', gid: 50 }, rules: [own(true, 'g.g')] },
    { context: { kind: 'group', gid: 51 }, rules: [own(true, 'y.y')] },
    { context: { kind: 'default' }, rules: [own(false, 'd.d')] },
  ]
  const names = rulesFor(sections, credentials, identities).map((rule) => (rule as OwnRule).name)
  deepEqual(names, ['d.d', 'g.g', 'u.u', 'c.c', 'm.m'])
})

test('who may connect: the bus’s own user, unless a rule says otherwise', () => {
  const may = (rules: PolicyRule[], uid: number | undefined) =>
    policyOf([{ context: { kind: 'default' }, rules }], identities, 0).mayConnect({
      ...credentials,
      uid,
    })
  ok(may([], 0))
  ok(!may([], 1000))
  ok(!may([], undefined))
  ok(may([{ kind: 'user', allow: true, id: undefined }], 1000))
  ok(!may([{ kind: 'user', allow: false, id: 0 }], 0))
  ok(may([{ kind: 'group', allow: true, id: 50 }], 1000))
  ok(!may([{ kind: 'group', allow: true, id: 50 }], 1001))
})

test('a bus refuses as its policy says, in the reference’s words', () => {
  const allowDriver = send(true, { destination: 'org.freedesktop.DBus' })
  const rules = [
    allowDriver,
    receive(true),
    own(true, 'com.example', true),
    own(false, 'com.example.No'),
  ]
  const policy = policyOf([{ context: { kind: 'default' }, rules }], identities, 0)
  const bus = newBus({ policy })
  const [a, b] = [TestClient.hello(bus), TestClient.hello(bus)]
  const [refused] = a.ask('RequestName', 'su', 'com.example.No', 0)
  equal(
    refused,
    'AccessDenied: Connection ":1.0" is not allowed to own the service "com.example.No" due to security policies in the configuration file',
  )
  match(b.ask('RequestName', 'su', 'com.example.Yes', 0).at(-1)!, /^\[1\]$/)
  a.send({ type: 1, path: '/', interface: 'i.f', member: 'M', destination: 'com.example.Yes' })
  deepEqual(a.take(), [
    'AccessDenied: Rejected send message, 0 matched rules; type="method_call", sender=":1.0" ' +
      '(uid=0 pid=100 comm="/bin/p100 ") interface="i.f" member="M" error name="(unset)" ' +
      'requested_reply="0" destination="com.example.Yes" (uid=0 pid=100 comm="/bin/p100 ")',
  ])
  deepEqual(b.take(), [])
})

// A model in the words of dbus-daemon(1), to compare with: rule by rule, key by key.

const NAMES = ['a.b', 'a.b.c', 'a.bc', ':1.1']
const optional = <T>(...values: T[]) => fc.constantFrom<T | undefined>(undefined, ...values)
const messageKeys = {
  allow: fc.boolean(),
  type: optional(1, 2, 3, 4),
  path: optional('/', '/p'),
  interface: optional('i.f', 'i.g'),
  member: optional('M', 'N'),
  errorName: optional('e.e'),
  eavesdrop: fc.boolean(),
  requestedReply: fc.boolean(),
  minFds: fc.constantFrom(0, 0, 0, 2),
  maxFds: fc.constantFrom(0xffffffff, 0xffffffff, 1),
}
const sendRules = fc.record({
  kind: fc.constant('send' as const),
  ...messageKeys,
  destination: optional(...NAMES),
  isPrefix: fc.boolean(),
  broadcast: optional(true, false),
})
const receiveRules = fc.record({
  kind: fc.constant('receive' as const),
  ...messageKeys,
  origin: optional(...NAMES),
})
const ownRules = fc.record({
  kind: fc.constant('own' as const),
  allow: fc.boolean(),
  name: optional(...NAMES),
  isPrefix: fc.boolean(),
})
const headers = fc.record({
  type: fc.constantFrom(1, 2, 3, 4),
  path: optional('/', '/p'),
  interface: optional('i.f', 'i.g'),
  member: optional('M', 'N'),
  errorName: optional('e.e', 'e.f'),
  destination: optional(...NAMES),
  replySerial: optional(7),
  sender: fc.constant(':1.0'),
  unixFds: fc.constantFrom(0, 1, 2),
})

function below(name: string, prefix: string): boolean {
  return name === prefix || name.split('.').slice(0, prefix.split('.').length).join('.') === prefix
}

/** Keys that both sides have. */
function fitsModel(rule: SendRule | ReceiveRule, passage: Passage): boolean {
  const { header, isRequestedReply } = passage
  for (const key of ['path', 'member', 'errorName'] as const) {
    const [wanted, actual] = [rule[key], header[key]]
    if (wanted !== undefined && actual !== undefined && wanted !== actual) return false
  }
  if (rule.interface !== undefined && header.interface === undefined && rule.allow) return false
  if (rule.interface !== undefined && header.interface !== undefined)
    if (rule.interface !== header.interface) return false
  if (rule.type !== undefined && rule.type !== header.type) return false
  if (header.unixFds < rule.minFds || header.unixFds > rule.maxFds) return false
  const isReply = header.replySerial !== undefined
  const covers = rule.allow
    ? isRequestedReply || !rule.requestedReply || rule.eavesdrop
    : !isRequestedReply || rule.requestedReply
  return !isReply || covers
}

function model(rules: readonly PolicyRule[], fits: (rule: never) => boolean): boolean {
  return rules.reduce((so, rule) => (fits(rule as never) ? rule.allow : so), false)
}

function peerNamed(unique: string, names: readonly string[], uid: number): Peer {
  const peer = TestClient.hello(newBus(), uid).peer
  peer.uniqueName = unique
  for (const name of names) peer.names.push({ name, queue: [] })
  return peer
}

test('verdicts are those of a plain reading of the rules', () => {
  const rules = fc.array(fc.oneof(sendRules, receiveRules, ownRules), { maxLength: 12 })
  const passages = fc.record({
    header: headers,
    names: fc.subarray(['a.b', 'a.b.c', 'a.bc']),
    toBus: fc.boolean(),
    listens: fc.boolean(),
    isRequestedReply: fc.boolean(),
  })
  const sender = peerNamed(':1.0', ['a.b.c'], 5)
  fc.assert(
    fc.property(rules, passages, (given, { header, names, toBus, listens, isRequestedReply }) => {
      const recipient = toBus ? undefined : peerNamed(':1.1', names, 6)
      const passage: Passage = {
        header: header as unknown as Header,
        sender,
        recipient,
        addressed: listens ? undefined : recipient,
        isRequestedReply: isRequestedReply && header.replySerial !== undefined,
      }
      const policy = policyOf([{ context: { kind: 'default' }, rules: given }], identities, 0)
      const known = recipient ? [':1.1', ...names] : [header.destination]
      const maySend = model(given, (rule: PolicyRule) => {
        if (rule.kind !== 'send' || !fitsModel(rule, passage)) return false
        const isBroadcast = header.type === 4 && header.destination === undefined
        if (rule.broadcast !== undefined && rule.broadcast !== isBroadcast) return false
        const wanted = rule.destination
        if (wanted === undefined) return true
        return known.some((name) => name && (rule.isPrefix ? below(name, wanted) : name === wanted))
      })
      equal(policy.maySend(passage) === undefined, maySend)
      for (const name of NAMES) {
        const mayOwn = model(given, (rule: PolicyRule) => {
          if (rule.kind !== 'own') return false
          if (rule.name === undefined) return true
          return rule.isPrefix ? below(name, rule.name) : name === rule.name
        })
        equal(policy.mayOwn(sender, name) === undefined, mayOwn)
      }
      if (!recipient) return
      const eavesdrops = header.destination !== undefined && listens
      const mayReceive = model(given, (rule: PolicyRule) => {
        if (rule.kind !== 'receive' || !fitsModel(rule, passage)) return false
        if (rule.allow && eavesdrops && !rule.eavesdrop) return false
        if (!rule.allow && !eavesdrops && rule.eavesdrop) return false
        return rule.origin === undefined || [':1.0', 'a.b.c'].includes(rule.origin)
      })
      equal(policy.mayReceive(passage) === undefined, mayReceive)
    }),
    { numRuns: 2000 },
  )
})
