/** Payloads that begin with a struct, keyed nests, and attributes whose form the header decides. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, EncodeError } from '../errors.ts'
import { viewOf, Writer } from '../wire/index.ts'
import {
  attrs,
  binary,
  embedded,
  flagOrU8,
  followed,
  keyed,
  type Message,
  message,
  mplsLabels,
  named,
  nest,
  protocolAddress,
  records,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
  variant,
} from './index.ts'

const header = struct('hdr', { family: named(u8, { AF_A: 1, AF_B: 2 }, 'AF_'), pad: 3 })
const leaf = attrs('L_', { name: [1, string.max(7)], size: [2, u32] })
const hop = message(struct('hop', { len: 2, flags: u8, hops: u8, index: s32 }), leaf)
const set = attrs('R_', {
  peer: [1, embedded(message(header, leaf))],
  hops: [2, records(hop)],
  via: [3, followed(struct('via', { kind: u16 }), 'address', protocolAddress)],
  table: [4, keyed(nest(leaf))],
  spec: [
    5,
    variant(
      'family',
      { 2: nest(attrs('B_', { name: [1, u16] })) },
      nest(attrs('A_', { mark: [1, u32] })),
    ),
  ],
  labels: [6, mplsLabels],
  inherit: [7, flagOrU8],
  rest: [8, binary],
})
const body = message(header, set)

function encode<In>(m: Message<unknown, In>, value: In): Uint8Array<ArrayBuffer> {
  const w = new Writer()
  m.encode(w, value)
  return w.finish()
}

test('they come back as they went, and encode to the same bytes', () => {
  const values: Parameters<typeof body.encode>[1][] = [
    { family: 0, peer: { family: 1, name: 'x', size: 5 } },
    {
      family: 0,
      hops: [
        { flags: 1, hops: 2, index: -3, name: 'abc' },
        { flags: 0, hops: 0, index: 7 },
        { flags: 0, hops: 0, index: 8, size: 9 },
      ],
    },
    { family: 0, via: { kind: 10, address: 'fe80::1' } },
    { family: 0, via: { kind: 99, address: '0x0102' } },
    {
      family: 0,
      table: [
        { key: 300, value: { size: 1 } },
        { key: 0, value: {} },
      ],
    },
    { family: 2, spec: { name: 77 } },
    { family: 1, spec: { mark: 77 } },
    { family: 0, labels: '100/200/1048575' },
    { family: 0, labels: '0x00000001' },
    { family: 0, inherit: true },
    { family: 0, inherit: 1 },
  ]
  for (const value of values) {
    const bytes = encode(body, value)
    assert.deepEqual(body.decode(viewOf(bytes)), value)
    assert.deepEqual(encode(body, body.decode(viewOf(bytes))), bytes)
  }
})

test('records have their own lengths, padded to four bytes', () => {
  const bytes = encode(body, { hops: [{ index: 1, name: 'ab' }, { index: 2 }] })
  const view = viewOf(bytes)
  assert.equal(view.getUint16(8, true), 16)
  assert.equal(view.getUint16(24, true), 8)
  assert.equal(body.pathAt(view, 0, bytes.length, 16), 'hops[0].name')
  assert.equal(body.pathAt(view, 0, bytes.length, 28), 'hops[1].index')
  assert.equal(body.offsetOf(view, 0, bytes.length, 'hops[0].name'), 16)
  assert.equal(body.offsetOf(view, 0, bytes.length, 'hops[1]'), 24)
})

test('a record, or a struct before more, that does not fit is a DecodeError with its path', () => {
  const bytes = encode(body, { hops: [{ index: 1, name: 'ab' }] })
  for (const length of [0, 7, 17, 400]) {
    const bad = bytes.slice()
    viewOf(bad).setUint16(8, length, true)
    assert.throws(
      () => body.decode(viewOf(bad)),
      (e) => e instanceof DecodeError && e.path?.startsWith('hops') === true,
      String(length),
    )
  }
  const inner = bytes.slice()
  viewOf(inner).setUint16(16, 99, true)
  assert.throws(
    () => body.decode(viewOf(inner)),
    (e) => e instanceof DecodeError && e.offset === 16 && e.path === 'hops[0]',
  )
  const via = encode(body, { via: { kind: 2, address: '10.0.0.1' } })
  viewOf(via).setUint16(4, 5, true)
  assert.throws(() => body.decode(viewOf(via)), DecodeError)
})

test('bad values say where they are', () => {
  const bad: [unknown, string][] = [
    [{ hops: [{ index: 1 }, { index: 'x' }] }, 'hops[1].index'],
    [{ hops: { index: 1 } }, 'hops'],
    [{ peer: { size: -1 } }, 'peer.size'],
    [{ via: { kind: 1, address: 'nowhere' } }, 'via.address'],
    [{ table: [{ key: 1, value: { size: 'x' } }] }, 'table[1].size'],
    [{ table: [{ key: 99999, value: {} }] }, 'table[99999]'],
    [{ family: 2, spec: { mark: 1 } }, 'spec.mark'],
    [{ labels: '99999999' }, 'labels'],
    [{ inherit: 'yes' }, 'inherit'],
  ]
  for (const [value, path] of bad) {
    assert.throws(
      () => encode(body, value as never),
      (e) => e instanceof EncodeError && e.path === path,
      path,
    )
  }
})

test('paths through a form that the header decides', () => {
  const bytes = encode(body, { family: 2, spec: { name: 7 } })
  const view = viewOf(bytes)
  assert.equal(body.pathAt(view, 0, bytes.length, 8), 'spec.name')
  assert.equal(body.offsetOf(view, 0, bytes.length, 'spec.name'), 8)
  const other = encode(body, { family: 1, spec: { mark: 7 } })
  assert.equal(body.pathAt(viewOf(other), 0, other.length, 8), 'spec.mark')
})
