import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIpv6, parseIpv6 as ip } from './address.ts'
import { remainingLifetime } from './address-lifetime.ts'
import { setMtu } from './device-settings.ts'
import type { Ifaddr6, Ifaddr6Request } from './ifaddr6.ts'
import { down, Recorder, refusal, up } from './recorder.test.support.ts'

const EXCL = 0x600
const REPLACE = 0x500
const NODAD = 2

/** A stack with v0, up, and a door to its addresses. */
function host() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const request = (text: string, more: Partial<Ifaddr6Request> = {}): Ifaddr6Request => {
    const [address = '', length = '128'] = text.split('/')
    return {
      ifindex: v0.ifindex,
      address: ip(address),
      prefixlen: Number(length),
      flags: NODAD,
      ...more,
    }
  }
  const add = (text: string, more: Partial<Ifaddr6Request> = {}, how = EXCL): string[] => {
    t.stack.inet6.add(request(text, more), how)
    return t.settled()
  }
  const del = (text: string): string[] => {
    t.stack.inet6.delete(request(text))
    return t.settled()
  }
  return { t, v0, v1, request, add, del }
}

const PREFIX = 'table=254 proto=2 type=1 metric=256 dev=v0'
const HOST = 'table=255 proto=2 type=2 metric=0 dev=v0'

test('without detection: prefix route, address, host route, all the kernel’s own', () => {
  const { add } = host()
  assert.deepEqual(add('fd00::2/64'), [
    `NEWROUTE fd00::/64 ${PREFIX} fl=0x600`,
    'NEWADDR v0 fd00::2/64 scope=0 flags=0x82',
    `NEWROUTE fd00::2/128 ${HOST} fl=0x600`,
  ])
  assert.deepEqual(add('fd00::3/64'), [
    'NEWADDR v0 fd00::3/64 scope=0 flags=0x82',
    `NEWROUTE fd00::3/128 ${HOST} fl=0x600`,
  ])
})

test('with detection an address is tentative, then announced again with its route', () => {
  const { t, add } = host()
  assert.deepEqual(add('fd00::1/64', { flags: 0 }), [
    `NEWROUTE fd00::/64 ${PREFIX} fl=0x600`,
    'NEWADDR v0 fd00::1/64 scope=0 flags=0xc0',
  ])
  assert.deepEqual(t.settled(999), [])
  assert.deepEqual(t.settled(1), [
    'NEWADDR v0 fd00::1/64 scope=0 flags=0x80',
    `NEWROUTE fd00::1/128 ${HOST} fl=0x600`,
  ])
})

test('what routes an address brings', () => {
  const rows: [string, Partial<Ifaddr6Request>, string[]][] = [
    [
      'fd00::3/128',
      {},
      [`NEWROUTE fd00::3/128 ${PREFIX} fl=0x600`, `NEWROUTE fd00::3/128 ${HOST} fl=0x600`],
    ],
    ['fd01::3/64', { flags: NODAD | 0x200 }, [`NEWROUTE fd01::3/128 ${HOST} fl=0x600`]],
    [
      'fd02::3/128',
      { peer: ip('fd02::4') },
      [
        `NEWROUTE fd02::3/128 ${PREFIX} fl=0x600`,
        `NEWROUTE fd02::3/128 ${HOST} fl=0x600`,
        `NEWROUTE fd02::4/128 ${PREFIX} fl=0x600`,
      ],
    ],
    [
      'fd09::1/64',
      { rtPriority: 77 },
      [
        `NEWROUTE fd09::/64 ${PREFIX.replace('256', '77')} fl=0x600`,
        `NEWROUTE fd09::1/128 ${HOST} fl=0x600`,
      ],
    ],
  ]
  for (const [text, more, expected] of rows) {
    const { add } = host()
    assert.deepEqual(
      add(text, more).filter((line) => line.startsWith('NEWROUTE')),
      expected,
      text,
    )
  }
})

