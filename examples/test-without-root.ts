/** A test of one's own code, on a kernel that this process makes: no root, no virtual machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Netlink, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'

/** The code under test: sends everything through the first gateway whose link works. */
async function failOver(nl: Netlink, gateways: Record<string, string>): Promise<string> {
  for await (const { ifname, operstate } of nl.links.list()) {
    const gateway = gateways[ifname]
    if (gateway === undefined || operstate !== 'up') continue
    await nl.routes.replace({ destination: 'default', gateway })
    return ifname
  }
  throw new Error('no link works')
}

test('the default route moves to the link that works', async () => {
  await using kernel = new Kernel()
  await using nl = await open({ kernel })
  for (const [ifname, address] of [
    ['wan0', '10.0.0.2/24'],
    ['wan1', '10.0.1.2/24'],
  ] as const) {
    await nl.links.add({ ifname, kind: 'veth', peer: { ifname: `${ifname}-peer` } })
    for (const end of [ifname, `${ifname}-peer`]) await nl.links.set(end, { up: true })
    await nl.addresses.add({ link: ifname, address })
  }
  const gateways = { wan0: '10.0.0.1', wan1: '10.0.1.1' }
  assert.equal(await failOver(nl, gateways), 'wan0')
  await nl.links.set('wan0-peer', { up: false }) // somebody pulls the cable
  assert.equal(await failOver(nl, gateways), 'wan1')
  assert.equal((await nl.routes.get('192.0.2.1')).gateway, '10.0.1.1')
})
