/** A few thousand spoilt requests to nlctrl, on both kernels; `npm run differential -- genl` asks more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
