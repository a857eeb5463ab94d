import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIpv6, parseIpv6 as ip } from './address.ts'
import { APPEND, host6 as host, REPLACE } from './fib6.test.support.ts'
import { refusal } from './recorder.test.support.ts'

const ROUTE = 'table=254 proto=3 type=1'

test('a multipath request is announced once, and goes at once', () => {
  const { t, insert, remove, via } = host()
  const both = (a: string, b: string) => ({ multipath: [via(a), { ...via(b), weight: 3 }] })
  const line = (flags: string) => [`NEWROUTE fd14::/64 ${ROUTE} multipath=2 fl=${flags} by=me`]
  assert.deepEqual(insert('fd14::/64', both('fd00::2', 'fd01::2')), line('0x400'))
  assert.deepEqual(insert('fd14::/64', both('fd00::3', 'fd01::3'), REPLACE), line('0x100'))
  const [first] = t.stack.fib6.table(254)?.at({ dst: ip('fd14::'), dstLen: 64 }) ?? []
  assert.deepEqual(
    first?.siblings.map(({ nexthop }) => [formatIpv6(nexthop.gateway ?? 0n), nexthop.weight]),
    [
      ['fd00::3', 1],
      ['fd01::3', 3],
    ],
  )
  insert('fd14::/64', via('fd00::4'), APPEND)
  assert.deepEqual(remove('fd14::/64', via('fd00::4')), [
    `DELROUTE fd14::/64 ${ROUTE} gw=fd00::4 metric=1024 dev=v0 by=me`,
  ])
  assert.deepEqual(remove('fd14::/64'), [`DELROUTE fd14::/64 ${ROUTE} multipath=2 by=me`])
  insert('fd14::/64', both('fd00::2', 'fd01::2'))
  assert.equal(remove('fd14::/64', { multipath: [via('fd00::2'), via('fd01::2')] }).length, 2)
  assert.deepEqual(t.stack.fib6.table(254)?.at({ dst: ip('fd14::'), dstLen: 64 }), [])
})

test('a multipath request that fails midway is told as far as it came, and taken back', () => {
  const { t, insert, config, via } = host()
  insert('fd14::/64', via('fd01::2'))
  const line = (gw: string, dev: string, end: string) =>
    `fd14::/64 ${ROUTE} gw=${gw} metric=1024 dev=${dev}${end}`
  const add = (flags: number, ...ways: string[]) =>
    refusal(() => t.stack.fib6.add(config('fd14::/64', { multipath: ways.map(via) }), flags))
  assert.equal(add(APPEND, 'fd00::2', 'fd01::2'), 'EEXIST')
  assert.deepEqual(t.taken(), [
    `NEWROUTE fd14::/64 ${ROUTE} multipath=2 fl=0xc00 by=me`,
    `DELROUTE ${line('fd00::2', 'v0', ' by=me')}`,
  ])
  assert.equal(add(APPEND, 'fd00::3', 'fd00::3'), 'EEXIST', 'twice the same')
  assert.deepEqual(t.taken(), [])
  assert.equal(t.stack.fib6.table(254)?.at({ dst: ip('fd14::'), dstLen: 64 }).length, 1)
})

test('what is appended is told from the oldest nexthop on', () => {
  const { t, insert, via } = host()
  insert('fd14::/64', via('fd00::2'))
  const heads: string[] = []
  t.stack.chains.route.register({
    call(_, { route }) {
      if (route.family === 10) heads.push(formatIpv6(route.nexthop.gateway ?? 0n))
      return 0
    },
  })
  const both = (a: string, b: string) => ({ multipath: [via(a), via(b)] })
  insert('fd14::/64', both('fd00::3', 'fd01::3'), APPEND)
  insert('fd14::/64', both('fd00::4', 'fd01::4'), 0x400)
  assert.deepEqual(heads, ['fd00::2', 'fd00::4'])
})

test('each nexthop has a gateway, its own or the request’s; some are deleted though others fail', () => {
  const { t, v0, insert, remove, config, via, dev } = host()
  const table = () => t.stack.fib6.table(254)?.at({ dst: ip('fd14::'), dstLen: 64 }).length
  assert.equal(
    refusal(() => t.stack.fib6.add(config('fd14::/129', { multipath: [dev(v0)] }), APPEND)),
    'EINVAL Device only routes can not be added for IPv6 using the multipath API.',
  )
  insert('fd14::/64', { ...via('fd00::2'), multipath: [{}, via('fd01::2')] })
  assert.equal(table(), 2)
  assert.equal(
    refusal(() => remove('fd14::/64', { multipath: [via('fd00::9'), via('fd01::2')] })),
    'ESRCH',
  )
  assert.equal(table(), 1)
})
