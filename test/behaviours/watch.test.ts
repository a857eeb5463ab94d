/** Watching: what is announced, in which order, and what happens when too much is. */
import assert from 'node:assert/strict'
import type { Netlink, WatchEvent } from 'nlkit'
import { both } from '../both.ts'

type Topic = 'link' | 'addr' | 'route' | 'neigh' | 'rule'

/** What is announced while `work` runs; a last change of our own ends it. */
async function announced(
  nl: Netlink,
  topics: Topic[],
  work: () => Promise<void>,
): Promise<string[]> {
  const stop = new AbortController()
  const watch = nl.watch([...topics, 'link'], { signal: stop.signal })
  await watch.ready
  await work()
  await nl.links.add({ ifname: 'the-end', kind: 'bridge' })
  const seen: string[] = []
  for await (const event of watch) {
    if (event.type === 'link' && event.link.ifname === 'the-end') break
    if (event.type !== 'link' || topics.includes('link')) seen.push(line(event))
  }
  stop.abort()
  return seen
}

function line(event: WatchEvent): string {
  switch (event.type) {
    case 'link':
      return `link ${event.op} ${event.link.ifname} flags ${event.link.flags} change ${event.link.change} ${event.link.operstate} mtu ${event.link.mtu} master ${event.link.master ?? '-'}`
    case 'addr':
      return `addr ${event.op} ${event.address.local ?? event.address.address}/${event.address.prefixlen} ${event.address.label ?? ''}`
    case 'route':
      return `route ${event.op} ${event.route.destination} table ${event.route.table} ${event.route.type} via ${event.route.gateway ?? '-'} src ${event.route.prefsrc ?? '-'}`
    case 'neigh':
      return `neigh ${event.op} ${event.neighbour.destination} ${event.neighbour.state}`
    case 'rule':
      return `rule ${event.op} ${event.rule.priority} table ${event.rule.table}`
    default:
      return event.type
  }
}

both('a veth pair is announced: the peer, then the link', async ({ nl }) =>
  announced(nl, ['link'], () =>
    nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } }),
  ),
)

both('going up and down is announced', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  return announced(nl, ['link'], async () => {
    await nl.links.set('br0', { mtu: 1400 })
    await nl.links.set('br0', { ifname: 'br1' })
  })
})

both('deleting a pair is announced', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  return announced(nl, ['link'], () => nl.links.delete('v0'))
})

both('an address and its routes are announced in Linux` order', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  return announced(nl, ['addr', 'route'], async () => {
    await nl.addresses.add({ link: 'lo', address: '10.0.0.1/24' })
    await nl.addresses.add({ link: 'lo', address: '10.0.0.2/24' })
    await nl.addresses.delete({ link: 'lo', address: '10.0.0.1/24' })
  })
})

both('routes are announced with what they replaced', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  return announced(nl, ['route'], async () => {
    await nl.routes.add({ destination: '192.168.0.0/16', oif: 'lo' })
    await nl.routes.replace({ destination: '192.168.0.0/16', type: 'blackhole' })
    await nl.routes.delete({ destination: '192.168.0.0/16' })
  })
})

both('rules are announced', async ({ nl }) =>
  announced(nl, ['rule'], async () => {
    await nl.rules.add({ family: 'inet', table: 100, priority: 5 })
    await nl.rules.delete({ family: 'inet', table: 100, priority: 5 })
  }),
)

both('an overrun is told, and followed by the whole picture', async ({ nl }) => {
  const watch = nl.watch(['addr'], { receiveBuffer: 4608 })
  await watch.ready
  await nl.links.set('lo', { up: true })
  const added = [...Array(200).keys()].map((i) => ({ link: 'lo', address: `10.1.0.${i + 1}/32` }))
  await Promise.all(added.map((address) => nl.addresses.add(address)))
  const state = new Set<string>()
  let overruns = 0
  for await (const event of watch) {
    if (event.type === 'overrun') overruns++
    if (event.type === 'addr' && event.op === 'new') state.add(event.address.local ?? '')
    if (event.type === 'resync') {
      state.clear()
      for (const address of event.addresses ?? []) state.add(address.local ?? address.address ?? '')
      break
    }
  }
  assert.ok(overruns > 0)
  assert.ok([...Array(200).keys()].every((i) => state.has(`10.1.0.${i + 1}`)))
})

both('a watch ends with its signal, and with its client', async ({ open }) => {
  const nl = await open()
  const stop = new AbortController()
  const watch = nl.watch(['link'], { signal: stop.signal })
  await watch.ready
  const ended = (async () => {
    for await (const _ of watch);
  })()
  stop.abort(new Error('enough'))
  await assert.rejects(ended, /enough/)
  const other = nl.watch(['link'])
  await other.ready
  const closed = (async () => {
    for await (const _ of other);
  })()
  await nl.close()
  await assert.rejects(closed, { code: 'NETLINK_CLOSED' })
})
