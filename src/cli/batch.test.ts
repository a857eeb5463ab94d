/** How a line of a batch file is cut into words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitLine } from './batch.ts'
import { UsageError } from './exit.ts'

const CASES: readonly [line: string, words: readonly string[]][] = [
  ['link set lo up', ['link', 'set', 'lo', 'up']],
  ['  nlkit  link   list # all', ['link', 'list']],
  ['# nothing', []],
  ['', []],
  [`link set v0 alias 'two words'`, ['link', 'set', 'v0', 'alias', 'two words']],
  [`a "b \\"c\\" d" e"f"g`, ['a', 'b "c" d', 'efg']],
  [`a ''`, ['a', '']],
]

for (const [line, words] of CASES) {
  test(line || '(an empty line)', () => assert.deepEqual(splitLine(line), words))
}

test('a quote that is not closed', () => {
  assert.throws(() => splitLine(`link add 'v0`), UsageError)
})
