/** The description language end to end: types, sets, messages, in whichever form this run uses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, EncodeError } from '../errors.ts'
import { NLA_F_NESTED, viewOf, Writer } from '../wire/index.ts'
import {
  array,
  attrs,
  binary,
  bitfield32,
  bits,
  enumeration,
  flag,
  type Infer,
  type Input,
  ipAddress,
  lazy,
  list,
  mac,
  message,
  multi,
  nest,
  s32,
  selected,
  sint,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  uint,
} from './index.ts'

const peer = attrs('PEER_', { name: [1, string.max(15)], mtu: [2, u32.range(68, 65535)] })
const vlan = attrs('VLAN_', { id: [1, u16.max(4094)], flags: [2, bitfield32(0x3)] })
const info = attrs('INFO_', {
  kind: [1, string],
  data: [2, selected('kind', { vlan: nest(vlan, 'noflag'), peer, raw: binary })],
})
const header = struct('testmsg', { family: u8, pad: 1, type: u16, index: s32 })
const sample = attrs('T_', {
  name: [1, string.max(15)],
  mtu: [2, u32.range(68, 9000)],
  state: [3, enumeration(u8, { down: 2, up: 6 })],
  addr: [4, ipAddress],
  lladdr: [5, mac],
  quiet: [6, flag],
  counters: [7, struct('counters', { rx: u64, tx: u64 })],
  list: [8, list(u32)],
  items: [9, array(peer)],
  old: [10, array(peer, 'noflag')],
  alt: [11, multi(string)],
  info: [12, nest(info, 'noflag')],
  big: [13, uint],
  signed: [14, sint],
  mask: [15, bits(u32, { A: 1, B: 2 })],
  blob: [16, binary.max(8)],
  child: [17, lazy((): typeof peer => peer)],
})
const body = message(header, sample)
const small = message(header, sample.only('name!', 'mtu'))

function encode(m: { encode(w: Writer, v: never): void }, value: unknown): DataView {
  const w = new Writer(16)
  m.encode(w, value as never)
  return viewOf(w.finish())
}

const full: Input2 = {
  family: 2,
  type: 1,
  index: -7,
  name: 'eth0',
  mtu: 1500,
  state: 'up',
  addr: 'fe80::1',
  lladdr: '02:00:00:00:00:01',
  quiet: true,
  counters: { rx: 1n, tx: 2n ** 60n },
  list: [1, 2, 3],
  items: [{ name: 'a' }, { mtu: 100 }],
  old: [{ name: 'b', mtu: 70 }],
  alt: ['x', 'yy'],
  info: { kind: 'vlan', data: { id: 5, flags: { value: 1, selector: 3 } } },
  big: 2n ** 40n,
  signed: -1n,
  mask: 3,
  blob: Uint8Array.of(1, 2, 3),
  child: { name: 'c' },
}
type Input2 = Parameters<typeof body.encode>[1]

test('a message decodes to what was encoded, header and attributes in one object', () => {
  const view = encode(body, full)
  assert.deepEqual(body.decode(view), full)
})

test('encoding what was decoded gives the same bytes, unknown attributes in their places', () => {
  const w = new Writer()
  header.put(w, { family: 1, index: 3 })
  w.attrU32(900, 7)
  w.attrString(1, 'eth0')
  w.attrBytes(901 | NLA_F_NESTED, Uint8Array.of(1, 2, 3, 4, 5))
  w.attrU32(2, 1500)
  w.attrU32(902, 9)
  const bytes = w.finish()
  const value = body.decode(viewOf(bytes))
  assert.equal(value.unknown?.length, 3)
  const again = new Writer()
  body.encode(again, value)
  assert.deepEqual(again.finish(), bytes)
})

test('attributes that a message does not list count as unknown, and are kept', () => {
  const view = encode(body, full)
  const value = small.decode(view)
  assert.equal(value.name, 'eth0')
  assert.equal('addr' in value, false)
  assert.deepEqual(encode(small, value), view)
})

test('a selected attribute before its selector, and with a selector nobody knows', () => {
  const w = new Writer()
  header.put(w, {})
  const outer = w.attrStart(12)
  const data = w.attrStart(2)
  w.attrBytes(1, Uint8Array.of(9, 0))
  w.attrEnd(data)
  w.attrString(1, 'vlan')
  w.attrEnd(outer)
  const value = body.decode(viewOf(w.finish()))
  assert.deepEqual(value.info?.data, { id: 9 })

  const other = encode(body, { info: { kind: 'vlan', data: { id: 5 } } })
  const bytes = new Uint8Array(other.buffer.slice(0))
  bytes[bytes.indexOf('v'.charCodeAt(0))] = 'w'.charCodeAt(0)
  const strange = body.decode(viewOf(bytes))
  assert.equal(strange.info?.kind, 'wlan')
  assert.equal(strange.info?.data, undefined)
  assert.equal(strange.info?.unknown?.length, 1)
  assert.deepEqual(encode(body, strange), viewOf(bytes))
})

test('bad values are EncodeErrors with a path, and leave nothing behind', () => {
  const cases: [unknown, string, RegExp][] = [
    [{ mtu: 10 }, 'mtu', /68\.\.9000/],
    [{ mtu: 1.5 }, 'mtu', /integer/],
    [{ mtu: '1' }, 'mtu', /integer/],
    [{ name: 'a-name-that-is-too-long' }, 'name', /15 are the most/],
    [{ name: 'a\0b' }, 'name', /NUL/],
    [{ state: 'sideways' }, 'state', /down, up/],
    [{ addr: '1.2.3' }, 'addr', /address/],
    [{ addr: 'fe80::1%eth0' }, 'addr', /address/],
    [{ lladdr: 'zz' }, 'lladdr', /address/],
    [{ items: [{ name: 'x' }, { mtu: 1 }] }, 'items[1].mtu', /68/],
    [{ alt: ['x', 3] }, 'alt[1]', /string/],
    [{ alt: 'x' }, 'alt', /array/],
    [{ info: { kind: 'vlan', data: { id: 5000 } } }, 'info.data.id', /4094/],
    [{ info: { kind: 'wlan', data: {} } }, 'info.data', /kind/],
    [
      { info: { kind: 'vlan', data: { flags: { value: 4, selector: 4 } } } },
      'info.data.flags',
      /reserved/,
    ],
    [{ counters: { rx: -1n } }, 'counters.rx', /not within/],
    [{ counters: 3 }, 'counters', /object/],
    [{ info: 3 }, 'info', /object/],
    [{ index: 'x' }, 'index', /integer/],
    [{ blob: new Uint8Array(9) }, 'blob', /9 bytes/],
    [{ blob: [1] }, 'blob', /Uint8Array/],
    [{ nmae: 'x' }, 'nmae', /no such/],
    [{ big: -1 }, 'big', /not within/],
    [{ quiet: 1 }, 'quiet', /true or false/],
    [null, '', /object/],
  ]
  for (const [value, path, reason] of cases) {
    const w = new Writer()
    w.u32(1)
    assert.throws(
      () => body.encode(w, value as never),
      (e) => e instanceof EncodeError && e.path === path && reason.test(e.reason),
      JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)),
    )
    assert.equal(w.length, 4)
  }
  assert.throws(() => small.encode(new Writer(), {} as never), { path: 'name' })
  assert.throws(() => small.encode(new Writer(), { name: 'x', addr: '1.2.3.4' } as never), {
    path: 'addr',
  })
})

test('bad bytes are DecodeErrors with offset and path', () => {
  const short = new Writer()
  header.put(short, {})
  short.attrBytes(2, Uint8Array.of(1, 2))
  assert.throws(
    () => body.decode(viewOf(short.finish())),
    (e) => e instanceof DecodeError && e.offset === 12 && e.path === 'mtu',
  )
  const inner = new Writer()
  header.put(inner, {})
  const outer = inner.attrStart(12)
  inner.attrString(1, 'vlan')
  const data = inner.attrStart(2)
  inner.attrBytes(1, Uint8Array.of(1))
  inner.attrEnd(data)
  inner.attrEnd(outer)
  assert.throws(
    () => body.decode(viewOf(inner.finish())),
    (e) => e instanceof DecodeError && e.path === 'info.data.id',
  )
  assert.throws(() => body.decode(viewOf(new Uint8Array(3))), DecodeError)
  assert.throws(() => small.decode(encode(body, { mtu: 100 })), /name is required/)
})

test('paths lead to offsets and back', () => {
  const view = encode(body, full)
  for (const path of ['mtu', 'info.data.id', 'items[1].mtu', 'child.name']) {
    const offset = body.offsetOf(view, 0, view.byteLength, path)
    assert.ok(offset, path)
    assert.equal(body.pathAt(view, 0, view.byteLength, offset), path)
  }
  assert.equal(body.pathAt(view, 0, view.byteLength, 5), 'index')
  assert.equal(body.offsetOf(view, 0, view.byteLength, 'nothing'), undefined)
})

test('a struct that an older kernel sent shorter reads as zeros, a longer one keeps its tail', () => {
  const stats = struct('stats', { a: u32, b: u32, c: u64 }).since(8)
  const set = message(attrs('S_', { stats: [1, stats] }))
  const w = new Writer()
  w.attrBytes(1, Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0))
  assert.deepEqual(set.decode(viewOf(w.finish())), { stats: { a: 1, b: 2, c: 0n } })
  const longer = new Writer()
  longer.attrBytes(1, new Uint8Array(20).fill(1))
  const value = set.decode(viewOf(longer.finish()))
  assert.deepEqual(value.stats?.tail, Uint8Array.of(1, 1, 1, 1))
  const again = new Writer()
  set.encode(again, value)
  assert.deepEqual(again.finish(), longer.finish())
  const tiny = new Writer()
  tiny.attrBytes(1, new Uint8Array(4))
  assert.throws(() => set.decode(viewOf(tiny.finish())), /8 bytes expected/)
})

test('definitions that contradict themselves are refused', () => {
  assert.throws(() => attrs('X_', { a: [1, u8], b: [1, u8] }), /both 1/)
  assert.throws(() => attrs('X_', { unknown: [1, u8] }), /cannot be/)
  assert.throws(() => message(header, attrs('X_', { index: [1, u8] })), /both in the header/)
  assert.throws(() => struct('x', { s: string }), /no fixed size/)
})

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_?: T): void => {}

test('types: what is inferred is what decodes', () => {
  type Small = ReturnType<typeof small.decode>
  is<Equal<Small['name'], string>>()
  is<Equal<Small['mtu'], number | undefined>>()
  is<Equal<Infer<typeof vlan>['flags'], { value: number; selector: number } | undefined>>()
  is<Equal<Input<typeof sample>['big'], bigint | number | undefined>>()
  const value = {} as Infer<typeof info>
  if (value.kind === 'vlan') is<Equal<NonNullable<typeof value.data>['id'], number | undefined>>()
  // @ts-expect-error a value of the wrong type
  const bad: Input<typeof sample> = { mtu: 'x' }
  // @ts-expect-error a name that is not in the set
  assert.throws(() => sample.only('nmae'), /not in its set/)
  assert.ok(bad)
})
