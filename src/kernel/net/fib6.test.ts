import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNetlinkError } from '../../errors.ts'
import { parseIpv6 as ip, prefix6, samePrefix6 } from './address.ts'
import { ADD, APPEND, CHANGE, host6 as host, REPLACE } from './fib6.test.support.ts'
import { type Fib6Config, Fib6Route } from './fib6.ts'
import { Fib6Table } from './fib6-table.ts'
import { down, refusal, up } from './recorder.test.support.ts'

const ROUTE = 'table=254 proto=3 type=1'

test('how a route is announced says how it came in; gateways gather to one route', () => {
  const { t, v0, v1, insert, remove, via, dev } = host()
  const line = (rest: string, flags: string) => [
    `NEWROUTE fd10::/64 ${ROUTE} ${rest} fl=${flags} by=me`,
  ]
  const rows: [Partial<Fib6Config>, number, string[]][] = [
    [via('fd00::9'), ADD, line('gw=fd00::9 metric=1024 dev=v0', '0x600')],
    [via('fd00::8'), APPEND, line('multipath=2', '0xc00')],
    [via('fd01::7'), APPEND, line('multipath=3', '0xc00')],
    [{ ...dev(v0), metric: 5 }, ADD, line('metric=5 dev=v0', '0x600')],
    [dev(v0), APPEND, line('metric=1024 dev=v0', '0xc00')],
    [dev(v1), APPEND, line('metric=1024 dev=v1', '0xc00')],
    [dev(v1), REPLACE, line('metric=1024 dev=v1', '0x100')],
    [via('fd00::6'), REPLACE, line('gw=fd00::6 metric=1024 dev=v0', '0x100')],
  ]
  for (const [more, flags, expected] of rows)
    assert.deepEqual(insert('fd10::/64', more, flags), expected)
  assert.deepEqual(
    t.stack.fib6
      .table(254)
      ?.at({ dst: ip('fd10::'), dstLen: 64 })
      .map(
        ({ metric, nexthop }) => `${metric} ${nexthop.dev.name} ${nexthop.gateway !== undefined}`,
      ),
    ['5 v0 false', '1024 v0 true', '1024 v1 false', '1024 v1 false'],
  )
  const gone = (rest: string) => [`DELROUTE fd10::/64 ${ROUTE} ${rest} by=me`]
  assert.deepEqual(remove('fd10::/64', via('fd00::6')), gone('gw=fd00::6 metric=1024 dev=v0'))
  assert.deepEqual(remove('fd10::/64', { metric: 5 }), gone('metric=5 dev=v0'))
  assert.deepEqual(remove('fd10::/64'), gone('metric=1024 dev=v1'))
  assert.deepEqual(remove('fd10::/64'), gone('metric=1024 dev=v1'))
  assert.equal(
    refusal(() => remove('fd10::/64')),
    'ESRCH',
  )
})

