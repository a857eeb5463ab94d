/** Did you mean: what is near enough, and what is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { didYouMean } from './nearest.ts'

const rows: readonly [word: string, names: readonly string[], found: string | undefined][] = [
  ['veht0', ['lo', 'veth0', 'veth1'], 'veth0'],
  ['veth00', ['veth0'], 'veth0'],
  ['eth', ['eth0'], 'eth0'],
  ['loo', ['lo', 'eth0'], 'lo'],
  ['l', ['lo'], undefined],
  ['lo', ['lo'], undefined],
  ['bridge', ['veth0', 'eth0'], undefined],
  ['abcdefg', ['abc', 'abcdxyz'], undefined],
  ['wlan0', ['wlan1', 'wlan2'], 'wlan1'],
  ['', ['a'], undefined],
  ['nothing', [], undefined],
]

for (const [word, names, found] of rows)
  test(`${JSON.stringify(word)} among ${names.join(', ') || 'nothing'}: ${found ?? 'none'}`, () => {
    assert.equal(didYouMean(word, names), found && `did you mean ${found}?`)
  })

test('one edit of a word of six letters is always found', () => {
  const letter = fc.constantFrom(...'abcdef')
  fc.assert(
    fc.property(
      fc.array(letter, { minLength: 6, maxLength: 12 }),
      fc.nat(5),
      fc.constantFrom('drop', 'double', 'change', 'swap'),
      (word, at, edit) => {
        const typed = [...word]
        if (edit === 'drop') typed.splice(at, 1)
        else if (edit === 'double') typed.splice(at, 0, 'x')
        else if (edit === 'change') typed[at] = 'x'
        else typed.splice(at, 2, ...typed.slice(at, at + 2).reverse())
        fc.pre(typed.join('') !== word.join(''))
        assert.equal(didYouMean(typed.join(''), [word.join('')]), `did you mean ${word.join('')}?`)
      },
    ),
  )
})
