/** Policies, row by row of lib/nlattr.c's validate_nla(); test/property-kernel.test.ts asks Linux itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, NetlinkError } from '../errors.ts'
import { NLA_F_NESTED, viewOf, Writer } from '../wire/index.ts'
import {
  type AttrType,
  type AttrValues,
  array,
  attrs,
  be16,
  binary,
  bitfield32,
  embedded,
  exactOrMore,
  flag,
  ipAddress,
  judgedBy,
  keyed,
  lazy,
  message,
  msecs,
  multi,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_STRICT,
  nest,
  records,
  rejected,
  s16,
  strictFrom,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  uint,
} from './index.ts'

const inner = attrs('IN_', { name: [1, string.max(3)], count: [2, u8.range(2, 9)] })
const pair = struct('pair', { a: u32, b: u32 })
const set = attrs('P_', {
  byte: [1, u8],
  port: [2, u16.range(10, 20)],
  mask: [3, u32.mask(0x7)],
  signed: [4, s16.range(-5, 5)],
  wide: [5, u64.max(100n)],
  vary: [6, uint.max(1000n)],
  order: [7, be16.min(5)],
  on: [8, flag],
  name: [9, string.max(4)],
  bare: [10, string.max(4).bare()],
  blob: [11, binary.min(2).max(5)],
  bits: [12, bitfield32(0x3)],
  child: [13, nest(inner)],
  list: [14, array(inner)],
  table: [15, keyed(inner)],
  many: [16, multi(u8.max(3))],
  pair: [17, pair],
  addr: [18, ipAddress],
  peer: [19, embedded(message(pair, inner))],
  hops: [20, records(message(struct('hop', { len: 2, x: u16, y: u32 }), inner))],
})
const body = message(set)
const some = message(set.only('byte!', 'name'))

/** One attribute's bytes; a number is written as so many zero bytes. */
function bytesOf(type: number, payload: number[] | Uint8Array): Uint8Array {
  const w = new Writer()
  w.attrBytes(type, Uint8Array.from(payload))
  return w.finish()
}

function judge(bytes: Uint8Array, level = NL_VALIDATE_LIBERAL, of = body): NetlinkError | string {
  try {
    return of.validate(viewOf(bytes), 0, bytes.length, level) ?? 'fine'
  } catch (error) {
    assert.ok(isNetlinkError(error), String(error))
    return error
  }
}

function refused(bytes: Uint8Array, code: string, text: string, level = NL_VALIDATE_LIBERAL): void {
  const error = judge(bytes, level)
  assert.ok(isNetlinkError(error), `${Buffer.from(bytes).toString('hex')}: ${error}`)
  assert.deepEqual([error.code, error.extack?.message], [code, text])
}

const FAILED = 'Attribute failed policy validation'
const F = NLA_F_NESTED

test('what each type accepts and refuses in a lenient parse', () => {
  const fine: [number, number[]][] = [
    [1, [1]],
    [1, [1, 2, 3]], // too long: a warning in the kernel's log at most
    [2, [10, 0]],
    [3, [7, 0, 0, 0]],
    [4, [0xfb, 0xff]],
    [5, [100, 0, 0, 0, 0, 0, 0, 0]],
    [6, [0xe8, 3, 0, 0]],
    [6, [0xe8, 3, 0, 0, 0, 0, 0, 0]],
    [7, [0, 5]],
    [8, []],
    [9, [97, 98, 99, 100, 0]],
    [10, [97, 98, 99, 100]],
    [11, [1, 2]],
    [12, [1, 0, 0, 0, 3, 0, 0, 0]],
    [13, []],
    [14, []],
    [15, []],
    [16, [3]],
    [17, [0, 0, 0, 0, 0, 0, 0, 0, 9]],
    [18, []],
    [19, new Array(8).fill(0)],
    [20, new Array(8).fill(0)],
    [99, [1]],
    [0, [1]],
  ]
  for (const [type, payload] of fine) assert.equal(judge(bytesOf(type, payload)), 'fine', `${type}`)

  const bad: [number, number[], string, string][] = [
    [1, [], 'ERANGE', FAILED],
    [2, [9, 0], 'ERANGE', 'integer out of range'],
    [2, [21, 0], 'ERANGE', 'integer out of range'],
    [3, [8, 0, 0, 0], 'EINVAL', 'reserved bit set'],
    [4, [0xfa, 0xff], 'ERANGE', 'integer out of range'],
    [5, [101, 0, 0, 0, 0, 0, 0, 0], 'ERANGE', 'integer out of range'],
    [6, [1, 2, 3], 'EINVAL', 'invalid attribute length'],
    [6, [0xe9, 3, 0, 0], 'ERANGE', 'integer out of range'],
    [7, [0, 4], 'ERANGE', 'integer out of range'],
    [8, [1], 'ERANGE', FAILED],
    [9, [97, 98, 99, 100, 101, 0], 'EINVAL', FAILED],
    [9, [97], 'EINVAL', FAILED],
    [9, [], 'EINVAL', FAILED],
    [10, [], 'ERANGE', FAILED],
    [10, [97, 98, 99, 100, 101], 'ERANGE', FAILED],
    [11, [1], 'ERANGE', 'binary attribute size out of range'],
    [11, [1, 2, 3, 4, 5, 6], 'ERANGE', 'binary attribute size out of range'],
    [12, [1, 0, 0, 0], 'ERANGE', FAILED],
    [12, [4, 0, 0, 0, 4, 0, 0, 0], 'EINVAL', FAILED],
    [12, [1, 0, 0, 0, 2, 0, 0, 0], 'EINVAL', FAILED],
    [13, [1, 2, 3], 'ERANGE', FAILED],
    [14, [1, 2, 3], 'ERANGE', FAILED],
    [16, [4], 'ERANGE', 'integer out of range'],
    [17, [1, 2, 3, 4], 'ERANGE', FAILED],
    [19, [1, 2, 3, 4], 'ERANGE', FAILED],
    [20, [1, 2, 3, 4], 'ERANGE', FAILED],
  ]
  for (const [type, payload, code, text] of bad) refused(bytesOf(type, payload), code, text)
})

