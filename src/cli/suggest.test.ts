/** Which known name a wrong one is taken for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearest } from './suggest.ts'

const CASES: readonly [word: string, known: readonly string[], expected: string | undefined][] = [
  ['lnik', ['link', 'addr'], 'link'],
  ['veht0', ['lo', 'veth0', 'veth1'], 'veth0'],
  ['veth2', ['veth0', 'veth1'], 'veth0'],
  ['sett', ['set', 'get'], 'set'],
  ['upp', ['up', 'down'], 'up'],
  ['adress', ['address', 'addr'], 'address'],
  ['frobnicate', ['link'], undefined],
  ['x', ['a', 'b'], undefined],
  ['eth0', ['eth0'], undefined],
  ['', ['a'], undefined],
]

for (const [word, known, expected] of CASES) {
  test(`${word || '(nothing)'} is taken for ${expected ?? 'nothing'}`, () => {
    assert.equal(nearest(word, known), expected)
  })
}

test('the sentence, or none', () => {
  assert.equal(didYouMean('lnik', ['link']), 'did you mean link?')
  assert.equal(didYouMean('zzzz', ['link']), undefined)
})
