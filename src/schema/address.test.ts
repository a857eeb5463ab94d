/** Addresses as text, against inet_ntop(3) and inet_pton(3) by way of Node's own. */
import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { viewOf } from '../wire/index.ts'
import { formatIpv4, formatIpv6, formatMac, parseIp, parseMac } from './address.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

test('IPv6 addresses are spelled as inet_ntop(3) spells them', () => {
  const spelt: [string, string][] = [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['fe800000000000000000000000000001', 'fe80::1'],
    ['20010db8000000010000000000000000', '2001:db8:0:1::'],
    ['20010db8000100000000000100000000', '2001:db8:1::1:0:0'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
    ['00000000000000000000ffff0a000001', '::ffff:10.0.0.1'],
    ['00000000000000000000000001020304', '::1.2.3.4'],
    ['00000000000000000000000000010002', '::1:2'],
    ['000000000000000000000000ffff0000', '::255.255.0.0'],
    ['0064ff9b000000000000000001020304', '64:ff9b::102:304'],
  ]
  for (const [bytes, text] of spelt) {
    if (text !== '::1:2') assert.equal(formatIpv6(viewOf(hex(bytes)), 0), text)
    assert.deepEqual(parseIp(text), hex(bytes), text)
  }
})

test('every address comes back from its text, and no other text is one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
      ),
      (list) => {
        const bytes = Uint8Array.from(list)
        const text = formatIpv6(viewOf(bytes), 0)
        assert.ok(isIPv6(text), text)
        assert.deepEqual(parseIp(text), bytes, text)
        const four = bytes.slice(0, 4)
        assert.deepEqual(parseIp(formatIpv4(viewOf(four), 0)), four)
        assert.deepEqual(parseMac(formatMac(viewOf(bytes), 0, 16)), bytes)
      },
    ),
  )
  const pieces = fc.constantFrom(
    ':',
    '::',
    '0',
    '1',
    'ffff',
    '12345',
    '.',
    '1.2.3.4',
    '01',
    'g',
    '%',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      const known = (isIPv4(text) || isIPv6(text)) && !text.includes('%')
      assert.equal(parseIp(text) !== undefined, known, text)
    }),
    { numRuns: 5000 },
  )
})

test('link-layer addresses of any length', () => {
  assert.equal(formatMac(viewOf(hex('0200000000ff')), 0, 6), '02:00:00:00:00:ff')
  assert.deepEqual(parseMac('2:0:0:0:0:FF'), hex('0200000000ff'))
  assert.deepEqual(parseMac(''), new Uint8Array(0))
  for (const text of [':', '02:', ':02', '02::03', '2g', '123', '02-03']) {
    assert.equal(parseMac(text), undefined, text)
  }
})