test('refusals, in Linux’s order', () => {
  const { t, v0, add, request } = host()
  add('fd00::1/64')
  const small = t.add('dummy', 'd0')
  setMtu(small, 1000)
  const off = t.add('dummy', 'd1')
  if (off.inet6) off.inet6.conf.set('disableIpv6', 1)
  const rows: [Ifaddr6Request, string][] = [
    [{ ifindex: 99, prefixlen: 64 }, 'EINVAL'],
    [request('fd00::9/64', { ifindex: 99 }), 'ENODEV ipv6: Unable to find the interface'],
    [request('fd00::9/64', { ifindex: small.ifindex }), 'EINVAL'],
    [request('fd00::1/129', { validLft: 0 }), 'EEXIST ipv6: address already assigned'],
    [request('fd00::9/129', { validLft: 0 }), 'EINVAL ipv6: Invalid prefix length'],
    [request('fd00::9/64', { validLft: 0 }), 'EINVAL ipv6: address lifetime invalid'],
    [
      request('fd00::9/64', { validLft: 1, preferredLft: 2 }),
      'EINVAL ipv6: address lifetime invalid',
    ],
    [
      request('fd00::9/63', { flags: 0x100 }),
      'EINVAL ipv6: address with "mngtmpaddr" flag must have a prefix length of 64',
    ],
    [
      request('fd00::9/64', { ifindex: off.ifindex }),
      'EACCES ipv6: IPv6 is disabled on this device',
    ],
    [request('fd00::9/64', { flags: 0x400 }), 'EINVAL ipv6: Multicast auto join failed'],
    [request('::/64'), 'EADDRNOTAVAIL ipv6: Invalid address'],
    [
      request('ff02::5/64'),
      'EADDRNOTAVAIL ipv6: Cannot assign multicast address without "IFA_F_MCAUTOJOIN" flag',
    ],
    [request('::1/128'), 'EADDRNOTAVAIL ipv6: Cannot assign loopback address on this device'],
  ]
  for (const [each, expected] of rows)
    assert.equal(
      refusal(() => t.stack.inet6.add(each, EXCL)),
      expected,
    )
  assert.equal(
    refusal(() => t.stack.inet6.add(request('fd00::1/64', { validLft: 0 }), REPLACE)),
    'EINVAL ipv6: address lifetime invalid',
  )
  const gone: [Ifaddr6Request, string][] = [
    [{ ifindex: v0.ifindex, prefixlen: 64 }, 'EINVAL'],
    [request('fd00::1/129'), 'EINVAL ipv6: Invalid prefix length'],
    [request('fd00::1/64', { ifindex: 99 }), 'ENODEV ipv6: Unable to find the interface'],
    [
      request('fd00::1/64', { ifindex: small.ifindex }),
      'ENXIO ipv6: IPv6 is disabled on this device',
    ],
    [request('fd00::1/63'), 'EADDRNOTAVAIL ipv6: address not found'],
    [request('fd00::77/64'), 'EADDRNOTAVAIL ipv6: address not found'],
  ]
  for (const [each, expected] of gone)
    assert.equal(
      refusal(() => t.stack.inet6.delete(each)),
      expected,
    )
})

test('deleting: the address, its host route, then the prefix when nobody needs it', () => {
  const { add, del } = host()
  add('fd00::1/64')
  add('fd00::2/64')
  assert.deepEqual(del('fd00::1/64'), [
    'DELADDR v0 fd00::1/64 scope=0 flags=0x82',
    `DELROUTE fd00::1/128 ${HOST}`,
  ])
  assert.deepEqual(del('fd00::2/64'), [
    'DELADDR v0 fd00::2/64 scope=0 flags=0x82',
    `DELROUTE fd00::2/128 ${HOST}`,
    `DELROUTE fd00::/64 ${PREFIX}`,
  ])
  add('fd02::3/128', { peer: ip('fd02::4') })
  assert.deepEqual(del('fd02::3/128'), [
    'DELADDR v0 fd02::3/128 scope=0 flags=0x82',
    `DELROUTE fd02::4/128 ${PREFIX}`,
    `DELROUTE fd02::3/128 ${HOST}`,
    `DELROUTE fd02::3/128 ${PREFIX}`,
  ])
})

