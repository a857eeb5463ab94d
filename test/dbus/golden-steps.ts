/** What dbus-daemon is asked, to be recorded: names, the bus's own methods, rules, errors, monitors. */
import {
  ERROR,
  METHOD_CALL,
  METHOD_RETURN,
  NO_AUTO_START,
  NO_REPLY_EXPECTED,
  SIGNAL,
  Variant,
} from 'nlkit/dbus'
import { BUS, driverCall, type Step } from './script.ts'

/** Services of the bus that is asked. */
export const SERVICES = {
  'com.example.NoExec.service':
    '[D-BUS Service]\nName=com.example.NoExec\nExec=/nonexistent/program\n',
  'com.example.Exits.service':
    '[D-BUS Service]\nName=com.example.Exits\nExec=/bin/sh -c "exit 3"\n',
  'com.example.Killed.service':
    '[D-BUS Service]\nName=com.example.Killed\nExec=/bin/sh -c "kill -9 $$"\n',
  'com.example.Nameless.service': '[D-BUS Service]\nExec=/bin/true\n',
}

const UID = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')

function say(...lines: string[]): Step {
  return { who: 'nobody', do: 'say', lines }
}

function connect(...names: string[]): Step[] {
  return names.map((who) => ({ who, do: 'connect' }))
}

function close(...names: string[]): Step[] {
  return names.map((who) => ({ who, do: 'close' }))
}

function request(who: string, name: string, flags: number): Step {
  return driverCall(who, 'RequestName', 'su', [name, flags])
}

function ask(member: string, names: readonly string[]): Step[] {
  return names.map((name) => driverCall('a', member, 's', [name]))
}

function addMatch(who: string, rule: string): Step {
  return driverCall(who, 'AddMatch', 's', [rule])
}

function signal(
  who: string,
  member: string,
  signature = '',
  body: readonly unknown[] = [],
  more: object = {},
): Step {
  const message = { type: SIGNAL, path: '/p', interface: 'com.example.I', member, signature, body }
  return { who, do: 'send', message: { ...message, ...more } }
}

function call(who: string, destination: string, more: object = {}): Step {
  const message = { type: METHOD_CALL, path: '/', interface: 'com.example.I', member: 'M' }
  return { who, do: 'call', message: { ...message, destination, ...more } }
}

const authentication: Step[] = [
  say('AUTH'),
  say('AUTH EXTERNAL', 'DATA'),
  say(`AUTH EXTERNAL ${UID}`),
  say(`AUTH EXTERNAL ${Buffer.from('4242').toString('hex')}`),
  say('AUTH EXTERNAL zz'),
  say('AUTH ANONYMOUS'),
  say(`AUTH DBUS_COOKIE_SHA1 ${UID}`),
  say('FOO'),
  say('NEGOTIATE_UNIX_FD'),
  say('BEGIN'),
  say('DATA 00'),
  say(`AUTH EXTERNAL ${UID}`, 'CANCEL', 'AUTH'),
  say(`AUTH EXTERNAL ${UID}`, 'NEGOTIATE_UNIX_FD', 'ERROR'),
  say('ERROR', 'CANCEL', 'AUTH EXTERNAL'),
  say('AUTH', 'AUTH', 'AUTH', 'AUTH', 'AUTH', 'AUTH', 'AUTH', 'AUTH'),
]

const strangers: Step[] = [
  ...connect('a', 'b'),
  driverCall('a', 'Hello'),
  { who: 's', do: 'connect without Hello' },
  driverCall('s', 'Ping', '', [], { interface: `${BUS}.Peer` }),
  driverCall('s', 'Hello', 's', ['x']),
  { who: 's', do: 'send', message: { type: SIGNAL, path: '/', interface: 'a.b', member: 'S' } },
  {
    who: 's',
    do: 'send',
    message: { type: METHOD_CALL, path: '/', member: 'X', destination: '$a' },
  },
]

const names: Step[] = [
  ...[
    'com.example.A',
    'com',
    'a..b',
    '.a.b',
    ':1.5',
    BUS,
    'com.1digit.x',
    'com.ex-ample.x',
    `${'x'.repeat(300)}.y`,
    '',
  ].map((name) => request('a', name, 0)),
  request('a', 'com.example.A', 0),
  request('b', 'com.example.A', 0),
  driverCall('a', 'ListQueuedOwners', 's', ['com.example.A']),
  request('b', 'com.example.A', 4),
  driverCall('a', 'ListQueuedOwners', 's', ['com.example.A']),
  request('b', 'com.example.A', 2),
  request('a', 'com.example.A', 1),
  request('b', 'com.example.A', 2),
  driverCall('b', 'ListQueuedOwners', 's', ['com.example.A']),
  ...['com.example.A', 'com.example.A', 'com.example.Z', '$a', BUS, 'bad'].map((name) =>
    driverCall('a', 'ReleaseName', 's', [name]),
  ),
  request('a', 'com.example.F', 0x80),
]

const ASKED = [BUS, '$a', 'com.example.None', 'bad name']

