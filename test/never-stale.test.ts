/**
 * Live tables under faults (test/faults.ts): at every single point of a storm where one could
 * happen, and two at a sample of the pairs of points; `npm run storms` takes every pair. What the
 * readers end with is the truth, each time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstFaults, run, secondFaults, storm, WINDS } from './faults.ts'

/** Of the pairs of points of a storm's first steps, one of so many is taken. */
const PAIRS_OF = 197
const PAIRS_STEPS = 6

test('a storm without faults, whenever it begins', async () => {
  const whole = await storm()
  const trace = await run({ wind: 'turns', faults: new Map() }, whole)
  assert.ok(trace.length > 200, `${trace.length} points`)
  for (const wind of WINDS)
    for (let from = 0; from < 12; from++) await run({ wind, from, faults: new Map() }, whole)
})

test('two runs of the same are the same', async () => {
  const whole = await storm()
  const plan = { wind: 'turns' as const, faults: new Map([[9, 'lost reply'] as const]) }
  assert.equal(await run(plan, whole), await run(plan, whole))
})

for (const wind of WINDS) {
  test(`a storm by ${wind}, with one fault at every point`, async (t) => {
    const whole = await storm()
    const ran = new Map<string, number>()
    for await (const { fault } of firstFaults(wind, whole)) {
      ran.set(fault, (ran.get(fault) ?? 0) + 1)
    }
    assert.ok([...ran.values()].every((count) => count > 10))
    t.diagnostic([...ran].map(([fault, count]) => `${fault}: ${count}`).join(', '))
  })

  test(`a storm by ${wind}, with two faults at some of the pairs of points`, async (t) => {
    const beginning = await storm(PAIRS_STEPS)
    let pairs = 0
    let ran = 0
    for await (const first of firstFaults(wind, beginning)) {
      for (const second of secondFaults(first)) {
        if (pairs++ % PAIRS_OF !== 0) continue
        await second.run()
        ran++
      }
    }
    assert.ok(ran > 30)
    t.diagnostic(`${ran} of ${pairs}`)
  })
}
