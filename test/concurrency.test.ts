/** A thousand requests and dumps at once through one client: each gets its own answer. */
import assert from 'node:assert/strict'
import { isNetlinkError } from 'nlkit'
import { both } from './both.ts'

const REQUESTS = 1000

both(`${REQUESTS} mixed requests and dumps at once are all answered rightly`, async ({ nl }) => {
  await nl.links.set('lo', { up: true })
  for (let i = 0; i < 20; i++) await nl.links.add({ ifname: `br${i}`, kind: 'bridge' })
  const names = (await nl.links.list().toArray()).map((l) => l.ifname)
  const work: Promise<void>[] = []
  for (let i = 0; i < REQUESTS; i++) {
    const index = i % 20
    if (i % 5 === 0) {
      work.push(nl.links.get(`br${index}`).then((l) => assert.equal(l.ifname, `br${index}`)))
    } else if (i % 5 === 1) {
      work.push(
        nl.links.get(100_000 + i).then(
          () => assert.fail('it is not there'),
          (e: unknown) => assert.ok(isNetlinkError(e, 'ENODEV')),
        ),
      )
    } else if (i % 5 === 2) {
      work.push(
        nl.links
          .list()
          .toArray()
          .then((all) =>
            assert.deepEqual(
              all.map((l) => l.ifname),
              names,
            ),
          ),
      )
    } else if (i % 5 === 3) {
      work.push(
        nl.addresses.add({ link: `br${index}`, address: `10.${index}.${i >> 8}.${i & 255}/32` }),
      )
    } else {
      work.push(
        nl.rules
          .list({ family: 'inet' })
          .toArray()
          .then((all) => assert.ok(all.length >= 3)),
      )
    }
  }
  await Promise.all(work)
  const added = await nl.addresses.list({ family: 'inet' }).toArray()
  assert.equal(added.length, REQUESTS / 5 + 1)
  return added.map((a) => a.local).sort()
})