test('what is wrong with a route is said as Linux says it', () => {
  const { t, v0, v1, lo, insert, config, via, dev } = host()
  insert('fd10::/64', via('fd00::9'))
  const small = t.add('dummy', 'd0')
  if (small.inet6) small.inet6.conf.set('disableIpv6', 1)
  up(small)
  const off = t.add('dummy', 'd1')
  const rows: [string, Partial<Fib6Config>, number, string][] = [
    ['fd10::/64', via('fd00::9'), ADD, 'EEXIST'],
    ['fd10::/64', via('fd00::9'), APPEND, 'EEXIST'],
    ['fd11::/64', via('fd00::2'), CHANGE, 'ENOENT Can not replace route - no match found'],
    ['fd10::/64', { ...via('fd00::3'), metric: 9 }, CHANGE, 'ENOENT'],
    ['fd12::/64', { ...dev(v0), type: 12 }, ADD, 'EINVAL Invalid route type'],
    ['fd12::/129', dev(v0), ADD, 'EINVAL Invalid prefix length'],
    ['fd12::/64', {}, ADD, 'ENODEV'],
    ['fd12::/64', { oif: 99 }, ADD, 'ENODEV'],
    ['fd12::/64', dev(off), ADD, 'ENETDOWN Nexthop device is not up'],
    ['fd12::/64', dev(small), ADD, 'EACCES IPv6 is disabled on nexthop device'],
    ['fd12::/64', via('fd00::1'), ADD, 'EINVAL Gateway can not be a local address'],
    [
      'fd12::/64',
      { ...via('fd00::1'), ...dev(v1) },
      ADD,
      'EINVAL Gateway can not be a local address',
    ],
    ['fd12::/64', { ...via('ff02::1'), ...dev(v0) }, ADD, 'EINVAL Invalid gateway address'],
    ['fd12::/64', { ...via('::'), ...dev(v0) }, ADD, 'EINVAL Invalid gateway address'],
    [
      'fd12::/64',
      via('::1'),
      ADD,
      'EINVAL Egress device can not be loopback device for this route',
    ],
    [
      'fd12::/64',
      { ...via('fe80::1'), ...dev(lo) },
      ADD,
      'EINVAL Egress device can not be loopback device for this route',
    ],
    ['fd12::/64', via('fe80::1'), ADD, 'EINVAL Egress device not specified'],
    ['fd12::/64', via('fd99::1'), ADD, 'EHOSTUNREACH'],
    ['fd12::/64', { ...via('fd00::5'), ...dev(v1) }, ADD, 'EHOSTUNREACH'],
    [
      'fd12::/64',
      { ...via('fd00::5'), flags: 4 },
      ADD,
      'ENODEV Nexthop device required for onlink',
    ],
    [
      'fd12::/64',
      { ...via('fd00::5'), flags: 4, ...dev(off) },
      ADD,
      'ENETDOWN Nexthop device is not up',
    ],
    [
      'fd12::/64',
      { ...via('fd01::9'), flags: 4, ...dev(v0) },
      ADD,
      'EINVAL Nexthop has invalid gateway or device mismatch',
    ],
    ['fd12::/64', { ...dev(v0), prefsrc: ip('fd00::77') }, ADD, 'EINVAL Invalid source address'],
    [
      'fd12::/64',
      { multipath: [] },
      ADD,
      'EINVAL Invalid nexthop configuration - no valid nexthops',
    ],
    [
      'fd12::/64',
      { multipath: [dev(v0), dev(v1)] },
      ADD,
      'EINVAL Device only routes can not be added for IPv6 using the multipath API.',
    ],
  ]
  for (const [text, more, flags, expected] of rows)
    assert.equal(
      refusal(() => t.stack.fib6.add(config(text, more), flags)),
      expected,
      `${text} ${expected}`,
    )
  assert.equal(
    refusal(() => t.stack.fib6.delete(config('fd12::/64', { table: 77 }))),
    'ESRCH FIB table does not exist',
  )
})

test('ways that Linux takes', () => {
  const { insert, v0, lo, via, dev } = host()
  const rows: [string, Partial<Fib6Config>, string][] = [
    [
      'fd12::/64',
      { ...via('2001::1'), ...dev(v0), flags: 4 },
      `${ROUTE} rflags=0x4 gw=2001::1 metric=1024 dev=v0`,
    ],
    ['fd13::/64', { ...via('fe80::5'), ...dev(v0) }, `${ROUTE} gw=fe80::5 metric=1024 dev=v0`],
    ['fd14::/64', { type: 7 }, 'table=254 proto=3 type=7 metric=1024 dev=lo'],
    ['fd15::/64', { type: 6, ...dev(v0) }, 'table=254 proto=3 type=6 metric=1024 dev=lo'],
    [
      'fd20::/64',
      { type: 2, table: 255, ...dev(lo) },
      'table=255 proto=3 type=2 metric=1024 dev=lo',
    ],
    ['fd21::/64', dev(lo), `${ROUTE} metric=1024 dev=lo`],
    ['fd22::5/64', { ...dev(v0), protocol: 0 }, `${ROUTE} metric=1024 dev=v0`],
    ['::/0', { ...via('fd00::9'), metric: 5 }, `${ROUTE} gw=fd00::9 metric=5 dev=v0`],
  ]
  for (const [text, more, expected] of rows) {
    const [line = ''] = insert(text, more)
    assert.ok(line.includes(`${expected} fl=0x600 by=me`), line)
  }
})