test('what a strict parse refuses beside that', () => {
  const S = NL_VALIDATE_STRICT
  refused(bytesOf(1, [1, 2]), 'EINVAL', 'invalid attribute length', S)
  refused(bytesOf(99, [1]), 'EINVAL', 'Unknown attribute type', S)
  refused(bytesOf(0, [1]), 'EINVAL', 'Unknown attribute type', S)
  refused(bytesOf(13, bytesOf(2, [3])), 'EINVAL', 'NLA_F_NESTED is missing', S)
  refused(bytesOf(15, bytesOf(2, [3])), 'EINVAL', 'NLA_F_NESTED is missing', S)
  refused(bytesOf(1 | F, [1]), 'EINVAL', 'NLA_F_NESTED not expected', S)
  assert.equal(judge(bytesOf(13 | F, bytesOf(2, [3])), S), 'fine')
  const unlisted = judge(bytesOf(2, [10, 0]), S, some as never)
  assert.equal(isNetlinkError(unlisted) && unlisted.extack?.message, 'Unsupported attribute')
  const strictish = judge(bytesOf(2, [10, 0]), NL_VALIDATE_DEPRECATED_STRICT, some as never)
  assert.equal(strictish, 'fine')
})

test('nests are judged inside, to the tenth level', () => {
  refused(bytesOf(13, bytesOf(2, [1])), 'ERANGE', 'integer out of range')
  refused(bytesOf(14, bytesOf(1, bytesOf(2, [1]))), 'ERANGE', 'integer out of range')
  refused(bytesOf(14, bytesOf(1, [1, 2])), 'ERANGE', 'Array element too short')
  const error = judge(bytesOf(13, bytesOf(2, [1]))) as NetlinkError
  assert.deepEqual(
    [error.extack?.offset, error.extack?.attribute, error.extack?.policy],
    [4, 'child.count', { type: 'u8', min: 2n, max: 9n }],
  )
  const opaque = { ...inner, shape: { ...inner.shape, isOpaque: true } } as typeof inner
  const closed = message(attrs('O_', { child: [1, opaque] })) as never
  assert.equal(judge(bytesOf(1, [9, 0, 2, 0, 1]), NL_VALIDATE_LIBERAL, closed), 'fine')
  assert.ok(isNetlinkError(judge(bytesOf(1, [9, 0]), NL_VALIDATE_LIBERAL, closed), 'ERANGE'))
  type Deep = AttrType<AttrValues<never, never, never>, AttrValues<never, never, never>>
  const deep: Deep = attrs('D_', { again: [1, lazy((): Deep => deep)] }) as never
  let bytes = bytesOf(1, [])
  for (let i = 0; i < 9; i++) bytes = bytesOf(1, bytes)
  assert.equal(judge(bytes, NL_VALIDATE_LIBERAL, message(deep) as never), 'fine')
  const tooDeep = judge(bytesOf(1, bytes), NL_VALIDATE_LIBERAL, message(deep) as never)
  assert.ok(isNetlinkError(tooDeep, 'EINVAL'))
  assert.equal(tooDeep.extack?.message, 'allowed policy recursion depth exceeded')
})

test('bytes behind the last attribute: refused, or a warning', () => {
  const bytes = Uint8Array.of(...bytesOf(1, [1]), 9, 0)
  const text = 'bytes leftover after parsing attributes'
  assert.equal(judge(bytes), text)
  refused(bytes, 'EINVAL', text, NL_VALIDATE_DEPRECATED_STRICT)
  assert.equal(judge(Uint8Array.of(200, 0, 1, 0, 0, 0, 0, 0)), text)
  assert.equal(judge(bytesOf(13, [...bytesOf(2, [3]), 1])), text)
})

