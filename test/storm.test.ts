/** A watch in a storm: every change is seen, or an overrun is told and repaired. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, type WatchEvent } from 'nlkit'
import { newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'
import { inside } from './inside.ts'

const CHANGES = 10_000
/** Changes that a live table is put through. */
const LIVE_CHANGES = process.env.NLKIT_LONG === '1' ? 200_000 : 5_000
const missing =
  spawnSync('nsenter', ['--version']).error || spawnSync('ip', ['-V']).error
    ? 'needs iproute2 and util-linux'
    : (refusal ?? false)

/** `ip -batch` adds routes, and deletes every third one again. */
function batch(changes: number): string {
  const lines: string[] = []
  const destination = (i: number): string => `${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`
  for (let i = 0; lines.length < changes; i++) {
    lines.push(`route add ${destination(i)} dev lo`)
    if (i % 3 === 0) lines.push(`route del ${destination(i)} dev lo`)
  }
  return `${lines.join('\n')}\n`
}

/** The state that a consumer ends with: events applied, replaced at a resync. */
class Mirror {
  readonly routes = new Map<string, number>()
  events = 0
  overruns = 0
  resyncs = 0
  apply(event: WatchEvent): void {
    if (event.type === 'route') {
      this.events++
      const key = `${event.route.table} ${event.route.destination}`
      if (event.op === 'new') this.routes.set(key, event.route.oif ?? 0)
      else this.routes.delete(key)
    }
    if (event.type === 'overrun') this.overruns++
    if (event.type === 'resync') {
      this.resyncs++
      this.routes.clear()
      for (const r of event.routes ?? []) this.routes.set(`${r.table} ${r.destination}`, r.oif ?? 0)
    }
  }
}

async function storm(t: TestContext, receiveBuffer: number | undefined): Promise<Mirror> {
  const namespace = newNetns()
  t.after(() => namespace.close())
  await using nl = await open({ netns: namespace })
  await nl.links.set('lo', { up: true })
  const watch = nl.watch(['route'], receiveBuffer === undefined ? {} : { receiveBuffer })
  await watch.ready
  const mirror = new Mirror()
  for (const r of await nl.routes.list({ table: 'all' }).toArray()) {
    mirror.routes.set(`${r.table} ${r.destination}`, r.oif ?? 0)
  }
  const wind = inside(namespace, ['ip', '-batch', '-'], batch(CHANGES)).then(() =>
    nl.routes.add({ destination: '192.0.2.0/24', oif: 'lo' }),
  )
  for await (const event of watch) {
    mirror.apply(event)
    if (mirror.routes.has('main 192.0.2.0/24') || mirror.routes.has('254 192.0.2.0/24')) break
  }
  await wind
  const truth = await nl.routes.list({ table: 'all' }).toArray()
  assert.deepEqual(
    [...mirror.routes.keys()].sort(),
    truth.map((r) => `${r.table} ${r.destination}`).sort(),
  )
  return mirror
}

test(`${CHANGES} changes by ip -batch: every one is seen`, { skip: missing }, async (t) => {
  const mirror = await storm(t, undefined)
  if (mirror.overruns === 0) assert.equal(mirror.events, CHANGES + 1)
  else assert.equal(mirror.overruns, mirror.resyncs)
})

test('the same with a small receive buffer: overruns, and the true state at the end', {
  skip: missing,
}, async (t) => {
  const mirror = await storm(t, 8192)
  assert.equal(mirror.overruns > 0, mirror.resyncs > 0)
})

test(`a live table through ${LIVE_CHANGES} changes with a small receive buffer`, {
  skip: missing,
}, async (t) => {
  const namespace = newNetns()
  t.after(() => namespace.close())
  await using nl = await open({ netns: namespace })
  await nl.links.set('lo', { up: true })
  await using live = nl.routes.live({}, { receiveBuffer: 8192 })
  await live.ready
  const last = '192.0.2.0/24'
  const wind = inside(namespace, ['ip', '-batch', '-'], batch(LIVE_CHANGES)).then(() =>
    nl.routes.add({ destination: last, oif: 'lo' }),
  )
  const name = ({ table, destination }: { table: unknown; destination: string }): string =>
    `${table} ${destination}`
  for (;;) {
    const { value, done } = await live.next()
    assert.ok(!done, 'it ended')
    if (value.after?.destination === last) break
  }
  await wind
  const until = performance.now() + 30_000
  while (!live.isCertain || !live.find({ destination: last })) {
    assert.ok(performance.now() < until, 'it does not settle')
    await nextTurn()
  }
  const truth = (await nl.routes.list({ table: 'all' }).toArray()).map(name).sort()
  assert.deepEqual(live.values().map(name).sort(), truth)
  t.diagnostic(`${live.overruns} overruns, ${live.listings} listings`)
})
