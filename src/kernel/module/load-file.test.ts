/** Modules from files: what is found in them, and what is said when nothing is. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Kernel } from '../kernel.ts'
import { loadModuleFile } from './load-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'nlkit-modules-'))
after(() => rmSync(folder, { recursive: true }))
const definition = new URL('./definition.js', import.meta.url).href
const head = `import { defineModule } from '${definition}'\n`
const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const module = (name: string, how: string) =>
  `${head}${how} defineModule({ name: '${name}', license: 'GPL', init: (kernel) => { kernel.printk('${name}\\n'); return () => {} } })\n`

test('a file’s module: its default, or the only one that it exports', async () => {
  await using kernel = new Kernel()
  kernel.insmod(await loadModuleFile(write('a.mjs', module('a', 'export default'))))
  kernel.insmod(await loadModuleFile(write('b.mjs', module('b', 'export const b ='))))
  assert.deepEqual(
    kernel.dmesg().map(({ text }) => text),
    ['a', 'b'],
  )
})

test('a file that was changed is read anew', async () => {
  const path = write('c.mjs', module('old', 'export default'))
  assert.equal((await loadModuleFile(path)).name, 'old')
  write('c.mjs', module('new', 'export default'))
  utimesSync(path, 1, 1)
  assert.equal((await loadModuleFile(path)).name, 'new')
})

const bad: readonly [why: string, text: string, message: RegExp][] = [
  ['does not parse', 'export default {', /d0\.mjs: SyntaxError/],
  ['throws', 'throw new Error("at once")', /d1\.mjs: Error: at once/],
  ['has no module', 'export const x = 1', /d2\.mjs: it exports no module/],
  [
    'has two',
    module('a', 'export const a =') + module('b', 'export const b =').slice(head.length),
    /d3\.mjs: it exports several modules/,
  ],
]
for (const [i, [why, text, message]] of bad.entries()) {
  test(`a file that ${why} is ENOEXEC, and named`, async () => {
    await assert.rejects(loadModuleFile(write(`d${i}.mjs`, text)), { code: 'ENOEXEC', message })
  })
}

test('a file that is not there is ENOENT, a folder ENOEXEC', async () => {
  await assert.rejects(loadModuleFile(join(folder, 'nowhere.js')), { code: 'ENOENT' })
  await assert.rejects(loadModuleFile(folder), { code: 'ENOEXEC' })
})

test('a TypeScript file: read where something reads it, else one sentence says what is missing', async () => {
  const path = write('e.ts', module('e', 'const n: number = 1\nexport default n &&'))
  const { features } = process as { features: { typescript?: unknown } }
  if (features.typescript) assert.equal((await loadModuleFile(path)).name, 'e')
  else {
    await assert.rejects(loadModuleFile(path), {
      code: 'ENOEXEC',
      message: /use Node 22\.18 or later, install tsx, or give a \.js file/,
    })
  }
})
