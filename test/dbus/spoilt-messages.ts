/** Messages as clients send them, of every kind that a bus takes, and the same spoilt. */
import {
  BUS_NAME,
  BUS_PATH,
  ERROR,
  encodeMessage,
  METHOD_CALL,
  METHOD_RETURN,
  type MessageInit,
  SIGNAL,
  Variant,
} from 'nlkit/dbus'
import { mutate, type Random } from '../mutants.ts'

/** Methods of the bus with arguments that they take; whoever calls them has effects on others. */
const METHODS: readonly [member: string, signature: string, body: readonly unknown[]][] = [
  ['Hello', '', []],
  ['RequestName', 'su', ['com.example.A', 0]],
  ['RequestName', 'su', ['com.example.B', 3]],
  ['RequestName', 'su', ['com.example.A.Long-Name_0', 7]],
  ['ReleaseName', 's', ['com.example.A']],
  ['StartServiceByName', 'su', ['com.example.A', 0]],
  ['UpdateActivationEnvironment', 'a{ss}', [{ A: 'b', LANG: 'C' }]],
  ['NameHasOwner', 's', ['com.example.A']],
  ['ListNames', '', []],
  ['ListActivatableNames', '', []],
  ['AddMatch', 's', ["type='signal',interface='com.example.I',arg0='a'"]],
  ['AddMatch', 's', ["sender='com.example.A',path_namespace='/p',arg1path='/p/'"]],
  ['AddMatch', 's', ["eavesdrop='true',arg0namespace='com.example'"]],
  ['AddMatch', 's', ['']],
  ['RemoveMatch', 's', ["type='signal',interface='com.example.I',arg0='a'"]],
  ['GetNameOwner', 's', ['com.example.B']],
  ['ListQueuedOwners', 's', ['com.example.A']],
  ['GetConnectionUnixUser', 's', [':1.0']],
  ['GetConnectionUnixProcessID', 's', [BUS_NAME]],
  ['GetConnectionCredentials', 's', ['com.example.A']],
  ['GetAdtAuditSessionData', 's', [':1.0']],
  ['ReloadConfig', '', []],
  ['GetId', '', []],
]

const OTHERS: readonly Omit<MessageInit, 'serial'>[] = [
  ...['Introspect', 'Ping', 'GetMachineId', 'GetStats', 'GetAllMatchRules'].map((member) => ({
    type: METHOD_CALL,
    path: BUS_PATH,
    destination: BUS_NAME,
    member,
  })),
  {
    type: METHOD_CALL,
    path: BUS_PATH,
    destination: BUS_NAME,
    interface: 'org.freedesktop.DBus.Monitoring',
    member: 'BecomeMonitor',
    signature: 'asu',
    body: [["type='signal'"], 0],
  },
  {
    type: METHOD_CALL,
    path: BUS_PATH,
    destination: BUS_NAME,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Set',
    signature: 'ssv',
    body: [BUS_NAME, 'Features', new Variant('as', ['x'])],
  },
  { type: METHOD_CALL, path: '/p', member: 'Ping', interface: 'org.freedesktop.DBus.Peer' },
  {
    type: METHOD_CALL,
    path: '/p/q',
    destination: 'com.example.A',
    interface: 'com.example.I',
    member: 'Ask',
    signature: 'a(sv)a{sa{sv}}',
    body: [
      [['k', new Variant('(yv)', [1, new Variant('b', true)])]],
      { a: { b: new Variant('d', 1.5) } },
    ],
  },
  { type: METHOD_CALL, path: '/p', destination: ':1.3', member: 'Tell', flags: 1 },
  { type: METHOD_CALL, path: '/p', destination: 'com.example.B', member: 'Ask', flags: 2 },
  {
    type: SIGNAL,
    path: '/p/q',
    interface: 'com.example.I',
    member: 'S',
    signature: 'sots',
    body: ['a', '/p/q', 2n ** 60n, 'com.example.äöü'],
  },
  {
    type: SIGNAL,
    path: '/',
    interface: 'a.b',
    member: 'S',
    signature: 'aad',
    body: [[[1, 2], []]],
  },
  { type: SIGNAL, path: '/p', interface: 'a.b', member: 'S', destination: 'com.example.A' },
  { type: METHOD_RETURN, replySerial: 3, destination: ':1.2', signature: 'g', body: ['a{sv}'] },
  { type: ERROR, replySerial: 4, errorName: 'com.example.E', destination: 'com.example.B' },
  { type: SIGNAL, path: '/', interface: 'a.b', member: 'S', sender: ':1.99', unixFds: 1 },
]

/** Every message in both byte orders, good ones. */
export function goodMessages(): Uint8Array[] {
  const calls = METHODS.map(([member, signature, body]) => ({
    type: METHOD_CALL,
    path: BUS_PATH,
    interface: BUS_NAME,
    destination: BUS_NAME,
    member,
    signature,
    body,
  }))
  return [...calls, ...OTHERS].flatMap((init, i) =>
    [true, false].map((littleEndian) => encodeMessage({ ...init, serial: i + 2 }, littleEndian)),
  )
}

/** A copy with another byte somewhere, or two: much of that is still a message. */
function scratch(message: Uint8Array, random: Random): Uint8Array {
  const bytes = message.slice()
  for (let changes = 1 + (random() % 2); changes > 0; changes--) {
    const at = random() % bytes.length
    bytes[at] =
      random() % 2 === 0 ? bytes[at]! ^ (1 << (random() % 8)) : bytes[random() % bytes.length]!
  }
  return bytes
}

/** A spoilt copy; mostly its length is made good again, so that what is spoilt lies behind it. */
export function spoil(message: Uint8Array, random: Random): Uint8Array {
  if (random() % 2 === 0) return scratch(message, random)
  const bytes = mutate(message, random)
  if (bytes.length < 16 || random() % 8 === 0) return bytes
  bytes.set(message.subarray(0, 4))
  if (random() % 8 === 0) bytes[random() % 4] = random() & 0xff
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const littleEndian = bytes[0] === 0x6c
  const fields = view.getUint32(12, littleEndian)
  const body = bytes.length - 16 - Math.ceil(fields / 8) * 8
  if (body >= 0) view.setUint32(4, body, littleEndian)
  return bytes
}
