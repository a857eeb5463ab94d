/** What counts as a failure of nlkit, and what does not. */
import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from './compare.ts'
import type { Run } from './run.ts'
import type { Verdict } from './tap.ts'

function run(cases: Record<string, Verdict>, end = 'status 0'): Run {
  return { cases: new Map(Object.entries(cases)), end, usesBus: true, seconds: 0, output: '' }
}

test('a case that passes on dbus-daemon has to pass: neither skipped nor left out', () => {
  const baseline = run({ a: 'ok', b: 'ok', c: 'ok', d: 'skip', e: 'not ok', f: 'skip' })
  const ours = run({ a: 'ok', b: 'skip', d: 'skip', e: 'not ok', f: 'not ok' }, 'SIGABRT')
  deepEqual(compare(baseline, ours), {
    passing: 4,
    passed: 1,
    skipped: 1,
    broken: ['e'],
    failures: [
      { name: 'b', what: 'skip' },
      { name: 'c', what: 'not reached' },
      { name: 'f', what: 'not ok' },
      { name: '(program)', what: 'SIGABRT; on dbus-daemon status 0' },
    ],
  })
})

test('what dbus-daemon skips or fails may pass here', () => {
  const { failures, passing } = compare(run({ a: 'skip', b: 'not ok' }), run({ a: 'ok', b: 'ok' }))
  deepEqual([failures, passing], [[], 0])
})