const questions: Step[] = [
  ...[
    'GetNameOwner',
    'NameHasOwner',
    'GetConnectionUnixUser',
    'GetConnectionUnixProcessID',
    'GetConnectionCredentials',
    'ListQueuedOwners',
    'GetConnectionSELinuxSecurityContext',
    'GetAdtAuditSessionData',
  ].flatMap((member) => ask(member, ASKED)),
  driverCall('a', 'ListNames'),
  driverCall('a', 'ListActivatableNames'),
  driverCall('a', 'GetId'),
  ...['com.example.A', 'com.example.Nope', 'com.example.NoExec', 'com.example.Exits', BUS].map(
    (name) => driverCall('a', 'StartServiceByName', 'su', [name, 0]),
  ),
  driverCall('a', 'UpdateActivationEnvironment', 'a{ss}', [new Map([['A', 'b']])]),
  driverCall('a', 'UpdateActivationEnvironment', 'a{ss}', [new Map()], { path: '/x' }),
  driverCall('a', 'ReloadConfig'),
  ...[
    driverCall('a', 'GetAll', 's', [BUS]),
    driverCall('a', 'GetAll', 's', ['com.example.I']),
    driverCall('a', 'Get', 'ss', [BUS, 'Features']),
    driverCall('a', 'Get', 'ss', [BUS, 'Interfaces']),
    driverCall('a', 'Get', 'ss', [BUS, 'Nope']),
    driverCall('a', 'Get', 'ss', ['com.example.I', 'Nope']),
    driverCall('a', 'Set', 'ssv', [BUS, 'Features', new Variant('s', 'x')]),
    driverCall('a', 'Set', 'ssv', [BUS, 'Nope', new Variant('s', 'x')]),
    driverCall('a', 'GetAll', 's', [BUS], { path: '/x' }),
  ].map((step) => withMessage(step, { interface: `${BUS}.Properties` })),
  driverCall('a', 'Ping', '', [], { interface: `${BUS}.Peer` }),
  driverCall('a', 'Ping', '', [], { interface: `${BUS}.Peer`, destination: undefined }),
  driverCall('a', 'GetMachineId', '', [], { interface: `${BUS}.Peer`, path: '/x' }),
  driverCall('a', 'Introspect', '', [], { interface: `${BUS}.Introspectable` }),
  driverCall('a', 'Introspect', '', [], { interface: `${BUS}.Introspectable`, path: '/' }),
  driverCall('a', 'Nope'),
  driverCall('a', 'Nope', '', [], { interface: 'com.example.I' }),
  driverCall('a', 'GetId', '', [], { interface: undefined }),
  driverCall('a', 'GetNameOwner', 'u', [5]),
  driverCall('a', 'GetId', 's', ['x']),
  driverCall('a', 'GetId', '', [], { path: '/foo' }),
  driverCall('a', 'GetId', '', [], { flags: NO_REPLY_EXPECTED }),
  driverCall('a', 'Nope', '', [], { flags: NO_REPLY_EXPECTED }),
  driverCall('a', 'GetConnectionStats', 's', ['$a'], { interface: `${BUS}.Debug.Stats` }),
  driverCall('a', 'GetConnectionStats', 's', ['com.example.Z'], {
    interface: `${BUS}.Debug.Stats`,
  }),
  driverCall('a', 'GetAllMatchRules', '', [], { interface: `${BUS}.Debug.Stats` }),
]

/** A call with something else in its message. */
function withMessage(step: Step, more: object): Step {
  return step.do === 'call' ? { ...step, message: { ...step.message, ...more } } : step
}

const messages: Step[] = [
  call('a', 'com.example.Nope'),
  call('a', 'com.example.Nope', { flags: NO_AUTO_START }),
  call('a', 'com.example.Nope', { flags: NO_REPLY_EXPECTED }),
  call('a', ':1.4444'),
  ...['NoExec', 'Exits', 'Killed'].map((name) => call('a', `com.example.${name}`)),
  { ...call('a', '$b'), do: 'send' } as Step,
  { who: 'b', do: 'answer' },
  { ...call('a', '$b'), do: 'send' } as Step,
  { who: 'b', do: 'answer', isError: true },
  { who: 'b', do: 'answer' },
  { ...call('a', '$b', { flags: NO_REPLY_EXPECTED }), do: 'send' } as Step,
  { who: 'b', do: 'answer' },
  { ...call('a', '$b'), do: 'send' } as Step,
  ...close('b'),
  ...connect('b'),
  {
    who: 'b',
    do: 'send',
    message: { type: METHOD_RETURN, replySerial: 12345, destination: '$a' },
  },
  {
    who: 'b',
    do: 'send',
    message: { type: ERROR, replySerial: 12345, errorName: 'a.b', destination: '$a' },
  },
  signal('a', 'S', '', [], { destination: '$b', sender: ':9.9' }),
  signal('a', 'S', '', [], { destination: 'com.example.Nope' }),
  signal('a', 'S', '', [], { destination: BUS }),
]

