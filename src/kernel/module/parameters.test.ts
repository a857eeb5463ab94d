/** Module parameters: what each type takes, and how insmod's line is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Kernel } from '../kernel.ts'
import { defineModule } from './definition.ts'
import { param, parseParams } from './parameters.ts'

const types = {
  num: param.int(5),
  small: param.byte(),
  big: param.ulong(),
  on: param.bool(),
  text: param.charp('none'),
  list_of: param.array(param.int(), 3),
}
const read = (line: Parameters<typeof parseParams>[2]) => {
  const warnings: string[] = []
  return { values: parseParams('m', types, line, (text) => warnings.push(text)), warnings }
}

test('parameters: their defaults, and what is given', () => {
  const none = { num: 5, small: 0, big: 0n, on: false, text: 'none', list_of: [] }
  assert.deepEqual(read('').values, none)
  assert.deepEqual(read({ num: undefined }).values, none)
  const line = 'num=-0x10 small=0377 big=18446744073709551615 on text="a b" list-of=1,2,3'
  const all = {
    num: -16,
    small: 255,
    big: 2n ** 64n - 1n,
    on: true,
    text: 'a b',
    list_of: [1, 2, 3],
  }
  assert.deepEqual(read(line).values, all)
  assert.deepEqual(
    read({ num: -16, small: 255, big: 2n ** 64n - 1n, on: true, text: 'a b', list_of: [1, 2, 3] })
      .values,
    all,
  )
  assert.equal(read('num=1 num=2').values.num, 2)
  assert.equal(read('"text=x y"').values.text, 'x y')
})

const bad: readonly [line: string, code: string][] = [
  ['num=', 'EINVAL'],
  ['num', 'EINVAL'],
  ['num=1x', 'EINVAL'],
  ['num=09', 'EINVAL'],
  ['num=2147483648', 'ERANGE'],
  ['num=-2147483649', 'ERANGE'],
  ['small=256', 'ERANGE'],
  ['small=-1', 'EINVAL'],
  ['big=18446744073709551616', 'ERANGE'],
  ['on=maybe', 'EINVAL'],
  ['text', 'EINVAL'],
  [`text=${'x'.repeat(1025)}`, 'ENOSPC'],
  ['list_of=1,2,3,4', 'EINVAL'],
  ['list_of=1,,3', 'EINVAL'],
]
for (const [line, code] of bad) {
  test(`parameters: ${line.slice(0, 30)} is ${code}`, () => {
    assert.throws(() => read(line), { code })
  })
}

test('parameters: an unknown one is warned of and ignored, a bad one is named', () => {
  const { values, warnings } = read('what=1 num=7')
  assert.equal(values.num, 7)
  assert.deepEqual(warnings, ["m: unknown parameter 'what' ignored"])
  assert.throws(() => read('num=x'), { message: "m: `x' invalid for parameter `num' (EINVAL)" })
})

test('parameters: a bad one fails insmod before init, typed ones reach init', async () => {
  await using kernel = new Kernel()
  const seen: unknown[] = []
  const module = defineModule({
    name: 'm',
    license: 'GPL',
    params: { count: param.uint(3), name: param.charp() },
    init(_, { params }) {
      seen.push(params.count + 1, params.name.length)
      return () => {}
    },
  })
  assert.throws(() => kernel.insmod(module, 'count=-1'), { code: 'EINVAL' })
  assert.deepEqual(seen, [])
  kernel.insmod(module, { count: 9, name: 'x', other: 1 })
  assert.deepEqual(seen, [10, 1])
  assert.deepEqual(
    kernel.dmesg().map(({ text }) => text),
    ["m: `-1' invalid for parameter `count'", "m: unknown parameter 'other' ignored"],
  )
})

test('parameters: any line is read or refused with a code', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      try {
        read(line)
      } catch (error) {
        assert.match(String((error as { code: string }).code), /^(EINVAL|ERANGE|ENOSPC)$/)
      }
    }),
  )
})
