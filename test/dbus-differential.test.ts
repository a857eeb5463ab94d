/** Random scripts of D-Bus clients have the same transcripts on dbus-daemon and on nlkit. */
import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { missingDaemon } from './dbus/daemons.ts'
import { differ, showDifference } from './dbus/differ.ts'

/** Scripts of the short form; `npm run differential -- dbus` is the long one. */
const SCRIPTS = 12

test('clients hear the same on both', { skip: missingDaemon, timeout: 110_000 }, async () => {
  const { differences, scripts } = await differ({ count: SCRIPTS, seed: 1 })
  equal(scripts, SCRIPTS)
  equal(differences.map(showDifference).join('\n\n'), '')
})
