/** Sessions of the command line on nlkit's kernel, to the letter. UPDATE=1 writes them anew. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Console } from './console.ts'

const directory = new URL('../../test/golden/cli/', import.meta.url)
const names = readdirSync(directory).filter((name) => name.endsWith('.console'))

test('there are golden sessions', () => assert.ok(names.length >= 8))

for (const name of names) {
  test(name, async () => {
    const file = new URL(name, directory)
    const expected = readFileSync(file, 'utf8')
    await using session = new Console()
    const played = await session.play(expected)
    for (const line of played.split('\n'))
      if (/^[[{]"?/.test(line) && !/^\[exit/.test(line)) JSON.parse(line)
    if (process.env.UPDATE) writeFileSync(file, played)
    else assert.equal(played, expected)
  })
}
