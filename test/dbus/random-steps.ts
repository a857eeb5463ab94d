/** Scripts drawn from a seed: clients come and go, ask for names, add rules, call and signal each other. */
import { ERROR, METHOD_CALL, METHOD_RETURN, type MessageInit, SIGNAL, Variant } from 'nlkit/dbus'
import { type Random, randomFrom } from '../fidelity/random.ts'
import { BUS, driverCall, type Step } from './script.ts'

const CLIENTS = ['a', 'b', 'c', 'd']
const NAMES = ['com.example.A', 'com.example.B', 'com.example.A.B', 'org.other']
const ODD_NAMES = [BUS, ':1.0', 'bad', '', 'com.1x', '$a', '$c', 'com.example.NoExec']
const PATHS = ['/', '/p', '/p/q', '/p/q/r', '/pq']
const FACES = ['com.example.I', 'com.example.J', `${BUS}.Peer`]
const MEMBERS = ['M', 'S', 'Ping']
const TEXTS = ['', 'a', '/p', '/p/', '/p/q', 'com.example', 'com.example.A', "it's"]

/** Methods of the bus that take a name. */
const ABOUT_NAMES = [
  'GetNameOwner',
  'NameHasOwner',
  'ListQueuedOwners',
  'GetConnectionUnixUser',
  'GetConnectionUnixProcessID',
  'GetConnectionCredentials',
  'GetAdtAuditSessionData',
  'ReleaseName',
]

type Drawing = (random: Random, who: string) => Step

function anyName({ pick, onceIn }: Random): string {
  return onceIn(3) ? pick(ODD_NAMES) : pick(NAMES)
}

function values({ pick, below }: Random): [signature: string, body: unknown[]] {
  const text = pick(TEXTS)
  const drawn: [string, unknown[]][] = [
    ['', []],
    ['s', [text]],
    ['ss', [text, pick(TEXTS)]],
    ['us', [below(5), text]],
    ['o', [pick(PATHS)]],
    ['so', [text, pick(PATHS)]],
    ['v', [new Variant('s', text)]],
    ['as', [[text, 'x']]],
    ['a{sv}', [new Map([['k', new Variant('u', below(9))]])]],
    ['(yv)t', [[below(256), new Variant('b', true)], 2n ** 40n]],
  ]
  return pick(drawn)
}

