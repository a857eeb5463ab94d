/** The conversation before the first message, as dbus-daemon 1.14 was heard to hold it. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type Mechanism, Sasl } from './sasl.ts'

const guid = 'ab0f8e12c5c44a835a2f112c6b00b04b'
const OK = `OK ${guid}\r\n`
const REJECTED = 'REJECTED EXTERNAL\r\n'

function server(mechanisms: readonly Mechanism[] = ['EXTERNAL'], canPassFds = true): Sasl {
  return new Sasl({ guid, mechanisms, uid: 1000, canPassFds })
}

/** `1000` and `9999`, in hexadecimal digits of their letters. */
const [OWN, OTHER] = ['31303030', '39393939']

const conversations: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['AUTH alone is an inquiry', ['AUTH'], [REJECTED]],
  ['the own user', [`AUTH EXTERNAL ${OWN}`, 'BEGIN'], [OK, '']],
  ['no identity is asked for once', ['AUTH EXTERNAL', 'DATA', 'BEGIN'], ['DATA\r\n', OK, '']],
  ['identity in DATA', ['AUTH EXTERNAL', `DATA ${OWN}`], ['DATA\r\n', OK]],
  ['another user', [`AUTH EXTERNAL ${OTHER}`], [REJECTED]],
  [
    'a mechanism that is not offered',
    ['AUTH ANONYMOUS', 'AUTH DBUS_COOKIE_SHA1 30'],
    [REJECTED, REJECTED],
  ],
  ['an unknown command', ['FOO'], ['ERROR "Unknown command"\r\n']],
  ['descriptors before OK', ['NEGOTIATE_UNIX_FD'], ['ERROR "Need to authenticate first"\r\n']],
  [
    'descriptors after OK',
    [`AUTH EXTERNAL ${OWN}`, 'NEGOTIATE_UNIX_FD'],
    [OK, 'AGREE_UNIX_FD\r\n'],
  ],
  ['CANCEL after OK', [`AUTH EXTERNAL ${OWN}`, 'CANCEL'], [OK, REJECTED]],
  ['ERROR at any time', ['ERROR'], [REJECTED]],
  ['DATA out of turn', ['DATA'], ['ERROR "Not currently in an auth conversation"\r\n']],
  [
    'AUTH in a conversation',
    ['AUTH EXTERNAL', 'AUTH EXTERNAL'],
    ['DATA\r\n', 'ERROR "Sent AUTH while another AUTH in progress"\r\n'],
  ],
  [
    'AUTH after OK',
    [`AUTH EXTERNAL ${OWN}`, 'AUTH'],
    [OK, 'ERROR "Sent AUTH while expecting BEGIN"\r\n'],
  ],
  ['digits that are none', ['AUTH EXTERNAL 3x'], ['ERROR "Invalid hex encoding"\r\n']],
  ['letters beyond ASCII', ['AUTH \u00e9'], ['ERROR "Command contained non-ASCII"\r\n']],
]

for (const [about, lines, answers] of conversations) {
  test(`SASL: ${about}`, () => {
    const sasl = server()
    deepEqual(
      lines.map((line) => sasl.take(line)),
      answers,
    )
    equal(sasl.isDone, lines.at(-1) === 'BEGIN')
    equal(sasl.hasFailed, false)
  })
}

test('SASL: BEGIN before OK, and the sixth refusal, end it', () => {
  const early = server()
  equal(early.take('BEGIN'), '')
  ok(early.hasFailed)
  const stubborn = server()
  for (let i = 0; i < 6; i++) {
    equal(stubborn.hasFailed, false)
    equal(stubborn.take('AUTH'), REJECTED)
  }
  ok(stubborn.hasFailed)
})

test('SASL: ANONYMOUS where it is offered, and descriptors where they cannot travel', () => {
  const sasl = server(['EXTERNAL', 'ANONYMOUS'], false)
  equal(sasl.take('AUTH ANONYMOUS 6e6c'), OK)
  ok(sasl.isAnonymous)
  equal(
    sasl.take('NEGOTIATE_UNIX_FD'),
    'ERROR "Unix FD passing not supported, not authenticated or otherwise not possible"\r\n',
  )
})

test('SASL: nobody gets to BEGIN without an identity, whatever he says', () => {
  const word = fc.constantFrom(
    'AUTH',
    'AUTH EXTERNAL',
    `AUTH EXTERNAL ${OTHER}`,
    `DATA ${OTHER}`,
    'CANCEL',
    'ERROR',
    'BEGIN',
    'NEGOTIATE_UNIX_FD',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }), (lines) => {
      const sasl = server()
      for (const line of lines) {
        if (sasl.hasFailed) return
        const answer = sasl.take(line)
        ok(answer === '' || answer.endsWith('\r\n'))
        equal(sasl.isDone, false)
        equal(answer.startsWith('OK'), false)
      }
    }),
  )
})
