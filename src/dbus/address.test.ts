/** Addresses of buses: what is read from them, what they refuse, and what a client makes of them. */
import { deepEqual, equal, throws } from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { escapeValue, parseAddresses } from './address.ts'
import { sessionAddress, socketPath } from './client/well-known.ts'

const paths = (text: string): string[] => parseAddresses(text).map(socketPath)

test('an address names a socket, by its path or by its abstract name', () => {
  deepEqual(paths('unix:path=/run/bus,guid=00;unix:abstract=x;'), ['/run/bus', '\0x'])
  deepEqual(paths('unix:path=/tmp/%c3%a4%20%3b'), ['/tmp/ä ;'])
  for (const text of ['tcp:host=localhost,port=1', 'unix:tmpdir=/tmp', 'unix:'])
    throws(() => paths(text), { code: 'NETLINK_INVALID', message: /can be reached/ })
})

test('what is no address is refused, and says why', () => {
  const REASONS: readonly [string, RegExp][] = [
    ['', /it is empty/],
    [';;', /it is empty/],
    ['unix', /it has no transport/],
    [':path=/x', /it has no transport/],
    ['unix:path', /"path" is no key=value/],
    ['unix:=x', /"=x" is no key=value/],
    ['unix:path=/x,path=/y', /"path" is given twice/],
    ['unix:path=%4', /two hexadecimal digits/],
    ['unix:path=%ff', /not UTF-8/],
  ]
  for (const [text, message] of REASONS)
    throws(() => parseAddresses(text), { code: 'NETLINK_INVALID', message })
})

test('a value comes back from an address as it went in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
      const [address] = parseAddresses(`unix:path=${escapeValue(value)},guid=0`)
      equal(address!.keys.get('path'), value)
    }),
  )
})

test('a runtime directory with letters that addresses keep for themselves is the session bus', () => {
  deepEqual(paths(sessionAddress({ XDG_RUNTIME_DIR: '/run/a;b,c%' })), ['/run/a;b,c%/bus'])
})