/** A key of a match rule with its value; now and then one that is none. */
function ruleKey(random: Random): string {
  const { pick, below, onceIn } = random
  if (onceIn(40))
    return pick(['foo=x', 'type', "path='x'", "arg64='x'", "member='a.b'", '=', "x='"])
  const key = pick([
    'type',
    'sender',
    'interface',
    'member',
    'path',
    'path_namespace',
    'destination',
  ])
  const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`
  if (onceIn(3)) return `arg${below(3)}${pick(['', '', 'path'])}=${quote(pick(TEXTS))}`
  if (onceIn(8)) return `arg0namespace=${quote(pick(['com', 'com.example', 'com.example.A']))}`
  if (onceIn(4)) return `eavesdrop=${quote(pick(['true', 'false']))}`
  const drawn: Record<string, readonly string[]> = {
    type: ['signal', 'signal', 'method_call', 'method_return', 'error'],
    sender: [...NAMES, BUS, ':1.99999'],
    interface: [...FACES, BUS],
    member: [...MEMBERS, 'NameOwnerChanged'],
    path: PATHS,
    path_namespace: PATHS,
    destination: [...NAMES, ':1.99999'],
  }
  return `${key}=${quote(pick(drawn[key]!))}`
}

function rule(random: Random): string {
  return Array.from({ length: random.below(4) }, () => ruleKey(random)).join(',')
}

/** dbus-daemon takes rules for equal whose path_namespace differs, and removes another: nlkit does not. */
function removable(text: string): string {
  return text.includes('path_namespace') ? '' : text
}

function message(random: Random, type: number): Omit<MessageInit, 'serial'> {
  const { pick, below, onceIn } = random
  const [signature, body] = values(random)
  const destination = onceIn(4)
    ? anyName(random)
    : pick(['$a', '$b', '$c', '$d', 'com.example.A', 'com.example.B'])
  return {
    type,
    flags: below(4),
    path: type === METHOD_CALL || type === SIGNAL ? pick(PATHS) : undefined,
    interface: type === METHOD_CALL && onceIn(4) ? undefined : pick(FACES),
    member: pick(MEMBERS),
    destination: isName(destination) ? destination : undefined,
    replySerial: type === METHOD_RETURN || type === ERROR ? 1 + below(20) : undefined,
    errorName: type === ERROR ? 'com.example.Error' : undefined,
    signature,
    body,
  }
}

/** The encoder takes no other; and when a service fails to start is nobody's promise. */
function isName(text: string): boolean {
  return text !== 'com.example.NoExec' && /^[$:]|^[a-z]+(\.[A-Za-z]\w*)+$/.test(text)
}

function driverStep(random: Random, who: string): Step {
  const { pick, below, onceIn } = random
  const face = {
    interface: `${BUS}.${pick(['Properties', 'Debug.Stats', 'Introspectable', 'Peer'])}`,
  }
  const asked: (() => Step)[] = [
    () => driverCall(who, 'ListNames'),
    () => driverCall(who, 'ListActivatableNames'),
    () => driverCall(who, 'GetId', onceIn(5) ? 's' : '', onceIn(5) ? ['x'] : []),
    () => driverCall(who, 'StartServiceByName', 'su', [anyName(random), 0]),
    () => driverCall(who, 'GetAllMatchRules', '', [], { interface: `${BUS}.Debug.Stats` }),
    () => driverCall(who, 'Get', 'ss', [BUS, pick(['Features', 'Nope'])], face),
    () => driverCall(who, 'GetAll', 's', [pick([BUS, 'com.example.I'])], face),
    () => driverCall(who, pick(['Nope', 'Ping', 'Hello']), '', [], { path: pick(PATHS) }),
    () => driverCall(who, 'Nope', '', [], { ...face, flags: below(2) }),
    () => driverCall(who, 'UpdateActivationEnvironment', 'a{ss}', [new Map([['A', 'b']])]),
  ]
  const step = pick(asked)()
  if (step.do !== 'call' || step.message.signature === '') return step
  const { signature, body } = step.message
  return signature === 's' && body?.length === 0
    ? { ...step, message: { ...step.message, signature: '' } }
    : step
}

function spoilt(random: Random, who: string): Step {
  const { below } = random
  const message_ = message(random, random.pick([METHOD_CALL, SIGNAL, METHOD_RETURN]))
  const spoil = Array.from({ length: 1 + below(2) }, () => [below(90), below(256)] as const)
  // A length that announces more than comes makes both wait for ever.
  const isLong = spoil.some(([at]) => (at >= 4 && at < 8) || (at >= 12 && at < 16))
  return { who, do: 'send', message: message_, ...(isLong ? {} : { spoil }) }
}

/** What may be drawn, as often as it is named. */
const DRAWINGS: readonly (readonly [times: number, draw: Drawing])[] = [
  [4, (_, who) => ({ who, do: 'connect' })],
  [2, (_, who) => ({ who, do: 'close' })],
  [1, (_, who) => ({ who, do: 'connect without Hello' })],
  [1, (_, who) => driverCall(who, 'Hello')],
  [6, (r, who) => driverCall(who, 'RequestName', 'su', [anyName(r), r.below(8)])],
  [6, (r, who) => driverCall(who, r.pick(ABOUT_NAMES), 's', [anyName(r)])],
  [6, (r, who) => driverCall(who, 'AddMatch', 's', [rule(r)])],
  [2, (r, who) => driverCall(who, 'RemoveMatch', 's', [removable(rule(r))])],
  [4, driverStep],
  [6, (r, who) => ({ who, do: 'send', message: withoutDestination(message(r, SIGNAL)) })],
  [3, (r, who) => ({ who, do: 'send', message: message(r, SIGNAL) })],
  [5, (r, who) => ({ who, do: 'send', message: message(r, METHOD_CALL) })],
  [2, (r, who) => ({ who, do: 'send', message: message(r, r.pick([METHOD_RETURN, ERROR])) })],
  [3, (r, who) => ({ who, do: 'answer', isError: r.onceIn(3) })],
  [2, spoilt],
]

function withoutDestination(init: Omit<MessageInit, 'serial'>): Omit<MessageInit, 'serial'> {
  return { ...init, destination: undefined }
}

const ALL = DRAWINGS.flatMap(([times, draw]) => Array.from({ length: times }, () => draw))

/** A script of `count` steps; it begins with two clients, and may end with a monitor among them. */
export function randomSteps(seed: number, count: number): Step[] {
  const random = randomFrom(seed)
  const steps: Step[] = [
    { who: 'a', do: 'connect' },
    { who: 'b', do: 'connect' },
  ]
  if (random.onceIn(3)) {
    steps.push({ who: 'm', do: 'connect' })
    const face = { interface: `${BUS}.Monitoring` }
    steps.push(driverCall('m', 'BecomeMonitor', 'asu', [[], 0], face))
  }
  while (steps.length < count) steps.push(random.pick(ALL)(random, random.pick(CLIENTS)))
  return steps
}
