/** The errno table against the uapi headers and the C library of this machine. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errnoName, errnoNumber, errnoText } from './errno.ts'

const HEADERS = ['/usr/include/asm-generic/errno-base.h', '/usr/include/asm-generic/errno.h']
const haveHeaders = HEADERS.every((path) => existsSync(path))

/** The errnos that the headers define by number, aliases such as EWOULDBLOCK left out. */
function defined(): [name: string, number: number][] {
  return HEADERS.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/^#define\s+(E\w+)\s+(\d+)/gm)].map(
      ([, name = '', number = '']): [string, number] => [name, Number(number)],
    ),
  )
}

test('every errno of the headers is in the table, with its number', {
  skip: haveHeaders ? false : 'no asm-generic/errno.h here (package linux-libc-dev)',
}, () => {
  const all = defined()
  assert.ok(all.length > 120, `only ${all.length} errnos found in the headers`)
  for (const [name, number] of all) {
    assert.equal(errnoNumber(name), number, name)
    assert.equal(errnoName(number), name)
  }
})

test('the table has no errno that the headers lack, but ENOTSUPP', (t) => {
  if (!haveHeaders) return t.skip('no asm-generic/errno.h here (package linux-libc-dev)')
  const names = new Set(defined().map(([name]) => name))
  const extra = []
  for (let number = 1; number < 1024; number++) {
    const name = errnoName(number)
    if (name !== `E${number}` && !names.has(name)) extra.push(name)
  }
  assert.deepEqual(extra, ['ENOTSUPP'])
})

test('the texts are those of strerror(3)', (t) => {
  const program = 'import os\nfor n in range(1, 134): print(os.strerror(n))'
  const { status, stdout } = spawnSync('python3', ['-c', program], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  if (status !== 0) return t.skip('no python3 here to ask for strerror(3)')
  const texts = stdout.trimEnd().split('\n')
  assert.equal(texts.length, 133)
  for (const [index, text] of texts.entries()) assert.equal(errnoText(index + 1), text)
})

test('an errno is found by its number, of either sign, and by its name', () => {
  assert.equal(errnoName(17), 'EEXIST')
  assert.equal(errnoName(-17), 'EEXIST')
  assert.equal(errnoNumber('EOPNOTSUPP'), 95)
  assert.equal(errnoText(-1), 'Operation not permitted')
  assert.equal(errnoText('ENODEV'), 'No such device')
  assert.equal(errnoText(524), 'Operation is not supported')
})

test('an errno that Linux does not name keeps its number', () => {
  assert.equal(errnoName(-512), 'E512')
  assert.equal(errnoNumber('E512'), 512)
  assert.equal(errnoText('E512'), 'Unknown error 512')
  assert.equal(errnoText(-9999), 'Unknown error 9999')
})

test('a word that is no errno has no number', () => {
  for (const word of ['NETLINK_TIMEOUT', '', 'E', 'eperm', 'toString', 'E1x', '17'])
    assert.equal(errnoNumber(word), undefined, word)
})
