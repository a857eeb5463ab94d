import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpv4 as ip } from './address.ts'
import { remainingLifetime } from './address-lifetime.ts'
import { setMtu } from './device-settings.ts'
import type { Ifaddr4, Ifaddr4Request, InDevice } from './ifaddr4.ts'
import { ME, Recorder, refusal } from './recorder.test.support.ts'

const EXCL = 0x600
const REPLACE = 0x500

/** A stack with v0, up, and a door to its addresses. */
function host() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const request = (text: string, more: Partial<Ifaddr4Request> = {}): Ifaddr4Request => {
    const [address = '', length = '32'] = text.split('/')
    return { ifindex: v0.ifindex, local: ip(address), prefixlen: Number(length), ...more }
  }
  const add = (text: string, more: Partial<Ifaddr4Request> = {}, flags = EXCL): string[] => {
    t.stack.inet.add(request(text, more), flags, ME)
    return t.taken()
  }
  const del = (text: string): string[] => {
    const wanted = request(text)
    t.stack.inet.delete({ ...wanted, address: wanted.local }, ME)
    return t.taken()
  }
  return { t, v0, v1, request, add, del }
}

const route = (text: string, type: string, src: string, rest = 'dev=v0 fl=0x600') =>
  `NEWROUTE ${text} ${type} src=${src} ${rest}`
const LOCAL = 'table=255 proto=2 scope=254 type=2'
const BROADCAST = 'table=255 proto=2 scope=253 type=3'
const PREFIX = 'table=254 proto=2 scope=253 type=1'

test('an address is announced to its requester, its routes are the kernel’s own', () => {
  const { add } = host()
  assert.deepEqual(add('10.1.0.1/24', { broadcast: ip('10.1.0.255') }), [
    'NEWADDR v0 10.1.0.1/24 label=v0 brd=10.1.0.255 scope=0 flags=0x80 by=me',
    route('10.1.0.1/32', LOCAL, '10.1.0.1'),
    route('10.1.0.255/32', BROADCAST, '10.1.0.1'),
    route('10.1.0.0/24', PREFIX, '10.1.0.1'),
  ])
  assert.deepEqual(add('10.1.0.2/24'), [
    'NEWADDR v0 10.1.0.2/24 label=v0 scope=0 flags=0x81 by=me',
    route('10.1.0.2/32', LOCAL, '10.1.0.1'),
  ])
})

test('what routes an address brings', () => {
  const rows: [string, Partial<Ifaddr4Request>, string[]][] = [
    ['10.7.0.1/32', { address: ip('10.7.0.2') }, ['local', '10.7.0.2/32 254']],
    ['10.8.0.1/32', {}, ['local']],
    ['10.8.1.0/31', {}, ['local', '10.8.1.0/31 254']],
    ['10.9.0.1/24', { flags: 0x200 }, ['local', '10.9.0.255/32 255']],
    ['10.9.0.1/24', {}, ['local', '10.9.0.0/24 254', '10.9.0.255/32 255']],
    ['10.9.0.1/30', {}, ['local', '10.9.0.0/30 254', '10.9.0.3/32 255']],
    ['127.5.5.5/8', { scope: 254 }, ['local', '127.0.0.0/8 254', '127.255.255.255/32 255']],
    ['224.1.1.1/32', {}, ['local']],
    ['0.0.0.0/0', {}, []],
    [
      '10.0.2.1/24',
      { broadcast: ip('10.0.2.77') },
      ['local', '10.0.2.77/32 255', '10.0.2.0/24 254', '10.0.2.255/32 255'],
    ],
    [
      '10.0.2.1/24',
      { broadcast: ip('255.255.255.255') },
      ['local', '10.0.2.0/24 254', '10.0.2.255/32 255'],
    ],
  ]
  for (const [text, more, expected] of rows) {
    const { add } = host()
    const routes = add(text, more).filter((line) => line.startsWith('NEWROUTE'))
    const shown = routes.map((line) => {
      const [, prefix, table] = /^NEWROUTE (\S+) table=(\d+)/.exec(line) ?? []
      return `${prefix} ${table}`
    })
    const local = `${text.split('/')[0]}/32 255`
    assert.deepEqual(
      shown,
      expected.map((each) => (each === 'local' ? local : each)),
      text,
    )
  }
})

