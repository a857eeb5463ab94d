/** A kernel that is recorded, and one that answers as it was recorded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, open } from '../index.ts'
import { Kernel } from '../kernel/kernel.ts'
import { readFrames } from './frame.ts'
import { recordKernel } from './record.ts'
import { replayKernel } from './replay.ts'

/** Records what `talk` says to a kernel of its own. */
async function recorded(talk: (kernel: Kernel) => Promise<void>): Promise<Uint8Array> {
  const kernel = new Kernel()
  const blocks: Uint8Array[] = []
  const stop = recordKernel(kernel, (block) => blocks.push(block))
  await talk(kernel)
  stop()
  await kernel.close()
  return new Uint8Array(Buffer.concat(blocks))
}

test('a recording is of both directions, in order, and ends when it is told to', async () => {
  const kernel = new Kernel()
  const blocks: Uint8Array[] = []
  const stop = recordKernel(kernel, (block) => blocks.push(block))
  const nl = await open({ kernel })
  await nl.links.get(1)
  const { length } = blocks
  const frames = [...readFrames(new Uint8Array(Buffer.concat(blocks)))]
  assert.deepEqual(
    frames.map(({ toKernel }) => toKernel),
    [true, false],
  )
  assert.deepEqual(new Set(frames.map(({ protocol }) => protocol)), new Set([0]))
  stop()
  await nl.links.get(1)
  assert.equal(blocks.length, length)
  await nl.close()
  await kernel.close()
})

test('a replay answers requests, dumps and refusals as they were answered', async () => {
  const script = async (kernel: Kernel): Promise<unknown[]> => {
    const nl = await open({ kernel })
    const said: unknown[] = []
    const before = await nl.links.list().toArray()
    await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } }).catch(() => {})
    const after = await nl.links.list().toArray()
    said.push(before.map(({ ifname }) => ifname))
    said.push(after.map(({ ifname, mtu }) => [ifname, mtu]))
    const refused = await nl.links.get(77).catch((error: unknown) => error)
    said.push(isNetlinkError(refused) ? refused.code : refused)
    await nl.close()
    return said
  }
  let first: unknown[] = []
  const capture = await recorded(async (kernel) => {
    first = await script(kernel)
  })
  await using again = replayKernel(readFrames(capture))
  assert.deepEqual(await script(again), first)
})

test('a dump of many datagrams is replayed whole, as fast as it is read', async () => {
  const capture = await recorded(async (kernel) => {
    const nl = await open({ kernel })
    await nl.links.add({ ifname: 'd0', kind: 'dummy' })
    await nl.links.set('d0', { up: true })
    await nl.addresses.add({ address: '10.0.0.1/8', link: 'd0' })
    for (let i = 0; i < 5000; i++)
      await nl.routes.add({ destination: `172.16.${i >> 8}.${i & 255}/32`, oif: 'd0' })
    assert.ok((await nl.routes.list({ family: 'inet' }).toArray()).length >= 5000)
    await nl.close()
  })
  await using again = replayKernel(readFrames(capture))
  const nl = await open({ kernel: again })
  assert.ok((await nl.routes.list({ family: 'inet' }).toArray()).length >= 5000)
  await nl.close()
})

test('what was not recorded is refused with a sentence', async () => {
  await using again = replayKernel(
    readFrames(
      await recorded(async (kernel) => {
        const nl = await open({ kernel })
        await nl.links.get(1)
        await nl.close()
      }),
    ),
  )
  const nl = await open({ kernel: again })
  await assert.rejects(nl.links.list().toArray(), (error) => {
    assert.ok(isNetlinkError(error, 'EOPNOTSUPP'))
    assert.equal(error.extack?.message, 'this request was not recorded')
    return true
  })
  await nl.close()
})
