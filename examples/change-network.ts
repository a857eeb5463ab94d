/** Changes, and refusals that say why: the errno, the kernel's words, the place, what to do. */
import { EncodeError, isNetlinkError, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'

await using kernel = new Kernel()
await using nl = await open({ kernel }) // open() alone changes this machine, as root

await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
await nl.links.add({ ifname: 'br0', kind: 'bridge' })
await nl.links.set('veth1', { master: 'br0', up: true })
await nl.links.set('veth0', { mtu: 1400, up: true })
await nl.addresses.add({ link: 'veth0', address: '10.0.0.1/24' })
await nl.routes.add({ destination: '10.1.0.0/16', gateway: '10.0.0.254' })
console.log((await nl.routes.get('10.1.2.3')).gateway)

const refused = [
  () => nl.links.set('veth0', { mtu: 65536 }),
  () => nl.links.set('br0', { master: 'br0' }),
  () => nl.links.set('veht0', { up: false }),
  () => nl.links.set('veth0', { mtu: -1 }),
]
for (const change of refused) {
  try {
    await change()
  } catch (error) {
    if (isNetlinkError(error)) console.log(error.code, error.extack?.message ?? error.hint)
    else if (error instanceof EncodeError) console.log('nothing was sent:', error.message)
    else throw error
  }
}
