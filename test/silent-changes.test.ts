/** Changes of which Linux says nothing, or says it to others: live tables find them out. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Live, open } from 'nlkit'
import { newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'

const missing = spawnSync('bridge', ['-V']).error || spawnSync('tc', ['-V']).error
const skip = refusal ?? (missing ? 'needs iproute2' : false)
/** Milliseconds until a table that is not true has failed. */
const PATIENCE = 20_000

/** What moves by itself, and the table says so. */
const RESTLESS =
  /^(stats|stats64|xstats|cacheinfo|probes|change|carrierChanges|carrier(Up|Down)Count|promiscuity|allmulti|afSpec|mcastNGroups|fdbNLearned|.*Timer)$/

function plain(items: readonly object[]): string[] {
  const text = (item: object) =>
    JSON.stringify(item, (name, value: unknown) => {
      if (RESTLESS.test(name)) return undefined
      return typeof value === 'bigint' ? String(value) : value
    })
  return items.map(text).sort()
}

/** Each step, and the tables in which it happens without a word for them. */
const STEPS = `
links: ip link add v0 type veth peer name v1
addresses: ip link set v0 up; ip link set v1 up
neighbours: ip addr add 10.0.0.1/24 dev v0
addresses: ip addr add 2001:db8::1/64 dev v0
links: ip link add br0 type bridge; ip link set br0 up; ip link set v1 master br0
links: bridge link set dev v1 cost 77
links: bridge link set dev v1 learning off
links: tc qdisc add dev v0 root tbf rate 1mbit burst 10k latency 10ms
links: tc qdisc del dev v0 root
routes: ip route add 10.7.0.0/16 via 10.0.0.9; ip link set v0 down
nexthops: ip link set v0 up; ip nexthop add id 1 via 10.0.0.5 dev v0; ip nexthop add id 2 group 1
routes: ip route add 10.8.0.0/16 nhid 2; ip nexthop del id 1
nexthops: ip nexthop add id 3 via 10.0.0.5 dev v0; ip link set v0 down
rules: ip rule add iif v1 table 7; ip link set v1 name w1
links: ip link del v0
`

test('tables of a live kernel are true after what it does not tell', { skip }, async (t) => {
  const netns = newNetns()
  t.after(() => netns.close())
  const inside = (script: string): void => {
    const done = spawnSync('nsenter', [`--net=${netns.path}`, 'sh', '-ec', script], {
      encoding: 'utf8',
    })
    assert.equal(done.status, 0, `${script}: ${done.stderr}`)
  }
  // Duplicates are looked for as long as the test lasts.
  inside('ip link set lo up; sysctl -qw net.ipv6.conf.default.dad_transmits=1000')
  await using nl = await open({ netns })
  const doors = {
    links: nl.links,
    addresses: nl.addresses,
    routes: nl.routes,
    neighbours: nl.neighbours,
    rules: nl.rules,
    nexthops: nl.nexthops,
  } as const
  type Table = keyof typeof doors
  const tables = new Map<Table, Live<never>>()
  for (const name of Object.keys(doors) as Table[]) {
    const table = doors[name].live() as unknown as Live<never>
    await table.ready
    tables.set(name, table)
  }
  for (const line of STEPS.trim().split('\n')) {
    const [name, script] = line.split(': ') as [Table, string]
    await t.test(line, async () => {
      inside(script)
      const until = performance.now() + PATIENCE
      for (;;) {
        const truth = plain(await doors[name].list().toArray())
        const held = plain(tables.get(name)!.values())
        const isTrue = JSON.stringify(truth) === JSON.stringify(held)
        if (isTrue && tables.get(name)!.isCertain) break
        if (performance.now() > until) assert.deepEqual(held, truth)
        await sleep(20)
      }
    })
  }
  for (const table of tables.values()) table.close()
})