test('an address that gets a peer, or another, has a route to the peer’s prefix, too', () => {
  const { add } = host()
  add('fd02::3/64')
  assert.deepEqual(add('fd02::3/64', { peer: ip('fd03::4') }, REPLACE), [
    'NEWADDR v0 fd02::3/64 scope=0 flags=0x82',
    `NEWROUTE fd03::/64 ${PREFIX} fl=0x600`,
  ])
  assert.deepEqual(add('fd02::3/64', { peer: ip('fd04::4') }, REPLACE), [
    `DELROUTE fd03::/64 ${PREFIX}`,
    'NEWADDR v0 fd02::3/64 scope=0 flags=0x82',
    `NEWROUTE fd04::/64 ${PREFIX} fl=0x600`,
  ])
})

test('routes forget a source address that is gone', () => {
  const { t, v0, add, del } = host()
  add('fd00::1/64')
  t.stack.fib6.add({ dst: ip('fd12::'), dstLen: 64, oif: v0.ifindex, prefsrc: ip('fd00::1') }, EXCL)
  const prefsrc = () => t.stack.fib6.table(254)?.at({ dst: ip('fd12::'), dstLen: 64 })[0]?.prefsrc
  assert.equal(prefsrc(), ip('fd00::1'))
  del('fd00::1/64')
  assert.equal(prefsrc(), undefined)
})

test('a replacement is announced first; a new metric is a new prefix route', () => {
  const { t, v0, add } = host()
  add('fd09::1/64', { rtPriority: 77 })
  assert.deepEqual(add('fd09::1/64', { rtPriority: 78 }, REPLACE), [
    'NEWADDR v0 fd09::1/64 scope=0 flags=0x82',
    'DELROUTE fd09::/64 table=254 proto=2 type=1 metric=77 dev=v0',
    'NEWROUTE fd09::/64 table=254 proto=2 type=1 metric=78 dev=v0 fl=0x600',
  ])
  assert.deepEqual(add('fd09::1/64', { validLft: 100, preferredLft: 50, flags: 0 }, REPLACE), [
    'NEWADDR v0 fd09::1/64 scope=0 flags=0x0',
  ])
  const [ifa] = v0.inet6!.addresses as [Ifaddr6]
  assert.deepEqual(remainingLifetime(t.stack, ifa), { valid: 100, preferred: 50 })
  assert.equal(
    t.stack.fib6.table(254)?.at({ dst: ip('fd09::'), dstLen: 64 })[0]?.expires,
    t.clock.now + 100_000,
  )
  assert.deepEqual(add('fd09::1/64', { flags: NODAD | 0x200 }, REPLACE), [
    'NEWADDR v0 fd09::1/64 scope=0 flags=0x82',
  ])
  assert.deepEqual(add('fd09::1/64', { flags: NODAD }, REPLACE).slice(0, 1), [
    'NEWADDR v0 fd09::1/64 scope=0 flags=0x82',
  ])
  assert.deepEqual(add('fd09::1/64', { flags: NODAD | 0x200 }, REPLACE).slice(1), [
    'DELROUTE fd09::/64 table=254 proto=2 type=1 metric=78 dev=v0',
  ])
})

test('a life ends: deprecated first, then gone, and the prefix route by itself', () => {
  const { t, add } = host()
  add('fd03::3/64', { validLft: 100, preferredLft: 50 })
  assert.deepEqual(t.settled(50_000), ['NEWADDR v0 fd03::3/64 scope=0 flags=0x22'])
  assert.deepEqual(
    t.settled(50_000).sort(),
    [
      'DELADDR v0 fd03::3/64 scope=0 flags=0x22',
      `DELROUTE fd03::/64 ${PREFIX}`,
      `DELROUTE fd03::3/128 ${HOST}`,
    ].sort(),
  )
})

test('an address that is set while the device is down waits for it', () => {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1', true)
  t.taken()
  t.stack.inet6.add({ ifindex: v0.ifindex, address: ip('fd00::1'), prefixlen: 64 }, EXCL)
  assert.deepEqual(t.settled(5000), ['NEWADDR v0 fd00::1/64 scope=0 flags=0xc0'])
  t.stack.inet6.add(
    {
      ifindex: v0.ifindex,
      address: ip('fd00::2'),
      prefixlen: 64,
      validLft: 500,
      preferredLft: 500,
    },
    EXCL,
  )
  assert.deepEqual(t.settled(), [
    'NEWADDR v0 fd00::2/64 scope=0 flags=0x40',
    'DELADDR v0 fd00::2/64 scope=0 flags=0x40',
  ])
  up(v1)
  t.settled(5000)
  up(v0)
  const lines = t.settled(1000)
  assert.ok(lines.includes(`NEWROUTE fd00::/64 ${PREFIX} fl=0x600`))
  assert.deepEqual(lines.slice(-2), [
    'NEWADDR v0 fd00::1/64 scope=0 flags=0x80',
    `NEWROUTE fd00::1/128 ${HOST} fl=0x600`,
  ])
})

