/** Live tables on both kernels: what they tell, and what the kernel did not tell them. */
import assert from 'node:assert/strict'
import type { Change, Live } from 'nlkit'
import { both } from '../both.ts'

/** The next change of which `isIt` says so. */
async function next<T>(live: Live<T>, isIt: (change: Change<T>) => boolean): Promise<Change<T>> {
  for (;;) {
    const { value, done } = await live.next()
    assert.ok(!done, 'the table ended')
    if (isIt(value)) return value
  }
}

const names = (change: Change<{ ifname: string; up: boolean; kind?: string }>): unknown =>
  [change.before, change.after].map((link) => link && [link.ifname, link.kind, link.up])

both('a live table begins with all that there is, and goes on with changes', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await using links = nl.links.live()
  const told: unknown[] = []
  const isOurs = ({ before, after }: Change<{ ifname: string }>): boolean =>
    /^b/.test((before ?? after)?.ifname ?? '')
  told.push(names(await next(links, isOurs)))
  await nl.links.set('br0', { up: true })
  told.push(names(await next(links, isOurs)))
  await nl.links.set('br0', { ifname: 'br1' })
  const renamed = await next(links, ({ after }) => after?.ifname === 'br1')
  assert.equal(renamed.before?.ifindex, renamed.after?.ifindex)
  assert.equal(links.find({ ifname: 'br1' })?.kind, 'bridge')
  await nl.links.delete('br1')
  const gone = await next(links, ({ after }) => after === undefined)
  told.push(gone.before?.ifname)
  return told
})

both('an index that is used again is another link, and both are told', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', ifindex: 77 })
  await using links = nl.links.live({ ifindex: 77 })
  await links.ready
  await nl.links.delete('br0')
  await nl.links.add({ ifname: 'br0', kind: 'bridge', ifindex: 77 })
  const told: unknown[] = []
  for (const _ of [1, 2, 3]) {
    const { value } = await links.next()
    told.push([value.before?.ifname, value.after?.ifname])
    if (told.length === 1 && value.before === undefined) break
  }
  return told.slice(-2)
})

both('routes that vanish without a word when their link goes down are missed', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', up: true })
  await nl.addresses.add({ link: 'br0', address: '10.0.0.1/24' })
  await nl.routes.add({ destination: '10.1.0.0/24', gateway: '10.0.0.2', onlink: true, oif: 'br0' })
  await using routes = nl.routes.live({ family: 'inet', destination: '10.1.0.0/24' })
  const added = await routes.next()
  assert.equal(added.value?.after?.gateway, '10.0.0.2')
  await nl.links.set('br0', { up: false })
  const gone = await next(routes, ({ after }) => after === undefined)
  const left = await nl.routes.list({ family: 'inet', destination: '10.1.0.0/24' }).toArray()
  return [gone.before?.destination, left.length, routes.values()]
})

both('routes that prefer a deleted address vanish, and are missed', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', up: true })
  await nl.addresses.add({ link: 'br0', address: '10.0.0.1/24' })
  await nl.addresses.add({ link: 'br0', address: '10.5.0.1/32' })
  await nl.routes.add({ destination: '10.1.0.0/24', oif: 'br0', prefsrc: '10.5.0.1' })
  await using routes = nl.routes.live({ destination: '10.1.0.0/24' })
  await routes.next()
  await nl.addresses.delete({ link: 'br0', address: '10.5.0.1/32' })
  const gone = await next(routes, ({ after }) => after === undefined)
  return [gone.before?.prefsrc, routes.values()]
})

both('a default route that is replaced is one change', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', up: true })
  await nl.addresses.add({ link: 'br0', address: '10.0.0.1/24' })
  await nl.routes.add({ destination: 'default', gateway: '10.0.0.2' })
  await using routes = nl.routes.live({ destination: 'default', family: 'inet' })
  const told: unknown[] = []
  const tell = ({ before, after }: Change<{ gateway?: string }>): void => {
    told.push([before?.gateway, after?.gateway])
  }
  tell(await next(routes, () => true))
  await nl.routes.replace({ destination: 'default', gateway: '10.0.0.3' })
  tell(await next(routes, () => true))
  await nl.routes.append({ destination: 'default', gateway: '10.0.0.4' })
  tell(await next(routes, () => true))
  await nl.routes.delete({ destination: 'default', gateway: '10.0.0.3' })
  tell(await next(routes, () => true))
  return told
})

both('rules, addresses and neighbours are kept too', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', up: true })
  await using rules = nl.rules.live({ family: 'inet' })
  await using addresses = nl.addresses.live({ family: 'inet' })
  await using neighbours = nl.neighbours.live({ family: 'inet' })
  await Promise.all([rules.ready, addresses.ready, neighbours.ready])
  await nl.rules.add({ priority: 100, table: 100 })
  await nl.addresses.add({ link: 'br0', address: '10.0.0.1/24' })
  await nl.neighbours.add({ link: 'br0', destination: '10.0.0.9', lladdr: '02:00:00:00:00:09' })
  const rule = await next(rules, ({ after }) => after?.priority === 100)
  const address = await next(addresses, ({ after }) => after?.local === '10.0.0.1')
  const neighbour = await next(neighbours, ({ after }) => after?.destination === '10.0.0.9')
  await nl.rules.delete({ priority: 100, table: 100 })
  const gone = await next(rules, ({ after }) => after === undefined)
  await addresses.sync()
  return [
    rule.after?.table,
    address.after?.prefixlen,
    neighbour.after?.lladdr,
    gone.before?.priority,
    addresses.values().length,
  ]
})
