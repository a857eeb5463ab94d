/** Writer: literal bytes, growth, limits, and what it undoes. Bytes are a little-endian machine's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EncodeError } from '../errors.ts'
import { AttributeWalker } from './attribute.ts'
import { MessageWalker, viewOf } from './message.ts'
import { HOST_LE } from './order.ts'
import { Writer } from './writer.ts'

const littleEndian = {
  skip: HOST_LE ? false : 'the literal bytes are written for a little-endian machine',
}

/** A writer whose memory is full of old bytes, as a reused one's is. */
function dirty(capacity = 64): Writer {
  const w = new Writer(capacity)
  w.bytes.fill(0xee)
  return w
}

const rows: readonly [name: string, write: (w: Writer) => void, bytes: readonly number[]][] = [
  ['nothing', () => {}, []],
  ['u8', (w) => w.u8(0xab), [0xab]],
  ['u16', (w) => w.u16(0x0102), [2, 1]],
  ['u16 in network order', (w) => w.u16(0x0102, false), [1, 2]],
  ['u32', (w) => w.u32(0x01020304), [4, 3, 2, 1]],
  ['u32 in network order', (w) => w.u32(0x01020304, false), [1, 2, 3, 4]],
  ['u64', (w) => w.u64(0x0102030405060708n), [8, 7, 6, 5, 4, 3, 2, 1]],
  ['u64 in network order', (w) => w.u64(0x0102030405060708n, false), [1, 2, 3, 4, 5, 6, 7, 8]],
  ['a negative number as two’s complement', (w) => w.u32(-2), [0xfe, 0xff, 0xff, 0xff]],
  ['bytes', (w) => w.put(Uint8Array.of(9, 8, 7)), [9, 8, 7]],
  ['a string and its NUL', (w) => w.string('lo'), [0x6c, 0x6f, 0]],
  ['a string without NUL', (w) => w.string('lo', false), [0x6c, 0x6f]],
  ['UTF-8', (w) => w.string('é€', false), [0xc3, 0xa9, 0xe2, 0x82, 0xac]],
  ['reserved bytes are zero', (w) => void w.reserve(3), [0, 0, 0]],
  [
    'padding is zero',
    (w) => {
      w.u8(1)
      w.pad()
    },
    [1, 0, 0, 0],
  ],
  [
    'no padding where none is needed',
    (w) => {
      w.u32(1)
      w.pad()
    },
    [1, 0, 0, 0],
  ],
  [
    'nla_put_u32',
    (w) => w.attrU32(4, 1500),
    [
      ...[8, 0], // nla_len
      ...[4, 0], // IFLA_MTU
      ...[0xdc, 0x05, 0, 0],
    ],
  ],
  [
    'nla_put_string: the padding is not in nla_len',
    (w) => w.attrString(3, 'eth0'),
    [
      ...[9, 0], // nla_len
      ...[3, 0], // IFLA_IFNAME
      ...[0x65, 0x74, 0x68, 0x30, 0],
      ...[0, 0, 0], // padding
    ],
  ],
  ['an attribute without payload', (w) => w.attrBytes(7, new Uint8Array(0)), [4, 0, 7, 0]],
  [
    'nests in nests',
    (w) => {
      const info = w.nestStart(18)
      w.attrString(1, 'veth')
      const data = w.attrStart(2)
      w.attrU32(1, 5)
      w.attrEnd(data)
      w.attrEnd(info)
    },
    [
      ...[28, 0, 18, 0x80], // IFLA_LINKINFO with NLA_F_NESTED
      ...[9, 0, 1, 0, 0x76, 0x65, 0x74, 0x68, 0, 0, 0, 0], // IFLA_INFO_KIND
      ...[12, 0, 2, 0], // IFLA_INFO_DATA, without the flag
      ...[8, 0, 1, 0, 5, 0, 0, 0],
    ],
  ],
  [
    'a message: nlmsg_len is without the padding',
    (w) => {
      const mark = w.messageStart(0x10, 0x305, 7, 42)
      w.u8(0x11)
      w.messageEnd(mark)
    },
    [
      ...[17, 0, 0, 0], // nlmsg_len
      ...[0x10, 0], // nlmsg_type
      ...[0x05, 0x03], // nlmsg_flags
      ...[7, 0, 0, 0], // nlmsg_seq
      ...[42, 0, 0, 0], // nlmsg_pid
      ...[0x11, 0, 0, 0],
    ],
  ],
]

for (const [name, write, bytes] of rows)
  test(`writes ${name}`, littleEndian, () => {
    const w = dirty()
    write(w)
    assert.deepEqual([...w.finish()], bytes)
    assert.equal(w.length, bytes.length)
  })

