/** Changes as they happen, and what to do when some of them were lost. */
import { open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'

await using kernel = new Kernel()
await using nl = await open({ kernel }) // open() alone watches this machine
const stop = new AbortController()
const watch = nl.watch(['link', 'addr'], { signal: stop.signal })
await watch.ready // from here on nothing is missed without a word

await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
await nl.addresses.add({ link: 'veth0', address: '10.0.0.1/24' })
await nl.links.delete('veth0')

try {
  for await (const event of watch) {
    if (event.type === 'overrun') console.log('events were lost; what follows is the state anew')
    else if (event.type === 'resync') console.log(event.links?.length, 'links now')
    else if (event.type === 'addr') console.log(event.op, event.address.local)
    else console.log(event.op, event.link.ifname)
    if (event.type === 'link' && event.op === 'del' && event.link.ifname === 'veth1') stop.abort()
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
}
