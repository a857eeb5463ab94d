/** Prefixes and names: what is read, what is refused, and where. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EncodeError } from '../../errors.ts'
import {
  addressFlags,
  linkTypes,
  neighbourStates,
  routeProtocols,
  routeTypes,
  ruleActions,
  scopes,
  tables,
} from './names.ts'
import {
  familyNumber,
  familyOf,
  formatDestination,
  ipFamily,
  parseDestination,
  parsePrefix,
} from './prefix.ts'

test('prefixes: with a length, without, of either family', () => {
  const rows: [string, string, string, number][] = [
    ['10.0.0.0/24', 'inet', '10.0.0.0', 24],
    ['10.0.0.1', 'inet', '10.0.0.1', 32],
    ['0.0.0.0/0', 'inet', '0.0.0.0', 0],
    ['10.0.0.0/33', 'inet', '10.0.0.0', 33],
    ['fd00::/8', 'inet6', 'fd00::', 8],
    ['::1', 'inet6', '::1', 128],
    ['::ffff:10.0.0.1/128', 'inet6', '::ffff:10.0.0.1', 128],
  ]
  for (const [text, family, address, length] of rows)
    assert.deepEqual(parsePrefix(text, 'x'), { family, address, length })
})

test('what is no prefix is an EncodeError at its path', () => {
  for (const text of [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0/8',
    '10.0.0.0/x',
    '10.0.0.0/256',
    'default',
    'fe80::1%lo/64',
    '10.0.0.0/1/2',
    undefined,
    7,
    null,
  ]) {
    assert.throws(
      () => parsePrefix(text as never, 'the.path'),
      (error: unknown) => error instanceof EncodeError && error.path === 'the.path',
      String(text),
    )
  }
})

test('default is all of a family, and is written so', () => {
  assert.deepEqual(parseDestination('default', 'inet6', 'x'), {
    family: 'inet6',
    address: '::',
    length: 0,
  })
  assert.deepEqual(parseDestination('10.0.0.0/8', 'inet6', 'x').family, 'inet')
  assert.equal(formatDestination(undefined, 0), 'default')
  assert.equal(formatDestination('::', 0), 'default')
  assert.equal(formatDestination('10.0.0.0', 8), '10.0.0.0/8')
})

test('families by name and number', () => {
  assert.deepEqual([familyNumber('inet'), familyNumber('inet6')], [2, 10])
  assert.deepEqual(
    [ipFamily(2), ipFamily(10), ipFamily(7), ipFamily(28)],
    ['inet', 'inet6', undefined, undefined],
  )
  assert.deepEqual([familyOf('10.0.0.1', 'x'), familyOf('::1', 'x')], ['inet', 'inet6'])
  assert.throws(() => familyNumber('ipx' as never), EncodeError)
  assert.throws(() => familyOf('10.0.0.0/8', 'x'), EncodeError)
})

test('names are the kernel’s constants in lower case; numbers without one stay numbers', () => {
  assert.deepEqual(
    [linkTypes.name(1), linkTypes.name(772), routeTypes.name(6), scopes.name(0), scopes.name(253)],
    ['ether', 'loopback', 'blackhole', 'universe', 'link'],
  )
  assert.deepEqual(
    [routeProtocols.name(2), ruleActions.name(1), neighbourStates.name(0x80), tables.name(254)],
    ['kernel', 'to_tbl', 'permanent', 'main'],
  )
  assert.deepEqual([scopes.name(7), tables.name(100), neighbourStates.name(6)], [7, 100, 6])
})

test('names and numbers are both taken; bits one by one or together', () => {
  assert.equal(scopes.number('link', 'x'), 253)
  assert.equal(scopes.number(7, 'x'), 7)
  assert.equal(addressFlags.bits(['nodad', 'noprefixroute'], 'x'), 0x202)
  assert.equal(addressFlags.bits('nodad', 'x'), 2)
  assert.equal(addressFlags.bits(0x202, 'x'), 0x202)
  assert.throws(
    () => scopes.number('galaxy', 'the.path'),
    (error: unknown) =>
      error instanceof EncodeError && error.path === 'the.path' && /universe/.test(error.message),
  )
})
