/**
 * Specs as families: what is imported at run time and what is generated as a file are the same
 * family, whose codecs hold what codecs must, compiled and as closures; the file is formatted and
 * type-checks. NLKIT_SPECS adds a folder of Linux's own.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Family } from 'nlkit/schema'
import { allDigests, allSpecs, digests, linux, ynl } from './specs.ts'

const SEED = Number(process.env.NLKIT_SEED ?? 20261130)
const RUNS = Number(process.env.NLKIT_RUNS ?? 20)
const root = fileURLToPath(new URL('../..', import.meta.url))
const specs = allSpecs()

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    maxBuffer: 1 << 26,
  })
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

/** A folder with the family files of all specs, where a user of nlkit might have them. */
function generate(): { folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-specs-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/nlkit'))
  for (const { name, text } of specs)
    writeFileSync(join(folder, `${name}.ts`), ynl.generateFamily(text))
  const options = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      types: [],
      outDir: 'out',
      rootDir: '.',
    },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The family that a compiled file exports, with this process's nlkit. */
async function familyOf(folder: string, name: string): Promise<Family> {
  const file = join(folder, 'out', `${name}.js`)
  const exported = Object.values((await import(pathToFileURL(file).href)) as object)
  const found = exported.find(({ kind, ops }: Family) => (kind === 'genl' || kind === 'raw') && ops)
  return found as Family
}

test('specs of Linux', { skip: linux ? false : 'NLKIT_SPECS names no folder of specs' }, () => {
  assert.ok(specs.some(({ name }) => name.startsWith('linux-')))
})

test('what is imported and what is generated is one family, whose codecs hold', async (t) => {
  const imported = allDigests(SEED, RUNS)
  assert.ok(Object.values(imported).every((each) => each.length > 0))
  using generated = generate()
  const { folder } = generated
  await t.test('files are as the formatter leaves them', () => {
    const config = `--config-path=${root}`
    const files = specs.map(({ name }) => `${name}.ts`)
    run(
      join(root, 'node_modules/.bin/biome'),
      ['format', config, '--vcs-enabled=false', ...files],
      folder,
    )
  })
  await t.test('files type-check under strict', () => {
    run(join(root, 'node_modules/.bin/tsc'), ['-p', folder], folder)
  })
  for (const { name } of specs)
    await t.test(`${name}: the same bytes`, async () => {
      const family = await familyOf(folder, name)
      assert.deepEqual(digests(family, SEED, RUNS), imported[name])
    })
  await t.test('closures give the same', () => {
    const script = `
      let generates = true
      try { new Function('') } catch { generates = false }
      if (generates) throw new Error('this run may generate code')
      const { allDigests } = await import(${JSON.stringify(new URL('./specs.js', import.meta.url).href)})
      console.log(JSON.stringify(allDigests(${SEED}, ${RUNS})))`
    const args = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script]
    assert.deepEqual(JSON.parse(run(process.execPath, args, root)), imported)
  })
})

test('what is generated twice is the same text', () => {
  for (const { text } of specs) assert.equal(ynl.generateFamily(text), ynl.generateFamily(text))
})
