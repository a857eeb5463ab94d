/** A few thousand spoilt requests to three families, on both kernels; `npm run differential -- genl` asks more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from 'nlkit'
import { nlctrl } from 'nlkit/families/nlctrl'
import { refusal } from './both.ts'
import { differ } from './differential-genl.ts'

test('spoilt requests to nlctrl: Linux and nlkit answer the same bytes', {
  ...(refusal ? { skip: refusal } : {}),
}, async (t) => {
  const report = await differ({ family: 'nlctrl', count: 4000, seed: 3 })
  t.diagnostic(`${report.asked} asked, ${report.answers} answers`)
  assert.ok(report.answers > 1000 && report.explainedRefusals > 200)
  assert.deepEqual(report.differences, [])
})

for (const { family, isLiberal, isReading } of [
  { family: 'netdev', isLiberal: false, isReading: true },
  { family: 'tcp_metrics', isLiberal: true, isReading: false },
])
  test(`spoilt requests to ${family}, mirrored: the same verdicts`, {
    ...(refusal ? { skip: refusal } : {}),
  }, async (t) => {
    const nl = await open()
    const known = await (await nl.family(nlctrl)).dump('getFamily').toArray()
    const isHere = known.some(({ familyName }) => familyName === family)
    await nl.close()
    if (!isHere) return t.skip(`this kernel has no ${family}`)
    const report = await differ({ family, count: 2000, seed: 4, isLiberal, isReading })
    t.diagnostic(`${report.asked} asked, ${report.answers} answers`)
    assert.ok(report.answers > 500 && report.explainedRefusals > 100)
    assert.deepEqual(report.differences, [])
  })
