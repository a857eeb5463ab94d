/** A message goes out with the sender that the bus knows, whoever owns its bytes. */
import { deepEqual, equal } from 'node:assert/strict'
import test from 'node:test'
import { decodeMessage, encodeMessage, headerAt } from '../message/index.ts'
import { encodeText } from '../message/utf8.ts'
import { Outgoing } from './outgoing.ts'

const AT = 5

function outgoing(littleEndian: boolean, sender: string | undefined, isLent: boolean) {
  const message = encodeMessage(
    {
      type: 4,
      serial: 7,
      path: '/x',
      interface: 'a.b',
      member: 'Changed',
      sender,
      signature: 's',
      body: ['what is said'],
    },
    littleEndian,
  )
  const source = new Uint8Array(1000).fill(0xee)
  source.set(message, AT)
  const header = headerAt(source, AT, message.length)
  const name = ':1.1234'
  return { source, made: Outgoing.from(header, source, AT, isLent, name, encodeText(name), []) }
}

for (const littleEndian of [true, false])
  for (const sender of [undefined, 'com.example.Forged'])
    test(`${littleEndian ? 'little' : 'big'}-endian, ${sender ? 'with a sender of its own' : 'without a sender'}`, () => {
      const { source, made } = outgoing(littleEndian, sender, true)
      const at = 500
      made.writeHead(source, at)
      made.writeBody(source, at + made.headLength)
      const written = source.slice(at, at + made.length)
      deepEqual(written, Uint8Array.of(...made.head, ...made.body))
      equal(source[at + made.length], 0xee)
      const decoded = decodeMessage(written)
      deepEqual(
        [decoded.sender, decoded.member, decoded.body],
        [':1.1234', 'Changed', ['what is said']],
      )
      equal(decoded.littleEndian, littleEndian)
    })

test('what is lent is copied by whoever keeps it', () => {
  const { source, made } = outgoing(true, undefined, true)
  made.keep()
  source.fill(0)
  deepEqual(decodeMessage(Uint8Array.of(...made.head, ...made.body)).body, ['what is said'])
  equal(decodeMessage(made.original).sender, undefined)
  const owned = outgoing(true, undefined, false)
  equal(owned.made.body.buffer, owned.source.buffer)
})