test('look-ups: longest prefix, table local first, interfaces, errors', () => {
  const { t, v0, v1, insert, via, dev } = host()
  insert('fd10::/32', via('fd00::9'))
  insert('fd10::/64', { ...dev(v1), metric: 9 })
  insert('fd10::/64', { ...dev(v0), metric: 10 })
  insert('fd11::/64', { type: 7 })
  insert('fd12::/64', { type: 6 })
  insert('fd13::/64', { type: 8 })
  insert('fd14::/64', { type: 9 })
  insert('fd15::/64', dev(t.stack.loopback))
  const look = (text: string, more = {}): string => {
    try {
      const { route } = t.stack.fib6.lookup({ daddr: ip(text), ...more })
      return `/${route.dstLen} ${route.nexthop.dev.name}`
    } catch (error) {
      return isNetlinkError(error) ? error.code : String(error)
    }
  }
  const rows: [string, object, string][] = [
    ['fd10::1', {}, '/64 v1'],
    ['fd10::1', dev(v0), '/64 v1'],
    ['fd10::1', { ...dev(v0), isStrict: true }, '/64 v0'],
    ['fd10:0:1::', {}, '/32 v0'],
    ['fd10:0:1::', dev(v1), '/32 v0'],
    ['fd10:0:1::', { ...dev(v1), isStrict: true }, 'ENETUNREACH'],
    ['fd11::1', {}, 'EHOSTUNREACH'],
    ['fd12::1', {}, 'EINVAL'],
    ['fd13::1', {}, 'EACCES'],
    ['fd14::1', {}, 'ENETUNREACH'],
    ['fd15::1', {}, '/64 lo'],
    ['fd00::1', {}, '/128 v0'],
    ['fd00::2', {}, '/64 v0'],
    ['::1', {}, '/128 lo'],
    ['fd99::1', {}, 'ENETUNREACH'],
  ]
  for (const [text, more, expected] of rows) assert.equal(look(text, more), expected, text)
})

test('a device that is down takes its routes along, but for multipath routes with a way left', () => {
  const { t, v0, v1, insert, via } = host()
  insert('fd14::/64', { multipath: [via('fd00::3'), via('fd01::3')] })
  down(v1)
  assert.deepEqual(
    t.settled().filter((line) => line.includes('fd14')),
    [],
  )
  const [route] = t.stack.fib6.table(254)?.at({ dst: ip('fd14::'), dstLen: 64 }) ?? []
  assert.deepEqual(
    route?.siblings.map(({ nexthop }) => nexthop.flags),
    [16, 17],
  )
  down(v0)
  assert.equal(t.settled().filter((line) => line.startsWith('DELROUTE fd14')).length, 2)
})

test('a route with an end ends', () => {
  const { t, v0, insert } = host()
  insert('fd22::/64', { oif: v0.ifindex, expires: 100 })
  assert.deepEqual(t.settled(99_999), [])
  assert.deepEqual(t.settled(1), [`DELROUTE fd22::/64 ${ROUTE} metric=1024 dev=v0`])
  insert('fd22::/64', { oif: v0.ifindex, expires: 100 })
  assert.equal(
    refusal(() => insert('fd22::/64', { oif: v0.ifindex, expires: 200 }, APPEND)),
    'EEXIST',
  )
  assert.deepEqual(t.settled(150_000), [])
  assert.equal(t.settled(60_000).length, 1)
})

test('a table finds what a plain list finds, and is dumped as Linux walks its tree', () => {
  const { v0 } = host()
  const nexthop = { dev: v0, gateway: undefined, flags: 0, weight: 1, encap: undefined }
  const prefixes = fc
    .tuple(fc.bigInt({ min: 0n, max: 0xffn }), fc.constantFrom(0, 1, 2, 4, 7, 8, 64, 128))
    .map(([byte, length]) => ({ dst: prefix6(byte << 120n, length), dstLen: length }))
  fc.assert(
    fc.property(
      fc.array(prefixes, { maxLength: 30 }),
      fc.bigInt({ min: 0n, max: 0xffn }),
      (list, probe) => {
        const table = new Fib6Table(254)
        for (const config of list) {
          if (table.at(config).length === 0) {
            table.insert(new Fib6Route(254, config, nexthop, false), 0)
          }
        }
        const routes = table.sorted()
        for (const [i, route] of routes.entries()) {
          for (const later of routes.slice(i + 1)) {
            const isInside =
              later.dstLen > route.dstLen && samePrefix6(later.dst, route.dst, route.dstLen)
            assert.equal(isInside, false)
          }
        }
        const address = probe << 120n
        const best = routes
          .filter(({ dst, dstLen }) => samePrefix6(dst, address, dstLen))
          .toSorted((a, b) => b.dstLen - a.dstLen)[0]
        const found = table.search(address, 0n, ([first]) => first)
        assert.equal(found, best)
        for (const route of routes) table.remove(route)
        assert.deepEqual(table.sorted(), [])
      },
    ),
  )
})
