/** JSON as requests: what fits, and the path of what does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rtLink } from '../families/rt-link.ts'
import {
  array,
  attrs,
  binary,
  bits,
  enumeration,
  flag,
  ipv4,
  keyed,
  list,
  message,
  multi,
  nest,
  selected,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { viewOf } from '../wire/message.ts'
import { Writer } from '../wire/writer.ts'
import { requestFromJson } from './family-json.ts'

const lock = attrs('LOCK_', { code: [1, u32], ownerName: [2, string] })
const set = attrs('DOOR_', {
  id: [1, u32],
  wide: [2, u64],
  state: [3, enumeration(u8, { closed: 0, open: 1 })],
  marks: [4, bits(u32, { RED: 1, BLUE: 4 })],
  key: [5, binary],
  lock: [6, nest(lock)],
  locks: [7, array(nest(lock))],
  names: [8, multi(string)],
  quick: [9, flag],
  at: [10, ipv4],
  size: [11, struct('size', { width: u16, height: u16 })],
  codes: [12, list(u16)],
  byNumber: [13, keyed(nest(lock))],
  kind: [14, string],
  data: [15, selected('kind', { lock })],
})
const door = message(set)

/** Through the encoder and back. */
function roundTrip(json: unknown): unknown {
  const w = new Writer()
  door.encode(w, requestFromJson(door, json) as never)
  return door.decode(viewOf(w.finish()))
}

test('every kind of value, as JSON has it', () => {
  assert.deepEqual(
    roundTrip({
      id: '0x10',
      wide: '18446744073709551615',
      state: 'open',
      marks: ['RED', 'BLUE'],
      key: '00:ff 10',
      lock: { code: 7, 'owner-name': 'me' },
      locks: [{ code: 1 }, { owner_name: 'you' }],
      names: ['a', 'b'],
      quick: true,
      at: '10.0.0.1',
      size: { width: 1, height: 2 },
      codes: [3, 4],
      byNumber: [{ key: 9, value: { code: 2 } }],
      kind: 'lock',
      data: { code: '12' },
    }),
    {
      id: 16,
      wide: 2n ** 64n - 1n,
      state: 'open',
      marks: 5,
      key: Uint8Array.of(0, 255, 16),
      lock: { code: 7, ownerName: 'me' },
      locks: [{ code: 1 }, { ownerName: 'you' }],
      names: ['a', 'b'],
      quick: true,
      at: '10.0.0.1',
      size: { width: 1, height: 2 },
      codes: [3, 4],
      byNumber: [{ key: 9, value: { code: 2 } }],
      kind: 'lock',
      data: { code: 12 },
    },
  )
  assert.deepEqual(roundTrip({ key: [1, 2], wide: 5 }), { key: Uint8Array.of(1, 2), wide: 5n })
})

test('what does not fit is told with its path, and nearly right names are guessed', () => {
  const refuses = (json: unknown, message: string | RegExp) =>
    assert.throws(() => roundTrip(json), { code: 'NETLINK_ENCODE', message })
  refuses([], 'an object expected, got an array')
  refuses(null, 'an object expected, got null')
  refuses({ id: 'x' }, 'id: a number expected, got "x"')
  refuses({ id: {} }, 'id: a number expected, got an object')
  refuses({ id: 2 ** 40 }, /^id: 1099511627776 is not within/)
  refuses({ id: '99999999999' }, /^id: 99999999999 is not within/)
  refuses({ stat: 'open' }, 'stat: no such attribute: did you mean state?')
  refuses({ state: 'opne' }, 'state: a number expected, got "opne": did you mean open?')
  refuses({ marks: ['RED', 'BULE'] }, 'marks: a number expected, got "BULE": did you mean BLUE?')
  refuses({ key: 'xy' }, 'key: bytes in hexadecimal expected, got "xy"')
  refuses({ key: [1, 256] }, 'key[1]: a byte expected, got 256')
  refuses({ lock: { cod: 1 } }, 'lock.cod: no such attribute: did you mean code?')
  refuses({ locks: [{}, { code: null }] }, 'locks[1].code: a number expected, got null')
  refuses({ names: 'a' }, 'names: an array expected, got "a"')
  refuses({ quick: 1 }, 'quick: true or false expected, got 1')
  refuses({ at: '10.0.0.256' }, /^at: an ipv4 address expected/)
  refuses({ at: 5 }, 'at: an address expected, got 5')
  refuses({ size: { depth: 1 } }, 'size.depth: no such attribute: there are width, height')
  refuses({ kind: 'lock', data: { cde: 1 } }, 'data.cde: no such attribute: did you mean code?')
  refuses({ byNumber: [5] }, 'byNumber[0]: an object expected, got 5')
  refuses({ names: [1] }, 'names[0]: text expected, got 1')
})

test('header fields and attributes are one object; without a message nothing fits', () => {
  const { request } = rtLink.ops.getLink.do
  assert.deepEqual(requestFromJson(request, { ifindex: 1, 'ext-mask': 1 }), {
    ifindex: 1,
    extMask: 1,
  })
  assert.deepEqual(requestFromJson(undefined, {}), {})
  assert.throws(() => requestFromJson(undefined, { a: 1 }), { path: 'a' })
})
