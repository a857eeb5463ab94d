import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError } from '../../../errors.ts'
import { changeFlags, combineFlags } from '../device-flags.ts'
import { setAddress, setMtu } from '../device-settings.ts'
import { createLink, deleteLinks } from '../link-create.ts'
import { setMaster } from '../master.ts'
import { down, ME, macOf, Recorder, refusal, up } from '../recorder.test.support.ts'
import { type BridgeDevice, bridge } from './bridge.ts'
import { type VethDevice, veth } from './veth.ts'

test('a veth’s other end comes first, and both are announced as new', () => {
  const t = new Recorder()
  const dev = createLink(t.stack, veth, { name: 'v0', data: { peer: { name: 'v1' } } }, ME)
  assert.deepEqual(t.settled(), [
    'NEWLINK v1 flags=0x1002 change=0xffffffff oper=2 carrier=0',
    'NEWLINK v0 flags=0x1002 change=0xffffffff oper=2 carrier=0 by=me',
  ])
  const peer = t.dev('v1')
  assert.deepEqual([dev.ifindex, peer.ifindex, dev.lower, peer.lower], [3, 2, peer, dev])
  assert.deepEqual([dev.txQueues, dev.rxQueues, dev.minMtu, dev.maxMtu], [2, 2, 68, 65535])
  assert.notDeepEqual(dev.address, peer.address)
  assert.equal((dev.address[0] as number) & 3, 2)
})

test('a veth without a described other end makes one like itself, with a name of its own', () => {
  const t = new Recorder()
  const dev = t.add('veth', 'v0', { mtu: 1400, group: 7, ifindex: 40 })
  const peer = t.dev('veth0')
  assert.deepEqual([peer.mtu, peer.group, peer.ifindex, dev.ifindex], [1400, 7, 2, 40])
  assert.deepEqual(
    [t.add('veth', 'veth%d').name, t.stack.devices.list().map(({ name }) => name)],
    ['veth2', ['lo', 'veth0', 'veth1', 'veth2', 'v0']],
  )
})

test('a veth end can be born in another namespace', () => {
  const t = new Recorder()
  const other = new Recorder(t.clock)
  const dev = t.add('veth', 'v0', { data: { peer: { name: 'eth0', stack: other.stack } } })
  assert.equal((dev as VethDevice).peer, other.dev('eth0'))
  deleteLinks([other.dev('eth0')])
  assert.equal(t.stack.devices.byName('v0'), undefined)
})

test('a veth has a carrier while both ends are up', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1', true)
  t.taken()
  up(v0)
  assert.deepEqual(t.settled(), ['NEWLINK v0 flags=0x1003 change=0x1 oper=3 carrier=0'])
  up(v1)
  assert.deepEqual(t.settled(), [
    'NEWLINK v1 flags=0x11003 change=0x1 oper=3 carrier=1',
    'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v1 fl=0x600',
    'NEWLINK v1 fam=10 flags=0x11043 change=0x0 oper=6',
    'NEWLINK v1 flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v0 fl=0x400',
    'NEWLINK v0 fam=10 flags=0x11043 change=0x0 oper=6',
    'NEWLINK v0 flags=0x11043 change=0x0 oper=6 carrier=1',
  ])
  down(v1)
  assert.deepEqual(t.settled(), [
    'NEWLINK v1 flags=0x1002 change=0x1 oper=2 carrier=0',
    'DELROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v1',
    'NEWLINK v0 flags=0x1003 change=0x0 oper=3 carrier=0',
  ])
  assert.deepEqual([v0.carrierUpCount, v0.carrierDownCount], [1, 2])
})

test('deleting one veth end deletes both, the named one first', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1', true)
  t.taken()
  deleteLinks([v1, v0], ME)
  assert.deepEqual(t.settled(), [
    'DELLINK v1 flags=0x1002 change=0xffffffff oper=2 carrier=0 by=me',
    'DELLINK v0 flags=0x1002 change=0xffffffff oper=2 carrier=0 by=me',
  ])
  assert.deepEqual([v0.regState, v1.regState], ['unregistered', 'unregistered'])
})

test('a veth that cannot be made leaves nothing', () => {
  const t = new Recorder()
  t.add('dummy', 'd0')
  t.taken()
  const make = (name: string, peer: string) => () =>
    t.add('veth', name, { data: { peer: { name: peer } } })
  assert.equal(refusal(make('d0', 'v1')), 'EEXIST')
  assert.deepEqual(t.taken(), [
    'NEWLINK v1 flags=0x1002 change=0xffffffff oper=2 carrier=0',
    'DELLINK v1 flags=0x1002 change=0xffffffff oper=2 carrier=0',
  ])
  assert.equal(refusal(make('v0', 'd0')), 'EEXIST')
  assert.equal(refusal(make('v0', 'v0')), 'EEXIST')
  assert.equal(
    refusal(() => t.add('veth', 'v0', { data: { peer: { mtu: 1 } } })),
    'EINVAL',
  )
  assert.deepEqual(
    t.stack.devices.list().map(({ name }) => name),
    ['lo', 'd0'],
  )
})

