/** The links of this machine, and of a kernel in this process: the same lines. */
import { type Netlink, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'

async function list(nl: Netlink): Promise<void> {
  for await (const link of nl.links.list())
    console.log(link.ifindex, link.ifname, link.operstate, link.stats64?.rxBytes)
}

console.log('this machine')
{
  await using nl = await open() // reading needs no privilege
  await list(nl)
}

console.log('a kernel of our own')
{
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
  await list(nl)
}
