/** Shares of a receiver's queue: what is given back is what was taken, and nobody gets it all. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Quota } from './quota.ts'

const MOST = { bytes: 1000, fds: 16 }
const EMPTY = { bytes: 0, fds: 0 }

/** A queue of one receiver, message by message. */
class Queue {
  readonly quota = new Quota()
  readonly waiting: { uid: number | undefined; bytes: number; fds: number }[] = []
  /** Bytes of the first that are sent. */
  sent = 0

  get queued(): { bytes: number; fds: number } {
    const sum = (key: 'bytes' | 'fds'): number =>
      this.waiting.reduce((all, each) => all + each[key], 0)
    return { bytes: sum('bytes') - this.sent, fds: sum('fds') }
  }

  push(uid: number | undefined, bytes: number, fds = 0): boolean {
    const { queued } = this
    if (!this.quota.allows(uid, { bytes, fds }, queued, MOST)) return false
    this.quota.add(uid, { bytes, fds }, queued)
    this.waiting.push({ uid, bytes, fds })
    return true
  }

  pop(count: number): void {
    const bytes = Math.min(count, this.queued.bytes)
    this.quota.take(bytes)
    for (this.sent += bytes; this.waiting.length > 0; this.waiting.shift()) {
      if (this.sent < this.waiting[0]!.bytes) return
      this.sent -= this.waiting[0]!.bytes
    }
  }

  /** Fills it, a byte at a time. */
  fill(uid: number | undefined): number {
    let bytes = 0
    while (this.push(uid, 1)) bytes++
    return bytes
  }
}

test('a receiver’s own user may fill its queue', () => {
  equal(new Queue().fill(undefined), 1000)
})

test('of n foreign users the first gets half, and the last still gets something', () => {
  const queue = new Queue()
  const got = [1, 2, 3, 4].map((uid) => queue.fill(uid))
  deepEqual(got, [500, 166, 83, 50])
  // 1/n² of all is what each may rely on.
  for (const [i, bytes] of got.entries()) ok(bytes >= Math.floor(1000 / (i + 2) ** 2))
  equal(queue.fill(undefined), 1000 - 799)
})

test('descriptors are shared as bytes are', () => {
  const queue = new Queue()
  for (let i = 0; i < 8; i++) ok(queue.push(1, 1, 1))
  equal(queue.push(1, 1, 1), false)
  ok(queue.push(1, 1, 0))
  ok(queue.push(2, 1, 1))
})

test('a share comes back as its messages go out, in their order', () => {
  const queue = new Queue()
  queue.push(undefined, 100)
  equal(queue.fill(7), 450)
  queue.pop(99)
  // What went was the receiver's own: half of what is free, and no more, is for the other.
  equal(queue.fill(7), 49)
  queue.pop(1 + 499)
  equal(queue.queued.bytes, 0)
  equal(queue.fill(7), 500)
})

test('whatever comes and goes, an empty queue owes nothing to anybody', () => {
  const step = fc.oneof(
    fc.record({
      uid: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      bytes: fc.integer({ min: 1, max: 200 }),
      fds: fc.integer({ min: 0, max: 2 }),
    }),
    fc.integer({ min: 1, max: 400 }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const queue = new Queue()
      for (const each of steps) {
        if (typeof each === 'number') queue.pop(each)
        else queue.push(each.uid, each.bytes, each.fds)
        ok(queue.queued.bytes <= MOST.bytes && queue.queued.fds <= MOST.fds)
      }
      queue.pop(MOST.bytes)
      deepEqual(queue.queued, EMPTY)
      for (const uid of [1, 2, 3, 4]) {
        equal(queue.fill(uid), 500)
        queue.pop(500)
      }
      for (let i = 0; i < 8; i++) ok(queue.push(9, 1, 1))
    }),
  )
})
