import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNetlinkError } from '../../errors.ts'
import { formatIpv4, type Ipv4, parseIpv4 as ip, prefix4, samePrefix4 } from './address.ts'
import { type Fib4Config, FibInfo } from './fib4-info.ts'
import { Fib4Route, Fib4Table } from './fib4-table.ts'
import { down, ME, Recorder, refusal, up } from './recorder.test.support.ts'

const ADD = 0x600
const APPEND = 0xc00
const REPLACE = 0x500
const CHANGE = 0x100
const PREPEND = 0x400

/** v0 with 10.1.0.2/24, v1, lo, all up, and a door to their routes. */
function host() {
  const t = new Recorder()
  const [v0, v1] = t.veth('v0', 'v1')
  const { loopback: lo } = t.stack
  up(lo)
  t.stack.inet.add({ ifindex: v0.ifindex, local: ip('10.1.0.2'), prefixlen: 24 })
  t.settled()
  const config = (text: string, more: Partial<Fib4Config> = {}): Fib4Config => {
    const [address = '', length = '32'] = text.split('/')
    const hasWay = more.gateway !== undefined || more.multipath
    const scope = hasWay || (more.type ?? 1) > 5 ? 0 : 253
    const base = {
      dst: ip(address),
      dstLen: Number(length),
      protocol: 3,
      type: 1,
      scope,
      origin: ME,
    }
    return { ...base, ...more }
  }
  const insert = (text: string, more: Partial<Fib4Config> = {}, flags = ADD): string[] => {
    t.stack.fib4.insert(config(text, more), flags)
    return t.taken()
  }
  const remove = (text: string, more: Partial<Fib4Config> = {}): string[] => {
    t.stack.fib4.delete({ ...config(text), type: 0, scope: 255, protocol: 0, ...more })
    return t.taken()
  }
  return { t, v0, v1, lo, config, insert, remove }
}

const MAIN = 'table=254 proto=3'

test('how a route is announced says how it came in', () => {
  const { insert, remove } = host()
  const via = (text: string) => ({ gateway: ip(text) })
  const line = (gw: string, flags: string) =>
    `NEWROUTE 10.2.0.0/16 ${MAIN} scope=0 type=1 gw=${gw} dev=v0 fl=${flags} by=me`
  const rows: [string, number, string[]][] = [
    ['10.1.0.9', ADD, [line('10.1.0.9', '0x600')]],
    ['10.1.0.8', APPEND, [line('10.1.0.8', '0xc00')]],
    ['10.1.0.7', REPLACE, [line('10.1.0.7', '0x100')]],
    ['10.1.0.7', REPLACE, []],
    ['10.1.0.6', PREPEND, [line('10.1.0.6', '0x400')]],
    ['10.1.0.5', CHANGE, [line('10.1.0.5', '0x100')]],
  ]
  for (const [gw, flags, expected] of rows)
    assert.deepEqual(insert('10.2.0.0/16', via(gw), flags), expected)
  assert.deepEqual(remove('10.2.0.0/16'), [
    `DELROUTE 10.2.0.0/16 ${MAIN} scope=0 type=1 gw=10.1.0.5 dev=v0 by=me`,
  ])
})

test('the same key: what is refused, and what order results', () => {
  const { t, v0, v1, lo, insert, config } = host()
  const d = (dev: { ifindex: number }, more = {}) => ({ oif: dev.ifindex, ...more })
  insert('10.0.0.0/8', d(v0))
  insert('10.0.0.0/8', d(v0, { priority: 5 }))
  insert('10.0.0.0/8', d(v1), APPEND)
  insert('10.0.0.0/8', d(lo), PREPEND)
  const rows: [Partial<Fib4Config>, number, string][] = [
    [d(v0), ADD, 'EEXIST'],
    [d(v1), APPEND, 'EEXIST'],
    [d(lo), PREPEND, 'EEXIST'],
    [d(v1), REPLACE, 'EEXIST'],
    [d(v1, { priority: 10 }), CHANGE, 'ENOENT'],
    [d(v1, { priority: 11 }), 0, 'ENOENT'],
    [d(v1, { dscp: 8 }), CHANGE, 'ENOENT'],
  ]
  for (const [more, flags, expected] of rows)
    assert.equal(
      refusal(() => t.stack.fib4.insert(config('10.0.0.0/8', more), flags)),
      expected,
    )
  insert('10.0.0.0/8', d(v1, { dscp: 8 }))
  const order = t.stack.fib4
    .table(254)
    ?.sorted()
    .filter(({ dstLen }) => dstLen === 8)
  assert.deepEqual(
    order?.map(({ dscp, info }) => `${info.nexthops[0]?.dev?.name} ${info.priority} ${dscp}`),
    ['v1 0 8', 'lo 0 0', 'v0 0 0', 'v1 0 0', 'v0 5 0'],
  )
})

