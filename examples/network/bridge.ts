/** A bridge with an address and a member, as root. */
import { open } from 'nlkit'

await using nl = await open()
await nl.links.add({ ifname: 'br0', kind: 'bridge' })
await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
await nl.links.set('veth1', { master: 'br0', up: true })
await nl.links.set('veth0', { up: true })
await nl.links.set('br0', { up: true })
await nl.addresses.add({ link: 'br0', address: '10.0.0.1/24' })
for await (const { ifname } of nl.links.list({ master: 'br0' })) console.log('member', ifname)
