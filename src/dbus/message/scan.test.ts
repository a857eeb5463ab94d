/** Headers read without a detour say what parseHeader() says, of every message. */
import { deepEqual, equal, throws } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../errors.ts'
import { encodeMessage, type Header, headerAt, type MessageInit, parseHeader } from './index.ts'

const element = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
const name = fc.array(element, { minLength: 2, maxLength: 5 }).map((parts) => parts.join('.'))
const path = fc.array(element, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`)
const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined })

const init: fc.Arbitrary<MessageInit> = fc
  .record({
    type: fc.integer({ min: 1, max: 6 }),
    flags: fc.nat(255),
    serial: fc.nat(0xffffffff),
    path: maybe(path),
    interface: maybe(name),
    member: maybe(element),
    errorName: maybe(name),
    replySerial: maybe(fc.nat(0xffffffff)),
    destination: maybe(fc.oneof(name, fc.constant(':1.42'))),
    sender: maybe(fc.constant('com.example.Forged')),
    signature: fc.constantFrom('', 's', 'as'),
    unixFds: maybe(fc.nat(3)),
  })
  .map(
    ({ signature, ...rest }): MessageInit => ({
      ...rest,
      signature,
      body: signature === '' ? [] : signature === 's' ? ['text'] : [['a', 'b']],
    }),
  )

/** What either of them says: a header, or that there is none. */
function said(read: () => Header): Header | 'refused' {
  try {
    return { ...read() }
  } catch (error) {
    if (error instanceof DecodeError) return 'refused'
    throw error
  }
}

function compare(message: Uint8Array, before: number): void {
  const bytes = new Uint8Array(before + message.length + 7).fill(0xff)
  bytes.set(message, before)
  deepEqual(
    said(() => headerAt(bytes, before, message.length)),
    said(() => parseHeader(message)),
  )
}

test('of messages of every kind, in both byte orders, wherever they begin', () => {
  fc.assert(
    fc.property(init, fc.boolean(), fc.nat(20), (message, littleEndian, before) => {
      compare(encodeMessage(message, littleEndian), before)
    }),
    { numRuns: 500 },
  )
})

test('of messages with bytes changed', () => {
  fc.assert(
    fc.property(
      init,
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (message, littleEndian, changes) => {
        const bytes = encodeMessage(message, littleEndian)
        const { bodyAt } = parseHeaderLength(bytes, littleEndian)
        for (const [at, value] of changes) {
          const place = at % bodyAt
          // Order, version and lengths are judged before.
          if (place === 1 || place === 2 || (place >= 8 && place < 12) || place >= 16)
            bytes[place] = value
        }
        compare(bytes, 3)
      },
    ),
    { numRuns: 1000 },
  )
})

function parseHeaderLength(bytes: Uint8Array, littleEndian: boolean): { bodyAt: number } {
  const fields = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, littleEndian)
  return { bodyAt: (16 + fields + 7) & -8 }
}

test('the same text is judged anew as what it stands for', () => {
  const one = encodeMessage({ type: 1, serial: 1, path: '/x', member: 'Frob' })
  equal(headerAt(one, 0, one.length).member, 'Frob')
  const other = encodeMessage({ type: 1, serial: 1, path: '/x', interface: 'a.bb', member: 'M' })
  const at = other.indexOf(0x61)
  equal(headerAt(other, 0, other.length).interface, 'a.bb')
  // As an interface's name `Frob` has too few elements.
  for (let i = 0; i < 4; i++) other[at + i] = 'Frob'.charCodeAt(i)
  throws(() => headerAt(other, 0, other.length), DecodeError)
})