test('a device that is down brings only the local route', () => {
  const t = new Recorder()
  const [v0] = t.veth('v0', 'v1', true)
  t.taken()
  t.stack.inet.add({ ifindex: v0.ifindex, local: ip('10.1.0.1'), prefixlen: 24 }, EXCL)
  assert.deepEqual(t.taken(), [
    'NEWADDR v0 10.1.0.1/24 label=v0 scope=0 flags=0x80',
    route('10.1.0.1/32', LOCAL, '10.1.0.1'),
  ])
})

test('refusals, in Linux’s order', () => {
  const { t, v0, add } = host()
  add('10.1.0.1/24')
  const { ifindex } = v0
  const local = ip('10.1.0.9')
  const noInet = t.add('dummy', 'd0')
  setMtu(noInet, 60)
  const rows: [Ifaddr4Request, string][] = [
    [{ ifindex: 99, prefixlen: 33 }, 'EINVAL ipv4: Invalid prefix length'],
    [{ ifindex: 99, prefixlen: 24 }, 'EINVAL ipv4: Local address is not supplied'],
    [{ ifindex: 99, prefixlen: 24, local, validLft: 0 }, 'ENODEV ipv4: Device not found'],
    [{ ifindex: noInet.ifindex, prefixlen: 24, local, validLft: 0 }, 'ENOBUFS'],
    [{ ifindex, prefixlen: 24, local, validLft: 0 }, 'EINVAL ipv4: address lifetime invalid'],
    [
      { ifindex, prefixlen: 24, local, validLft: 5, preferredLft: 6 },
      'EINVAL ipv4: address lifetime invalid',
    ],
    [{ ifindex, prefixlen: 24, local, scope: 254 }, 'EINVAL ipv4: Invalid scope value'],
    [{ ifindex, prefixlen: 24, local, flags: 0x400 }, 'EINVAL ipv4: Multicast auto join failed'],
    [{ ifindex, prefixlen: 24, local: ip('10.1.0.1') }, 'EEXIST ipv4: Address already assigned'],
  ]
  for (const [request, expected] of rows)
    assert.equal(
      refusal(() => t.stack.inet.add(request, EXCL)),
      expected,
    )
  const replaceExcl = () =>
    t.stack.inet.add({ ifindex, prefixlen: 24, local: ip('10.1.0.1') }, REPLACE | EXCL)
  assert.equal(refusal(replaceExcl), 'EEXIST ipv4: Address already assigned')
  const gone: [Ifaddr4Request, string][] = [
    [{ ifindex: 99, prefixlen: 24 }, 'ENODEV ipv4: Device not found'],
    [{ ifindex, prefixlen: 24, local }, 'EADDRNOTAVAIL ipv4: Address not found'],
    [{ ifindex, prefixlen: 25, address: ip('10.1.0.1') }, 'EADDRNOTAVAIL ipv4: Address not found'],
    [{ ifindex, prefixlen: 24, label: 'v0:1' }, 'EADDRNOTAVAIL ipv4: Address not found'],
  ]
  for (const [request, expected] of gone)
    assert.equal(
      refusal(() => t.stack.inet.delete(request)),
      expected,
    )
})