test('a header that is cut short, and offsets from the request', () => {
  const m = message(pair, inner)
  const short = Uint8Array.of(1, 2, 3)
  assert.throws(
    () => m.validate(viewOf(short), 0, 3, NL_VALIDATE_LIBERAL),
    (e) => isNetlinkError(e, 'EINVAL') && e.extack?.message === 'Invalid header length',
  )
  const w = new Writer()
  w.reserve(16 + 8)
  w.put(bytesOf(2, [1]))
  assert.throws(
    () => m.validate(viewOf(w.peek()), 16, w.length, NL_VALIDATE_LIBERAL, 0),
    (e) =>
      isNetlinkError(e, 'ERANGE') && e.extack?.offset === 24 && e.extack?.attribute === 'count',
  )
})

const special = attrs('S_', {
  readOnly: [1, rejected('only the kernel sends it')],
  mute: [2, rejected()],
  even: [
    3,
    judgedBy(u8, (view, at) => {
      if (view.getUint8(at) % 2 === 1)
        throw new NetlinkError('EOPNOTSUPP', { extack: { message: 'odd' } })
    }),
  ],
  age: [4, msecs],
  mac: [5, exactOrMore(6)],
  key: [6, binary.exact(4)],
  flags: [7, uint.mask(5n)],
  some: [8, binary.max(3)],
  orders: [9, be16.mask(0x0f)],
})

test('attributes that are refused, judged by a function, of exact length, with reserved bits', () => {
  const of = message(special) as never
  const S = NL_VALIDATE_STRICT
  const outcome = (type: number, payload: number[], level = NL_VALIDATE_LIBERAL): unknown => {
    const result = judge(bytesOf(type, payload), level, of)
    if (!isNetlinkError(result)) return result
    const { message: text, offset, policy } = (result as NetlinkError).extack ?? {}
    return [result.code, text, offset, policy?.type]
  }
  assert.deepEqual(outcome(1, [1]), ['EINVAL', 'only the kernel sends it', 0, undefined])
  assert.deepEqual(outcome(2, [1]), ['EINVAL', FAILED, 0, undefined])
  assert.equal(outcome(3, [2]), 'fine')
  assert.deepEqual(outcome(3, [1]), ['EOPNOTSUPP', 'odd', 0, undefined])
  assert.equal(outcome(4, [1, 2, 3, 4, 5, 6, 7, 8, 9], S), 'fine')
  assert.deepEqual(outcome(4, [1, 2, 3, 4]), ['ERANGE', FAILED, 0, 'uint'])
  const range = 'binary attribute size out of range'
  const length = 'invalid attribute length'
  assert.equal(outcome(5, [1, 2, 3, 4, 5, 6]), 'fine')
  assert.equal(outcome(5, [1, 2, 3, 4, 5, 6, 7]), 'fine')
  assert.deepEqual(outcome(5, [1, 2, 3, 4, 5, 6, 7], S), ['EINVAL', length, 0, 'binary'])
  assert.deepEqual(outcome(5, [1, 2, 3]), ['ERANGE', range, 0, 'binary'])
  assert.deepEqual(outcome(6, [1, 2, 3, 4, 5]), ['ERANGE', range, 0, 'binary'])
  assert.equal(outcome(7, [4, 0, 0, 0]), 'fine')
  assert.deepEqual(outcome(7, [2, 0, 0, 0]), ['EINVAL', 'reserved bit set', 0, undefined])
  assert.deepEqual(outcome(8, [1, 2, 3, 4]), ['ERANGE', FAILED, 0, 'binary'])
  assert.deepEqual(outcome(9, [0, 0x10]), ['EINVAL', 'reserved bit set', 0, undefined])
})

test('from a number on a set is judged strictly in a lenient parse', () => {
  const old = message(strictFrom(attrs('O_', { first: [1, u8], second: [2, u8] }), 2)) as never
  assert.equal(judge(bytesOf(1, [1, 2]), NL_VALIDATE_LIBERAL, old), 'fine')
  assert.ok(isNetlinkError(judge(bytesOf(2, [1, 2]), NL_VALIDATE_LIBERAL, old), 'EINVAL'))
  assert.ok(isNetlinkError(judge(bytesOf(2 | F, [1]), NL_VALIDATE_LIBERAL, old), 'EINVAL'))
})

test('what is only refused is not sent; reserved bits are not either', () => {
  const codec = message(special)
  assert.throws(() => codec.encode(new Writer(), { readOnly: undefined as never, flags: 2n }), {
    code: 'NETLINK_ENCODE',
  })
  assert.throws(() => rejected().put(new Writer(), undefined as never), { code: 'NETLINK_ENCODE' })
})
