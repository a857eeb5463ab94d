/** The house rules of src: borders as ARCHITECTURE.md draws them, and what a file may look like. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { bareCode, crossings, cycles, importsOf, parseRooms, resolve, roomOf } from './borders.ts'

const root = new URL('../../', import.meta.url)
const MAX_LINES = 400
const DRAWERS = /(^|\/)(utils?|helpers?|misc|common|shared|types)\.ts$/

/** Every source of src that is no test, by its path in src. */
const sources = new Map(
  readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
    .sort()
    .map((name) => [name, readFileSync(new URL(`src/${name}`, root), 'utf8')]),
)
const rooms = parseRooms(readFileSync(new URL('ARCHITECTURE.md', root), 'utf8'))

/** Files of which `offends` holds. */
function offenders(offends: (file: string, source: string) => boolean): string[] {
  return [...sources].filter(([file, source]) => offends(file, source)).map(([file]) => file)
}

test('there are sources and rooms to look at', () => {
  assert.ok(sources.size > 20)
  assert.ok(rooms.length > 8)
})

test('every import stays within the borders of ARCHITECTURE.md', () => {
  assert.deepEqual(
    [...sources].flatMap(([file, source]) => crossings(rooms, file, source)),
    [],
  )
})

test('every file that is imported is there', () => {
  const missing = [...sources].flatMap(([file, source]) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter(({ specifier }) => !sources.has(resolve(file, specifier)))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  )
  assert.deepEqual(missing, [])
})

test('every room of ARCHITECTURE.md has files', () => {
  const inUse = new Set([...sources.keys()].map((file) => roomOf(rooms, file)?.name))
  assert.deepEqual(
    rooms.map(({ name }) => name).filter((name) => !inUse.has(name)),
    [],
  )
})

test('no file imports itself on a detour', () => {
  assert.deepEqual(cycles(sources), [])
})

test('Buffer is Node’s: only rooms that may import node: use it', () => {
  const found = offenders(
    (file, source) =>
      !roomOf(rooms, file)?.packages.has('node:') && /\bBuffer\b/.test(bareCode(source)),
  )
  assert.deepEqual(found, [])
})

test('nothing but the CLI talks to the console', () => {
  const found = offenders(
    (file, source) => !file.startsWith('cli/') && /\bconsole\b/.test(bareCode(source)),
  )
  assert.deepEqual(found, [])
})

test('no default exports', () => {
  assert.deepEqual(
    offenders((_, source) => /^export default\b|\bas default\b/m.test(bareCode(source))),
    [],
  )
})

test(`no file is longer than ${MAX_LINES} lines`, () => {
  assert.deepEqual(
    offenders((_, source) => source.trimEnd().split('\n').length > MAX_LINES),
    [],
  )
})

test('every file opens with what it is for', () => {
  assert.deepEqual(
    offenders((_, source) => !/^(#!.*\n)?\/\*\*(\s|\n \* )\S/.test(source)),
    [],
  )
})

test('no file is a drawer', () => {
  assert.deepEqual(
    offenders((file) => DRAWERS.test(file)),
    [],
  )
})

const sample = parseRooms(`
| room | files | may import | packages |
|---|---|---|---|
| \`errors\` | \`errors.ts\`, \`errno.ts\` | – | – |
| \`wire\` | \`wire\` | \`errors\` | – |
| \`schema\` | \`schema\` | \`errors\`, \`wire\` | \`ipaddr.js\` |
| \`kernel\` | \`kernel/*.ts\` | \`errors\`, \`stack\` | – |
| \`stack\` | \`kernel/net\` | \`errors\`, \`kernel\` (types) | – |
| \`cli\` | \`cli\` | \`schema\` | \`node:\`, \`commander\` |

Not a row.
`)

const verdicts: readonly [file: string, source: string, verdict: string | undefined][] = [
  ['wire/a.ts', "import { E } from '../errors.ts'", undefined],
  ['wire/a.ts', "import { b } from './b.ts'", undefined],
  [
    'wire/a.ts',
    "import { attrs } from '../schema/attrs.ts'",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "import type { Attrs } from '../schema/attrs.ts'",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "import {\n  type A,\n  b,\n} from '../schema/attrs.ts'",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "export * from '../schema/attrs.ts'",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "import '../schema/attrs.ts'",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "const a = () => import('../schema/attrs.ts')",
    'wire/a.ts imports schema: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "import { readFileSync } from 'node:fs'",
    'wire/a.ts imports node:fs: ARCHITECTURE.md does not allow it',
  ],
  [
    'wire/a.ts',
    "import ipaddr from 'ipaddr.js'",
    'wire/a.ts imports ipaddr.js: ARCHITECTURE.md does not allow it',
  ],
  ['schema/a.ts', "import ipaddr from 'ipaddr.js'", undefined],
  ['cli/main.ts', "import { Command } from 'commander'\nimport fs from 'node:fs'", undefined],
  [
    'cli/main.ts',
    "import { x } from '@scope/commander/deep'",
    'cli/main.ts imports @scope/commander/deep: ARCHITECTURE.md does not allow it',
  ],
  ['kernel/net/device.ts', "import type { Kernel } from '../kernel.ts'", undefined],
  [
    'kernel/net/device.ts',
    "import { Kernel } from '../kernel.ts'",
    'kernel/net/device.ts imports kernel: ARCHITECTURE.md does not allow it, but for its types',
  ],
  [
    'kernel/net/device.ts',
    "import { type Kernel } from '../kernel.ts'",
    'kernel/net/device.ts imports kernel: ARCHITECTURE.md does not allow it, but for its types',
  ],
  ['kernel/kernel.ts', "import { Device } from './net/device.ts'", undefined],
  ['kernel/other/a.ts', '', 'kernel/other/a.ts is in no room of ARCHITECTURE.md'],
  [
    'wire/a.ts',
    "import { x } from '../attic/x.ts'",
    'wire/a.ts imports ../attic/x.ts, which is in no room of ARCHITECTURE.md',
  ],
  [
    'wire/a.ts',
    "/**\n * import { attrs } from '../schema/attrs.ts'\n */\n// import '../schema/a.ts'",
    undefined,
  ],
]

for (const [file, source, verdict] of verdicts)
  test(`the checker: ${file}, ${JSON.stringify(source)}`, () => {
    assert.deepEqual(crossings(sample, file, source), verdict === undefined ? [] : [verdict])
  })

test('the checker finds a cycle, and lets types make one', () => {
  const a = ['a.ts', "import { b } from './b.ts'"] as const
  assert.deepEqual(cycles(new Map([a, ['b.ts', "export { a } from './a.ts'"]])), [
    ['a.ts', 'b.ts', 'a.ts'],
  ])
  assert.deepEqual(cycles(new Map([a, ['b.ts', "import type { A } from './a.ts'"]])), [])
  assert.deepEqual(cycles(new Map([a, ['b.ts', "import { c } from './c.ts'"], ['c.ts', '']])), [])
})

test('the checker does not take words in comments and quotes for code', () => {
  const source = "// Buffer\nconst a = 'Buffer' // console\nconst b = `Buffer`\n * Buffer"
  assert.equal(/Buffer|console/.test(bareCode(source)), false)
  assert.match(bareCode('const a = Buffer.from(b)'), /Buffer/)
})

test('a table that names a room which is none is refused', () => {
  const table = '| room | files | may import | packages |\n|-|-|-|-|\n| a | a | b | – |'
  assert.throws(() => parseRooms(table), /a may import b, which is no room/)
  assert.throws(() => parseRooms('no table'), /no table of rooms/)
})
