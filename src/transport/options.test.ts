import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionValue, optionValues } from './options.ts'

test('options become what setsockopt takes', () => {
  assert.deepEqual(
    optionValues({ extAck: true, receiveBuffer: 4096, capAck: false }).map((o) => [
      o.level,
      o.option,
      o.value,
    ]),
    [
      [270, 11, 1],
      [1, 8, 4096],
      [270, 10, 0],
    ],
  )
  assert.deepEqual(optionValues(), [])
})

test('a wrong name or value is refused before any call', () => {
  for (const [name, value, words] of [
    ['colour', true, /no socket option colour/],
    ['toString', true, /no socket option toString/],
    ['extAck', 1, /extAck takes a boolean, not 1/],
    ['receiveBuffer', -1, /receiveBuffer takes bytes, not -1/],
    ['sendBuffer', 1.5, /sendBuffer takes bytes, not 1.5/],
    ['receiveBufferForce', 2 ** 31, /takes bytes, not 2147483648/],
  ] as const)
    assert.throws(() => optionValue(name, value), { code: 'NETLINK_INVALID', message: words })
})
