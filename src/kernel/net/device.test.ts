import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTIFY_BAD, NOTIFY_DONE, notifierFromErrno } from '../notifier/constants.ts'
import type { NetDevice } from './device.ts'
import { changeFlags, combineFlags, notifyStateChange } from './device-flags.ts'
import { moveDevice, renameDevice } from './device-registry.ts'
import { setAddress, setAlias, setBroadcast, setMtu, setTxQueueLength } from './device-settings.ts'
import { deleteLinks } from './link-create.ts'
import { requestOperstate, setCarrier } from './link-watch.ts'
import { down, macOf, Recorder, refusal, up } from './recorder.test.support.ts'

const flag = (dev: NetDevice, flags: number, change: number) =>
  changeFlags(dev, combineFlags(dev, flags, change))

test('lo is there from the start: index 1, down, without a kind', () => {
  const { stack } = new Recorder()
  const { loopback: lo } = stack
  assert.deepEqual(
    [lo.name, lo.ifindex, lo.type, lo.mtu, lo.reportedFlags, lo.reportedOperstate, lo.qdisc],
    ['lo', 1, 772, 65536, 0x8, 2, 'noop'],
  )
  assert.equal(
    refusal(() => deleteLinks([lo])),
    'EOPNOTSUPP',
  )
})

test('lo comes up with its addresses and their routes', () => {
  const t = new Recorder()
  up(t.stack.loopback)
  assert.deepEqual(t.settled(), [
    'NEWLINK lo flags=0x10049 change=0x1 oper=0 carrier=1',
    'NEWADDR lo 127.0.0.1/8 label=lo scope=254 flags=0x80',
    'NEWROUTE 127.0.0.1/32 table=255 proto=2 scope=254 type=2 src=127.0.0.1 dev=lo fl=0x600',
    'NEWROUTE 127.0.0.0/8 table=255 proto=2 scope=254 type=2 src=127.0.0.1 dev=lo fl=0x600',
    'NEWROUTE 127.255.255.255/32 table=255 proto=2 scope=253 type=3 src=127.0.0.1 dev=lo fl=0x600',
    'NEWADDR lo ::1/128 scope=254 flags=0x80',
    'NEWROUTE ::1/128 table=255 proto=2 type=2 metric=0 dev=lo fl=0x600',
    'NEWLINK lo fam=10 flags=0x10049 change=0x0 oper=0',
  ])
  assert.equal(t.stack.loopback.qdisc, 'noqueue')
})

test('settings are announced where Linux announces them', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1', true)
  t.taken()
  const rows: [what: string, change: () => void, whileDown: string[], whileUp: string[]][] = [
    ['alias', () => setAlias(v0, 'foo'), [], ['change=0x0']],
    ['txqlen', () => setTxQueueLength(v0, v0.txQueueLength + 1), ['change=0x0'], ['change=0x0']],
    ['mtu', () => setMtu(v0, v0.mtu - 1), ['change=0x0'], ['change=0x0']],
    ['the same mtu', () => setMtu(v0, v0.mtu), [], []],
    ['address', () => setAddress(v0, macOf('02:00:00:00:00:09')), ['change=0x0'], ['change=0x0']],
    [
      'broadcast',
      () => setBroadcast(v0, macOf('ff:ff:ff:ff:ff:fe')),
      ['change=0x0'],
      ['change=0x0'],
    ],
    ['promisc on', () => flag(v0, 0x100, 0x100), ['change=0x100'], ['change=0x100']],
    ['promisc off', () => flag(v0, 0, 0x100), ['change=0x100'], ['change=0x100']],
    ['multicast off', () => flag(v0, 0, 0x1000), ['change=0x1000'], ['change=0x1000']],
    ['multicast on', () => flag(v0, 0x1000, 0x1000), ['change=0x1000'], ['change=0x1000']],
  ]
  const announced = () => t.settled().map((line) => /change=\S+/.exec(line)?.[0])
  for (const [what, change, whileDown] of rows) {
    change()
    if (what === 'alias') notifyStateChange(v0)
    assert.deepEqual(announced(), whileDown, what)
  }
  up(v0)
  up(t.dev('v1'))
  t.settled()
  for (const [what, change, , whileUp] of rows) {
    change()
    if (what === 'alias') notifyStateChange(v0)
    assert.deepEqual(announced(), whileUp, what)
  }
  assert.equal(v0.ifalias, 'foo')
})

