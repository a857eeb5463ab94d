/** Clients in namespaces of the live kernel: by name of any sort, gone ones, and all at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, open } from 'nlkit'
import { newNetns } from 'nlkit/testing'
import { refusal } from './both.ts'

const skip = refusal ?? false

test('one client hears the events of all namespaces that have a number in its own', {
  skip,
}, async (t) => {
  const [home, other, stranger] = [newNetns(), newNetns(), newNetns()]
  t.after(() => {
    for (const each of [home, other, stranger]) each.close()
  })
  await using nl = await open({ netns: home })
  await using there = await open({ netns: other })
  await using unknown = await open({ netns: stranger })
  await nl.namespaces.add({ fd: other.fd, nsid: 42 })
  const watch = nl.watch(['link'], { allNamespaces: true })
  await watch.ready
  await unknown.links.add({ ifname: 'br2', kind: 'bridge' })
  await there.links.add({ ifname: 'br1', kind: 'bridge' })
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  const heard: [name: string, nsid: number | undefined][] = []
  for await (const event of watch) {
    if (event.type !== 'link' || event.op !== 'new') continue
    if (!heard.some(([name]) => name === event.link.ifname))
      heard.push([event.link.ifname, event.nsid])
    if (event.link.ifname === 'br0') break
  }
  assert.deepEqual(heard, [
    ['br1', 42],
    ['br0', undefined],
  ])
})

test('a namespace by its path, its descriptor and as a process has it; this thread stays', {
  skip,
}, async (t) => {
  const home = newNetns()
  t.after(() => home.close())
  await using made = await open({ netns: home })
  await made.links.add({ ifname: 'br0', kind: 'bridge' })
  for (const netns of [home.path, { fd: home.fd }, home]) {
    await using nl = await open({ netns })
    assert.equal((await nl.links.get('br0')).kind, 'bridge')
  }
  await using own = await open()
  await using same = await open({ netns: process.pid })
  const names = async (nl: typeof own) =>
    (await nl.links.list().toArray()).map(({ ifname }) => ifname).sort()
  assert.deepEqual(await names(same), await names(own))
})

test('a namespace that is gone is refused with a sentence; one that goes while open is kept', {
  skip,
}, async () => {
  await assert.rejects(open({ netns: 'nlkit-no-such-namespace' }), (error) => {
    assert.ok(isNetlinkError(error, 'ENOENT'))
    assert.match(error.message, /nlkit-no-such-namespace/)
    return true
  })
  await assert.rejects(open({ netns: 4_194_303 }), (error) => isNetlinkError(error))
  const home = newNetns()
  await using nl = await open({ netns: home })
  home.close()
  await nl.links.add({ ifname: 'br0', kind: 'bridge' })
  assert.equal((await nl.links.get('br0')).ifname, 'br0')
  await assert.rejects(open({ netns: home }), (error) => isNetlinkError(error))
})
