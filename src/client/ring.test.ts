/** The ring: a queue like any other, but for its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Ring } from './ring.ts'

test('it gives what was put in, in order, as an array would', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.oneof(fc.nat(), fc.constant('shift'), fc.constant('clear'))),
      (capacity, steps) => {
        const ring = new Ring<number>(capacity)
        let model: number[] = []
        for (const step of steps) {
          if (step === 'shift') assert.equal(ring.shift(), model.shift())
          else if (step === 'clear') {
            ring.clear()
            model = []
          } else if (ring.room > 0) {
            ring.push(step as number)
            model.push(step as number)
          }
          assert.equal(ring.length, model.length)
          assert.equal(ring.room, capacity - model.length)
        }
      },
    ),
  )
})
