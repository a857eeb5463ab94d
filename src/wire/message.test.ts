/** MessageWalker: where messages start and end, and where a datagram stops making sense. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { align4 } from './align.ts'
import { MessageWalker, viewOf } from './message.ts'
import { HOST_LE } from './order.ts'

/** A header with `length` in nlmsg_len, and `payload` zero bytes behind it. */
function message(length: number, payload: number, seq = 0): number[] {
  const bytes = new Uint8Array(16 + payload)
  const view = viewOf(bytes)
  view.setUint32(0, length, HOST_LE)
  view.setUint16(4, 3, HOST_LE)
  view.setUint16(6, 2, HOST_LE)
  view.setUint32(8, seq, HOST_LE)
  view.setUint32(12, 0xfffffffe, HOST_LE)
  return [...bytes]
}

/** Payload bounds of each message that the walker finds, then what is left over. */
function walk(bytes: readonly number[], size?: number): [spans: number[][], leftover: number] {
  const walker = new MessageWalker(viewOf(Uint8Array.from(bytes)), size)
  const spans = []
  while (walker.next()) spans.push([walker.payload, walker.end])
  assert.equal(walker.next(), false)
  return [spans, walker.leftover]
}

const rows: readonly [
  name: string,
  bytes: readonly number[],
  spans: readonly (readonly number[])[],
  leftover: number,
][] = [
  ['an empty datagram', [], [], 0],
  ['fewer bytes than a header', message(16, 0).slice(0, 15), [], 15],
  ['a header alone', message(16, 0), [[16, 16]], 0],
  ['a payload', message(20, 4), [[16, 20]], 0],
  [
    'two messages',
    [...message(20, 4), ...message(16, 0)],
    [
      [16, 20],
      [36, 36],
    ],
    0,
  ],
  [
    'padding between two',
    [...message(17, 4), ...message(16, 0)],
    [
      [16, 17],
      [36, 36],
    ],
    0,
  ],
  ['a last message without its padding', message(17, 1), [[16, 17]], 0],
  ['a last message with half of its padding', message(17, 2), [[16, 17]], 0],
  ['spare bytes behind the last', [...message(16, 0), 1, 2, 3], [[16, 16]], 3],
  ['length 0', message(0, 4), [], 20],
  ['a length below the header’s', message(15, 4), [], 20],
  ['a length beyond the datagram', message(21, 4), [], 20],
  ['the largest length', message(0xffffffff, 4), [], 20],
  ['a length that turns negative when aligned', message(0x80000000, 4), [], 20],
  ['a bad one behind a good one', [...message(16, 0), ...message(8, 0)], [[16, 16]], 16],
]

for (const [name, bytes, spans, leftover] of rows)
  test(`walks ${name}`, () => {
    assert.deepEqual(walk(bytes), [spans, leftover])
  })

test('the header’s fields are there after each step', () => {
  const walker = new MessageWalker(viewOf(Uint8Array.from(message(16, 0, 77))))
  assert.ok(walker.next())
  const { start, type, flags, seq, portid } = walker
  assert.deepEqual([start, type, flags, seq, portid], [0, 3, 2, 77, 0xfffffffe])
})

test('a datagram that was cut is walked as far as it is there', () => {
  const bytes = [...message(20, 4), ...message(20, 4)]
  assert.deepEqual(walk(bytes, 1000)[0].length, 2)
  assert.deepEqual(walk(bytes.slice(0, 30), 40), [[[16, 20]], 10])
  const walker = new MessageWalker(new DataView(new ArrayBuffer(0)))
  assert.equal(walker.reset(viewOf(Uint8Array.from(message(16, 0))), 4096).next(), true)
  assert.equal(walker.next(), false)
})

test('reset walks another datagram from its start, and an errno as its size is no datagram', () => {
  const walker = new MessageWalker(viewOf(Uint8Array.from(message(16, 0))))
  assert.ok(walker.next())
  assert.equal(walker.next(), false)
  walker.reset(viewOf(Uint8Array.from([...message(16, 0), ...message(16, 0)])))
  assert.ok(walker.next())
  assert.equal(walker.start, 0)
  assert.ok(walker.next())
  assert.equal(walker.reset(walker.view, -11).next(), false)
})

test('a view that starts inside its buffer', () => {
  const bytes = Uint8Array.from([9, 9, 9, ...message(17, 1), 9])
  const walker = new MessageWalker(viewOf(bytes.subarray(3, 20)))
  assert.ok(walker.next())
  assert.deepEqual([walker.payload, walker.end, walker.leftover], [16, 17, 0])
})

test('on any bytes: ends, stays inside, moves forward', () => {
  const length = fc.oneof(fc.nat({ max: 64 }), fc.constantFrom(0, 15, 16, 17, 0xffffffff))
  const piece = fc.tuple(length, fc.nat({ max: 48 })).map(([l, p]) => message(l, p))
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((b) => [...b]),
    fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.flat()),
  )
  fc.assert(
    fc.property(bytes, (given) => {
      const walker = new MessageWalker(viewOf(Uint8Array.from(given)))
      let least = 0
      for (let steps = 0; walker.next(); steps++) {
        assert.ok(steps <= given.length / 16, 'more messages than fit')
        assert.ok(walker.start >= least && walker.start % 4 === 0)
        assert.equal(walker.payload, walker.start + 16)
        assert.ok(walker.payload <= walker.end && walker.end <= given.length)
        least = Math.min(given.length, align4(walker.end))
      }
      assert.equal(walker.leftover, given.length - least)
    }),
  )
})

test('align4 rounds up to 4, also where 32 bits end', () => {
  for (const [length, aligned] of [
    [0, 0],
    [1, 4],
    [4, 4],
    [5, 8],
    [65_533, 65_536],
    [0x7ffffffd, 0x80000000],
    [0xffffffff, 0x100000000],
  ] as const)
    assert.equal(align4(length), aligned)
})