test('deletion takes the first that has all that is given', () => {
  const { t, v0, v1, insert, remove } = host()
  insert('10.0.0.0/8', { oif: v0.ifindex })
  insert('10.0.0.0/8', { oif: v1.ifindex, priority: 5, prefsrc: ip('10.1.0.2') })
  insert('10.0.0.0/8', { gateway: ip('10.1.0.9'), priority: 6, protocol: 9 })
  insert('10.0.0.0/8', {
    priority: 7,
    multipath: [{ gateway: ip('10.1.0.8') }, { gateway: ip('10.1.0.7'), weight: 3 }],
  })
  const nothing: Partial<Fib4Config>[] = [
    { oif: 1 },
    { priority: 9 },
    { type: 2 },
    { scope: 200 },
    { protocol: 77 },
    { prefsrc: ip('9.9.9.9') },
    { gateway: ip('10.1.0.10') },
    { dscp: 4 },
    { metrics: new Map([[2, 1400]]) },
    { multipath: [{ gateway: ip('1.1.1.1') }] },
  ]
  for (const more of nothing)
    assert.equal(
      refusal(() => remove('10.0.0.0/8', more)),
      'ESRCH',
    )
  assert.equal(
    refusal(() => remove('10.0.0.0/9')),
    'ESRCH',
  )
  assert.equal(
    refusal(() => remove('10.0.0.0/8', { table: 77 })),
    'ESRCH FIB table does not exist',
  )
  const left: [Partial<Fib4Config>, string][] = [
    [{ multipath: [{ gateway: ip('10.1.0.8') }, { gateway: ip('10.1.0.7') }] }, 'metric=7'],
    [{ protocol: 9 }, 'metric=6'],
    [{ oif: v1.ifindex }, 'metric=5'],
    [{}, 'dev=v0'],
  ]
  for (const [more] of left) assert.equal(remove('10.0.0.0/8', more).length, 1)
  assert.equal(
    t.routes().some((line) => line.startsWith('10.0.0.0/8')),
    false,
  )
})

