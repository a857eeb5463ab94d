/** The fuzzer, as CI runs it: 100,000 spoilt datagrams, both forms. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('./fuzz.js', import.meta.url)), ...args],
    { encoding: 'utf8', timeout: 110_000 },
  )
  assert.equal(status, 0, stderr)
  return stdout
}

test('10,000 spoilt D-Bus messages do nothing to a bus, in this process or through its socket', () => {
  const stdout = run('dbus', '--count', '10000')
  const [, taken, refused] =
    /^bus: 9000 messages .*: (\d+) taken, (\d+) refused/m.exec(stdout) ?? []
  assert.ok(Number(taken) > 500 && Number(refused) > 500, stdout)
  assert.match(stdout, /^gateway: 1\d\d\d messages .* clients$/m)
})

test('100,000 spoilt datagrams give values or DecodeErrors, and nothing hangs', () => {
  const stdout = run('--count', '100000')
  const runs = [...stdout.matchAll(/^(\w+): (\d+) datagrams .* (\d+) valid, (\d+) DecodeErrors/gm)]
  assert.deepEqual(
    runs.map(([, form]) => form),
    ['compiled', 'closures'],
  )
  for (const [, , executed, valid, refused] of runs) {
    assert.equal(executed, '50000')
    assert.ok(Number(valid) > 5000 && Number(refused) > 5000, stdout)
  }
})