test('dummy and ifb: flags, limits, carrier; ready as soon as they are up', () => {
  const t = new Recorder()
  const d0 = t.add('dummy', 'd0')
  const i0 = t.add('ifb', 'i0')
  for (const dev of [d0, i0]) assert.deepEqual([dev.flags, dev.minMtu, dev.maxMtu], [0x82, 0, 0])
  assert.deepEqual([d0.txQueueLength, i0.txQueueLength, i0.defaultQdisc], [1000, 32, 'pfifo_fast'])
  t.settled()
  up(i0)
  const local = t.settled()
  assert.deepEqual(
    local.map((line) => line.replace(/fe80::[0-9a-f:]+:[0-9a-f]+\//, 'LL/')),
    [
      'NEWLINK i0 flags=0x100c3 change=0x1 oper=0 carrier=1',
      'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=i0 fl=0x600',
      'NEWROUTE fe80::/64 table=254 proto=2 type=1 metric=256 dev=i0 fl=0x600',
      'NEWLINK i0 fam=10 flags=0x100c3 change=0x0 oper=0',
      'NEWADDR i0 LL/64 scope=253 flags=0x80',
      'NEWROUTE LL/128 table=255 proto=2 type=2 metric=0 dev=i0 fl=0x600',
    ],
  )
  d0.changeCarrier(false)
  assert.equal(
    refusal(() => i0.changeCarrier(false)),
    'EOPNOTSUPP',
  )
  d0.address = new Uint8Array(6)
  assert.equal(
    refusal(() => up(d0)),
    'EADDRNOTAVAIL',
  )
})

test('a link may be made up, under a master; what fails then takes it away again', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0')
  t.settled()
  const d0 = createLink(
    t.stack,
    t.stack.kinds.get('dummy') as never,
    { name: 'd0', flags: 1, change: 1 },
    ME,
    br0.ifindex,
  )
  assert.deepEqual([d0.isUp, d0.master], [true, br0])
  assert.equal(t.taken()[0], 'NEWLINK d0 flags=0x100c3 change=0xffffffff oper=0 carrier=1 by=me')
  assert.throws(
    () => createLink(t.stack, t.stack.kinds.get('dummy') as never, { name: 'd1' }, ME, 99),
    (error) => isNetlinkError(error, 'EINVAL'),
  )
  assert.equal(t.stack.devices.byName('d1'), undefined)
})

test('a bridge takes a port: its address, its MTU, its carrier', () => {
  const t = new Recorder()
  const [, v1] = t.veth('v0', 'v1')
  setAddress(v1, macOf('46:be:2f:6f:73:70'))
  const br0 = t.add('bridge', 'br0', { address: undefined })
  if (br0.inet6) br0.inet6.conf.set('addrGenMode', 1)
  const own = Array.from(br0.address, (byte) => byte.toString(16).padStart(2, '0')).join(':')
  assert.deepEqual(t.settled().slice(-2), [
    `NEWNEIGH fam=7 br0 ${own} state=0x80`,
    'NEWLINK br0 flags=0x1002 change=0xffffffff oper=2 carrier=1',
  ])
  up(br0)
  t.settled()
  setMaster(v1, br0.ifindex)
  assert.deepEqual(t.settled(), [
    'NEWLINK v1 flags=0x11043 change=0x0 oper=6 carrier=1 master=br0',
    'NEWLINK v1 flags=0x11043 change=0x100 oper=6 carrier=1 master=br0',
    'NEWLINK br0 flags=0x11043 change=0x0 oper=0 carrier=1 EVENT=2',
    'NEWNEIGH fam=7 v1 46:be:2f:6f:73:70 state=0x80',
    `DELNEIGH fam=7 br0 ${own} state=0x80`,
    'NEWLINK v1 fam=7 flags=0x11043 change=0x0 oper=6 master=br0',
    'NEWLINK v1 fam=7 flags=0x11043 change=0x0 oper=6 master=br0',
    'NEWLINK v1 fam=7 flags=0x11043 change=0x0 oper=6 master=br0',
    'NEWLINK br0 flags=0x11043 change=0x0 oper=0 carrier=1',
    'NEWLINK br0 flags=0x11043 change=0x0 oper=6 carrier=1',
  ])
  assert.deepEqual(br0.address, v1.address)
  assert.deepEqual([v1.promiscuity, v1.allmulti, v1.bridgePort?.number], [1, 1, 1])
  assert.deepEqual([v1.bridgePort?.state, v1.bridgePort?.options.cost], [3, 2])
})

test('a port without a carrier leaves its bridge without one', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const br0 = t.add('bridge', 'br0')
  setMaster(v1, br0.ifindex)
  t.settled()
  up(br0)
  assert.deepEqual(t.settled().slice(0, 3), [
    'NEWLINK v1 fam=7 flags=0x11043 change=0x0 oper=6 master=br0',
    'NEWLINK v1 fam=7 flags=0x11043 change=0x0 oper=6 master=br0',
    'NEWLINK br0 flags=0x11003 change=0x1 oper=2 carrier=1',
  ])
  assert.equal(br0.reportedOperstate, 6)
  down(v0)
  assert.deepEqual(
    t.settled().filter((line) => line.includes('LINK')),
    [
      'NEWLINK v0 flags=0x1002 change=0x1 oper=2 carrier=0',
      'NEWLINK v1 fam=7 flags=0x1003 change=0x0 oper=3 master=br0',
      'NEWLINK v1 flags=0x1003 change=0x0 oper=3 carrier=0 master=br0',
      'NEWLINK br0 flags=0x1003 change=0x0 oper=2 carrier=0',
    ],
  )
  down(v1)
  up(v1)
  up(v0)
  t.settled()
  assert.deepEqual([v1.bridgePort?.state, br0.reportedOperstate], [3, 6])
})