test('what is wrong with a route is said as Linux says it', () => {
  const { t, v0, v1, insert, config } = host()
  insert('3.0.0.0/8', { type: 8, scope: 253 })
  insert('6.0.0.0/8', { type: 2, scope: 254, oif: 1, table: 255 })
  down(v1)
  t.settled()
  const oif = v0.ifindex
  const way = { gateway: ip('10.1.0.9') }
  const onlink = (gateway: string, more = {}) => ({ gateway: ip(gateway), flags: 4, ...more })
  const rows: [string, Partial<Fib4Config>, string][] = [
    ['1.0.0.0/8', { dscp: 1 }, 'EINVAL Invalid dsfield (tos): ECN bits must be 0'],
    ['1.0.0.0/8', { type: 12 }, 'EINVAL Invalid route type'],
    ['1.0.0.0/33', {}, 'EINVAL Invalid prefix length'],
    ['1.2.3.4/8', { oif }, 'EINVAL Invalid prefix for given prefix length'],
    ['1.0.0.0/8', { type: 2, scope: 253, oif }, 'EINVAL Invalid scope'],
    ['1.0.0.0/8', { type: 0, oif }, 'EINVAL Invalid scope'],
    ['1.0.0.0/8', { flags: 1, oif }, 'EINVAL Invalid rtm_flags - can not contain DEAD or LINKDOWN'],
    [
      '1.0.0.0/8',
      { type: 7, ...way },
      'EINVAL Gateway, device and multipath can not be specified for this route type',
    ],
    [
      '1.0.0.0/8',
      { type: 7, oif },
      'EINVAL Gateway, device and multipath can not be specified for this route type',
    ],
    ['1.0.0.0/8', { scope: 255, oif }, 'EINVAL Invalid scope'],
    ['1.0.0.0/8', { scope: 254, ...way }, 'EINVAL Route with host scope can not have a gateway'],
    [
      '1.0.0.0/8',
      { scope: 254, multipath: [{ oif }, { oif }] },
      'EINVAL Route with host scope can not have multiple nexthops',
    ],
    ['1.0.0.0/8', { scope: 254, oif: 99 }, 'ENODEV'],
    ['1.0.0.0/8', { oif: 99 }, 'ENODEV'],
    ['1.0.0.0/8', { oif: v1.ifindex }, 'ENETDOWN Device for nexthop is not up'],
    [
      '1.0.0.0/8',
      { oif, flags: 4 },
      'EINVAL Invalid flags for nexthop - PERVASIVE and ONLINK can not be set',
    ],
    ['1.0.0.0/8', { oif, prefsrc: ip('7.7.7.7') }, 'EINVAL Invalid prefsrc address'],
    ['1.0.0.0/8', { gateway: ip('10.99.0.1') }, 'ENETUNREACH Nexthop has invalid gateway'],
    ['1.0.0.0/8', { gateway: ip('10.1.0.9'), oif: 1 }, 'ENETUNREACH Nexthop has invalid gateway'],
    ['1.0.0.0/8', { gateway: ip('10.1.0.255') }, 'EINVAL Nexthop has invalid gateway'],
    ['1.0.0.0/8', { gateway: ip('3.1.1.1') }, 'EACCES Nexthop has invalid gateway'],
    ['1.0.0.0/8', onlink('9.9.9.9'), 'ENODEV Nexthop device required for onlink'],
    ['1.0.0.0/8', onlink('9.9.9.9', { oif: v1.ifindex }), 'ENETDOWN Nexthop device is not up'],
    ['1.0.0.0/8', onlink('9.9.9.9', { oif, scope: 253 }), 'EINVAL Nexthop has invalid scope'],
    ['1.0.0.0/8', onlink('224.0.0.1', { oif }), 'EINVAL Nexthop has invalid gateway'],
    ['1.0.0.0/8', onlink('10.1.0.2', { oif }), 'EINVAL Nexthop has invalid gateway'],
    ['1.0.0.0/8', { multipath: [] }, 'EINVAL'],
    [
      '1.0.0.0/8',
      { multipath: [{ ...way, flags: 16 }] },
      'EINVAL Invalid flags for nexthop - can not contain DEAD or LINKDOWN',
    ],
    [
      '1.0.0.0/8',
      { multipath: [way], oif: 77 },
      'EINVAL Nexthop device index does not match RTA_OIF',
    ],
    [
      '1.0.0.0/8',
      { multipath: [way], gateway: ip('10.1.0.8') },
      'EINVAL Nexthop gateway does not match RTA_GATEWAY or RTA_VIA',
    ],
    ['1.0.0.0/8', { multipath: [way], flow: 5 }, 'EINVAL Nexthop class id does not match RTA_FLOW'],
  ]
  for (const [text, more, expected] of rows)
    assert.equal(
      refusal(() => t.stack.fib4.insert(config(text, more), ADD)),
      expected,
      `${text} ${expected}`,
    )
  assert.equal(
    refusal(() => t.stack.fib4.delete(config('1.2.3.4/8'))),
    'EINVAL Invalid prefix for given prefix length',
  )
})

test('ways that Linux takes', () => {
  const { insert, v0 } = host()
  insert('6.0.0.0/8', { type: 2, scope: 254, oif: 1, table: 255 })
  const rows: [string, Partial<Fib4Config>, string][] = [
    ['1.0.0.0/8', { gateway: ip('10.1.0.2') }, 'gw=10.1.0.2 dev=v0'],
    ['2.0.0.0/8', { gateway: ip('6.1.1.1') }, 'gw=6.1.1.1 dev=lo'],
    [
      '4.0.0.0/8',
      { gateway: ip('9.9.9.9'), oif: v0.ifindex, flags: 4 },
      'rflags=0x4 gw=9.9.9.9 dev=v0',
    ],
    ['5.0.0.0/8', { gateway: ip('10.1.0.9'), table: 500 }, 'gw=10.1.0.9 dev=v0'],
    [
      '7.0.0.0/8',
      { multipath: [{ gateway: ip('10.1.0.2') }, { gateway: ip('10.1.0.5'), weight: 3 }] },
      'multipath=2',
    ],
    ['8.0.0.0/8', { type: 9, table: 77 }, 'type=9'],
    ['0.0.0.0/0', { gateway: ip('10.1.0.254') }, 'gw=10.1.0.254 dev=v0'],
    ['9.0.0.0/8', { gateway6: (0xfe80n << 112n) | 5n, oif: v0.ifindex, scope: 0 }, 'dev=v0'],
  ]
  for (const [text, more, expected] of rows) {
    const [line = ''] = insert(text, more)
    assert.ok(line.includes(`${expected} fl=0x600 by=me`), line)
  }
})

