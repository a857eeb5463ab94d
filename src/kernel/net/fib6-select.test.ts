import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIpv6, parseIpv6 as ip } from './address.ts'
import { ADD, APPEND, CHANGE, host6 as host } from './fib6.test.support.ts'
import type { Fib6Config } from './fib6.ts'
import { selectRoute } from './fib6-select.ts'
import { down, macOf, refusal } from './recorder.test.support.ts'

test('of routes to one prefix: the lowest metric, the preferred, the wanted device', () => {
  const { t, v0, v1, insert, via, dev } = host()
  const rows: [Partial<Fib6Config>, number][] = [
    [{ ...via('fd00::2'), pref: 3 }, ADD],
    [{ ...dev(v1) }, APPEND],
    [{ ...dev(v0), pref: 1 }, APPEND],
    [{ type: 7 }, APPEND],
    [{ ...dev(v1), metric: 2000, pref: 1 }, ADD],
  ]
  for (const [more, flags] of rows) insert('fd10::/64', more, flags)
  const routes = t.stack.fib6.table(254)?.at({ dst: ip('fd10::'), dstLen: 64 }) ?? []
  const choose = (choice: object) => {
    const found = selectRoute(routes, choice)
    return found && `${found.nexthop.dev.name} ${found.metric} ${found.pref}`
  }
  assert.equal(choose({}), 'v0 1024 1')
  assert.equal(choose({ oif: v1.ifindex }), 'v0 1024 1', 'preference goes before the device')
  assert.equal(choose({ oif: v1.ifindex, isStrict: true }), 'v1 1024 0')
  assert.equal(choose({ oif: 99, isStrict: true }), undefined)
  assert.equal(selectRoute([], {}), undefined)
  down(v1)
  t.settle()
  if (v0.inet6) v0.inet6.conf.set('ignoreRoutesWithLinkdown', 1)
  assert.equal(choose({ oif: v0.ifindex, isStrict: true }), undefined)
  assert.equal(choose({ oif: v0.ifindex, isStrict: true, ignoresLinkstate: true }), 'v0 1024 1')
})

test('a gateway that does not answer is passed over while there is another way', () => {
  const { t, v0, insert, via } = host()
  insert('fd10::/32', via('fd00::8'))
  insert('fd10::/64', via('fd00::9'))
  const gateway = () => {
    const { route } = t.stack.fib6.lookup({ daddr: ip('fd10::1'), isReachable: true })
    return formatIpv6(route.nexthop.gateway ?? 0n)
  }
  assert.equal(gateway(), 'fd00::9')
  const failed = { ifindex: v0.ifindex, state: 32, lladdr: macOf('02:00:00:00:00:01') }
  t.stack.ndisc.add({ ...failed, dst: ip('fd00::9') }, ADD)
  assert.equal(gateway(), 'fd00::8')
  t.stack.ndisc.add({ ...failed, dst: ip('fd00::8') }, ADD)
  assert.equal(gateway(), 'fd00::9', 'none answers')
})

test('a route that rejects keeps neither a preference nor an end', () => {
  const { t, lo, insert, dev } = host()
  const { pending } = t.clock
  insert('fd10::/64', { type: 7, pref: 1, expires: 5 })
  insert('fd11::/64', { ...dev(lo), pref: 3, expires: 5 })
  insert('fd12::/64', { ...dev(lo), type: 4 })
  const at = (text: string) => t.stack.fib6.table(254)?.at({ dst: ip(text), dstLen: 64 })[0]
  for (const text of ['fd10::', 'fd11::']) {
    assert.deepEqual([at(text)?.isReject, at(text)?.pref, at(text)?.expires], [true, 0, undefined])
  }
  assert.equal(at('fd12::')?.isReject, true, 'anycast of a user’s')
  assert.equal(t.clock.pending, pending)
})

test('what is there to be replaced: a prefix, the root, where ways part', () => {
  const { t, insert, config, v0, dev } = host()
  const change = (text: string) =>
    refusal(() => t.stack.fib6.add(config(text, { ...dev(v0), metric: 7 }), CHANGE))
  const none = 'ENOENT Can not replace route - no match found'
  insert('fd20::/64', dev(v0))
  const rows: [string, string][] = [
    ['fd20::/64', 'ENOENT'],
    ['::/0', 'ENOENT'],
    ['fd20::/63', none],
    ['fd20::/65', none],
  ]
  for (const [text, expected] of rows) assert.equal(change(text), expected, text)
  insert('fd20:0:0:1::/64', dev(v0))
  assert.equal(change('fd20::/63'), 'ENOENT')
  const gone = (more: object) => refusal(() => t.stack.fib6.delete({ dst: 0n, dstLen: 0, ...more }))
  assert.deepEqual(
    [gone({}), gone({ protocol: 2, oif: 1 }), gone({ protocol: 3 }), gone(dev(v0))],
    ['ENOENT', 'ENOENT', 'ESRCH', 'ESRCH'],
  )
})