test('a writer that must grow writes the same bytes', () => {
  for (const [name, write] of rows) {
    const roomy = dirty()
    const tight = new Writer(1)
    write(roomy)
    write(tight)
    assert.deepEqual(tight.finish(), roomy.finish(), name)
  }
})

test('growth keeps what was written, and peek shares memory where finish copies', () => {
  const w = new Writer(4)
  for (let n = 0; n < 1000; n++) w.u8(n & 0xff)
  assert.deepEqual(
    w.finish(),
    Uint8Array.from({ length: 1000 }, (_, n) => n & 0xff),
  )
  const copy = w.finish()
  const shared = w.peek()
  w.bytes[0] = 99
  assert.equal(copy[0], 0)
  assert.equal(shared[0], 99)
})

test('a string that fills the writer to its last byte', () => {
  for (const [text, size] of [
    ['x'.repeat(15), 16],
    ['€'.repeat(5), 16],
    ['', 1],
    ['\u{1f427}', 5],
  ] as const) {
    const w = new Writer(size)
    w.string(text)
    assert.equal(w.length, size)
    assert.equal(new TextDecoder().decode(w.finish().subarray(0, -1)), text)
  }
})

test('an attribute holds 65,531 bytes, and one more is an EncodeError', () => {
  const w = new Writer()
  w.attrBytes(1, new Uint8Array(65_531))
  assert.equal(w.length, 65_536)
  assert.equal(w.view.getUint16(0, HOST_LE), 0xffff)
  for (const size of [65_532, 65_535, 65_536, 131_072])
    assert.throws(() => new Writer().attrBytes(1, new Uint8Array(size)), EncodeError)
})

test('a nest that its attributes make too long is an EncodeError, and trim takes it back', () => {
  const w = new Writer()
  w.u32(1)
  const mark = w.nestStart(2)
  for (let n = 0; n < 3; n++) w.attrBytes(1, new Uint8Array(30_000))
  assert.throws(() => w.attrEnd(mark), {
    name: 'EncodeError',
    message: /attribute of 90016 bytes/,
  })
  w.trim(mark)
  assert.equal(w.length, 4)
})

test('trim forgets what is behind a mark and never lengthens', () => {
  const w = new Writer()
  w.u32(1)
  const mark = w.attrStart(5)
  w.put(Uint8Array.of(1, 2, 3))
  w.trim(mark)
  w.trim(1000)
  assert.equal(w.length, 4)
  assert.equal(w.reserve(4), 4)
  assert.deepEqual(w.finish().subarray(4), new Uint8Array(4))
})

/** An attribute for the property below: a type and either bytes or attributes. */
interface Tree {
  type: number
  payload: Uint8Array | Tree[]
}
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record(
    {
      type: fc.integer({ min: 0, max: 0x3fff }),
      payload: fc.oneof(
        { depthSize: 'small' },
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie('tree'), { maxLength: 5 }),
      ),
    },
    { noNullPrototype: true },
  ),
}))

function write(w: Writer, { type, payload }: Tree): void {
  if (payload instanceof Uint8Array) {
    w.attrBytes(type, payload)
  } else {
    const mark = w.nestStart(type)
    for (const child of payload) write(w, child)
    w.attrEnd(mark)
  }
}

/** Walks what `write` wrote, guided by the flag on nests. */
function read(view: DataView, at: number, end: number): Tree[] {
  const found: Tree[] = []
  const walker = new AttributeWalker(view, at, end)
  while (walker.next()) {
    const { type, rawType, payload, end: stop } = walker
    found.push({
      type,
      payload:
        rawType === type
          ? new Uint8Array(view.buffer, view.byteOffset + payload, stop - payload)
          : read(view, payload, stop),
    })
  }
  return found
}

test('whatever attributes are written are walked again, over several messages', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(tree, { maxLength: 6 }), { maxLength: 4 }),
      fc.nat({ max: 64 }),
      (messages, capacity) => {
        const w = new Writer(capacity)
        for (const [seq, attributes] of messages.entries()) {
          const mark = w.messageStart(0x20 + seq, seq, seq * 3, 0xffffffff)
          for (const attribute of attributes) write(w, attribute)
          w.messageEnd(mark)
        }
        const walker = new MessageWalker(viewOf(w.finish()))
        for (const [seq, attributes] of messages.entries()) {
          assert.ok(walker.next())
          assert.equal(walker.type, 0x20 + seq)
          assert.equal(walker.flags, seq)
          assert.equal(walker.seq, seq * 3)
          assert.equal(walker.portid, 0xffffffff)
          assert.deepEqual(read(walker.view, walker.payload, walker.end), attributes)
        }
        assert.equal(walker.next(), false)
        assert.equal(walker.leftover, 0)
      },
    ),
  )
})
