/** Addresses and the routes that follow from them. */
import type { Netlink } from 'nlkit'
import { both } from '../both.ts'
import { addresses, refusal, routes } from './transcripts.ts'

/** Link-layer addresses of our own, for link-local addresses follow from them. */
const veth = {
  kind: 'veth',
  address: '02:00:00:00:00:01',
  peer: { ifname: 'v1', address: '02:00:00:00:00:02' },
}

async function pair(nl: Netlink): Promise<void> {
  await nl.links.add({ ...veth, ifname: 'v0' })
  await nl.links.set('v0', { up: true })
  await nl.links.set('v1', { up: true })
}

both('lo up has 127.0.0.1 and ::1', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  return [await addresses(nl), await routes(nl)]
})

both('an address brings its routes, on a link that is up', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  return [(await nl.addresses.list({ family: 'inet' }).toArray()).length, await routes(nl)]
})

both(
  'an address on a link that is down has its local route only; the rest come with up',
  async ({ nl }) => {
    await nl.links.add({ ...veth, ifname: 'v0' })
    await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24', broadcast: '10.0.0.255' })
    const down = await routes(nl)
    await nl.links.set('v0', { up: true })
    const up = await routes(nl)
    await nl.links.set('v0', { up: false })
    return [down, up, await routes(nl)]
  },
)

both('an address that is there already', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  const refused = await refusal(nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' }))
  await nl.addresses.replace({ link: 'v0', address: '10.0.0.1/24' })
  return [
    refused,
    await nl.addresses
      .list({ family: 'inet' })
      .toArray()
      .then((all) => all.length),
  ]
})

both('bad addresses: prefix, link, not there', async ({ nl }) => {
  await pair(nl)
  return [
    await refusal(nl.addresses.add({ link: 'v0', address: '10.0.0.1/33' })),
    await refusal(nl.addresses.add({ link: 4711, address: '10.0.0.1/24' })),
    await refusal(nl.addresses.delete({ link: 'v0', address: '10.0.0.1/24' })),
    await refusal(nl.addresses.add({ link: 'v0', address: 'ff02::5/64' })),
    await refusal(nl.addresses.delete({ link: 'v0', address: 'fd00::1/64' })),
  ]
})

both('a second address of a subnet is secondary, and goes with the first', async ({ nl }) => {
  await pair(nl)
  for (const address of ['10.0.0.1/24', '10.0.0.2/24', '10.0.1.1/24']) {
    await nl.addresses.add({ link: 'v0', address })
  }
  const before = (await addresses(nl)).slice(0, 4)
  await nl.addresses.delete({ link: 'v0', address: '10.0.0.1/24' })
  return [
    before,
    await nl.addresses
      .list({ family: 'inet' })
      .toArray()
      .then((all) => all.map((a) => a.local)),
    await routes(nl),
  ]
})

both('a peer address, a label and a scope', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', local: '10.0.0.1', address: '10.9.9.9/32', label: 'v0:x' })
  await nl.addresses.add({
    link: 'v0',
    address: '10.5.0.1/16',
    scope: 'link',
    broadcast: '10.5.255.255',
  })
  return [
    await nl.addresses
      .list({ family: 'inet' })
      .toArray()
      .then((all) =>
        all.map((a) => [a.local, a.address, a.prefixlen, a.label, a.scope, a.broadcast]),
      ),
    await routes(nl),
  ]
})

both('a /32 has a local route and no more', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/32' })
  return routes(nl)
})

both('an IPv6 address without duplicate detection', async ({ nl }) => {
  await nl.links.add({ ...veth, ifname: 'v0' })
  await nl.addresses.add({ link: 'v0', address: 'fd00::1/64', flags: ['nodad'] })
  const found = (await nl.addresses.list({ family: 'inet6' }).toArray()).map((a) => [
    a.address,
    a.prefixlen,
    a.scope,
  ])
  await nl.addresses.delete({ link: 'v0', address: 'fd00::1/64' })
  return [found, (await nl.addresses.list({ family: 'inet6' }).toArray()).length]
})

both('addresses by link', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  const of = async (link: string) =>
    (await nl.addresses.list({ link, family: 'inet' }).toArray()).map((a) => a.local)
  return [await of('lo'), await of('v0'), await of('v1')]
})

both('deleting a link takes its addresses and routes along', async ({ nl }) => {
  await pair(nl)
  await nl.addresses.add({ link: 'v0', address: '10.0.0.1/24' })
  await nl.links.delete('v0')
  return [await addresses(nl), await routes(nl)]
})