test('a link that is ready gets a link-local address of its MAC address', () => {
  const t = new Recorder()
  const dev = t.add('veth', 'v0', {
    address: Uint8Array.of(2, 0x11, 0x22, 0x33, 0x44, 0x55),
    data: { peer: { name: 'v1' } },
  })
  const peer = t.dev('v1')
  if (peer.inet6) peer.inet6.conf.set('addrGenMode', 1)
  up(peer)
  t.settled()
  up(dev)
  assert.deepEqual(t.settled(1000), [
    'NEWLINK v0 flags=0x11003 change=0x1 oper=3 carrier=1',
    'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v0 fl=0x600',
    `NEWROUTE fe80::/64 ${PREFIX} fl=0x600`,
    'NEWLINK v0 fam=10 flags=0x11043 change=0x0 oper=6',
    'NEWLINK v0 flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWROUTE ff00::/8 table=255 proto=2 type=5 metric=256 dev=v1 fl=0x400',
    'NEWLINK v1 fam=10 flags=0x11043 change=0x0 oper=6',
    'NEWLINK v1 flags=0x11043 change=0x0 oper=6 carrier=1',
    'NEWADDR v0 fe80::11:22ff:fe33:4455/64 scope=253 flags=0x80',
    `NEWROUTE fe80::11:22ff:fe33:4455/128 ${HOST} fl=0x600`,
  ])
  assert.equal(dev.inet6?.addresses[0]?.proto, 3)
})

test('down: routes go by table and tree, then neighbours, then addresses', () => {
  const { t, v0, add } = host()
  for (const each of ['fd00::3/128', 'fd01::3/64', 'fd03::3/64']) add(each)
  const gateway = ip('fd03::1')
  t.stack.fib6.add({ dst: 0n, dstLen: 0, gateway, metric: 5 }, EXCL)
  t.stack.ndisc.add({ ifindex: v0.ifindex, dst: gateway, lladdr: v0.address, state: 0x80 }, EXCL)
  t.settled()
  down(v0)
  const lines = t
    .settled()
    .map((line) => line.replace(/ (table|dev|state).*/, '').replace(/ scope.*/, ''))
  assert.deepEqual(lines.slice(1, -1), [
    'DELROUTE fd00::3/128',
    'DELROUTE fd01::/64',
    'DELROUTE fd03::/64',
    'DELROUTE default',
    'DELROUTE fd00::3/128',
    'DELROUTE fd01::3/128',
    'DELROUTE fd03::3/128',
    'DELROUTE ff00::/8',
    'DELNEIGH fd03::1',
    'DELADDR v0 fd03::3/64',
    'DELADDR v0 fd01::3/64',
    'DELADDR v0 fd00::3/128',
  ])
})

test('addresses stand by scope, then the newest first', () => {
  const { t, v0, add } = host()
  for (const each of ['fe80::1/64', 'fd00::1/64', 'fd00::2/64', 'fe80::2/64']) add(each)
  assert.deepEqual(
    v0.inet6?.addresses.map(({ address }) => formatIpv6(address)),
    ['fd00::2', 'fd00::1', 'fe80::2', 'fe80::1'],
  )
  assert.equal(t.stack.inet6.hasAddress(ip('fe80::1'), t.dev('v1')), false)
  assert.equal(t.stack.inet6.hasAddress(ip('fd00::1'), t.dev('v1')), true)
})

test('an MTU that is too small for IPv6 ends it on the device, a larger one begins it again', () => {
  const { t, v0, add } = host()
  add('fd00::1/64')
  setMtu(v0, 1279)
  assert.ok(t.settled().includes('DELADDR v0 fd00::1/64 scope=0 flags=0x82'))
  const isReady = () => v0.inet6?.isReady
  assert.equal(isReady(), undefined)
  setMtu(v0, 1280)
  assert.equal(isReady(), true)
})
