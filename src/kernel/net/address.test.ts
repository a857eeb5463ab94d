import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isNetlinkError } from '../../errors.ts'
import {
  formatIpv4,
  formatIpv6,
  linkLocalEui64,
  mask4,
  parseIpv4,
  parseIpv6,
  prefix4,
  prefix6,
  samePrefix4,
  samePrefix6,
} from './address.ts'

const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })

test('IPv4 and IPv6 addresses come back from their text', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), ipv6, (a, b) => {
      assert.equal(parseIpv4(formatIpv4(a)), a)
      assert.equal(parseIpv6(formatIpv6(b)), b)
    }),
  )
})

test('IPv6 text is that of RFC 5952 and inet_ntop(3)', () => {
  const rows: [string, string][] = [
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['FE80:0:0:0:ABCD:0:0:1', 'fe80::abcd:0:0:1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::10.0.0.1', '::10.0.0.1'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ]
  for (const [text, canonical] of rows) assert.equal(formatIpv6(parseIpv6(text)), canonical)
})

test('what is no address is EINVAL', () => {
  const bad = (error: unknown) => isNetlinkError(error, 'EINVAL')
  for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'a.b.c.d', '1.2.3.-4'])
    assert.throws(() => parseIpv4(text), bad, text)
  for (const text of [
    '',
    ':',
    '1',
    '1:2:3:4:5:6:7',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1.2.3',
  ])
    assert.throws(() => parseIpv6(text), bad, text)
})

test('prefixes keep their first bits', () => {
  assert.deepEqual(
    [0, 1, 8, 24, 31, 32].map((n) => formatIpv4(mask4(n))),
    ['0.0.0.0', '128.0.0.0', '255.0.0.0', '255.255.255.0', '255.255.255.254', '255.255.255.255'],
  )
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(32), (address, length) => {
      const bits = address.toString(2).padStart(32, '0').slice(0, length).padEnd(32, '0')
      assert.equal(prefix4(address, length), Number.parseInt(bits, 2))
      assert.ok(samePrefix4(address, prefix4(address, length), length))
    }),
  )
  fc.assert(
    fc.property(ipv6, fc.nat(128), (address, length) => {
      const bits = address.toString(2).padStart(128, '0').slice(0, length).padEnd(128, '0')
      assert.equal(prefix6(address, length), BigInt(`0b${bits}`))
      assert.ok(samePrefix6(address, prefix6(address, length), length))
    }),
  )
})

test('a link-local address is made of the MAC address', () => {
  const mac = Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55)
  assert.equal(formatIpv6(linkLocalEui64(mac)), 'fe80::11:22ff:fe33:4455')
})
