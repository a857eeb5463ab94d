/** Batches on both kernels: few acknowledgements, and nothing that fails goes unsaid. */
import assert from 'node:assert/strict'
import { isNetlinkError } from 'nlkit'
import { both } from '../both.ts'

const COUNT = 1000
const destination = (i: number): string => `10.${i >> 8}.${i & 255}.0/24`

both('a thousand routes in one batch are all made', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  const made = await nl.batch(({ routes }) => {
    for (let i = 0; i < COUNT; i++) void routes.add({ destination: destination(i), oif: 1 })
  })
  const listed = await nl.routes.list({ family: 'inet', table: 'main' }).toArray()
  return [made, listed.length]
})

both('a change in a batch that fails is told, and the others are made', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  const failed: [code: string, index: number][] = []
  const batch = (onError?: (error: unknown, index: number) => void) =>
    nl.batch(
      ({ routes }) => {
        for (let i = 0; i < 300; i++)
          void routes.add({ destination: destination(i % 290), oif: i === 7 ? 4711 : 1 })
      },
      onError ? { onError } : {},
    )
  const made = await batch((error, index) => {
    assert.ok(isNetlinkError(error))
    failed.push([error.code, index])
  })
  const again = await batch().catch((error: unknown) => isNetlinkError(error) && error.code)
  const listed = await nl.routes.list({ family: 'inet', table: 'main' }).toArray()
  return [made, failed.sort(([, a], [, b]) => a - b), again, listed.length]
})

both('a batch is through also when its last change is the one that fails', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  const failed: number[] = []
  const made = await nl.batch(
    ({ routes }) => {
      for (let i = 0; i < 41; i++) void routes.add({ destination: destination(i % 40), oif: 1 })
    },
    { onError: (_, index) => failed.push(index) },
  )
  return [made, failed]
})

both('who awaits a call of a batch hears of it alone', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  const heard: unknown[] = []
  const made = await nl.batch(async ({ routes, links }) => {
    heard.push(await routes.add({ destination: '10.0.0.0/24', oif: 'lo' }))
    heard.push(await links.set('lo', { txqlen: 7 }))
    heard.push((await routes.list({ family: 'inet', table: 'main' }).toArray()).length)
  })
  return [made, heard, (await nl.links.get('lo')).txqlen]
})

both('what the work of a batch throws is thrown, when its changes are through', async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  const stop = new Error('stop')
  const work = nl.batch(({ routes }) => {
    void routes.add({ destination: '10.0.0.0/24', oif: 1 })
    throw stop
  })
  await assert.rejects(work, (error) => error === stop)
  return (await nl.routes.list({ family: 'inet', table: 'main' }).toArray()).length
})
