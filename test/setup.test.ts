/** The scripts that build and test: what they notice, and that a test run cannot pass by accident. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What scripts/setup.mjs exports. */
interface Setup {
  isNewEnough(version: string, engines: string): boolean
  missingPackages(wanted: Packages, installed: Packages): string[]
  orphans(outDir: string, sourceDir: string): string[]
  uncompiled(outDir: string, sourceDir: string): string[]
}
type Packages = Record<string, { version?: string; optional?: boolean }>

const scripts = new URL('../../scripts/', import.meta.url)
const setup: Setup = await import(new URL('setup.mjs', scripts).href)

/** A directory with these files in it, which `use` gets; gone afterwards. */
function withFiles(files: Readonly<Record<string, string>>, use: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'nlkit-setup-'))
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
    }
    use(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('set-up knows which Node is new enough', () => {
  for (const [version, verdict] of [
    ['18.20.4', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['20.20.2', true],
    ['22.0.0', true],
    ['26.10.0', true],
  ] as const)
    assert.equal(setup.isNewEnough(version, '>=20.19'), verdict, version)
})

test('set-up installs when a package is missing or has another version', () => {
  const wanted = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-win32': { version: '1.0.0', optional: true },
  }
  assert.deepEqual(setup.missingPackages(wanted, { 'node_modules/a': { version: '1.0.0' } }), [])
  assert.deepEqual(setup.missingPackages(wanted, {}), ['node_modules/a'])
  assert.deepEqual(setup.missingPackages(wanted, { 'node_modules/a': { version: '1.0.1' } }), [
    'node_modules/a',
  ])
})

test('set-up finds outputs without a source, and sources without an output', () => {
  const files = {
    'src/a.ts': '',
    'src/deep/b.ts': '',
    'src/new.ts': '',
    'dist/.tsbuildinfo': '',
    'dist/a.js': '',
    'dist/a.d.ts': '',
    'dist/deep/b.js.map': '',
    'dist/deep/b.js': '',
    'dist/deep/gone.js': '',
    'dist/gone.d.ts.map': '',
  }
  withFiles(files, (root) => {
    const [dist, src] = [join(root, 'dist'), join(root, 'src')]
    assert.deepEqual(setup.orphans(dist, src).sort(), ['deep/gone.js', 'gone.d.ts.map'])
    assert.deepEqual(setup.uncompiled(dist, src), ['new.ts'])
    assert.deepEqual(setup.orphans(join(root, 'none'), src), [])
  })
})

/** Runs scripts/test.mjs over the compiled tests given, each with an empty source. */
function runTests(
  compiled: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  prepare: (root: string) => void = () => {},
): { status: number | null; output: string } {
  const sources = Object.keys(compiled).map((name) => [`src/${name}.ts`, ''])
  const outputs = Object.entries(compiled).map(([name, code]) => [`dist/${name}.js`, code])
  const files = Object.fromEntries([
    ...sources,
    ...outputs,
    ['dist/.tsbuildinfo', ''],
    ['test/tsconfig.json', ''],
    ['package.json', '{ "type": "module" }'],
  ])
  const done = { status: null as number | null, output: '' }
  withFiles(files, (root) => {
    cpSync(fileURLToPath(scripts), join(root, 'scripts'), { recursive: true })
    prepare(root)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts/test.mjs'), ...args],
      { encoding: 'utf8', env },
    )
    done.status = status
    done.output = stdout + stderr
  })
  return done
}

const passing = "import { test } from 'node:test'\ntest('holds', () => {})\n"
const failing =
  "import { test } from 'node:test'\ntest('breaks', () => { throw new Error('no') })\n"

test('a run with nothing wrong ends with node’s closing lines and code 0', () => {
  const { status, output } = runTests({ 'a.test': passing, 'deep/b.test': passing })
  assert.equal(status, 0, output)
  assert.match(output, /^ok src\/a\.test\.ts \(1 test, [\d.]+ s\)$/m)
  assert.match(output, /^ok src\/deep\/b\.test\.ts \(1 test, [\d.]+ s\)$/m)
  assert.match(output, /\n# tests 2\n# suites 0\n# pass 2\n# fail 0\n(# \w+ [\d.]+\n)+$/)
})

test('a failing test fails the run and is shown', () => {
  const { status, output } = runTests({ 'a.test': passing, 'b.test': failing })
  assert.equal(status, 1)
  assert.match(output, /^not ok src\/b\.test\.ts .*\n {4}not ok breaks\n {8}Error: no$/m)
  assert.match(output, /^failed: src\/b\.test\.ts$/m)
  assert.match(output, /^# fail 1$/m)
})

test('a skipped test gives its reason', () => {
  const skipping =
    "import { test } from 'node:test'\ntest('s', { skip: 'no root here' }, () => {})\n"
  const { status, output } = runTests({ 'a.test': skipping })
  assert.equal(status, 0)
  assert.match(output, /^ {4}skip s: no root here$/m)
})

test('a file without tests, and one that leaves in the middle, fail the run', () => {
  const leaving = `${passing}test('leaves', () => process.exit(0))\n`
  for (const [name, code] of Object.entries({ 'empty.test': '', 'leaving.test': leaving })) {
    const { status, output } = runTests({ 'a.test': passing, [name]: code })
    assert.equal(status, 1, name)
    assert.match(output, new RegExp(`^not ok src/${name}.ts .*\n {4}ran no test$`, 'm'))
    assert.match(output, /^# fail 1$/m)
  }
})

test('a file whose tests another file makes counts as one that ran', () => {
  const { status, output } = runTests({
    'a.test': "import { both } from './both.js'\nboth('a')\n",
    both: "import { test } from 'node:test'\nexport const both = (name) => test(name, () => {})\n",
  })
  assert.equal(status, 0, output)
  assert.match(output, /^ok src\/a\.test\.ts \(1 test, /m)
})

test('a test that hangs the process is ended, and its file fails', () => {
  const hanging = "import { test } from 'node:test'\ntest('waits', () => new Promise(() => {}))\n"
  const { status, output } = runTests({ 'a.test': hanging, 'b.test': passing })
  assert.equal(status, 1)
  assert.match(output, /^ok src\/b\.test\.ts /m)
  assert.match(output, /^failed: src\/a\.test\.ts$/m)
})

test('a test that is not compiled, or older than its source, fails the run', () => {
  const gone = runTests({ 'a.test': passing }, [], (root) => rmSync(join(root, 'dist/a.test.js')))
  assert.equal(gone.status, 1)
  assert.match(gone.output, /^test: dist\/a\.test\.js is missing$/m)
  const stale = runTests({ 'a.test': passing }, [], (root) => {
    const later = new Date(Date.now() + 60_000)
    utimesSync(join(root, 'src/a.test.ts'), later, later)
  })
  assert.equal(stale.status, 1)
  assert.match(stale.output, /^test: dist\/a\.test\.js is older than src\/a\.test\.ts$/m)
})

test('words keep the files that have one of them in their path', () => {
  const some = runTests({ 'wire/a.test': passing, 'b.test': failing }, ['wire'])
  assert.equal(some.status, 0, some.output)
  assert.match(some.output, /^# tests 1$/m)
  const none = runTests({ 'a.test': passing }, ['wire', 'kernel'])
  assert.equal(none.status, 1)
  assert.match(none.output, /none of the 1 test files has wire or kernel in its path/)
})
