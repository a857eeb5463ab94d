/** AttributeWalker: literal attributes, and nothing but DecodeError on bytes that are none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../errors.ts'
import { AttributeWalker } from './attribute.ts'
import { viewOf } from './message.ts'
import { HOST_LE } from './order.ts'

/** An attribute's header, then `payload` zero bytes. */
function attribute(length: number, type: number, payload: number): number[] {
  const bytes = new Uint8Array(4 + payload)
  const view = viewOf(bytes)
  view.setUint16(0, length, HOST_LE)
  view.setUint16(2, type, HOST_LE)
  return [...bytes]
}

/** Raw type and payload bounds of each attribute, then what is left over. */
function walk(bytes: readonly number[]): [attributes: number[][], leftover: number] {
  const walker = new AttributeWalker(viewOf(Uint8Array.from(bytes)))
  const found = []
  while (walker.next()) found.push([walker.rawType, walker.payload, walker.end])
  assert.equal(walker.next(), false)
  return [found, walker.leftover]
}

const rows: readonly [
  name: string,
  bytes: readonly number[],
  attributes: readonly (readonly number[])[],
  leftover: number,
][] = [
  ['nothing', [], [], 0],
  ['an attribute without payload', attribute(4, 1, 0), [[1, 4, 4]], 0],
  [
    'two, padded',
    [...attribute(5, 1, 4), ...attribute(8, 2, 4)],
    [
      [1, 4, 5],
      [2, 12, 16],
    ],
    0,
  ],
  ['a last one without its padding', attribute(5, 1, 1), [[1, 4, 5]], 0],
  ['a last one with half of its padding', attribute(5, 1, 2), [[1, 4, 5]], 0],
  ['one spare byte', [...attribute(4, 1, 0), 1], [[1, 4, 4]], 1],
  ['three spare bytes alone', [1, 2, 3], [], 3],
]

for (const [name, bytes, attributes, leftover] of rows)
  test(`walks ${name}`, () => {
    assert.deepEqual(walk(bytes), [attributes, leftover])
  })

const refusals: readonly [name: string, bytes: readonly number[], reason: RegExp, at: number][] = [
  ['length 0', attribute(0, 1, 4), /nla_len 0 is shorter than its header/, 0],
  ['length 3', attribute(3, 1, 4), /nla_len 3 is shorter than its header/, 0],
  ['a length one too long', attribute(9, 1, 4), /nla_len 9 where 8 bytes are left/, 0],
  ['the largest length', attribute(0xffff, 1, 4), /nla_len 65535 where 8 bytes are left/, 0],
  [
    'a bad one behind a good one',
    [...attribute(5, 1, 4), ...attribute(2, 1, 0)],
    /nla_len 2 is shorter/,
    8,
  ],
]

for (const [name, bytes, reason, at] of refusals)
  test(`refuses ${name}, with its place`, () => {
    assert.throws(
      () => walk(bytes),
      (error) => {
        assert.ok(error instanceof DecodeError)
        assert.match(error.reason, reason)
        assert.equal(error.offset, at)
        return true
      },
    )
  })

test('the type is without its flag bits, which rawType keeps', () => {
  const walker = new AttributeWalker(viewOf(Uint8Array.from(attribute(4, 0xc012, 0))))
  assert.ok(walker.next())
  assert.equal(walker.type, 0x12)
  assert.equal(walker.rawType, 0xc012)
})

test('walks only what it is given of a larger view', () => {
  const bytes = [...attribute(8, 1, 4), ...attribute(8, 2, 4), ...attribute(8, 3, 4)]
  const walker = new AttributeWalker(viewOf(Uint8Array.from(bytes)), 8, 16)
  assert.ok(walker.next())
  assert.deepEqual([walker.start, walker.type, walker.payload, walker.end], [8, 2, 12, 16])
  assert.equal(walker.next(), false)
  const cut = new AttributeWalker(walker.view, 8, 15)
  assert.throws(() => cut.next(), /nla_len 8 where 7 bytes are left/)
  assert.equal(new AttributeWalker(walker.view, 16, 8).next(), false)
})

test('on any bytes: ends, stays inside, moves forward, or throws DecodeError', () => {
  const length = fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(0, 3, 4, 5, 0xffff))
  const piece = fc.tuple(length, fc.nat(0xffff), fc.nat({ max: 24 }))
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 120 }).map((b) => [...b]),
    fc
      .array(
        piece.map(([l, t, p]) => attribute(l, t, p)),
        { maxLength: 6 },
      )
      .map((pieces) => pieces.flat()),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      const walker = new AttributeWalker(viewOf(Uint8Array.from(given)))
      let least = 0
      try {
        for (let steps = 0; walker.next(); steps++) {
          assert.ok(steps <= given.length / 4, 'more attributes than fit')
          assert.ok(walker.start >= least)
          assert.equal(walker.payload, walker.start + 4)
          assert.ok(walker.payload <= walker.end && walker.end <= given.length)
          least = walker.end
        }
        assert.ok(walker.leftover < 4)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        assert.ok(error.offset >= least && error.offset < given.length)
      }
    }),
  )
})
