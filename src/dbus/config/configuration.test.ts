import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newBus, TestClient } from '../bus/bus.test.support.ts'
import { loadConfiguration } from './configuration.ts'

test('a bus runs by its file: limits and policy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-config-'))
  try {
    const file = join(directory, 'bus.conf')
    writeFileSync(
      file,
      `<busconfig><limit name="max_names_per_connection">3</limit><policy context="default">
        <allow send_destination="*"/><allow receive_sender="*"/>
        <allow own="*"/><deny own="com.example.No"/></policy></busconfig>`,
    )
    const { limits, policy } = loadConfiguration({ file })
    const client = TestClient.hello(newBus({ limits, policy }))
    const ask = (name: string) => client.ask('RequestName', 'su', name, 0).at(-1)!.slice(0, 14)
    deepEqual(['com.example.No', 'com.example.A', 'com.example.B', 'com.example.C'].map(ask), [
      'AccessDenied: ',
      '[1]',
      '[1]',
      'LimitsExceeded',
    ])
    const uid = process.getuid?.() ?? 0
    ok(policy.mayConnect({ uid, pid: 1, gids: [], label: undefined }))
    ok(!policy.mayConnect({ uid: uid + 1, pid: 1, gids: [], label: undefined }))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

const skip = !existsSync('/usr/share/dbus-1/session.conf') && 'the package dbus is not installed'

test('the standard buses have their types and rules', { skip }, () => {
  const session = loadConfiguration({ session: true })
  equal(session.type, 'session')
  deepEqual(session.auth, ['EXTERNAL'])
  equal(session.limits.maxNamesPerConnection, 50_000)
  ok(session.serviceDirectories.some(({ path }) => path === '/usr/share/dbus-1/services'))
  const client = TestClient.hello(newBus({ policy: session.policy }))
  deepEqual(client.ask('RequestName', 'su', 'com.example.A', 0).at(-1), '[1]')
  const system = loadConfiguration({ system: true })
  equal(system.type, 'system')
  const stranger = TestClient.hello(newBus({ policy: system.policy }), 1234)
  ok(stranger.ask('RequestName', 'su', 'com.example.A', 0)[0]!.startsWith('AccessDenied'))
})
