/** How the values of parameters are read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from './exit.ts'
import { mac, oneOf, onOff, readDuration, readInteger, readPrefix } from './parameter.ts'

test('durations have a unit', () => {
  assert.deepEqual(
    ['250ms', '5s', '1.5s', '2m', '1h'].map(readDuration),
    [250, 5000, 1500, 120_000, 3_600_000],
  )
  for (const wrong of ['5', '', 's', '-5s', '5 s', '5d'])
    assert.throws(() => readDuration(wrong), UsageError)
})

test('numbers are decimal or hexadecimal', () => {
  assert.deepEqual(['0', '42', '0xff'].map(readInteger), [0, 42, 255])
  for (const wrong of ['', '-1', '1.5', '0b1', '1e3', 'ten'])
    assert.throws(() => readInteger(wrong), UsageError)
})

test('prefixes: with a length, without, all of them', () => {
  assert.deepEqual(readPrefix('10.0.0.0/8'), { address: '10.0.0.0', length: 8, family: 'inet' })
  assert.deepEqual(readPrefix('fd00::1'), { address: 'fd00::1', length: 128, family: 'inet6' })
  assert.deepEqual(readPrefix('default', 'inet6'), { address: '::', length: 0, family: 'inet6' })
  for (const wrong of ['10.0.0/8', '10.0.0.0/', '10.0.0.0/x', 'x', '10.0.0.0/255.0.0.0'])
    assert.throws(() => readPrefix(wrong), UsageError)
})

test('a prefix length that is too long is left to the kernel, which says it better', () => {
  assert.equal(readPrefix('10.0.0.0/33').length, 33)
})

test('switches, choices, link-layer addresses', () => {
  const on = onOff('')
  assert.deepEqual(['on', 'OFF', 'yes', '0'].map(on.read), [true, false, true, false])
  assert.throws(() => on.read('maybe'), /expected on or off, got "maybe"/)
  assert.throws(() => oneOf(['permanent', 'stale'], '').read('permanant'), {
    hint: 'did you mean permanent?',
  })
  assert.equal(mac('').read('2:0:0:0:0:A'), '02:00:00:00:00:0a')
  assert.throws(() => mac('').read('02-00-00-00-00-01'), UsageError)
})