test('what a device cannot be is refused with Linux’s errno and text', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1', true)
  const i0 = t.add('ifb', 'i0')
  const rows: [() => void, string][] = [
    [() => setMtu(v0, 67), 'EINVAL mtu less than device minimum'],
    [() => setMtu(v0, 65536), 'EINVAL mtu greater than device maximum'],
    [() => setMtu(v0, 0xffffffff), 'EINVAL mtu less than device minimum'],
    [() => setAddress(v0, macOf('01:00:00:00:00:09')), 'EADDRNOTAVAIL'],
    [() => setAddress(v0, macOf('00:00:00:00:00:00')), 'EADDRNOTAVAIL'],
    [() => setAddress(v0, macOf('02:00')), 'EINVAL'],
    [() => setBroadcast(v0, macOf('02:00')), 'EINVAL'],
    [() => setAddress(i0, macOf('02:00:00:00:00:09')), 'EOPNOTSUPP'],
    [() => setAlias(v0, 'x'.repeat(256)), 'EINVAL'],
    [() => v0.changeCarrier(true), 'EOPNOTSUPP'],
    [() => renameDevice(v0, 'v1'), 'EEXIST'],
    [() => renameDevice(v0, 'lo'), 'EEXIST'],
    ...['', '.', '..', 'a/b', 'a:b', 'a b', 'a\tb', 'x'.repeat(16), 'a%sb', 'a%d%d', '%'].map(
      (name): [() => void, string] => [() => renameDevice(v0, name), 'EINVAL'],
    ),
    [() => t.add('veth', 'v9', { ifindex: v0.ifindex }), 'EBUSY'],
    [() => t.add('dummy', 'v0'), 'EEXIST'],
    [() => t.add('dummy', 'd0', { txQueues: 0 }), 'EINVAL Invalid number of transmit queues'],
    [() => t.add('dummy', 'd0', { rxQueues: 4097 }), 'EINVAL Invalid number of receive queues'],
    [() => t.add('dummy', 'd0', { address: macOf('02:00') }), 'EINVAL'],
    [() => t.add('dummy', 'd0', { address: macOf('01:00:00:00:00:01') }), 'EADDRNOTAVAIL'],
    [() => t.add('veth', 'v9', { mtu: 67 }), 'EINVAL'],
    [() => t.add('bridge', 'b9', { mtu: 67 }), 'EINVAL mtu less than device minimum'],
  ]
  for (const [run, expected] of rows) assert.equal(refusal(run), expected)
  assert.deepEqual(
    t.stack.devices.list().map(({ name }) => name),
    ['lo', 'v1', 'v0', 'i0'],
  )
})

test('indices go in a circle and can be asked for; names take the first free number', () => {
  const t = new Recorder()
  const { devices } = t.stack
  const names = (devs: NetDevice[]) => devs.map(({ name, ifindex }) => `${name}=${ifindex}`)
  const made = [t.add('dummy', 'dummy%d'), t.add('dummy', 'dummy%d'), t.add('dummy', 'x')]
  assert.deepEqual(names(made), ['dummy0=2', 'dummy1=3', 'x=4'])
  deleteLinks([made[0] as NetDevice, made[2] as NetDevice])
  assert.deepEqual(names([t.add('dummy', 'dummy%d')]), ['dummy0=5'])
  assert.deepEqual(names([t.add('dummy', 'y', { ifindex: 50 })]), ['y=50'])
  assert.deepEqual(names([t.add('dummy', 'z')]), ['z=6'])
  assert.deepEqual(names([t.add('dummy', 'a%dz')]), ['a0z=7'])
  assert.deepEqual(
    devices.list().map(({ ifindex }) => ifindex),
    [1, 3, 5, 6, 7, 50],
  )
  assert.equal(devices.after(0)?.ifindex, 1)
  assert.equal(devices.after(7)?.ifindex, 50)
  assert.equal(devices.after(50), undefined)
})

