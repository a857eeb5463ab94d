/** The fuzzer, as CI runs it: 100,000 spoilt datagrams, both forms. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('100,000 spoilt datagrams give values or DecodeErrors, and nothing hangs', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('./fuzz.js', import.meta.url)), '--count', '100000'],
    { encoding: 'utf8', timeout: 240_000 },
  )
  assert.equal(status, 0, stderr)
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
