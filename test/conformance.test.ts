/** docs/netlink-conformance.md: every test that it names is there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

test('every case of others names a test of ours that is there', () => {
  const rows = read('docs/netlink-conformance.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('` > '))
  assert.ok(rows.length > 20, `${rows.length} rows`)
  for (const row of rows) {
    const [, file, name] = /`([^`]+)` > (.*) \| (?:yes|no) \|$/.exec(row) ?? []
    assert.ok(file && name, row)
    assert.ok(read(file).includes(name), `${file} has no test ${JSON.stringify(name)}`)
  }
})