test('a replacement changes the metric, the lifetimes, the protocol', () => {
  const { t, add } = host()
  add('10.1.0.1/24', { broadcast: ip('10.1.0.255') })
  assert.deepEqual(add('10.1.0.1/24', { rtPriority: 50, proto: 7 }, REPLACE), [
    route('10.1.0.0/24', PREFIX, '10.1.0.1', 'metric=50 dev=v0 fl=0x600'),
    'DELROUTE 10.1.0.0/24 table=254 proto=2 scope=253 type=1 src=10.1.0.1 dev=v0',
    'NEWADDR v0 10.1.0.1/24 label=v0 brd=10.1.0.255 scope=0 flags=0x80 by=me',
  ])
  assert.deepEqual(
    add('10.1.0.1/24', { rtPriority: 50, validLft: 100, preferredLft: 0 }, REPLACE),
    ['NEWADDR v0 10.1.0.1/24 label=v0 brd=10.1.0.255 scope=0 flags=0x20 by=me'],
  )
  const ifa = t.dev('v0').inet?.addresses[0]
  assert.deepEqual([ifa?.rtPriority, ifa?.proto], [50, 0])
})

test('a primary that goes takes its secondaries along', () => {
  const { add, del } = host()
  add('10.1.0.1/24', { broadcast: ip('10.1.0.255') })
  add('10.1.0.2/24')
  assert.deepEqual(del('10.1.0.1/24'), [
    'DELADDR v0 10.1.0.2/24 label=v0 scope=0 flags=0x81 by=me',
    'DELROUTE 10.1.0.2/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
    'DELADDR v0 10.1.0.1/24 label=v0 brd=10.1.0.255 scope=0 flags=0x80 by=me',
    'DELROUTE 10.1.0.0/24 table=254 proto=2 scope=253 type=1 src=10.1.0.1 dev=v0',
    'DELROUTE 10.1.0.255/32 table=255 proto=2 scope=253 type=3 src=10.1.0.1 dev=v0',
    'DELROUTE 10.1.0.1/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
  ])
})

test('or, where that is set, the next one takes its place', () => {
  const { t, add, del } = host()
  const inet = t.dev('v0').inet as InDevice
  inet.conf.set('promoteSecondaries', 1)
  for (const each of ['10.1.0.1/24', '10.1.0.2/24', '10.1.0.3/24']) add(each)
  assert.deepEqual(del('10.1.0.1/24'), [
    'DELROUTE 10.1.0.2/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
    'DELROUTE 10.1.0.3/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
    'DELADDR v0 10.1.0.1/24 label=v0 scope=0 flags=0x80 by=me',
    'DELROUTE 10.1.0.0/24 table=254 proto=2 scope=253 type=1 src=10.1.0.1 dev=v0',
    'DELROUTE 10.1.0.255/32 table=255 proto=2 scope=253 type=3 src=10.1.0.1 dev=v0',
    'DELROUTE 10.1.0.1/32 table=255 proto=2 scope=254 type=2 src=10.1.0.1 dev=v0',
    'NEWADDR v0 10.1.0.2/24 label=v0 scope=0 flags=0x80 by=me',
    route('10.1.0.2/32', LOCAL, '10.1.0.2'),
    route('10.1.0.0/24', PREFIX, '10.1.0.2'),
    route('10.1.0.255/32', BROADCAST, '10.1.0.2'),
    route('10.1.0.3/32', LOCAL, '10.1.0.2'),
  ])
})

test('routes that another address needs stay; those with a lost source go', () => {
  const { t, v0, add, del } = host()
  add('10.0.0.1/24')
  add('10.0.0.1/25')
  const main = { dst: ip('2.0.0.0'), dstLen: 8, type: 1, scope: 253, oif: v0.ifindex }
  t.stack.fib4.insert({ ...main, prefsrc: ip('10.0.0.1') }, EXCL)
  t.taken()
  assert.deepEqual(del('10.0.0.1/24'), [
    'DELADDR v0 10.0.0.1/24 label=v0 scope=0 flags=0x80 by=me',
    'DELROUTE 10.0.0.0/24 table=254 proto=2 scope=253 type=1 src=10.0.0.1 dev=v0',
    'DELROUTE 10.0.0.255/32 table=255 proto=2 scope=253 type=3 src=10.0.0.1 dev=v0',
  ])
  add('10.9.0.1/24')
  assert.deepEqual(del('10.0.0.1/25').slice(-2), [
    'DELROUTE 10.0.0.1/32 table=255 proto=2 scope=254 type=2 src=10.0.0.1 dev=v0',
    'DELROUTE 2.0.0.0/8 table=254 proto=0 scope=253 type=1 src=10.0.0.1 dev=v0',
  ])
})

