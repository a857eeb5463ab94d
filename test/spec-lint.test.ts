/** `nlkit spec lint`: what it says of a spec, and the exit code that scripts go by. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Kernel } from 'nlkit/kernel'
import { nlkit } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'nlkit-lint-'))
after(() => rmSync(folder, { recursive: true }))
const kernel = new Kernel()
after(() => kernel.close())

const broken = readFileSync('test/ynl-specs/broken/lamp.yaml', 'utf8')
const doubtful = broken
  .replace('u24', 'u32')
  .replace('nested-attributes: shades', 'nested-attributes: lamp')
const files = {
  clean: 'test/ynl-specs/nlctrl.yaml',
  doubtful: join(folder, 'doubtful.yaml'),
  broken: 'test/ynl-specs/broken/lamp.yaml',
  none: join(folder, 'none.yaml'),
  text: join(folder, 'text.yaml'),
}
writeFileSync(files.doubtful, doubtful)
writeFileSync(files.text, 'name: [')

const CASES: readonly [words: readonly string[], code: number, said: RegExp][] = [
  [[files.clean], 0, /constants compared with/],
  [[files.clean, '--strict'], 0, /constants compared with/],
  [[files.doubtful], 0, /warning: .*"collar"/],
  [[files.doubtful, '--strict'], 1, /warning: .*"collar"/],
  [[files.broken], 1, /unknown type "u24"/],
  [[files.broken, '--strict'], 1, /unknown type "u24"/],
  [[files.none], 2, /ENOENT/],
  [[files.text], 1, /text\.yaml/],
  [[files.clean, '--include', '/nowhere'], 2, /there is no \/nowhere/],
  [[], 2, /FILE is missing/],
]

for (const [words, code, said] of CASES)
  test(`spec lint ${words.join(' ').replaceAll(folder, '')} ends with ${code}`, async () => {
    const ended = await nlkit(kernel, ['spec', 'lint', ...words])
    assert.equal(ended.code, code, ended.output)
    assert.match(ended.output, said)
  })

test('as JSON the faults are values, and the exit code is the same', async () => {
  const ended = await nlkit(kernel, ['spec', 'lint', files.broken, '-j'])
  assert.equal(ended.code, 1)
  const { problems } = JSON.parse(ended.stdout)
  assert.equal(problems.length, 3)
  assert.ok(problems.every(({ severity }: { severity: string }) => /error|warning/.test(severity)))
})

test('a family that nobody knows is the same error whoever is asked for it', async () => {
  for (const words of [
    ['family', 'describe', 'nlctl'],
    ['family', 'policy', 'nlctl'],
    ['listen', 'nlctl'],
    ['call', 'nlctl', 'getFamily'],
  ]) {
    const { code, stderr } = await nlkit(kernel, words)
    assert.equal(code, 1, words.join(' '))
    assert.equal(
      stderr,
      'error: this kernel has no generic netlink family named nlctl (NETLINK_FAMILY)\n  did you mean nlctrl?\n',
    )
  }
})