test('look-ups: longest prefix, narrow scopes, tos, interface, errors', () => {
  const { t, v0, v1, insert } = host()
  const { fib4 } = t.stack
  insert('10.0.0.0/8', { gateway: ip('10.1.0.9') })
  insert('10.2.0.0/16', { gateway: ip('10.1.0.8') })
  insert('10.2.0.0/16', { gateway: ip('10.1.0.7'), dscp: 8 })
  insert('10.3.0.0/16', { type: 7 })
  insert('10.4.0.0/16', { type: 6 })
  insert('10.5.0.0/16', { type: 9 })
  insert('11.0.0.0/8', { oif: v0.ifindex })
  insert('11.0.0.0/8', { oif: v1.ifindex, priority: 3 })
  const look = (text: string, more = {}): string => {
    try {
      const { nexthop, prefixlen } = fib4.lookup({ daddr: ip(text), ...more })
      return `/${prefixlen} ${nexthop.gateway ? formatIpv4(nexthop.gateway) : nexthop.dev?.name}`
    } catch (error) {
      return isNetlinkError(error) ? error.code : String(error)
    }
  }
  const rows: [string, object, string][] = [
    ['10.9.0.1', {}, '/8 10.1.0.9'],
    ['10.2.0.1', {}, '/16 10.1.0.8'],
    ['10.2.0.1', { dscp: 8 }, '/16 10.1.0.7'],
    ['10.1.0.2', {}, '/32 v0'],
    ['10.1.0.77', { scope: 253 }, '/24 v0'],
    ['10.9.0.1', { scope: 253 }, 'ENETUNREACH'],
    ['10.3.0.1', {}, 'EHOSTUNREACH'],
    ['10.4.0.1', {}, 'EINVAL'],
    ['10.5.0.1', {}, 'ENETUNREACH'],
    ['11.0.0.1', {}, '/8 v0'],
    ['11.0.0.1', { oif: v1.ifindex }, '/8 v1'],
    ['12.0.0.1', {}, 'ENETUNREACH'],
    ['127.0.0.1', {}, '/32 lo'],
  ]
  for (const [text, more, expected] of rows) assert.equal(look(text, more), expected, text)
})

test('a fresh namespace has no tables, and takes every address for a broadcast one', () => {
  const { stack } = new Recorder()
  const { fib4 } = stack
  assert.deepEqual(fib4.tables(), [])
  assert.equal(fib4.addressType(ip('10.0.0.4')), 3)
  const remove = () => fib4.delete({ dst: ip('1.0.0.0'), dstLen: 8 })
  assert.equal(refusal(remove), 'ESRCH FIB table does not exist')
  assert.equal(
    refusal(() => fib4.lookup({ daddr: ip('1.0.0.0') })),
    'ENETUNREACH',
  )
  up(stack.loopback)
  assert.deepEqual(
    fib4.tables().map(({ id }) => id),
    [254, 255],
  )
  assert.equal(fib4.addressType(ip('10.0.0.4')), 1)
})

test('local and main are one table until there is a rule of one’s own', () => {
  const { stack } = new Recorder()
  up(stack.loopback)
  const table = () => stack.fib4.lookup({ daddr: ip('127.0.0.1') }).table
  assert.equal(table(), 254)
  stack.rules4.add({ action: 1, table: 77, priority: 10 })
  assert.equal(table(), 255)
})

test('types of addresses', () => {
  const { t } = host()
  const rows: [string, number][] = [
    ['10.1.0.2', 2],
    ['10.1.0.3', 1],
    ['10.1.0.255', 3],
    ['255.255.255.255', 3],
    ['0.0.0.0', 3],
    ['224.0.0.1', 5],
    ['127.9.9.9', 2],
    ['8.8.8.8', 1],
  ]
  for (const [text, type] of rows) assert.equal(t.stack.fib4.addressType(ip(text)), type, text)
})