test('a bridge releases a port: its address and MTU follow those that remain', () => {
  const t = new Recorder()
  const br1 = t.add('bridge', 'br1') as BridgeDevice
  const [, v3] = t.veth('v2', 'v3')
  setAddress(v3, macOf('02:00:00:00:00:01'))
  setMtu(v3, 1300)
  setMaster(v3, br1.ifindex)
  assert.equal(br1.mtu, 1300)
  t.settled()
  setMaster(v3, 0)
  assert.deepEqual(t.settled(), [
    'NEWLINK v3 flags=0x11043 change=0x100 oper=6 carrier=1 master=br1',
    'NEWLINK v3 fam=7 flags=0x11043 change=0x0 oper=6 master=br1',
    'DELLINK v3 fam=7 flags=0x11043 change=0x0 oper=6 master=br1',
    'NEWLINK v3 flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWLINK br1 flags=0x1002 change=0x0 oper=2 carrier=0',
    'DELNEIGH fam=7 br1 02:00:00:00:00:01 state=0x80',
    'NEWLINK br1 flags=0x1002 change=0x0 oper=2 carrier=0',
    'NEWLINK br1 flags=0x1002 change=0x0 oper=2 carrier=0 EVENT=2',
  ])
  assert.deepEqual([br1.mtu, ...br1.address], [1500, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([v3.promiscuity, v3.allmulti, v3.bridgePort], [0, 0, undefined])
})

test('the lowest of the ports’ addresses, unless a user chose one; the smallest MTU likewise', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0') as BridgeDevice
  const [a, b] = t.veth('a', 'b')
  setAddress(a, macOf('02:00:00:00:00:0a'))
  setAddress(b, macOf('02:00:00:00:00:0b'))
  setMaster(b, br0.ifindex)
  assert.deepEqual(br0.address, b.address)
  setMaster(a, br0.ifindex)
  assert.deepEqual(br0.address, a.address)
  setAddress(a, macOf('02:00:00:00:00:0c'))
  assert.deepEqual(br0.address, b.address)
  setMtu(a, 1200)
  assert.equal(br0.mtu, 1200)
  setMtu(br0, 1400)
  setMtu(b, 1100)
  assert.equal(br0.mtu, 1400)
  setAddress(br0, macOf('02:00:00:00:00:ff'))
  setMaster(b, 0)
  assert.deepEqual(br0.address, macOf('02:00:00:00:00:ff'))
})

test('what is no port is refused, and a port changes its bridge', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0')
  const br1 = t.add('bridge', 'br1')
  const [v0, v1] = t.veth('v0', 'v1')
  const rows: [() => void, string][] = [
    [() => setMaster(t.stack.loopback, br0.ifindex), 'EINVAL'],
    [() => setMaster(br1, br0.ifindex), 'ELOOP Can not enslave a bridge to a bridge'],
    [() => setMaster(br0, br0.ifindex), 'ELOOP Can not enslave a bridge to a bridge'],
    [() => setMaster(v0, v1.ifindex), 'EOPNOTSUPP'],
    [() => setMaster(v0, 99), 'EINVAL'],
    [() => br1.deleteSlave(v0), 'EINVAL'],
  ]
  for (const [run, expected] of rows) assert.equal(refusal(run), expected)
  setMaster(v0, br0.ifindex)
  setMaster(v0, br0.ifindex)
  setMaster(v0, br1.ifindex)
  assert.deepEqual([v0.master, (br0 as BridgeDevice).ports.length], [br1, 0])
})

