import { deepEqual, equal, match, throws } from 'node:assert/strict'
import test from 'node:test'
import { newBus, TestClient } from './bus.test.support.ts'

/** `org.freedesktop.DBus` before what it says. */
const says = (what: string) => `org.freedesktop.DBus ${what}`

test('Hello is answered before the name is told of', () => {
  const bus = newBus()
  const client = new TestClient(bus)
  deepEqual(client.ask('Hello'), ['[":1.0"]', says('NameAcquired [":1.0"]')])
  deepEqual(client.ask('Hello'), ['Failed: Already handled an Hello message'])
})

test('before Hello the bus refuses, and a peer cannot be reached', () => {
  const bus = newBus()
  const client = new TestClient(bus)
  deepEqual(client.ask('GetId'), [
    'AccessDenied: Client tried to send a message other than Hello without being registered',
  ])
  throws(() => client.send({ type: 1, path: '/', member: 'M', destination: ':1.0' }), {
    name: 'ProtocolViolation',
  })
})

test('a name goes through its queue as flags say', () => {
  const bus = newBus()
  const [a, b] = [TestClient.hello(bus), TestClient.hello(bus)]
  const name = 'com.example.A'
  deepEqual(a.ask('RequestName', 'su', name, 0), [says(`NameAcquired ["${name}"]`), '[1]'])
  deepEqual(a.ask('RequestName', 'su', name, 0), ['[4]'])
  deepEqual(b.ask('RequestName', 'su', name, 0), ['[2]'])
  deepEqual(b.ask('ListQueuedOwners', 's', name), ['[[":1.0",":1.1"]]'])
  deepEqual(b.ask('RequestName', 'su', name, 4), ['[3]'])
  deepEqual(b.ask('ListQueuedOwners', 's', name), ['[[":1.0"]]'])
  deepEqual(b.ask('RequestName', 'su', name, 2), ['[2]'])
  deepEqual(a.ask('RequestName', 'su', name, 1), ['[4]'])
  deepEqual(b.ask('RequestName', 'su', name, 2), [says(`NameAcquired ["${name}"]`), '[1]'])
  deepEqual(a.take(), [says(`NameLost ["${name}"]`)])
  deepEqual(b.ask('ListQueuedOwners', 's', name), ['[[":1.1",":1.0"]]'])
  deepEqual(a.ask('ReleaseName', 's', name), ['[1]'])
  deepEqual(a.ask('ReleaseName', 's', name), ['[3]'])
  deepEqual(a.ask('ReleaseName', 's', 'com.example.None'), ['[2]'])
})

test('who watches sees the owner change before its new owner is told', () => {
  const bus = newBus()
  const client = TestClient.hello(bus)
  client.ask('AddMatch', 's', "type='signal',member='NameOwnerChanged'")
  deepEqual(client.ask('RequestName', 'su', 'com.a.B', 0), [
    says('NameOwnerChanged ["com.a.B","",":1.0"] to all'),
    says('NameAcquired ["com.a.B"]'),
    '[1]',
  ])
  deepEqual(client.ask('ReleaseName', 's', 'com.a.B'), [
    says('NameLost ["com.a.B"]'),
    says('NameOwnerChanged ["com.a.B",":1.0",""] to all'),
    '[1]',
  ])
})

test('a call reaches its callee with the caller’s name, and only its answer comes back', () => {
  const bus = newBus()
  const [a, b] = [TestClient.hello(bus), TestClient.hello(bus)]
  const serial = a.send({
    type: 1,
    path: '/x',
    member: 'Ask',
    destination: ':1.1',
    sender: 'com.forged.Name',
  })
  deepEqual(b.take(), [':1.0 Ask []'])
  const answer = { type: 2, replySerial: serial, destination: ':1.0', signature: 's', body: ['y'] }
  b.send(answer)
  deepEqual(a.take(), ['["y"]'])
  b.send(answer)
  deepEqual(a.take(), [])
})

test('of a peer that leaves, names go first and last, and who waits for it is told', () => {
  const bus = newBus()
  const [a, b, watcher] = [TestClient.hello(bus), TestClient.hello(bus), TestClient.hello(bus)]
  watcher.ask('AddMatch', 's', "member='NameOwnerChanged'")
  b.ask('RequestName', 'su', 'com.a.First', 0)
  b.ask('RequestName', 'su', 'com.a.Second', 0)
  a.ask('RequestName', 'su', 'com.a.Second', 0)
  a.send({ type: 1, path: '/x', member: 'Ask', destination: ':1.1' })
  watcher.take()
  bus.disconnect(b.peer)
  bus.disconnect(b.peer)
  deepEqual(watcher.take(), [
    says('NameOwnerChanged ["com.a.Second",":1.1",":1.0"] to all'),
    says('NameOwnerChanged ["com.a.First",":1.1",""] to all'),
    says('NameOwnerChanged [":1.1",":1.1",""] to all'),
  ])
  deepEqual(a.take(), [
    says('NameAcquired ["com.a.Second"]'),
    'NoReply: Message recipient disconnected from message bus without replying',
  ])
  equal(bus.peers.size, 2)
})

