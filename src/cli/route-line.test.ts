/** Lines of ordinary routes are those that the long way gives. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Route } from '../index.ts'
import { LinkNames } from './link-names.ts'
import { TextPrinter } from './printer.ts'
import { ordinaryLine, type RouteView } from './route-line.ts'
import { showRoute } from './route-show.ts'

const some = <T>(values: readonly T[]) => fc.constantFrom(undefined, ...values)

const routes = fc.record({
  family: fc.constantFrom('inet', 'inet', 'inet6', 'inet6', 'mpls'),
  destination: fc.constantFrom('default', '10.0.0.0/8', '10.0.0.1/32', 'fd00::1/128', 'fd00::/32'),
  source: some(['fd00::/64']),
  table: fc.constantFrom('main', 'local', 0, 7),
  protocol: fc.constantFrom('boot', 'kernel', 200),
  scope: fc.constantFrom('universe', 'link', 77),
  type: fc.constantFrom('unicast', 'local', 'blackhole'),
  flags: fc.constantFrom(0, 0, 0, 4, 0x200),
  gateway: some(['10.0.0.2', 'fd00::2']),
  oif: some([1, 2]),
  nhId: some([7]),
  prefsrc: some(['10.0.0.3']),
  priority: some([10]),
  pref: some(['medium', 1]),
  multipath: some([[{ oif: 1, weight: 1, flags: 0 }]]),
  metrics: some([{ mtu: 1400 }]),
  tos: some([0, 8]),
  mark: some([0, 5]),
  flow: some([0, 9]),
  uid: some([0]),
  iif: some([1]),
  ttlPropagate: some([0, 1]),
  newdst: some(['100']),
  encap: some([{}]),
  cacheinfo: some([
    { clntref: 0, lastuse: 0, expires: 0, error: 0, used: 0, id: 0, ts: 0, tsage: 0 },
    { clntref: 1, lastuse: 5, expires: 9, error: 0, used: 0, id: 0, ts: 0, tsage: 0 },
  ]),
})
const views = fc.record({
  details: fc.constantFrom(false, false, true),
  statistics: fc.constantFrom(undefined, 1),
  oif: fc.boolean(),
  table: fc.boolean(),
  protocol: fc.boolean(),
  scope: fc.boolean(),
  gateway: fc.boolean(),
  metric: fc.boolean(),
  prefsrc: fc.boolean(),
  tos: fc.boolean(),
  realm: fc.boolean(),
})

/** What is there, so that most routes have little. */
function present(value: Record<string, unknown>, keep: number): Record<string, unknown> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries.filter((_, i) => i < 8 || ((keep >> (i - 8)) & 1) === 1))
}

test('what stands behind the destination follows every change of the route before', () => {
  const names = new LinkNames()
  const view: RouteView = {}
  const route = (value: object) =>
    ({
      family: 'inet',
      destination: '10.0.0.1/32',
      table: 'main',
      protocol: 'boot',
      scope: 'universe',
      type: 'unicast',
      flags: 0,
      ...value,
    }) as Route
  const changes = [
    {},
    {},
    { gateway: '10.0.0.2' },
    { oif: 3 },
    { protocol: 'kernel' },
    { priority: 5 },
    { scope: 'link' },
    { table: 9 },
    { nhId: 4 },
    { prefsrc: '10.0.0.9' },
    { pref: 'high' },
    { type: 'local' },
    {},
  ]
  for (const change of changes) {
    const whole = new TextPrinter((_style, text) => text)
    showRoute(whole, route(change), names, view)
    assert.equal(ordinaryLine(route(change), names, view), whole.take())
  }
})

test('a line that is put together at once is the one that is told piece by piece', () => {
  let ordinary = 0
  fc.assert(
    fc.property(routes, fc.nat(0xff), views, (value, keep, view) => {
      const route = present(value, keep & (keep >> 1) & (keep >> 2)) as unknown as Route
      const names = new LinkNames()
      const line = ordinaryLine(route, names, view as RouteView)
      if (line === undefined) return
      ordinary++
      const whole = new TextPrinter((_style, text) => text)
      showRoute(whole, route, names, view as RouteView)
      assert.equal(line, whole.take())
      const plain = new TextPrinter()
      showRoute(plain, route, names, view as RouteView)
      assert.equal(plain.take(), line)
    }),
    { numRuns: 2000 },
  )
  assert.ok(ordinary > 100, `${ordinary} were ordinary`)
})
