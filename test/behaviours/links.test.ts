/** Links: what comes into being, what is refused, what follows from what. */
import assert from 'node:assert/strict'
import { isNetlinkError, type Link, type Netlink } from 'nlkit'
import { both } from '../both.ts'
import { links, refusal } from './transcripts.ts'

both('a fresh namespace has lo, down', async ({ nl }) => links(nl))

both('a veth pair: the peer comes first, each knows the other', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  return links(nl)
})

both('a veth pair without a name for its peer', async ({ nl }) => {
  await nl.links.add({ ifname: 'v9', kind: 'veth' })
  await nl.links.add({ kind: 'veth' })
  return links(nl)
})

/** Waits until a link is in `operstate`: Linux tells of a carrier a moment after it came or went. */
async function settled(
  nl: Netlink,
  work: () => Promise<void>,
  ...states: [string, string][]
): Promise<unknown> {
  const watch = nl.watch(['link'], { signal: AbortSignal.timeout(10_000) })
  await watch.ready
  await work()
  const awaited = new Map(states)
  const done = (l: Link): boolean =>
    awaited.get(l.ifname) === l.operstate && awaited.delete(l.ifname)
  for (const l of await nl.links.list().toArray()) done(l)
  for await (const event of watch) {
    if (event.type === 'link') done(event.link)
    if (awaited.size === 0) break
  }
  return links(nl)
}

both('carrier of a veth follows both ends', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  const up = (ifname: string, up: boolean) => () => nl.links.set(ifname, { up })
  return [
    await settled(nl, up('v0', true), ['v0', 'lowerlayerdown']),
    await settled(nl, up('v1', true), ['v0', 'up'], ['v1', 'up']),
    await settled(nl, up('v0', false), ['v0', 'down'], ['v1', 'lowerlayerdown']),
  ]
})

both('deleting one end of a veth pair deletes both', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.delete('v1')
  return links(nl)
})

both('a bridge and its ports: address, mtu and state follow', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await nl.links.add({
    ifname: 'v0',
    kind: 'veth',
    peer: { ifname: 'v1' },
    address: '02:00:00:00:00:05',
  })
  await nl.links.set('v0', { mtu: 1400 })
  await nl.links.set('v0', { master: 'br0' })
  const enslaved = await settled(nl, () => nl.links.set('br0', { up: true }), ['br0', 'down'])
  assert.equal((await nl.links.get('br0')).address, '02:00:00:00:00:05')
  await nl.links.set('v0', { master: null })
  return [enslaved, await links(nl)]
})

both('a bridge that is deleted lets its ports go', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' }, master: 'br0' })
  const before = (await nl.links.get('v0')).master
  await nl.links.delete('br0')
  return [before, await links(nl)]
})

both('an ifb, as a link of the plain kind', async ({ nl }) => {
  await nl.links.add({ ifname: 'ifb7', kind: 'ifb' })
  await nl.links.set('ifb7', { up: true })
  return links(nl)
})

both('a name for a link, and the first free number of its kind', async ({ nl }) => {
  await nl.links.add({ kind: 'bridge' })
  await nl.links.add({ kind: 'bridge' })
  await nl.links.add({ ifname: 'br%d', kind: 'bridge' })
  await nl.links.delete('bridge0')
  await nl.links.add({ kind: 'bridge' })
  return links(nl)
})

both('an index of one`s own choice', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge', ifindex: 77 })
  await nl.links.add({ ifname: 'br1', kind: 'bridge' })
  return [
    await links(nl),
    await refusal(nl.links.add({ ifname: 'br2', kind: 'bridge', ifindex: 77 })),
  ]
})

both('an index is not used again at once', async ({ nl }) => {
  for (let i = 0; i < 3; i++) {
    await nl.links.add({ ifname: 'br0', kind: 'bridge' })
    await nl.links.delete('br0')
  }
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  return (await nl.links.get('br0')).ifindex
})

both('names that are no names', async ({ nl }) => {
  const seen: unknown[] = []
  for (const ifname of ['', '.', '..', 'a/b', 'a:b', 'a b']) {
    seen.push(await refusal(nl.links.add({ ifname, kind: 'bridge' })))
  }
  return seen
})

