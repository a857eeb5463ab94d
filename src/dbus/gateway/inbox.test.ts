/** A stream of bytes is cut into the messages that were put into it, however it is chopped. */
import { deepEqual, equal, throws } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../errors.ts'
import { encodeMessage, SIGNAL } from '../message/index.ts'
import { Inbox, type Take } from './inbox.ts'
import { BufferPool } from './pool.ts'

const LIMIT = 1_000_000

function message(serial: number, body: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(body).fill(serial)
  return encodeMessage(
    {
      type: SIGNAL,
      serial,
      path: '/x',
      interface: 'a.b',
      member: 'S',
      signature: 'ay',
      body: [bytes],
    },
    littleEndian,
  )
}

const spec = fc.record({ body: fc.oneof(fc.nat(300), fc.nat(300_000)), littleEndian: fc.boolean() })

test('messages of both byte orders come out whole, in order', () => {
  fc.assert(
    fc.property(
      fc.array(spec, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (specs, sizes, usesRoom) => {
        const sent = specs.map(({ body, littleEndian }, i) => message(i + 1, body, littleEndian))
        const stream = Buffer.concat(sent)
        const got: Uint8Array[] = []
        const take: Take = (bytes, from, length) =>
          got.push(Uint8Array.from(bytes.subarray(from, from + length)))
        const pool = new BufferPool()
        const inbox = new Inbox(
          () => LIMIT,
          pool,
          (bytes, from, length) => {
            take(bytes, from, length)
            pool.give(bytes)
          },
        )
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = Math.min(sizes[turn % sizes.length]!, stream.length - at)
          const room = usesRoom ? inbox.room : undefined
          if (room) {
            const count = Math.min(size, room.length)
            room.set(stream.subarray(at, at + count))
            inbox.filled(count)
            at += count
            continue
          }
          inbox.feed(stream, at, at + size, take)
          at += size
        }
        deepEqual(got, sent)
        equal(inbox.room, undefined)
      },
    ),
    { numRuns: 60 },
  )
})

test('what begins no message, and one that is too long, is refused at its header', () => {
  const taken: number[] = []
  const first = message(1, 10, true)
  const newInbox = (): Inbox =>
    new Inbox(
      () => LIMIT,
      new BufferPool(),
      () => undefined,
    )
  const inbox = newInbox()
  const garbage = Buffer.concat([first, Buffer.alloc(64, 'Z')])
  const take = (_: Uint8Array, at: number): number => taken.push(at)
  throws(() => inbox.feed(garbage, 0, garbage.length, take), DecodeError)
  deepEqual(taken, [0])
  const long = message(1, LIMIT, true).subarray(0, 16)
  throws(() => newInbox().feed(long, 0, long.length, () => undefined), DecodeError)
})