test('a device keeps its other names, which share the names’ space', () => {
  const t = new Recorder()
  const { devices } = t.stack
  const [v0, v1] = t.veth('v0', 'v1', true)
  devices.addAltname(v0, 'uplink')
  assert.equal(devices.byName('uplink'), v0)
  const rows: [() => void, string][] = [
    [() => devices.addAltname(v1, 'uplink'), 'EEXIST'],
    [() => devices.addAltname(v1, 'v0'), 'EEXIST'],
    [() => renameDevice(v1, 'uplink'), 'EEXIST'],
    [() => devices.removeAltname(v1, 'uplink'), 'EINVAL'],
    [() => devices.removeAltname(v0, 'v0'), 'EINVAL'],
    [() => devices.removeAltname(v0, 'other'), 'ENOENT'],
  ]
  for (const [run, expected] of rows) assert.equal(refusal(run), expected)
  devices.removeAltname(v0, 'uplink')
  assert.equal(devices.byName('uplink'), undefined)
})

test('a rename relabels addresses, and is undone when somebody objects', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1')
  const { ifindex } = v0
  t.stack.inet.add({ ifindex, local: 0x0a000001, prefixlen: 24 })
  t.stack.inet.add({ ifindex, local: 0x0a000002, prefixlen: 24, label: 'v0:x' })
  t.stack.inet.add({ ifindex, local: 0x0a000003, prefixlen: 24 })
  t.taken()
  renameDevice(v0, 'longernametest')
  assert.deepEqual(t.taken(), [
    'NEWLINK longernametest flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWADDR longernametest 10.0.0.1/24 label=longernametest scope=0 flags=0x80',
    'NEWADDR longernametest 10.0.0.2/24 label=longernametes:x scope=0 flags=0x81',
    'NEWADDR longernametest 10.0.0.3/24 label=longernametes:3 scope=0 flags=0x81',
  ])
  const objection = {
    call: (event: string) =>
      event === 'NETDEV_CHANGENAME' ? notifierFromErrno('EBUSY') : NOTIFY_DONE,
  }
  const undo = t.stack.chains.netdev.register(objection)
  assert.equal(
    refusal(() => renameDevice(v0, 'w0')),
    'EBUSY',
  )
  assert.equal(t.stack.devices.byName('longernametest'), v0)
  assert.equal(t.stack.devices.byName('w0'), undefined)
  undo()
})

test('a block on the chain vetoes: going up, an MTU, a registration', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1', true)
  for (const [event, run] of [
    ['NETDEV_PRE_UP', () => up(v0)],
    ['NETDEV_PRECHANGEMTU', () => setMtu(v0, 1400)],
    ['NETDEV_CHANGEMTU', () => setMtu(v0, 1400)],
    ['NETDEV_REGISTER', () => t.add('dummy', 'd0')],
  ] as const) {
    const undo = t.stack.chains.netdev.register({
      call: (each) => (each === event ? NOTIFY_BAD : NOTIFY_DONE),
    })
    assert.equal(refusal(run), 'EPERM', event)
    undo()
  }
  assert.deepEqual([v0.isUp, v0.mtu, t.stack.devices.byName('d0')], [false, 1500, undefined])
})

test('operational state follows what user space asks for, where the device allows it', () => {
  const t = new Recorder()
  const dev = t.add('dummy', 'd0')
  up(dev)
  t.settled()
  assert.equal(dev.reportedOperstate, 0)
  requestOperstate(dev, 5)
  assert.equal(dev.reportedOperstate, 5)
  assert.deepEqual(t.taken(), ['NEWLINK d0 flags=0x10083 change=0x0 oper=5 carrier=1'])
  requestOperstate(dev, 6)
  assert.equal(dev.reportedOperstate, 6)
  requestOperstate(dev, 3)
  assert.equal(dev.reportedOperstate, 6)
  setCarrier(dev, false)
  setCarrier(dev, true)
  assert.deepEqual([dev.carrierDownCount, dev.carrierUpCount], [1, 1])
  dev.linkMode = 1
  setCarrier(dev, false)
  t.settled()
  setCarrier(dev, true)
  t.settled()
  assert.equal(dev.reportedOperstate, 5)
})