both('a name that is taken, a kind that does not exist, no kind at all', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  return [
    await refusal(nl.links.add({ ifname: 'br0', kind: 'bridge' })),
    await refusal(nl.links.add({ ifname: 'lo', kind: 'bridge' })),
    await refusal(nl.links.add({ ifname: 'x', kind: 'nosuchkind' })),
  ]
})

both('a link that is not there', async ({ nl }) => {
  await nl.links.add({ ifname: 'veth0', kind: 'bridge' })
  const error = await nl.links.get('veht0').catch((e: unknown) => e)
  assert.ok(isNetlinkError(error, 'ENODEV'))
  assert.match(error.hint ?? '', /veth0/)
  return [
    await refusal(nl.links.get('nothing')),
    await refusal(nl.links.get(4711)),
    await refusal(nl.links.set('nothing', { up: true })),
    await refusal(nl.links.delete('nothing')),
    await refusal(nl.links.delete(4711)),
  ]
})

both('lo cannot be deleted', async ({ nl }) => refusal(nl.links.delete('lo')))

both('mtu: its limits and what it leaves behind', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { mtu: 9000 })
  const refused = [
    await refusal(nl.links.set('v0', { mtu: 67 })),
    await refusal(nl.links.set('v0', { mtu: 65536 })),
    await refusal(nl.links.set('lo', { mtu: 4294967295 })),
  ]
  return [refused, (await nl.links.get('v0')).mtu, (await nl.links.get('v1')).mtu]
})

both('a rename, up or down; onto a name that is taken', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { ifname: 'w0' })
  await nl.links.set('w0', { up: true })
  await nl.links.set('w0', { ifname: 'x0' })
  return [await refusal(nl.links.set('x0', { ifname: 'v1' })), await links(nl)]
})

both('a link-layer address, right and wrong', async ({ nl }) => {
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { address: '02:11:22:33:44:55' })
  const refused = [
    await refusal(nl.links.set('v0', { address: '02:11' })),
    await refusal(nl.links.set('v0', { address: '01:11:22:33:44:55' })),
    await refusal(nl.links.set('v0', { address: '00:00:00:00:00:00' })),
  ]
  assert.equal((await nl.links.get('v0')).address, '02:11:22:33:44:55')
  return refused
})

both(
  'masters: a bridge in a bridge, lo in a bridge, a master that is not there',
  async ({ nl }) => {
    await nl.links.add({ ifname: 'br0', kind: 'bridge' })
    await nl.links.add({ ifname: 'br1', kind: 'bridge' })
    await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
    return [
      await refusal(nl.links.set('br1', { master: 'br0' })),
      await refusal(nl.links.set('lo', { master: 'br0' })),
      await refusal(nl.links.set('v0', { master: 4711 })),
      await refusal(nl.links.set('v0', { master: 'v1' })),
    ]
  },
)

both('txqlen, group and alias are kept', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await nl.links.set('br0', { txqlen: 7, group: 5, ifalias: 'the bridge' })
  const { txqlen, group, ifalias } = await nl.links.get('br0')
  return { txqlen, group, ifalias }
})

both('replace makes a link, or changes the one that is there', async ({ nl }) => {
  await nl.links.replace({ ifname: 'br0', kind: 'bridge', mtu: 1400 })
  const made = (await nl.links.get('br0')).mtu
  await nl.links.replace({ ifname: 'br0', kind: 'bridge', mtu: 1300, up: true })
  const { mtu, up, ifindex } = await nl.links.get('br0')
  return [made, mtu, up, ifindex, await refusal(nl.links.replace({ ifname: 'br0', kind: 'ifb' }))]
})

both('links by kind and by master', async ({ nl }) => {
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' }, master: 'br0' })
  const names = async (filter: object) =>
    (await nl.links.list(filter).toArray()).map((l) => l.ifname)
  return [
    await names({ kind: 'veth' }),
    await names({ kind: 'bridge' }),
    await names({ master: 'br0' }),
  ]
})
