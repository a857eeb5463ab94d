/** Where text goes, when it is coloured, how bigints become JSON. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJson } from './json.ts'
import { Output } from './output.ts'

function capture(isTTY = false) {
  const written: string[] = []
  return { written, sink: { isTTY, write: (text: string) => written.push(text) } }
}

test('a bigint is a number as long as a number holds it', () => {
  assert.equal(toJson({ a: 5n, b: 2n ** 53n, c: [1n] }), '{"a":5,"b":9007199254740992,"c":[1]}')
})

test('lines are written in one piece, none of them not at all', () => {
  const { sink, written } = capture()
  const out = new Output(sink)
  out.lines(['a', 'b'])
  out.lines([])
  assert.deepEqual(written, ['a\nb\n'])
})

const COLORED = '\u001b[32mup\u001b[39m'
const CASES: readonly [boolean, 'auto' | 'always' | 'never', Record<string, string>, boolean][] = [
  [true, 'auto', {}, true],
  [false, 'auto', {}, false],
  [true, 'auto', { NO_COLOR: '1' }, false],
  [true, 'auto', { TERM: 'dumb' }, false],
  [false, 'auto', { FORCE_COLOR: '1' }, true],
  [true, 'auto', { FORCE_COLOR: '0' }, false],
  [false, 'always', { NO_COLOR: '1' }, true],
  [true, 'never', { FORCE_COLOR: '1' }, false],
]

for (const [isTTY, choice, env, colored] of CASES) {
  test(`${isTTY ? 'a terminal' : 'a pipe'}, ${choice}, ${JSON.stringify(env)}`, () => {
    const out = new Output(capture(isTTY).sink, choice, env)
    assert.equal(out.style('green', 'up'), colored ? COLORED : 'up')
  })
}
