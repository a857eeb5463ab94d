/** TAP as the suites print it. */
import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { readTap } from './tap.ts'

test('cases are read with their verdicts, whatever stands between them', () => {
  const text = [
    'TAP version 13',
    '# random seed: R02S',
    '1..5',
    'ok 1 /gdbus/error/mapping',
    'not ok 2 - second # no TODO about it',
    'ok 3 /a # SKIP needs root',
    'okay, no case',
    'ok 4 - normal dbus-daemon',
    'ok 5 /a',
    'Bail out! /x',
  ].join('\n')
  deepEqual(
    [...readTap(text)],
    [
      ['/gdbus/error/mapping', 'ok'],
      ['second', 'not ok'],
      ['/a', 'skip'],
      ['normal dbus-daemon', 'ok'],
      ['/a (5)', 'ok'],
    ],
  )
  deepEqual([...readTap('1..0 # SKIP no memory')], [['(all)', 'skip']])
})