/** Rules of which each is added by a connection of its own, and what that then hears. */
const RULES = [
  "type='signal'",
  "type='bogus'",
  "foo='x'",
  "arg64='x'",
  "arg63='x'",
  "arg='x'",
  "arg0x='x'",
  "arg1namespace='a.b'",
  "arg0namespace='com.ex'",
  "arg0namespace='a..b'",
  "arg0path='noslash'",
  "arg0path='/aa/bb/'",
  "path='/a',path_namespace='/b'",
  "path='bad'",
  "interface='noperiod'",
  "member='a.b'",
  "sender='bad'",
  "sender='com.example.F'",
  "destination=':1.5'",
  "destination='a.b'",
  "eavesdrop='true'",
  "eavesdrop='maybe'",
  "type='signal',type='signal'",
  "arg0='a',arg0='b'",
  "arg0='a',arg0path='/b'",
  'type=signal',
  "type='signal",
  "  type = 'signal' , member='X'",
  "type='signal',",
  '',
  'type',
  'x'.repeat(1025),
  "path_namespace='/'",
  "path_namespace='/p'",
  "path_namespace='/a/'",
  "arg0=''",
  "arg1='z'",
  "arg0='\\''",
  Array.from({ length: 17 }, (_, i) => `arg${i}='v'`).join(','),
]

const heard: Step[] = [
  signal('a', 'S'),
  signal('a', 'S', 's', ['com.ex.a'], { path: '/p/q' }),
  signal('a', 'S', 'o', ['/aa/bb/cc'], { path: '/pq' }),
  signal('a', 'S', 'us', [5, 'z'], { path: '/' }),
  signal('a', 'S', 'ss', ['', 'v'], { destination: '$b' }),
]

const rules: Step[] = [
  request('a', 'com.example.F', 0),
  ...RULES.flatMap((rule) => [
    ...connect('r'),
    addMatch('r', rule),
    ...heard,
    driverCall('r', 'RemoveMatch', 's', [rule]),
    driverCall('r', 'RemoveMatch', 's', [rule]),
    ...close('r'),
  ]),
  ...connect('r'),
  addMatch('r', "type='signal',interface='com.example.I'"),
  addMatch('r', "interface='com.example.I',type='signal'"),
  signal('a', 'Twice'),
  driverCall('r', 'RemoveMatch', 's', ["interface='com.example.I' , type='signal'"]),
  signal('a', 'Once'),
  driverCall('a', 'GetAllMatchRules', '', [], { interface: `${BUS}.Debug.Stats` }),
  ...close('r'),
]

const changes: Step[] = [
  ...connect('w'),
  addMatch('w', `type='signal',sender='${BUS}',member='NameOwnerChanged'`),
  ...connect('x'),
  request('x', 'com.noc.N', 1),
  request('x', 'com.noc.M', 0),
  ...connect('y'),
  request('y', 'com.noc.N', 3),
  request('y', 'com.noc.M', 0),
  driverCall('y', 'ReleaseName', 's', ['com.noc.N']),
  ...close('x', 'y', 'w'),
]

const monitors: Step[] = [
  ...connect('m'),
  driverCall('m', 'BecomeMonitor', 'asu', [[], 1], { interface: `${BUS}.Monitoring` }),
  driverCall('m', 'BecomeMonitor', 'asu', [['zzz'], 0], { interface: `${BUS}.Monitoring` }),
  request('m', 'com.example.Lost', 0),
  driverCall('m', 'BecomeMonitor', 'asu', [[], 0], { interface: `${BUS}.Monitoring` }),
  driverCall('a', 'GetId'),
  driverCall('a', 'Nope'),
  ...connect('n'),
  request('n', 'com.example.A', 0),
  signal('n', 'S', 's', ['x']),
  { ...call('n', '$a'), do: 'send' } as Step,
  { who: 'a', do: 'answer' },
  call('n', 'com.example.Nope'),
  ...close('n'),
  {
    who: 'm',
    do: 'send',
    message: { type: METHOD_CALL, path: '/', member: 'X', destination: BUS },
  },
]

/** Bytes of a message that no connection survives, or that are passed over. */
const SPOILT: readonly (readonly [number, number])[][] = [
  [[0, 0x5a]],
  [[1, 0]],
  [[1, 7]],
  [[2, 0xff]],
  [[3, 2]],
  [[7, 0xff]],
  [[8, 0]],
  [[15, 0xff]],
  [[16, 200]],
  [[16, 0]],
]

const faults: Step[] = SPOILT.flatMap((spoil): Step[] => [
  ...connect('k'),
  {
    ...(signal('k', 'S', 's', ['x'], { destination: '$a' }) as Extract<Step, { do: 'send' }>),
    spoil,
  },
  ...close('k'),
])

export const GOLDEN_STEPS: readonly Step[] = [
  ...authentication,
  ...strangers,
  ...names,
  ...questions,
  ...messages,
  ...rules,
  ...changes,
  ...monitors,
  ...faults,
]
