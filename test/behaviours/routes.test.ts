/** Routes: insertion, look-up, deletion, and what refuses them. */
import type { Netlink } from 'nlkit'
import { both } from '../both.ts'
import { refusal, routes } from './transcripts.ts'

/** v0 with 10.0.0.1/24, up, its peer up. */
async function network(nl: Netlink): Promise<void> {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
}
const main = (nl: Netlink) => routes(nl, { family: 'inet', table: 'main' })

both('a route through a gateway, a default route, one through a link', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.254' })
  await nl.routes.add({ destination: 'default', gateway: '10.0.0.253' })
  await nl.routes.add({ destination: '172.16.0.0/12', oif: 'v0' })
  return main(nl)
})

both('the same route twice; with another metric; replaced; appended', async ({ nl }) => {
  await network(nl)
  const destination = '192.168.0.0/16'
  await nl.routes.add({ destination, gateway: '10.0.0.254' })
  const refused = await refusal(nl.routes.add({ destination, gateway: '10.0.0.253' }))
  await nl.routes.add({ destination, gateway: '10.0.0.252', priority: 50 })
  await nl.routes.replace({ destination, gateway: '10.0.0.251' })
  return [refused, await main(nl)]
})

both('gateways that cannot be reached', async ({ nl }) => {
  await network(nl)
  return [
    await refusal(nl.routes.add({ destination: '192.168.0.0/16', gateway: '11.0.0.1' })),
    await refusal(
      nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.255', oif: 'v0' }),
    ),
    await refusal(nl.routes.add({ destination: '192.168.0.0/16', oif: 4711 })),
    await refusal(nl.routes.add({ destination: '192.168.0.0/16' })),
  ]
})

both('destinations with host bits, or a prefix that is too long', async ({ nl }) => {
  await network(nl)
  return [
    await refusal(nl.routes.add({ destination: '192.168.0.1/16', gateway: '10.0.0.254' })),
    await refusal(nl.routes.add({ destination: '192.168.0.0/33', gateway: '10.0.0.254' })),
  ]
})

both('a route through a link that is down', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  return refusal(nl.routes.add({ destination: '10.0.0.0/8', oif: 'v0' }))
})

both('blackhole, unreachable, prohibit; and what a look-up says of them', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({ destination: '192.0.2.0/24', type: 'blackhole' })
  await nl.routes.add({ destination: '198.51.100.0/24', type: 'unreachable' })
  await nl.routes.add({ destination: '203.0.113.0/24', type: 'prohibit' })
  return [
    await main(nl),
    await refusal(nl.routes.get('192.0.2.1')),
    await refusal(nl.routes.get('198.51.100.1')),
    await refusal(nl.routes.get('203.0.113.1')),
    await refusal(nl.routes.get('8.8.8.8')),
  ]
})

both('a look-up takes the longest prefix', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({ destination: 'default', gateway: '10.0.0.254' })
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.253' })
  await nl.routes.add({ destination: '192.168.7.0/24', gateway: '10.0.0.252' })
  const seen: unknown[] = []
  for (const destination of [
    '192.168.7.1',
    '192.168.8.1',
    '8.8.8.8',
    '10.0.0.77',
    '10.0.0.1',
    '127.0.0.1',
  ]) {
    const r = await nl.routes.get(destination).catch((e: { code: string }) => ({ code: e.code }))
    if ('code' in r) seen.push(r.code)
    else seen.push([r.destination, r.gateway, r.oif, r.prefsrc, r.type, r.table])
  }
  return seen
})

both('deleting: what matches, what does not', async ({ nl }) => {
  await network(nl)
  const destination = '192.168.0.0/16'
  await nl.routes.add({ destination, gateway: '10.0.0.254' })
  await nl.routes.add({ destination, gateway: '10.0.0.253', priority: 9 })
  const refused = [
    await refusal(nl.routes.delete({ destination: '192.168.0.0/17' })),
    await refusal(nl.routes.delete({ destination, gateway: '10.0.0.252' })),
    await refusal(nl.routes.delete({ destination, table: 77 })),
  ]
  await nl.routes.delete({ destination, priority: 9 })
  const one = await main(nl)
  await nl.routes.delete({ destination })
  return [refused, one, await main(nl)]
})

both('tables with small and large numbers', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.254', table: 100 })
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.254', table: 70000 })
  return [
    await routes(nl, { family: 'inet', table: 100 }),
    await routes(nl, { family: 'inet', table: 70000 }),
    await main(nl),
  ]
})

both('several next hops', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({
    destination: '192.168.0.0/16',
    multipath: [
      { gateway: '10.0.0.254', weight: 1 },
      { gateway: '10.0.0.253', weight: 3 },
    ],
  })
  return main(nl)
})

both(
  'routes through a link go when it goes down; those of its addresses come back',
  async ({ nl }) => {
    await network(nl)
    await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.254' })
    await nl.links.set('v0', { up: false })
    const down = await routes(nl)
    await nl.links.set('v0', { up: true })
    return [down, await routes(nl)]
  },
)

both('a preferred source must be ours', async ({ nl }) => {
  await network(nl)
  await nl.routes.add({ destination: '192.168.0.0/16', gateway: '10.0.0.254', prefsrc: '10.0.0.1' })
  return [
    await refusal(
      nl.routes.add({ destination: '192.169.0.0/16', gateway: '10.0.0.254', prefsrc: '10.0.0.9' }),
    ),
    await main(nl),
  ]
})

both('IPv6 routes: added, listed, looked up, deleted', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] })
  await nl.routes.add({ destination: 'fd01::/48', gateway: 'fd00::2' })
  const refused = await refusal(nl.routes.add({ destination: 'fd01::/48', gateway: 'fd00::2' }))
  const found = (await nl.routes.list({ family: 'inet6', table: 'main' }).toArray())
    .filter((r) => r.destination?.startsWith('fd'))
    .map((r) => [r.destination, r.gateway, r.oif, r.priority, r.protocol])
  const way = await nl.routes.get('fd01::77')
  await nl.routes.delete({ destination: 'fd01::/48' })
  return [
    refused,
    found,
    way.gateway,
    await refusal(nl.routes.delete({ destination: 'fd01::/48' })),
  ]
})
