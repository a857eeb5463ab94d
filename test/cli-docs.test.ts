/** The sessions at a console that documents show: they are played, and must go as they are shown. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Console } from './console.ts'
import { blocksOf, matchesOutput } from './documents.ts'

const root = new URL('../../', import.meta.url)

/** Languages of blocks that a test runs: these here, `ts`, `js` and `sh` in docs.test.ts. */
const RUN = ['console', 'ts', 'js', 'sh']

function read(name: string): string {
  const file = new URL(name, root)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

for (const document of ['README.md', 'docs/cli.md']) {
  test(`${document}: its sessions, one after the other on one kernel`, async (t) => {
    await using session = new Console()
    for (const { language, line, code } of blocksOf(document, read(document))) {
      if (language !== 'console') continue
      await t.test(`line ${line}`, async () => {
        const played = await session.play(code)
        if (!matchesOutput(played, code)) assert.equal(played, code)
      })
    }
  })
}

test('every block of docs/cli.md is run', () => {
  const blocks = blocksOf('docs/cli.md', read('docs/cli.md'))
  assert.ok(blocks.length > 5)
  const unrun = blocks.filter(
    ({ language, run }) => !RUN.includes(language) || (language !== 'console' && !run),
  )
  assert.deepEqual(unrun, [])
})