test('routes keep a source that another device has', () => {
  const { t, v1, request, add, del } = host()
  add('10.0.0.1/24')
  t.stack.inet.add({ ...request('10.0.0.1/24'), ifindex: v1.ifindex }, EXCL)
  t.taken()
  assert.deepEqual(
    del('10.0.0.1/24').filter((line) => line.includes('v1')),
    [],
  )
})

test('the last address takes all routes of its device along, without a word', () => {
  const { t, add, del } = host()
  add('10.0.0.1/24')
  t.stack.fib4.insert({ dst: ip('3.0.0.0'), dstLen: 8, type: 1, gateway: ip('10.0.0.9') }, EXCL)
  t.taken()
  assert.equal(del('10.0.0.1/24').filter((line) => line.includes('3.0.0.0')).length, 0)
  assert.deepEqual(
    t.routes().filter((line) => !line.startsWith('ff00')),
    [],
  )
})

test('secondaries stand behind primaries, a wider scope before a narrower', () => {
  const { t, add } = host()
  for (const [text, scope] of [
    ['10.1.0.1/24', 0],
    ['10.1.0.2/24', 0],
    ['10.2.0.1/24', 254],
    ['10.3.0.1/24', 0],
    ['10.1.0.3/24', 0],
    ['10.4.0.1/24', 253],
  ] as const)
    add(text, { scope })
  const shown = t
    .dev('v0')
    .inet?.addresses.map(
      ({ local, isSecondary }) => `${(local >>> 16) & 255}.${local & 255}${isSecondary ? 's' : ''}`,
    )
  assert.deepEqual(shown, ['2.1', '4.1', '1.1', '3.1', '1.2s', '1.3s'])
})

test('a life ends: deprecated first, then gone, told to all and due to nobody', () => {
  const { t, add } = host()
  add('10.5.0.1/24', { validLft: 100, preferredLft: 50 })
  const [ifa] = t.dev('v0').inet!.addresses as [Ifaddr4]
  assert.deepEqual(t.settled(20_000), [])
  assert.deepEqual(remainingLifetime(t.stack, ifa), { valid: 80, preferred: 30 })
  assert.deepEqual(t.settled(30_000), ['NEWADDR v0 10.5.0.1/24 label=v0 scope=0 flags=0x20'])
  assert.deepEqual(t.settled(49_999), [])
  assert.equal(t.settled(1)[0], 'DELADDR v0 10.5.0.1/24 label=v0 scope=0 flags=0x20')
  add('10.5.0.2/24', { validLft: 100, preferredLft: 100 })
  add('10.5.0.2/24', {}, REPLACE)
  assert.deepEqual(t.settled(1_000_000), [])
  assert.equal(t.clock.pending, 0)
})

test('an MTU that is too small for IPv4 ends it on the device', () => {
  const t = new Recorder()
  const dev = t.add('dummy', 'd0')
  t.stack.inet.add({ ifindex: dev.ifindex, local: ip('10.0.0.1'), prefixlen: 24 })
  t.settled()
  setMtu(dev, 60)
  const addresses = () => dev.inet?.addresses
  assert.equal(addresses(), undefined)
  assert.deepEqual(t.settled().slice(1, 3), [
    'DELADDR d0 10.0.0.1/24 label=d0 scope=0 flags=0x80',
    'DELROUTE 10.0.0.1/32 table=255 proto=2 scope=254 type=2 src=10.0.0.1 dev=d0',
  ])
  setMtu(dev, 68)
  assert.deepEqual(addresses(), [])
})
