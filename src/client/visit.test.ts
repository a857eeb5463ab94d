/** Dumps of a family: items read in part, and the visitor, on a kernel of our own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { rtLink } from '../families/rt-link.ts'
import { rtRoute } from '../families/rt-route.ts'
import { open } from '../index.ts'
import { Kernel } from '../kernel/index.ts'
import { viewOf, Writer } from '../wire/index.ts'
import type { Netlink } from './netlink.ts'

/** A client of a kernel with a link that is up, an address and so many routes. */
async function withRoutes(routes: number, run: (nl: Netlink) => Promise<void>): Promise<void> {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  await nl.links.add({ ifname: 'v0', kind: 'dummy', up: true })
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] })
  const added = Array.from({ length: routes }, (_, i) =>
    nl.routes.add({ destination: `10.1.${i >> 8}.${i & 255}/32`, gateway: '10.0.0.2' }),
  )
  await Promise.all(added)
  await nl.routes.add({ destination: 'fd01::/64', gateway: 'fd00::2', metrics: { mtu: 1400 } })
  await run(nl)
}

test('items of a dump are the whole, read in part, and encode to the same bytes', () =>
  withRoutes(300, async (nl) => {
    const family = await nl.family(rtRoute)
    const items = await family.dump('getRoute').toArray()
    const { body } = rtRoute.notifications.newRoute
    const gateways = new Map<unknown, number>()
    for (const item of items) {
      const plain = item.toJSON()
      assert.equal(Object.getPrototypeOf(plain), Object.prototype)
      gateways.set(item.gateway, (gateways.get(item.gateway) ?? 0) + 1)
      assert.equal(item.dst, plain.dst)
      assert.equal(item.oif, plain.oif)
      assert.deepEqual(item.metrics, plain.metrics)
      const [one, two] = [new Writer(), new Writer()]
      body.encode(one, item)
      body.encode(two, plain)
      const decoded = body.decode(viewOf(one.finish()))
      assert.deepEqual(decoded, body.decode(viewOf(two.finish())))
      assert.deepEqual(decoded, plain)
      assert.equal(inspect(item), inspect(plain))
      assert.deepEqual(JSON.parse(JSON.stringify(item)), plain)
    }
    assert.equal(gateways.get('10.0.0.2'), 300)
    assert.equal(gateways.get('fd00::2'), 1)
    const [first] = items
    assert.ok(first)
    first.dst = '192.0.2.1'
    assert.equal(first.dst, '192.0.2.1')
    assert.equal(first.toJSON().dst, '192.0.2.1')
  }))

test('what an item says does not change when the buffer is used again', () =>
  withRoutes(3000, async (nl) => {
    const family = await nl.family(rtRoute)
    const kept = []
    for await (const item of family.dump('getRoute')) kept.push(item)
    const names = new Set(kept.map(({ dst, dstLen }) => `${dst}/${dstLen}`))
    assert.ok(names.has('10.1.0.0/32') && names.has('10.1.11.183/32') && names.has('fd01::/64'))
    const six = kept.find(({ dst }) => dst === 'fd01::')
    assert.deepEqual(six?.metrics, { mtu: 1400 })
    assert.equal(six?.gateway, 'fd00::2')
  }))

test('a visitor sees all of them through one object', () =>
  withRoutes(1000, async (nl) => {
    const family = await nl.family(rtRoute)
    const whole = await family.dump('getRoute').toArray()
    const seen: unknown[] = []
    const objects = new Set<unknown>()
    await family.dump('getRoute').visit((item) => {
      objects.add(item)
      seen.push(item.toJSON())
      assert.equal(item.prefsrc, item.toJSON().prefsrc)
    })
    assert.equal(objects.size, 1)
    assert.deepEqual(
      seen,
      whole.map((item) => item.toJSON()),
    )
  }))

test('a visitor of a door sees plain objects; what it throws ends the dump', () =>
  withRoutes(10, async (nl) => {
    const seen: unknown[] = []
    await nl.routes.list({ family: 'inet' }).visit((route) => seen.push(route))
    assert.deepEqual(seen, await nl.routes.list({ family: 'inet' }).toArray())
    const links = (await nl.family(rtLink)).dump('getLink')
    let count = 0
    const stop = new Error('enough')
    await assert.rejects(
      links.visit(() => {
        count++
        throw stop
      }),
      (error) => error === stop,
    )
    assert.equal(count, 1)
    assert.equal((await links.toArray()).length, 2)
  }))
