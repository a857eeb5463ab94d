/** Columns: widths, sides, headings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable } from './table.ts'

test('cells stand in columns, numbers on the right, no spaces at the end', () => {
  const columns = [
    { heading: 'IDX', align: 'right' },
    { heading: 'NAME' },
    { heading: 'X' },
  ] as const
  assert.deepEqual(
    formatTable(columns, [
      ['1', 'lo', ''],
      ['10', 'veth0', 'y'],
    ]),
    ['IDX  NAME   X', '  1  lo', ' 10  veth0  y'],
  )
})

test('without headings there is no heading line', () => {
  assert.deepEqual(formatTable([{ heading: '' }, { heading: '' }], [['a', 'b']]), ['a  b'])
})

test('colour codes have no width', () => {
  const [, line] = formatTable([{ heading: 'A' }, { heading: 'B' }], [['\x1b[32mup\x1b[39m', 'x']])
  assert.equal(line, '\x1b[32mup\x1b[39m  x')
})