test('a device moves to another namespace with its index where that is free', () => {
  const t = new Recorder()
  const other = new Recorder(t.clock)
  const [v0, v1] = t.veth('v0', 'v1')
  t.stack.inet.add({ ifindex: v0.ifindex, local: 0x0a010002, prefixlen: 24 })
  t.settled()
  moveDevice(v0, other.stack)
  assert.deepEqual(t.settled(), [
    'NEWLINK v0 flags=0x1002 change=0x41 oper=2 carrier=0',
    'DELROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v0',
    'DELADDR v0 10.1.0.2/24 label=v0 scope=0 flags=0x80',
    'DELROUTE 10.1.0.2/32 table=255 proto=2 scope=254 type=2 src=10.1.0.2 dev=v0',
    'DELLINK v0 flags=0x1002 change=0xffffffff oper=2 carrier=0',
    'NEWLINK v1 flags=0x1003 change=0x0 oper=2 carrier=0',
  ])
  assert.deepEqual(other.settled(), ['NEWLINK v0 flags=0x1002 change=0xffffffff oper=2 carrier=0'])
  assert.deepEqual([v0.stack === other.stack, v0.ifindex, v1.lower], [true, 3, v0])
  up(v0)
  t.settle()
  other.settle()
  assert.deepEqual([v0.hasCarrier, v1.reportedOperstate, v0.reportedOperstate], [true, 6, 6])
})

test('a move is refused before anything happens', () => {
  const t = new Recorder()
  const other = new Recorder(t.clock)
  const [v0] = t.veth('v0', 'v1', true)
  const immutable = 'EINVAL The interface netns is immutable'
  const rows: [() => void, string][] = [
    [() => moveDevice(t.stack.loopback, other.stack), immutable],
    [() => moveDevice(t.add('bridge', 'br0'), other.stack), immutable],
    [() => moveDevice(v0, other.stack, undefined, 1), 'EBUSY'],
  ]
  for (const [run, expected] of rows) assert.equal(refusal(run), expected)
  other.add('dummy', 'v0')
  assert.equal(
    refusal(() => moveDevice(v0, other.stack)),
    'EEXIST An interface with the same name exists in the target netns',
  )
  moveDevice(v0, other.stack, 'veth%d')
  assert.deepEqual([v0.name, v0.ifindex], ['veth0', 3])
})

test('a closed stack is silent, and its peers elsewhere are gone', () => {
  const t = new Recorder()
  const other = new Recorder(t.clock)
  const [v0] = t.veth('v0', 'v1')
  moveDevice(v0, other.stack)
  up(v0)
  t.stack.close()
  t.stack.close()
  assert.equal(other.stack.devices.byName('v0'), undefined)
  assert.deepEqual(t.stack.devices.list(), [])
  other.settled()
  t.settled()
  other.stack.close()
  assert.deepEqual(t.settled(60_000), [])
  assert.equal(t.clock.pending, 0)
})

test('down takes routes and neighbours along, up brings what addresses make', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1')
  const { ifindex } = v0
  t.stack.inet.add({ ifindex, local: 0x0a010001, prefixlen: 24 })
  t.stack.fib4.insert({ dst: 0x0a020000, dstLen: 16, gateway: 0x0a010009, type: 1 }, 0x600)
  t.stack.arp.add(
    { ifindex, dst: 0x0a01003c, lladdr: macOf('02:00:00:00:00:09'), state: 0x80 },
    0x600,
  )
  t.settled()
  down(v0)
  assert.deepEqual(t.settled(), [
    'NEWLINK v0 flags=0x1002 change=0x1 oper=2 carrier=0',
    'DELNEIGH 10.1.0.60 dev=v0 state=0x80 lladdr=02:00:00:00:00:09',
    'DELROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v0',
    'NEWLINK v1 flags=0x1003 change=0x0 oper=3 carrier=0',
  ])
  assert.deepEqual(t.routes(), [
    '10.1.0.1/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
    'ff00::/8 table=255 proto=2 type=5 rflags=0x10 metric=256 dev=v1',
  ])
  up(v0)
  assert.deepEqual(t.settled(), [
    'NEWLINK v0 flags=0x11003 change=0x1 oper=3 carrier=1',
    'NEWROUTE 10.1.0.0/24 table=254 proto=2 scope=253 type=1 src=10.1.0.1 dev=v0 fl=0x600',
    'NEWROUTE 10.1.0.255/32 table=255 proto=2 scope=253 type=3 src=10.1.0.1 dev=v0 fl=0x600',
    'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v0 fl=0x400',
    'NEWLINK v0 fam=10 flags=0x11043 change=0x0 oper=6',
    'NEWLINK v0 flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWLINK v1 flags=0x11043 change=0x0 oper=6 carrier=1',
  ])
})
