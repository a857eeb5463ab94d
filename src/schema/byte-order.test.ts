/** Integers in an order that is not the host's: bytes, limits, policies, both forms. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewOf, Writer } from '../wire/index.ts'
import { attrs } from './attrs.ts'
import {
  be16,
  bigEndian,
  enumeration,
  littleEndian,
  s16,
  s32,
  s64,
  u8,
  u16,
  u32,
  u64,
  uint,
} from './integer.ts'
import { message } from './message.ts'
import { NL_VALIDATE_STRICT } from './policy.ts'
import { struct } from './struct.ts'

const orders = message(
  attrs('ORDER_', {
    little: [1, littleEndian(u16)],
    littleSigned: [2, littleEndian(s32)],
    littleBig: [3, littleEndian(u64)],
    bigSigned: [4, bigEndian(s16)],
    bigSignedBig: [5, bigEndian(s64)],
    named: [6, enumeration(littleEndian(u32), { one: 1 })],
    limited: [7, littleEndian(u16.range(2, 300))],
  }),
)

function payloads(value: Parameters<typeof orders.encode>[1]): string[] {
  const w = new Writer()
  orders.encode(w, value)
  const bytes = w.finish()
  const found: string[] = []
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint16(at, true)
    found.push(Buffer.from(bytes.subarray(at + 4, at + length)).toString('hex'))
    at += (length + 3) & ~3
  }
  assert.deepEqual(orders.decode(view), value)
  return found
}

test('attributes in either order', () => {
  assert.deepEqual(
    payloads({
      little: 0x1234,
      littleSigned: -2,
      littleBig: 0x0102030405060708n,
      bigSigned: -2,
      bigSignedBig: -3n,
      named: 'one',
      limited: 258,
    }),
    ['3412', 'feffffff', '0807060504030201', 'fffe', 'fffffffffffffffd', '01000000', '0201'],
  )
})

test('members of structs in either order', () => {
  const header = struct('orders', { little: littleEndian(u32), big: bigEndian(s32) })
  const w = new Writer()
  message(header).encode(w, { little: 1, big: -1 })
  assert.equal(Buffer.from(w.peek()).toString('hex'), '01000000ffffffff')
  assert.deepEqual(message(header).decode(viewOf(w.finish())), { little: 1, big: -1 })
})

test('a limit is of the number, not of its bytes', () => {
  const w = new Writer()
  w.attrBytes(7, Uint8Array.of(0x00, 0x02))
  const bytes = w.finish()
  assert.throws(() => orders.validate(viewOf(bytes), 0, bytes.length, NL_VALIDATE_STRICT), {
    code: 'ERANGE',
  })
  assert.throws(() => payloads({ limited: 301 }), { name: 'EncodeError' })
})

test('what has one order stays what it is', () => {
  assert.deepEqual(bigEndian(u16).shape, be16.shape)
  assert.equal(littleEndian(u8).size, 1)
  assert.throws(() => littleEndian(uint), TypeError)
})