test('a lost carrier marks routes, a device that is down loses them', () => {
  const { t, v0, v1, insert } = host()
  insert('10.2.0.0/16', { multipath: [{ oif: v0.ifindex }, { oif: v1.ifindex }] })
  down(v1)
  t.settled()
  const info = t.stack.fib4.table(254)?.at(ip('10.2.0.0'), 16)?.info
  assert.deepEqual(
    info?.nexthops.map(({ flags }) => flags),
    [16, 17],
  )
  assert.equal(info?.isDead, false)
  up(v1)
  t.settled()
  assert.deepEqual(
    info?.nexthops.map(({ flags }) => flags),
    [0, 0],
  )
  down(v0)
  down(v1)
  assert.deepEqual(
    t.settled().filter((line) => /ROUTE 10/.test(line)),
    [],
  )
  assert.equal(t.stack.fib4.table(254)?.size, 0)
})

test('tables are dumped by the low byte of their number, the newest first', () => {
  const { t, insert, v0 } = host()
  for (const table of [500, 244, 1, 1000, 77]) insert('9.0.0.0/8', { oif: v0.ifindex, table })
  assert.deepEqual(
    t.stack.fib4.tables().map(({ id }) => id),
    [1, 77, 1000, 244, 500, 254, 255],
  )
})

/** A table under test and a model of it: a plain list. */
const prefixes = fc
  .tuple(fc.nat(0xffffffff), fc.oneof(fc.nat(32), fc.constantFrom(0, 8, 16, 24, 32)))
  .map(([address, length]) => ({ dst: prefix4(address & 0x0f0f0fff, length), length }))

const anyInfo = new FibInfo({ dst: 0, dstLen: 0, table: 254, type: 1, oif: 1 })

test('a table finds what a plain list finds, and is dumped in order', () => {
  const change = fc.record({ prefix: prefixes, add: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60 }),
      fc.array(fc.nat(0xffffffff)),
      (changes, probes) => {
        const table = new Fib4Table(254)
        const model = new Map<string, Fib4Route>()
        for (const { prefix, add } of changes) {
          const key = `${prefix.dst}/${prefix.length}`
          const known = model.get(key)
          if (add && !known) {
            const route = new Fib4Route(254, prefix.dst, prefix.length, 0, anyInfo)
            table.insert(route, table.at(prefix.dst, prefix.length))
            model.set(key, route)
          } else if (!add && known) {
            table.remove(known)
            model.delete(key)
          }
        }
        const routes = [...model.values()]
        assert.equal(table.size, routes.length)
        const order = routes.toSorted((a, b) => a.dst - b.dst || b.dstLen - a.dstLen)
        assert.deepEqual(table.sorted(), order)
        const seen: Fib4Route[] = []
        table.forEach((route) => {
          seen.push(route)
        })
        assert.equal(new Set(seen).size, routes.length)
        for (const probe of probes) {
          const address: Ipv4 = probe & 0x0f0f0fff
          const best = routes
            .filter(({ dst, dstLen }) => samePrefix4(dst, address, dstLen))
            .sort((a, b) => b.dstLen - a.dstLen)[0]
          let found: Fib4Route | undefined
          for (let length = 32; length >= 0; length--) found ??= table.covering(address, length)
          assert.equal(found, best)
        }
      },
    ),
  )
})

test('routes of one prefix stand by dscp descending, then priority ascending', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(5)), { maxLength: 12 }), (keys) => {
      const table = new Fib4Table(254)
      for (const [dscp, priority] of keys) {
        const info = new FibInfo({ dst: 0, dstLen: 0, table: 254, type: 1, priority, oif: 1 })
        const route = new Fib4Route(254, 0, 0, dscp, info)
        table.insert(route, table.find(0, 0, dscp, priority))
      }
      const shown = table.sorted().map(({ dscp, info }) => [dscp, info.priority] as const)
      assert.deepEqual(
        shown,
        shown.toSorted((a, b) => b[0] - a[0] || a[1] - b[1]),
      )
      assert.equal(shown.length, keys.length)
    }),
  )
})

test('routes that say the same share it, and it goes with the last of them', () => {
  const { t, insert, remove } = host()
  const gateway = ip('10.1.0.9')
  insert('20.0.0.0/8', { gateway })
  insert('21.0.0.0/8', { gateway })
  const info = (text: string) => t.stack.fib4.table(254)?.at(ip(text), 8)?.info
  assert.equal(info('20.0.0.0'), info('21.0.0.0'))
  assert.equal(info('20.0.0.0')?.references, 2)
  remove('20.0.0.0/8')
  assert.equal(info('21.0.0.0')?.references, 1)
})
