/** The listings of the documents that netlink is known by, line by line over the kernel's own names. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const sources = new URL('../../examples/seeds/', import.meta.url)
const built = new URL('../examples/seeds/', import.meta.url)
const golden = new URL('../../test/golden/seeds/', import.meta.url)

const names = readdirSync(sources).filter((name) => name.endsWith('.ts'))

function run(name: string): string {
  const file = fileURLToPath(new URL(name.replace(/\.ts$/, '.js'), built))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--enable-source-maps', file], {
    encoding: 'utf8',
    timeout: 60_000,
    env,
  })
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

test('the documents 000 to 004 are all here', () => {
  assert.deepEqual(
    names.sort().map((name) => name.slice(0, 3)),
    ['000', '001', '002', '003', '004'],
  )
})

for (const name of names) {
  test(`${name} prints what it should`, () => {
    assert.equal(run(name), readFileSync(new URL(name.replace(/\.ts$/, '.txt'), golden), 'utf8'))
  })
}

/** What the article on notifier chains shows of the kernel's log. */
const LOG = `init_notifier
Begin to register:
register test_notifier1 completed
register test_notifier2 completed
register test_notifier3 completed
Begin to notify:
==============================
In Event 1: Event Number is 1
In Event 2: Event Number is 1
In Event 3: Event Number is 1
`

test('the log of the three modules is the article’s, to the letter', () => {
  const printed = readFileSync(new URL('002-notifier-chains.txt', golden), 'utf8')
  assert.equal(printed.slice(0, LOG.length), LOG)
})
