import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../errors.ts'
import {
  decodeMessage,
  encodeMessage,
  type MessageInit,
  messageLength,
  parseHeader,
  readValues,
  stampSender,
  ValueWriter,
  Variant,
  validateBody,
} from './index.ts'
import { valuesOf } from './message.ts'

/** What GLib 2.74's g_dbus_message_to_blob() makes of `call`, in each byte order. */
const GLIB_LITTLE =
  '6c01000120000000070000007500000001016f00090000002f636f6d2f6578616d00000000000000' +
  '0201730010000000636f6d2e6578616d706c652e466163650000000000000000' +
  '0601730010000000636f6d2e6578616d706c652e446573740000000000000000' +
  '080167000673617b73767d0000000000030173000400000046726f6200000000' +
  '01000000780000001000000000000000010000006b0001750000000009000000'
const GLIB_BIG =
  '4201000100000020000000070000007501016f00000000092f636f6d2f6578616d00000000000000' +
  '0201730000000010636f6d2e6578616d706c652e466163650000000000000000' +
  '0601730000000010636f6d2e6578616d706c652e446573740000000000000000' +
  '080167000673617b73767d0000000000030173000000000446726f6200000000' +
  '00000001780000000000001000000000000000016b0001750000000000000009'

const basic: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  y: fc.integer({ min: 0, max: 255 }),
  b: fc.boolean(),
  n: fc.integer({ min: -0x8000, max: 0x7fff }),
  q: fc.integer({ min: 0, max: 0xffff }),
  i: fc.integer(),
  u: fc.integer({ min: 0, max: 0xffffffff }),
  x: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  t: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  d: fc.double({ noNaN: true }),
  s: fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\0')),
  o: fc
    .array(fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/), { maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`),
  g: fc.constantFrom('', 's', 'a{sv}', '(iau)'),
}

interface Typed {
  readonly signature: string
  readonly value: unknown
}

const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .constantFrom(...Object.keys(basic))
      .chain((signature) => basic[signature]!.map((value) => ({ signature, value }))),
    tie('any').map(({ signature, value }) => ({
      signature: 'v',
      value: new Variant(signature, value),
    })),
    tie('any').chain(({ signature, value }) =>
      fc.integer({ min: 0, max: 3 }).map((count) => ({
        signature: `a${signature}`,
        value:
          signature === 'y'
            ? new Uint8Array(count).fill(value as number)
            : Array.from({ length: count }, () => value),
      })),
    ),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((members) => ({
      signature: `(${members.map(({ signature }) => signature).join('')})`,
      value: members.map(({ value }) => value),
    })),
    fc
      .tuple(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.constant(0)), tie('any'))
      .map(([keys, { signature, value }]) => ({
        signature: `a{s${signature}}`,
        value: new Map(Object.keys(keys).map((key) => [key, value])),
      })),
  ),
})).any

test('what is written is read again, in either byte order', () => {
  fc.assert(
    fc.property(fc.array(typed, { maxLength: 4 }), fc.boolean(), (values, littleEndian) => {
      const signature = values.map((one) => one.signature).join('')
      fc.pre(signature.length < 200)
      const writer = new ValueWriter(littleEndian)
      const given = values.map(({ value }) => value)
      writer.values(signature, given)
      const bytes = writer.written
      deepEqual(readValues(valuesOf(bytes, littleEndian), signature, 0, bytes.length), given)
    }),
    { numRuns: 300 },
  )
})

const call: MessageInit = {
  type: 1,
  serial: 7,
  path: '/com/exam',
  interface: 'com.example.Face',
  member: 'Frob',
  destination: 'com.example.Dest',
  signature: 'sa{sv}',
  body: ['x', new Map([['k', new Variant('u', 9)]])],
}

test('a message of GLib is read, in either byte order', () => {
  for (const hex of [GLIB_LITTLE, GLIB_BIG]) {
    const message = decodeMessage(new Uint8Array(Buffer.from(hex, 'hex')))
    equal(message.littleEndian, hex === GLIB_LITTLE)
    const { serial, path, interface: name, member, destination, signature, body } = message
    deepEqual(
      { type: 1, serial, path, interface: name, member, destination, signature, body },
      call,
    )
  }
})

test('a message is decoded to what it was encoded from', () => {
  for (const littleEndian of [true, false]) {
    const bytes = encodeMessage(call, littleEndian)
    equal(messageLength(bytes, 0, bytes.length, 1 << 27), bytes.length)
    const message = decodeMessage(bytes)
    equal(message.serial, 7)
    equal(message.member, 'Frob')
    equal(message.destination, 'com.example.Dest')
    equal(message.sender, undefined)
    deepEqual(message.body, call.body)
  }
})

test('a bus puts its own idea of the sender into the header, and leaves the body alone', () => {
  for (const littleEndian of [true, false])
    for (const sender of [undefined, 'com.example.Forged']) {
      const bytes = encodeMessage({ ...call, sender }, littleEndian)
      const header = parseHeader(bytes)
      const head = stampSender(bytes, header, ':1.42')
      const stamped = decodeMessage(Uint8Array.of(...head, ...bytes.subarray(header.bodyAt)))
      equal(stamped.sender, ':1.42')
      equal(stamped.path, call.path)
      deepEqual(stamped.body, call.body)
    }
})

test('bytes that are no message are refused with a DecodeError and nothing else', () => {
  const bytes = encodeMessage(call)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const spoilt = bytes.slice()
        for (const [at, value] of changes) spoilt[at] = value
        try {
          if (messageLength(spoilt, 0, spoilt.length, 1 << 20) !== spoilt.length) return
          validateBody(spoilt, parseHeader(spoilt))
          decodeMessage(spoilt)
        } catch (error) {
          ok(error instanceof DecodeError, String(error))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

const refused: readonly [string, MessageInit | ((bytes: Uint8Array) => unknown)][] = [
  ['serial 0', { ...call, serial: 0 }],
  ['type 0', { ...call, type: 0 }],
  ['a call without a path', { ...call, path: undefined }],
  ['a signal without an interface', { ...call, type: 4, interface: undefined }],
  ['a return without a reply serial', { ...call, type: 2 }],
  ['an error without a name', { ...call, type: 3, replySerial: 1 }],
  ['the path that is a connection’s own', { ...call, path: '/org/freedesktop/DBus/Local' }],
  ['the interface that is', { ...call, interface: 'org.freedesktop.DBus.Local' }],
  ['protocol version 2', (bytes) => bytes.fill(2, 3, 4)],
  ['byte order x', (bytes) => bytes.fill(0x78, 0, 1)],
  ['a body that is longer than its values', (bytes) => bytes.fill(0x21, 4, 5)],
]

for (const [what, change] of refused)
  test(`refused: ${what}`, () => {
    const bytes = encodeMessage(typeof change === 'function' ? call : change).slice()
    if (typeof change === 'function') change(bytes)
    throws(() => {
      const length = messageLength(bytes, 0, bytes.length, 1 << 20)
      const whole = new Uint8Array(length)
      whole.set(bytes.subarray(0, length))
      validateBody(whole, parseHeader(whole))
    }, DecodeError)
  })

test('values that a signature does not allow are refused with the place', () => {
  const bad: [string, unknown, RegExp][] = [
    ['u', -1, /0: -1 is not within/],
    ['s', 5, /0: is no string/],
    ['as', ['a', 1], /0\[1\]: is no string/],
    ['(su)', ['a'], /0: has 1 members, not 2/],
    ['o', 'no/path', /no object path/],
    ['v', 5, /is no Variant/],
  ]
  for (const [signature, value, message] of bad)
    throws(() => new ValueWriter().values(signature, [value]), { code: 'NETLINK_ENCODE', message })
})