test('a bridge that ends releases its ports; a port that ends leaves its bridge', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0') as BridgeDevice
  const [v0, v1] = t.veth('v0', 'v1')
  setMaster(v0, br0.ifindex)
  setMaster(v1, br0.ifindex)
  deleteLinks([v0])
  assert.equal(br0.ports.length, 0)
  const [w0] = t.veth('w0', 'w1')
  setMaster(w0, br0.ifindex)
  up(br0)
  t.settled()
  deleteLinks([br0], ME)
  const lines = t.settled()
  assert.equal(lines.at(-1), 'DELLINK br0 flags=0x1002 change=0xffffffff oper=2 carrier=0 by=me')
  assert.deepEqual([w0.master, w0.promiscuity], [undefined, 0])
})

test('options of a bridge have their ranges', () => {
  const t = new Recorder()
  const rows: [object, string | undefined][] = [
    [{ helloTime: 99 }, 'ERANGE'],
    [{ helloTime: 1001 }, 'ERANGE'],
    [{ maxAge: 599 }, 'ERANGE'],
    [{ forwardDelay: 1 }, undefined],
    [{ stpState: 1, forwardDelay: 1 }, undefined],
    [{ ageingTime: 0, priority: 7 }, undefined],
  ]
  for (const [data, expected] of rows) {
    if (expected)
      assert.equal(
        refusal(() => t.add('bridge', 'b0', { data })),
        expected,
      )
    else deleteLinks([t.add('bridge', 'b0', { data })])
  }
  const br0 = t.add('bridge', 'br0', { data: { ageingTime: 100 } }) as BridgeDevice
  bridge.changelink?.(br0, { priority: 4096 })
  assert.deepEqual([br0.options.ageingTime, br0.options.priority], [100, 4096])
  br0.change({ stpState: 1, forwardDelay: 5000 })
  assert.equal(br0.options.forwardDelay, 3000, 'the protocol has limits of its own')
  assert.equal(
    refusal(() => br0.change({ forwardDelay: 1, stpState: 0 })),
    'ERANGE',
    'while the protocol is on',
  )
  assert.equal(
    refusal(() => t.add('bridge', 'b1', { address: macOf('01:00:00:00:00:00') })),
    'EADDRNOTAVAIL',
  )
})

test('a bridge without ports loses its carrier when it decides again who may forward', () => {
  const t = new Recorder()
  const rows: [object, boolean][] = [
    [{ helloTime: 300 }, true],
    [{ stpState: 1 }, false],
    [{ priority: 5 }, false],
  ]
  for (const [data, expected] of rows) {
    const br0 = t.add('bridge', 'b0', { data })
    assert.deepEqual([br0.hasCarrier, br0.carrierDownCount], [expected, expected ? 0 : 1])
    deleteLinks([br0])
  }
})

test('a bridge takes segments as large as its ports take', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0')
  const [v0] = t.veth('v0', 'v1')
  const seen = [br0.tsoMaxSize]
  v0.tsoMaxSize = 100_000
  setMaster(v0, br0.ifindex)
  seen.push(br0.tsoMaxSize)
  setMaster(v0, 0)
  seen.push(br0.tsoMaxSize)
  assert.deepEqual(seen, [65_536, 100_000, 524_280])
})

test('of a port that is being unregistered only its end is told', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0')
  const [v0] = t.veth('v0', 'v1')
  setMaster(v0, br0.ifindex)
  t.settled()
  deleteLinks([v0])
  const told = t.settled().filter((line) => line.includes(' v0 '))
  assert.deepEqual(told, [
    'NEWLINK v0 flags=0x1002 change=0x41 oper=2 carrier=0 master=br0',
    'NEWLINK v0 fam=7 flags=0x1002 change=0x0 oper=2 master=br0',
    'NEWLINK v0 fam=7 flags=0x1002 change=0x0 oper=2 master=br0',
    'DELLINK v0 fam=7 flags=0x1002 change=0x0 oper=2 master=br0',
    'DELLINK v0 flags=0x1002 change=0xffffffff oper=2 carrier=0',
  ])
})

test('promiscuity is counted: a user’s own wish and a bridge’s', () => {
  const t = new Recorder()
  const br0 = t.add('bridge', 'br0')
  const [v0] = t.veth('v0', 'v1')
  changeFlags(v0, combineFlags(v0, 0x100, 0x100))
  setMaster(v0, br0.ifindex)
  assert.deepEqual([v0.promiscuity, v0.reportedFlags & 0x100], [2, 0x100])
  setMaster(v0, 0)
  assert.deepEqual([v0.promiscuity, v0.reportedFlags & 0x100], [1, 0x100])
  changeFlags(v0, combineFlags(v0, 0, 0x100))
  assert.deepEqual([v0.promiscuity, v0.flags & 0x100], [0, 0])
})
