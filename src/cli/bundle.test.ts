import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleFor } from './bundle.ts'

const lines: readonly [line: string, bundle: string | undefined, kernel?: string][] = [
  ['kernel start', 'kernel'],
  ['kernel start --listen /run/k --detach', 'kernel'],
  ['kernel status', 'client'],
  ['--kernel unix:/run/k kernel stop', 'client'],
  ['run -- ip link', 'kernel'],
  ['run --record f -- ip link', 'kernel'],
  ['run --kernel unix:/run/k -- ip link', undefined],
  ['run -- ip link', undefined, 'unix:/run/k'],
  ['run -- nlkit --kernel live link', 'kernel'],
  ['dbus start --session', 'dbus'],
  ['link list', 'client'],
  ['-j -4 route list', 'client'],
  ['--kernel unix:/run/k link list', 'client'],
  ['--kernel embedded link list', undefined],
  ['--kernel=embedded link list', undefined],
  ['link list', undefined, 'embedded'],
  ['-batch file', undefined],
  ['--batch=link', undefined],
  ['call --spec link', undefined],
  ['spec lint link', undefined],
  ['tour', undefined],
  ['--help', undefined],
  ['', undefined],
]

test('each kind of command line has its bundle, and what may need anything has none', () => {
  for (const [line, bundle, kernel] of lines) {
    const found = bundleFor(line.split(' ').filter(Boolean), { NLKIT_KERNEL: kernel })
    const expected = process.platform === 'linux' || bundle !== 'client' ? bundle : undefined
    assert.equal(found, expected, `${line} ${kernel ?? ''}`)
  }
})

test('a bundle is what counts, unless the modules are newer', async () => {
  const root = mkdtempSync(join(tmpdir(), 'nlkit-bundle-'))
  try {
    for (const name of ['cli', 'bundle']) mkdirSync(join(root, name))
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
    cpSync(fileURLToPath(new URL('./bundle.js', import.meta.url)), join(root, 'cli/bundle.js'))
    const { loadBundle } = (await import(
      pathToFileURL(join(root, 'cli/bundle.js')).href
    )) as typeof import('./bundle.ts')
    assert.equal(loadBundle('kernel'), undefined, 'there is none')
    const [file, record] = [join(root, 'bundle/kernel.cjs'), join(root, '.tsbuildinfo')]
    writeFileSync(file, "module.exports = { run: 'of the bundle' }")
    assert.deepEqual(loadBundle('kernel'), { run: 'of the bundle' }, 'as installed')
    writeFileSync(record, '')
    utimesSync(record, 1000, 1000)
    assert.deepEqual(loadBundle('kernel'), { run: 'of the bundle' }, 'as built')
    utimesSync(file, 999, 999)
    assert.equal(loadBundle('kernel'), undefined, 'compiled since')
    assert.equal(loadBundle(undefined), undefined)
  } finally {
    rmSync(root, { recursive: true })
  }
})
