/** The receive queue against a model: a list, a sum, and three rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ENOBUFS } from '../errno.ts'
import { ReceiveQueue } from './queue.ts'
import { Skb, SkbPool } from './skb.ts'

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant('offer'), size: fc.integer({ min: 832, max: 9000 }) }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('read'), size: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('limit'),
      size: fc.integer({ min: 2304, max: 40000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('quiet'), size: fc.nat(1) }) },
)

test('order, bytes, overrun and congestion, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const queue = new ReceiveQueue()
      const model: Skb[] = []
      let [limit, drops, congested, error, quiet] = [queue.limit, 0, false, 0, false]
      const sum = () => model.reduce((all, skb) => all + skb.truesize, 0)
      for (const { what, size } of commands) {
        if (what === 'limit') queue.limit = limit = size
        else if (what === 'quiet') queue.noEnobufs = quiet = size === 1
        else if (what === 'read') {
          const skb = queue.shift()
          assert.equal(skb, model.shift())
          if (model.length === 0) congested = false
          queue.wake()
          assert.equal(queue.error, error)
          queue.error = error = 0
        } else {
          const skb = new Skb(1)
          skb.truesize = size
          const fits = !congested && (model.length === 0 || sum() + size <= limit)
          assert.equal(queue.hasRoom(size), fits)
          if (fits) {
            queue.push(skb)
            model.push(skb)
          } else {
            queue.overrun()
            drops++
            if (!quiet && !congested) [congested, error] = [true, ENOBUFS]
          }
        }
        assert.deepEqual(
          [queue.length, queue.bytes, queue.drops, queue.isCongested, queue.peek()],
          [model.length, sum(), drops, congested, model[0]],
        )
      }
    }),
  )
})

test('skbs are used again, empty; those of many queues once the last one lets go', () => {
  const pool = new SkbPool()
  const first = pool.alloc(100)
  first.u32(7)
  first.portid = 9
  first.users++
  first.free()
  assert.notEqual(pool.alloc(100), first)
  first.free()
  const again = pool.alloc(1024)
  assert.equal(again, first)
  assert.deepEqual([again.length, again.portid, again.users], [0, 0, 1])
  const large = pool.alloc(32448)
  large.free()
  assert.equal(pool.alloc(20000), large)
})