test('a listener that has no room is disconnected, and the others do not notice', () => {
  const bus = newBus()
  const [a, slow, quick] = [TestClient.hello(bus), TestClient.hello(bus), TestClient.hello(bus)]
  for (const client of [slow, quick]) client.ask('AddMatch', 's', "interface='com.a.I'")
  slow.quota = 10
  a.send({ type: 4, path: '/x', interface: 'com.a.I', member: 'S' })
  deepEqual(quick.take(), [':1.0 S [] to all'])
  match(slow.ended ?? '', /does not have the resources to receive a signal/)
  equal(bus.matchRules, 1)
})

test('a monitor sees what others say to each other, and may say nothing', () => {
  const bus = newBus()
  const [a, b, monitor] = [TestClient.hello(bus), TestClient.hello(bus), TestClient.hello(bus)]
  monitor.send({
    type: 1,
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus.Monitoring',
    destination: 'org.freedesktop.DBus',
    member: 'BecomeMonitor',
    signature: 'asu',
    body: [[], 0],
  })
  deepEqual(monitor.take().slice(0, 2), ['[]', says('NameLost [":1.2"]')])
  a.send({ type: 1, path: '/x', member: 'Ask', destination: ':1.1' })
  deepEqual(monitor.take(), [':1.0 Ask []'])
  deepEqual(b.take(), [':1.0 Ask []'])
  throws(() => monitor.call('GetId'), { name: 'ProtocolViolation' })
})

test('who has no room for the answer to BecomeMonitor is gone, and no monitor', () => {
  const bus = newBus()
  const client = TestClient.hello(bus)
  client.quota = 10
  client.send({
    type: 1,
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus.Monitoring',
    destination: 'org.freedesktop.DBus',
    member: 'BecomeMonitor',
    signature: 'asu',
    body: [[], 0],
  })
  match(client.ended ?? '', /does not read what the bus tells it/)
  deepEqual([bus.delivery.monitors.size, bus.peers.size], [0, 0])
})

test('who has no room for Hello’s answer is gone before others hear of it', () => {
  const bus = newBus()
  const watcher = TestClient.hello(bus)
  watcher.ask('AddMatch', 's', "member='NameOwnerChanged'")
  const client = new TestClient(bus)
  client.quota = 10
  client.call('Hello')
  deepEqual(watcher.take(), [says('NameOwnerChanged [":1.1",":1.1",""] to all')])
  equal(bus.peers.size, 1)
})

test('who has no room for an answer that it asked for is disconnected, and the callee is not told', () => {
  const bus = newBus()
  const [a, b] = [TestClient.hello(bus), TestClient.hello(bus)]
  const serial = a.send({ type: 1, path: '/x', member: 'Ask', destination: ':1.1' })
  b.take()
  a.quota = 10
  b.send({ type: 2, replySerial: serial, destination: ':1.0' })
  match(a.ended ?? '', /does not have the resources to receive a reply it asked for/)
  deepEqual(b.take(), [])
  equal(bus.peers.size, 1)
})

/** Calls of the bus, and what dbus-daemon 1.14.10 answers. */
const ANSWERS: readonly [string, string, readonly unknown[], string][] = [
  ['RequestName', 'su', ['com', 0], 'InvalidArgs: Requested bus name "com" is not valid'],
  [
    'RequestName',
    'su',
    [':1.5', 0],
    'InvalidArgs: Cannot acquire a service starting with \':\' such as ":1.5"',
  ],
  ['ReleaseName', 's', ['bad'], 'InvalidArgs: Given bus name "bad" is not valid'],
  ['GetNameOwner', 's', ['org.freedesktop.DBus'], '["org.freedesktop.DBus"]'],
  [
    'GetNameOwner',
    's',
    ['bad name'],
    "NameHasNoOwner: Could not get owner of name 'bad name': no such name",
  ],
  ['NameHasOwner', 's', [':1.0'], '[true]'],
  ['GetConnectionUnixUser', 's', [':1.0'], '[0]'],
  ['GetId', '', [], '["0123456789abcdef0123456789abcdef"]'],
  ['GetId', 's', ['x'], 'InvalidArgs: Call to GetId has wrong args (s, expected )\n'],
  ['Nope', '', [], 'UnknownMethod: org.freedesktop.DBus does not understand message Nope'],
  [
    'StartServiceByName',
    'su',
    ['com.example.Nope', 0],
    'ServiceUnknown: The name com.example.Nope was not provided by any .service files',
  ],
  [
    'RemoveMatch',
    's',
    ["type='signal'"],
    "MatchRuleNotFound: The given match rule wasn't found and can't be removed",
  ],
]
for (const [member, signature, args, answer] of ANSWERS)
  test(`${member}(${args.join(', ')}) is answered as dbus-daemon does`, () => {
    deepEqual(TestClient.hello(newBus()).ask(member, signature, ...args), [answer])
  })
