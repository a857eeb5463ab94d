/** nlkit's bus answers as dbus-daemon did when it was recorded, and as it does now where it is installed. */
import { deepEqual, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { missingDaemon } from './dbus/daemons.ts'
import { GOLDEN_FILE, goldenTranscript } from './dbus/record.ts'

const recorded = readFileSync(GOLDEN_FILE, 'utf8').trimEnd().split('\n')
const notRoot = process.getuid?.() === 0 ? false : 'it was recorded by root, and so says'

test('the recorded script has the same transcript', {
  skip: notRoot,
  timeout: 100_000,
}, async () => {
  ok(recorded.length > 1000)
  deepEqual(await goldenTranscript('nlkit'), recorded)
})

test('the recording is what dbus-daemon says', {
  skip: notRoot || missingDaemon,
  timeout: 100_000,
}, async () => {
  deepEqual(await goldenTranscript('dbus-daemon'), recorded)
})
